package backend

import "bytes"

// form reads what a query or a form body holds: key=value&... All but known fields is ignored; the
// value of the key "parameters" is returned, as the form connector has all in it.
//
// PowerDNS writes lists as value[]=a&value[]=b and records as rrset[0][qname]=... Before 5.0 it
// leaves out the key of a boolean, and in rrset also the & between records, so that the auth of a
// record (its first member) ends the TTL (the last member) of the one before it:
//
//	1&rrset[0][content]=...&rrset[0][ttl]=3001&rrset[1][content]=...&rrset[1][ttl]=300
func (p *params) form(text []byte) (parameters []byte, err error) {
	var list recordList
	for len(text) > 0 {
		var pair []byte
		pair, text, _ = bytes.Cut(text, []byte("&"))
		key, encoded, ok := bytes.Cut(pair, []byte("="))
		if !ok {
			list.keyless = true
			continue
		}
		group, member, grouped := splitKey(key)
		f, known := fieldOf(group)
		if !known && string(key) != "parameters" || grouped != (f >= values && known) || f == keyData && known {
			continue
		}
		value, ok := p.decode(encoded, true)
		switch {
		case !ok:
			return nil, bad("%s has a broken escape; expected %% and two hexadecimal digits", key)
		case !known:
			parameters = value
		case f == values:
			p.given |= 1 << f
			p.values = append(p.values, value)
		case grouped:
			p.given |= 1 << f
			if err := list.add(p, f, key[:len(key)-len(member)-len("[]")], member, value); err != nil {
				return nil, err
			}
		default:
			p.set(f, value)
		}
	}
	return parameters, nil
}

// splitKey returns what stands before the first bracket and inside the last ones: rrset[0][qname] is
// the member qname of the group rrset.
func splitKey(key []byte) (group, member []byte, grouped bool) {
	first, last := bytes.IndexByte(key, '['), bytes.LastIndexByte(key, '[')
	if first < 0 || key[len(key)-1] != ']' {
		return key, nil, false
	}
	return key[:first], key[last+1 : len(key)-1], true
}

// recordList is where in a list of records a form is.
type recordList struct {
	at      []byte // rrset[0]
	keyless bool   // a boolean stood just before
}

// add notes a member of the record that is called at.
func (l *recordList) add(p *params, f field, at, member, value []byte) error {
	if !bytes.Equal(l.at, at) {
		if f == rrset && l.at != nil && !l.keyless && string(member) != "auth" {
			if err := p.records[len(p.records)-1].unglue(); err != nil {
				return err
			}
		}
		if len(p.records) == mostRecords {
			return refused("there are more than %d records", mostRecords)
		}
		p.records = append(p.records, record{})
		l.at = at
	}
	l.keyless = false
	if text := p.records[len(p.records)-1].member(member); text != nil {
		*text = value
	}
	return nil
}

// unglue takes the digit off a TTL that belongs to the next record.
func (r *record) unglue() error {
	last := len(r.ttl) - 1
	if last < 1 || r.ttl[last] != '0' && r.ttl[last] != '1' {
		return refused("the TTL %.40q of record %.80q does not end in the next one's auth, as PowerDNS 4 writes it", r.ttl, r.name)
	}
	r.ttl = r.ttl[:last]
	return nil
}
