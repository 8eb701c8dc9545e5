package zonefile

import (
	"io"
	"iter"

	"redyn/backend/dns"
)

// Zone is the whole of a master file, as RRsets.
type Zone struct {
	// Name is the owner of the SOA; empty if there is no SOA.
	Name    dns.Name
	Records int
	// Warnings are what was read otherwise than it was written.
	Warnings []Problem

	sets  []dns.RRset
	pos   []Pos // of the first record of each set
	index map[setKey]int32
}

type setKey struct {
	name dns.Name
	typ  dns.Type
}

// Read reads a master file and groups its records into RRsets. Records of one RRset with several
// TTLs get the first one, as BIND does it, and a warning. Read fails with the first fault of the
// text; what is wrong with the zone itself finds Check. Progress, if given, is told now and then
// how many records have been read.
func Read(r io.Reader, o Options, progress func(records int)) (*Zone, error) {
	z := &Zone{index: make(map[setKey]int32)}
	for rec, err := range Parse(r, o) {
		if err != nil {
			return nil, err
		}
		z.add(rec)
		if z.Records++; progress != nil && z.Records%1000 == 0 {
			progress(z.Records)
		}
	}
	for i, set := range z.sets {
		z.sets[i] = dns.NewRRset(set.Name, set.Type, set.TTL, set.Content...)
	}
	return z, nil
}

func (z *Zone) add(rec Record) {
	if rec.Type == dns.TypeSOA && z.Name == "" {
		z.Name = rec.Name
	}
	key := setKey{rec.Name, rec.Type}
	at, ok := z.index[key]
	if !ok {
		z.index[key] = int32(len(z.sets))
		z.sets = append(z.sets, dns.RRset{Name: rec.Name, Type: rec.Type, TTL: rec.TTL, Content: []string{rec.Content}})
		z.pos = append(z.pos, rec.Pos)
		return
	}
	set := &z.sets[at]
	if set.TTL != rec.TTL && rec.Type != dns.TypeRRSIG {
		z.Warnings = append(z.Warnings, Problem{
			Pos: rec.Pos, Name: rec.Name, Type: rec.Type,
			Text: "TTL " + utoa(rec.TTL) + " differs from the first record's; all get " + utoa(set.TTL),
		})
	}
	set.Content = append(set.Content, rec.Content)
}

// RRsets are the zone's RRsets, in the order of the file.
func (z *Zone) RRsets() iter.Seq[dns.RRset] {
	return func(yield func(dns.RRset) bool) {
		for _, set := range z.sets {
			if !yield(set) {
				return
			}
		}
	}
}

// Check finds what is wrong with the zone as a whole, with the places in the file.
func (z *Zone) Check() []Problem {
	problems := append([]Problem(nil), z.Warnings...)
	found := Check(z.Name, z.sets)
	for i, p := range found {
		if at, ok := z.index[setKey{p.Name, p.Type}]; ok {
			found[i].Pos = z.pos[at]
		}
	}
	return append(problems, found...)
}
