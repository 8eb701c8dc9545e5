package zonedb_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"redyn/backend/dns"
)

// refZone is a zone as a list of RRsets, and every question to it is answered by a look at all of
// them, in the words of the RFCs: the reference for what a DB answers.
type refZone struct {
	id   dns.ZoneID
	name dns.Name
	meta dns.Metadata
	keys map[dns.KeyID]dns.Key
	sets map[string]dns.RRset // by owner and type
}

func (z *refZone) clone() *refZone {
	return &refZone{z.id, z.name, maps.Clone(z.meta), maps.Clone(z.keys), maps.Clone(z.sets)}
}

func (z *refZone) data() dns.ZoneData {
	data := dns.ZoneData{Zone: dns.Zone{ID: z.id, Name: z.name}, Metadata: maps.Clone(z.meta)}
	for _, id := range slices.Sorted(maps.Keys(z.keys)) {
		data.Keys = append(data.Keys, z.keys[id])
	}
	return data
}

func (z *refZone) set(s dns.RRset) {
	key := fmt.Sprint(s.Name, s.Type)
	if len(s.Content) == 0 || !within(s.Name, z.name) {
		delete(z.sets, key)
	} else {
		z.sets[key] = s
	}
}

// labels returns the octets of a name's labels, the last label first.
func labels(name dns.Name) []string {
	var list []string
	label, any := []byte(nil), false
	for i := 0; i < len(name); i++ {
		switch {
		case name[i] == '.':
			if any {
				list = append(list, string(label))
			}
			label, any = nil, false
			continue
		case name[i] == '\\' && '0' <= name[i+1] && name[i+1] <= '9':
			octet, err := strconv.Atoi(string(name[i+1 : i+4]))
			if err != nil {
				panic(err)
			}
			label = append(label, byte(octet))
			i += 3
		case name[i] == '\\':
			i++
			label = append(label, name[i])
		default:
			label = append(label, name[i])
		}
		any = true
	}
	slices.Reverse(list)
	return list
}

func compare(a, b dns.Name) int { return slices.Compare(labels(a), labels(b)) }

// within reports whether name is ancestor or below it.
func within(name, ancestor dns.Name) bool {
	n, a := labels(name), labels(ancestor)
	return len(n) >= len(a) && slices.Equal(n[:len(a)], a)
}

func below(name, ancestor dns.Name) bool { return name != ancestor && within(name, ancestor) }

func (z *refZone) auth(name dns.Name, typ dns.Type) bool {
	for _, s := range z.sets {
		if s.Type != dns.TypeNS || s.Name == z.name {
			continue
		}
		if below(name, s.Name) {
			return false
		}
		if name == s.Name && typ != dns.TypeDS && typ != dns.TypeNSEC && typ != dns.TypeRRSIG {
			return false
		}
	}
	return true
}

func (z *refZone) lookup(name dns.Name, typ dns.Type) []dns.Answer {
	var answers []dns.Answer
	ent := false
	for _, s := range z.sets {
		if s.Name == name {
			answers = append(answers, dns.Answer{RRset: s, Zone: z.id, Auth: z.auth(name, s.Type)})
		}
		ent = ent || below(s.Name, name)
	}
	if len(answers) == 0 && ent && below(name, z.name) {
		auth := z.auth(name, dns.TypeENT)
		if p, ok := z.nsec3(); ok && p.optOut && p.presigned {
			auth = slices.Contains(z.chain(p), name)
		}
		answers = append(answers, dns.Answer{RRset: dns.RRset{Name: name, Type: dns.TypeENT}, Zone: z.id, Auth: auth})
	}
	slices.SortFunc(answers, func(a, b dns.Answer) int {
		if soa := dns.TypeSOA; a.Type == soa || b.Type == soa {
			return cmp.Compare(b2i(b.Type == soa), b2i(a.Type == soa))
		}
		return cmp.Compare(a.Type, b.Type)
	})
	return slices.DeleteFunc(answers, func(a dns.Answer) bool { return typ != dns.TypeANY && a.Type != typ })
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (z *refZone) list() []dns.Answer {
	names := make(map[dns.Name]bool)
	for _, s := range z.sets {
		for name := s.Name; name != z.name; name = name.Parent() {
			names[name] = true
		}
		names[z.name] = true
	}
	var answers []dns.Answer
	for _, name := range slices.SortedFunc(maps.Keys(names), compare) {
		answers = append(answers, z.lookup(name, dns.TypeANY)...)
	}
	return answers
}

// refDB is a set of zones.
type refDB map[dns.ZoneID]*refZone

func (db refDB) lookup(name dns.Name, typ dns.Type, id dns.ZoneID) []dns.Answer {
	if db[id] == nil {
		id = dns.AnyZone
	}
	var zones []*refZone
	for _, z := range db {
		if z.id == id || id == dns.AnyZone && within(name, z.name) {
			zones = append(zones, z)
		}
	}
	slices.SortFunc(zones, func(a, b *refZone) int { return len(b.name) - len(a.name) })
	var answers []dns.Answer
	for _, z := range zones {
		answers = append(answers, z.lookup(name, typ)...)
	}
	return answers
}

func (db refDB) referrers(target dns.Name) string {
	found := make(map[string]bool)
	for _, z := range db {
		for _, s := range z.sets {
			for _, content := range s.Content {
				f := strings.Fields(content)
				text := ""
				switch s.Type {
				case dns.TypeNS, dns.TypeCNAME, dns.TypeDNAME, dns.TypeALIAS:
					text = f[0]
				case dns.TypeMX, dns.TypeHTTPS:
					text = f[1]
				case dns.TypeSRV:
					text = f[3]
				}
				if name, err := dns.ParseName(text); err == nil && name == target {
					found[fmt.Sprintln(s.Name, s.Type)] = true
				}
			}
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(found)), "")
}

func (db refDB) records() (names, records int) {
	for _, z := range db {
		owners := make(map[dns.Name]bool)
		for _, s := range z.sets {
			owners[s.Name] = true
			records += len(s.Content)
		}
		names += len(owners)
	}
	return names, records
}
