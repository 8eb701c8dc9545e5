package backend

import "bytes"

// usual is the lookup as PowerDNS writes it, to the letter: what stands before each of its values.
// Nearly every line is one, and comparing is faster than reading.
var usual = [...]struct {
	before string
	value  field
}{
	{`{"method": "lookup", "parameters": {"local": "`, fields},
	{`", "qname": "`, qname},
	{`", "qtype": "`, qtype},
	{`", "real-remote": "`, fields},
	{`", "remote": "`, fields},
}

var (
	usualMethod    = []byte("lookup")
	usualBeginning = []byte(`{"method": "lookup"`)
)

const (
	usualNumber = `", "zone-id": `
	usualEnd    = "}}"
)

// usualLookup reads a line that is written as usual, without escapes. If it is not, it has read
// nothing and returns false: that is for request.
func (p *params) usualLookup(line []byte) bool {
	rest := line
	for i := range usual {
		u := &usual[i]
		if len(rest) < len(u.before) || string(rest[:len(u.before)]) != u.before {
			return p.nothing()
		}
		rest = rest[len(u.before):]
		n := plainLen(rest)
		if u.value < fields {
			p.set(u.value, rest[:n])
		}
		rest = rest[n:]
	}
	number, ok := bytes.CutPrefix(rest, []byte(usualNumber))
	if !ok {
		return p.nothing()
	}
	s := scanner{b: number}
	s.number()
	if s.failed || string(number[s.i:]) != usualEnd {
		return p.nothing()
	}
	p.set(zoneID, number[:s.i])
	return true
}

func (p *params) nothing() bool {
	p.forget()
	return false
}
