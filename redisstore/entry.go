package redisstore

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

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
//	data <id>                 "*": read the zone anew; "gone": the zone was deleted
//
// Fields of other names are not for this program.

// foreign reports whether an entry was not written by this program, but by hand perhaps. It has no
// place in the chain.
func foreign(m redis.XMessage) bool {
	_, own := m.Values["epoch"]
	return !own
}

// link is where an entry stands in the chain: the data set and the entry before it.
type link struct{ epoch, prev string }

var errEntry = errors.New("log entry cannot be read")

// decodeEntry reads an entry of the log.
func decodeEntry(m redis.XMessage) (dns.Entry, link, error) {
	e := dns.Entry{ID: m.ID}
	var l link
	for name, value := range m.Values {
		text, ok := value.(string)
		if !ok {
			return e, l, fmt.Errorf("%w: %s of %s is no text", errEntry, name, m.ID)
		}
		word, rest, found := strings.Cut(name, " ")
		if !found {
			switch name {
			case "epoch":
				l.epoch = text
			case "prev":
				l.prev = text
			case "change":
				e.Change = text
			case "who":
				e.Who = text
			case "from":
				e.From = text
			}
			continue
		}
		if err := decodePart(&e, word, rest, text); err != nil {
			return e, l, fmt.Errorf("%w: %s of %s: %w", errEntry, name, m.ID, err)
		}
	}
	if l.epoch == "" {
		return e, l, fmt.Errorf("%w: %s has no epoch", errEntry, m.ID)
	}
	for _, z := range e.Zones {
		if z.Name == "" {
			return e, l, fmt.Errorf("%w: zone %d of %s has no name", errEntry, z.ID, m.ID)
		}
	}
	slices.SortFunc(e.Zones, func(a, b dns.ZoneEntry) int { return cmp.Compare(a.ID, b.ID) })
	return e, l, nil
}

// decodePart reads the field "<word> <rest>", which is about one zone.
func decodePart(e *dns.Entry, word, rest, text string) error {
	switch word {
	case "zone", "rr", "meta", "data":
	default:
		return nil
	}
	idText, rest, _ := strings.Cut(rest, " ")
	id, err := parseID(idText)
	if err != nil {
		return err
	}
	z := zoneEntry(e, id)
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
	case "data":
		z.Reload, z.Deleted = text == "*", text == "gone"
		if !z.Reload && !z.Deleted {
			err = fmt.Errorf("%.40q is neither * nor gone", text)
		}
	}
	return err
}

func zoneEntry(e *dns.Entry, id dns.ZoneID) *dns.ZoneEntry {
	for i := range e.Zones {
		if e.Zones[i].ID == id {
			return &e.Zones[i]
		}
	}
	e.Zones = append(e.Zones, dns.ZoneEntry{ID: id})
	return &e.Zones[len(e.Zones)-1]
}
