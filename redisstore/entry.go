package redisstore

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-json"
	"github.com/redis/go-redis/v9"

	"redyn/backend/dns"
)

// An entry of the log is a flat list of fields:
//
//	epoch    the data set
//	prev     the id of the entry before it; "" in the first one
//	change   the id of the change; who asked for it and from where: who, from
//	time     when, by the clock of the node that wrote it (RFC 3339)
//	zone <id>                 the zone's name; stands there for every zone of the change
//	serial <id>               its serial after the change, if its SOA changed
//	rr <id> <owner> <TYPE>    the RRset's value after the change, as in rr:<id>:<gen>; "": gone
//	meta <id> <KIND>          the metadata's value after the change, as in meta:<id>; "": gone
//	key <id> <number>         the DNSSEC key's value after the change, as in key:<id>; "": gone
//	about <id> <field>        what the field of zone:<id> is after the change; if one changed, all stand
//	                          there but name, gen and last_key
//	data <id>                 "*": read the zone anew; "gone": the zone was deleted
//	tsig <name>               the TSIG key's value after the change, as in tsig; "": gone
//	autoprimary <address> <nameserver>  likewise, as in autoprimaries
//	host <id> <name>          {"policy":"delete"}: what the host is after the change; "": gone
//	credential <id>           the credential after the change, without what proves its secret; "": gone
//
// Credentials, and what hosts are besides their names, are told for whoever asks later who did what; nodes
// leave them out, and fields of other names.

// foreign reports whether an entry was not written by this program, but by hand perhaps. It has no
// place in the chain.
func foreign(m redis.XMessage) bool {
	_, own := m.Values["epoch"]
	return !own
}

// link is where an entry stands in the chain: the data set and the entry before it.
type link struct{ epoch, prev string }

var errEntry = errors.New("log entry cannot be read")

// entry is a change as the log tells it.
type entry struct {
	dns.Entry
	link
	secrets []secretRead
}

// secretRead says of a secret that was given a value or taken away why that could not be read, nil
// if it could.
type secretRead struct {
	place string
	zone  dns.ZoneID // 0: a TSIG key
	err   error
}

// decodeEntry reads an entry of the log.
func (s secrets) decodeEntry(m redis.XMessage) (entry, error) {
	e := entry{Entry: dns.Entry{ID: m.ID}}
	about := make(map[dns.ZoneID]map[string]string)
	for name, value := range m.Values {
		text, ok := value.(string)
		if !ok {
			return e, fmt.Errorf("%w: %s of %s is no text", errEntry, name, m.ID)
		}
		word, rest, found := strings.Cut(name, " ")
		var err error
		switch {
		case !found:
			e.takeHead(name, text)
		case word == "tsig", word == "autoprimary":
			err = s.decodeServer(&e, word, rest, text)
		case word == "host":
			e.takeHost(rest, text)
		case word == "about":
			err = decodeAbout(about, rest, text)
		default:
			err = s.decodePart(&e, word, rest, text)
		}
		if err != nil {
			return e, fmt.Errorf("%w: %s of %s: %w", errEntry, name, m.ID, err)
		}
	}
	if e.epoch == "" {
		return e, fmt.Errorf("%w: %s has no epoch", errEntry, m.ID)
	}
	for id, fields := range about {
		z := e.zone(id)
		fields["name"] = string(z.Name)
		zone, err := parseZone(id, fields)
		if err != nil {
			return e, fmt.Errorf("%w: %s: %w", errEntry, m.ID, err)
		}
		z.Zone = &zone
	}
	for _, z := range e.Zones {
		if z.Name == "" {
			return e, fmt.Errorf("%w: zone %d of %s has no name", errEntry, z.ID, m.ID)
		}
	}
	slices.SortFunc(e.Zones, func(a, b dns.ZoneEntry) int { return cmp.Compare(a.ID, b.ID) })
	return e, nil
}

// takeHead takes a field that is about the entry itself.
func (e *entry) takeHead(name, text string) {
	switch name {
	case "epoch":
		e.epoch = text
	case "prev":
		e.prev = text
	case "change":
		e.Change = text
	case "who":
		e.Who = text
	case "from":
		e.From = text
	}
}

// takeHost takes the field "host <rest>". What is no name is nobody's.
func (e *entry) takeHost(rest, text string) {
	_, name, _ := strings.Cut(rest, " ")
	host, err := dns.ParseName(name)
	if err != nil {
		return
	}
	if e.Hosts == nil {
		e.Hosts = make(map[dns.Name]bool)
	}
	e.Hosts[host] = text != ""
}

// decodePart reads the field "<word> <rest>", which is about one zone.
func (s secrets) decodePart(e *entry, word, rest, text string) error {
	switch word {
	case "zone", "rr", "meta", "key", "data":
	default:
		return nil
	}
	idText, rest, _ := strings.Cut(rest, " ")
	id, err := parseID(idText)
	if err != nil {
		return err
	}
	z := e.zone(id)
	switch word {
	case "zone":
		z.Name, err = dns.ParseName(text)
	case "rr":
		var set dns.RRset
		set, err = parseRRset(rest, text)
		z.RRsets = append(z.RRsets, set)
	case "meta":
		if z.Metadata == nil {
			z.Metadata = make(dns.Metadata)
		}
		z.Metadata[rest], err = decodeValues(text)
	case "key":
		err = s.takeKey(e, z, rest, text)
	case "data":
		z.Reload, z.Deleted = text == "*", text == "gone"
		if !z.Reload && !z.Deleted {
			err = fmt.Errorf("%.40q is neither * nor gone", text)
		}
	}
	return err
}

// takeKey takes a key of a zone. One that cannot be read is no fault of the entry's.
func (s secrets) takeKey(e *entry, z *dns.ZoneEntry, number, text string) error {
	id, err := parseKeyID(number)
	if err != nil {
		return err
	}
	if z.Keys == nil {
		z.Keys = make(map[dns.KeyID]*dns.Key)
	}
	read := secretRead{place: keyPlace(z.ID, id), zone: z.ID}
	z.Keys[id] = nil
	if text != "" {
		key, err := s.decodeKey(z.ID, id, text)
		if err == nil {
			z.Keys[id] = &key
		}
		read.err, z.KeysUnknown = err, z.KeysUnknown || err != nil
	}
	e.secrets = append(e.secrets, read)
	return nil
}

// decodeServer reads the field "<word> <rest>", which is about no zone.
func (s secrets) decodeServer(e *entry, word, rest, text string) error {
	if word == "autoprimary" {
		a, account, err := decodeAutoprimary(rest, text)
		if e.Server.Autoprimaries == nil {
			e.Server.Autoprimaries = make(map[dns.Autoprimary]*string)
		}
		e.Server.Autoprimaries[a] = account
		return err
	}
	name, err := dns.ParseName(rest)
	if err != nil {
		return err
	}
	if e.Server.TSIG == nil {
		e.Server.TSIG = make(map[dns.Name]*dns.TSIGKey)
	}
	read := secretRead{place: tsigPlace(name)}
	e.Server.TSIG[name] = nil
	if text != "" {
		key, err := s.decodeTSIG(name, text)
		if err == nil {
			e.Server.TSIG[name] = &key
		}
		read.err, e.TSIGUnknown = err, e.TSIGUnknown || err != nil
	}
	e.secrets = append(e.secrets, read)
	return nil
}

// decodeAutoprimary reads a field of autoprimaries and its value; the account is nil if that is empty.
func decodeAutoprimary(name, text string) (dns.Autoprimary, *string, error) {
	a, err := parseAutoprimary(name)
	if err != nil || text == "" {
		return a, nil, err
	}
	var v storedAutoprimary
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return a, nil, err
	}
	return a, &v.Account, nil
}

// decodeAbout takes the field "about <rest>" into the fields of its zone.
func decodeAbout(about map[dns.ZoneID]map[string]string, rest, text string) error {
	idText, name, _ := strings.Cut(rest, " ")
	id, err := parseID(idText)
	if err != nil {
		return err
	}
	if about[id] == nil {
		about[id] = make(map[string]string)
	}
	about[id][name] = text
	return nil
}

// zone returns the part about the zone with this id.
func (e *entry) zone(id dns.ZoneID) *dns.ZoneEntry {
	for i := range e.Zones {
		if e.Zones[i].ID == id {
			return &e.Zones[i]
		}
	}
	e.Zones = append(e.Zones, dns.ZoneEntry{ID: id})
	return &e.Zones[len(e.Zones)-1]
}
