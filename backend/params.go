package backend

import (
	"fmt"
	"strconv"
	"strings"
	"unsafe"

	"redyn/backend/dns"
)

// field is one of the parameters that a method may have.
type field uint8

const (
	qname field = iota
	qtype
	zoneID
	domainID
	zonename
	id
	name
	domain
	kind
	ip
	trxid
	pattern
	maxResults
	query
	serial
	account
	nameserver
	algorithm
	content
	flags
	active
	published
	values // of metadata; from here on a field holds more than one text
	rr
	rrset
	nsset
	keyData
	fields
)

// fieldOf returns the field that is called key in JSON, in queries and form bodies.
func fieldOf(key []byte) (field, bool) {
	switch string(key) {
	case "qname":
		return qname, true
	case "qtype":
		return qtype, true
	case "zone-id":
		return zoneID, true
	case "domain_id":
		return domainID, true
	case "zonename":
		return zonename, true
	case "id":
		return id, true
	case "name":
		return name, true
	case "domain":
		return domain, true
	case "kind":
		return kind, true
	case "ip":
		return ip, true
	case "trxid":
		return trxid, true
	case "pattern":
		return pattern, true
	case "maxResults":
		return maxResults, true
	case "query":
		return query, true
	case "serial":
		return serial, true
	case "account":
		return account, true
	case "nameserver":
		return nameserver, true
	case "algorithm":
		return algorithm, true
	case "content":
		return content, true
	case "flags":
		return flags, true
	case "active":
		return active, true
	case "published":
		return published, true
	case "value":
		return values, true
	case "rr":
		return rr, true
	case "rrset":
		return rrset, true
	case "nsset":
		return nsset, true
	case "key":
		return keyData, true
	}
	return 0, false
}

func (f field) String() string {
	return [...]string{
		"qname", "qtype", "zone-id", "domain_id", "zonename", "id", "name", "domain", "kind", "ip",
		"trxid", "pattern", "maxResults", "query", "serial", "account", "nameserver", "algorithm", "content",
		"flags", "active", "published", "value", "rr", "rrset", "nsset", "key",
	}[f]
}

// params are the parameters of one request, as text: strings without quotes and escapes, numbers as
// they were written. The text lies in the request's memory and is gone with it.
type params struct {
	from    *session // of the connection that asks
	given   uint32   // a bit for each field
	text    [fields][]byte
	values  [][]byte // of the field of that name
	records []record // of rr, rrset or nsset
	buf     []byte   // for what had to be decoded
	names   []byte   // for names in canonical form
}

func (p *params) reset() {
	p.from = nil
	p.forget()
	p.buf = p.buf[:0]
	p.names = p.names[:0]
	if cap(p.buf) > most {
		p.buf = nil
	}
	if cap(p.values) > most/64 {
		p.values = nil
	}
	if cap(p.records) > most/64 {
		p.records = nil
	}
}

// forget makes p as if nothing had been given.
func (p *params) forget() {
	p.given = 0
	p.values, p.records = p.values[:0], p.records[:0]
}

func (p *params) set(f field, text []byte) {
	p.given |= 1 << f
	p.text[f] = text
}

func (p *params) unset(f field) { p.given &^= 1 << f }

func (p *params) has(f field) bool { return p.given&(1<<f) != 0 }

func (p *params) need(f field) ([]byte, error) {
	if !p.has(f) {
		return nil, bad("%s is missing", f)
	}
	return p.text[f], nil
}

// name returns the domain name in f. It is valid until the request is answered.
func (p *params) name(f field) (dns.Name, error) {
	text, err := p.need(f)
	if err != nil {
		return "", err
	}
	if p.names == nil {
		p.names = make([]byte, 0, 2*dns.MaxNameText)
	}
	at := len(p.names)
	p.names, err = dns.AppendName(p.names, text)
	if err != nil {
		return "", bad("%s: %v", f, err)
	}
	// The one place where text in reused memory becomes a Name without a copy: nobody writes to it
	// before the request is answered, and Zones keeps no name that it is given.
	n := p.names[at:]
	return dns.Name(unsafe.String(unsafe.SliceData(n), len(n))), nil
}

// kept is name for a name that is kept.
func (p *params) kept(f field) (dns.Name, error) {
	n, err := p.name(f)
	return dns.Name(strings.Clone(string(n))), err
}

// qtype returns the type asked for.
func (p *params) qtype() (dns.Type, error) {
	text, err := p.need(qtype)
	if err != nil {
		return 0, err
	}
	if string(text) == "ANY" {
		return dns.TypeANY, nil
	}
	t, err := dns.ParseType(string(text))
	if err != nil {
		return 0, bad("qtype: %v", err)
	}
	return t, nil
}

// zone returns the zone id in f; a missing or negative one is AnyZone.
func (p *params) zone(f field) (dns.ZoneID, error) {
	if !p.has(f) {
		return dns.AnyZone, nil
	}
	text := p.text[f]
	n, err := strconv.ParseInt(string(text), 10, 32)
	if err != nil {
		return 0, bad("%s %.40q is no number of a zone", f, text)
	}
	return max(dns.ZoneID(n), dns.AnyZone), nil
}

// zoneOf returns the zone whose id is in f, and false if there is none.
func (b *Backend) zoneOf(p *params, f field) (dns.Zone, bool, error) {
	if _, err := p.need(f); err != nil {
		return dns.Zone{}, false, err
	}
	number, err := p.zone(f)
	if err != nil {
		return dns.Zone{}, false, err
	}
	z, ok := b.Zones.ZoneByID(number)
	return z, ok, mustKnow(z)
}

// zoneNamed returns the zone named apex, and false if there is none.
func (b *Backend) zoneNamed(apex dns.Name) (dns.Zone, bool, error) {
	z, ok := b.Zones.Zone(apex)
	return z, ok, mustKnow(z)
}

// mustKnow fails if a zone is not known.
func mustKnow(z dns.Zone) error {
	if z.Unknown {
		return fmt.Errorf("zone %s: %w", z.Name, dns.ErrUnknown)
	}
	return nil
}

// bool returns what f says; a missing one is what otherwise is.
func (p *params) bool(f field, otherwise bool) (bool, error) {
	if !p.has(f) {
		return otherwise, nil
	}
	switch string(p.text[f]) {
	case "1", "true":
		return true, nil
	case "0", "false":
		return false, nil
	}
	return false, bad("%s %.40q is neither true nor false", f, p.text[f])
}

// count returns the number in f, which is at least 0 and at most most; that is also what a missing
// one is.
func (p *params) count(f field, most int) (int, error) {
	if !p.has(f) {
		return most, nil
	}
	n, err := strconv.ParseInt(string(p.text[f]), 10, 64)
	if err != nil {
		return 0, bad("%s %.40q is no number", f, p.text[f])
	}
	return int(min(max(n, 0), int64(most))), nil
}
