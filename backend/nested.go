package backend

import (
	"strconv"

	"redyn/backend/dns"
	"redyn/backend/dns/zonefile"
)

// record is one record as PowerDNS sends it, as text in the request's memory. What it says of auth
// and ordername is not kept: it is wrong at times, and Zones derives both.
type record struct{ name, typ, content, ttl []byte }

// mostRecords bounds the records in one request: more do not fit into a DNS message.
const mostRecords = 1 << 16

// member returns where the text of a record's member goes, nil for one that is not kept.
func (r *record) member(name []byte) *[]byte {
	switch string(name) {
	case "qname":
		return &r.name
	case "qtype":
		return &r.typ
	case "content":
		return &r.content
	case "ttl":
		return &r.ttl
	}
	return nil
}

// parse reads the record, which is to be in a zone.
func (r *record) parse(zone dns.Name) (dns.RRset, error) {
	name, err := dns.ParseName(string(r.name))
	if err != nil {
		return dns.RRset{}, refused("record %.80q: %v", r.name, err)
	}
	if !name.Under(zone) {
		return dns.RRset{}, refused("record %s is not in zone %s", name, zone)
	}
	typ, err := dns.ParseType(string(r.typ))
	if err != nil {
		return dns.RRset{}, refused("record %s: %v", name, err)
	}
	ttl, err := strconv.ParseUint(string(r.ttl), 10, 32)
	if err != nil || ttl > dns.MaxTTL {
		return dns.RRset{}, refused("record %s %s: TTL %.40q is not from 0 to %d", name, typ, r.ttl, dns.MaxTTL)
	}
	content, err := zonefile.ParseContent(typ, string(r.content), dns.Root)
	if err != nil {
		return dns.RRset{}, refused("record %s: %v", name, err)
	}
	return dns.RRset{Name: name, Type: typ, TTL: uint32(ttl), Content: []string{content}}, nil
}

// parseSets reads records into one RRset for each owner and type; the last TTL counts.
func parseSets(records []record, zone dns.Name) ([]dns.RRset, error) {
	var sets []dns.RRset
	place := make(map[setKey]int)
	for i := range records {
		one, err := records[i].parse(zone)
		if err != nil {
			return nil, err
		}
		at, there := place[keyOf(one)]
		if !there {
			place[keyOf(one)] = len(sets)
			sets = append(sets, one)
			continue
		}
		sets[at].TTL = one.TTL
		sets[at].Content = append(sets[at].Content, one.Content...)
	}
	for i, s := range sets {
		sets[i] = dns.NewRRset(s.Name, s.Type, s.TTL, s.Content...)
	}
	return sets, nil
}

// nested reads the value of a field that has fields of its own.
func (p *params) nested(s *scanner, f field) {
	p.given |= 1 << f
	switch f {
	case values:
		p.values = p.values[:0]
		s.each(func() { p.values = append(p.values, s.scalar()) })
	case keyData:
		s.members(func(name []byte) {
			switch inner, _ := fieldOf(name); inner {
			case flags, active, published, content:
				p.set(inner, s.scalar())
			default:
				s.skip(0)
			}
		})
	case rr:
		p.records = p.records[:0]
		p.record(s)
	default:
		p.records = p.records[:0]
		s.each(func() { p.record(s) })
	}
}

// record reads one record.
func (p *params) record(s *scanner) {
	if len(p.records) == mostRecords {
		s.fail()
		return
	}
	var r record
	s.members(func(name []byte) {
		if text := r.member(name); text != nil {
			*text = s.scalar()
		} else {
			s.skip(0)
		}
	})
	p.records = append(p.records, r)
}

// each calls read for each element of an array.
func (s *scanner) each(read func()) {
	if !s.opens('[') {
		return
	}
	for more := s.first(']'); more; more = s.next(']') {
		read()
	}
}

// members calls read with the name of each member of an object, to read its value.
func (s *scanner) members(read func(name []byte)) {
	if !s.opens('{') {
		return
	}
	for more := s.first('}'); more; more = s.next('}') {
		read(s.key())
	}
}
