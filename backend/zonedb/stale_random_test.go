package zonedb_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"redyn/backend/dns"
	"redyn/backend/zonedb"
)

// follower makes random changes to a DB that tells what they make stale, and with a delay of one
// change to another that shows what was answered before.
type follower struct {
	*rand.Rand
	now, before *zonedb.DB
	told        dns.Stale
	serial      int
}

var served = map[dns.ZoneID]dns.Name{1: "example.", 2: "a.example.", 3: "other.", 4: "b.c.example."}

func newFollower(seed uint64) *follower {
	f := &follower{Rand: rand.New(rand.NewPCG(seed, 0)), now: zonedb.New(), before: zonedb.New()}
	f.now.TellStale(func(s dns.Stale) {
		f.told = dns.Stale{
			All: f.told.All || s.All, Names: append(f.told.Names, s.Names...), Trees: append(f.told.Trees, s.Trees...),
			Serials: append(f.told.Serials, s.Serials...), Zones: append(f.told.Zones, s.Zones...),
		}
	})
	return f
}

func (f *follower) name(apex dns.Name) dns.Name {
	text := string(apex)
	for range f.IntN(4) {
		text = []string{"a", "b", "c", "*", "x"}[f.IntN(5)] + "." + text
	}
	return dns.Name(text)
}

func (f *follower) apex() dns.Name { return served[dns.ZoneID(1+f.IntN(len(served)))] }

func (f *follower) soa(apex dns.Name) dns.RRset {
	f.serial++
	minimum := 60
	if f.IntN(20) == 0 {
		minimum = 61
	}
	return dns.NewRRset(apex, dns.TypeSOA, 60, fmt.Sprintf("ns. host. %d 1 1 1 %d", f.serial, minimum))
}

// rrset is some RRset, often none.
func (f *follower) rrset(apex dns.Name) dns.RRset {
	types := []dns.Type{
		dns.TypeA, dns.TypeA, dns.TypeA, dns.TypeAAAA, dns.TypeTXT, dns.TypeCNAME, dns.TypeCNAME, dns.TypeMX,
		dns.TypeSRV, dns.TypeHTTPS, typeNAPTR, typeNAPTR, dns.TypeNS, dns.TypeDS,
	}
	if apex != "other." && f.IntN(20) == 0 {
		types = []dns.Type{dns.TypeDNAME}
	}
	s := dns.RRset{Name: f.name(apex), Type: types[f.IntN(len(types))], TTL: 60}
	if f.IntN(3) == 0 || s.Type == dns.TypeCNAME && s.Name == apex {
		return s
	}
	content, target := fmt.Sprint(f.IntN(3)), string(f.name(f.apex()))
	switch s.Type {
	case dns.TypeCNAME, dns.TypeNS:
		content = target
	case dns.TypeDNAME: // never round in a circle
		content = string(f.name("other."))
	case dns.TypeMX:
		content = "10 " + target
	case dns.TypeSRV:
		content = "1 2 3 " + target
	case typeNAPTR:
		content = fmt.Sprintf(`1 2 "%s" "" "" %s`, []string{"a", "s", "u"}[f.IntN(3)], target)
	case dns.TypeHTTPS:
		content = fmt.Sprint(f.IntN(2), " ", []string{target, "."}[f.IntN(2)])
	}
	s.Content = []string{content}
	return s
}

// change makes some change, which it returns to be made to the other DB too.
func (f *follower) change(t *testing.T) (what string, make func(*zonedb.DB)) {
	id := dns.ZoneID(1 + f.IntN(len(served)))
	switch n := f.IntN(100); {
	case n < 90:
		var e dns.Entry
		for range 1 + f.IntN(5)/4 {
			e.Zones = append(e.Zones, f.entry(id))
			id = id%dns.ZoneID(len(served)) + 1
		}
		return fmt.Sprintf("%+v", e.Zones), func(db *zonedb.DB) { db.Apply(e) }
	case n < 92:
		e := dns.Entry{Zones: []dns.ZoneEntry{{ID: id, Name: served[id], Deleted: true}}}
		return "deleted " + string(served[id]), func(db *zonedb.DB) { db.Apply(e) }
	case n < 98:
		sets := f.zone(id)
		return fmt.Sprint("replaced ", served[id]), func(db *zonedb.DB) { load(t, db, id, served[id], sets) }
	}
	zones := map[dns.ZoneID][]dns.RRset{}
	for id := range dns.ZoneID(len(served)) {
		if f.IntN(5) > 0 {
			zones[id+1] = f.zone(id + 1)
		}
	}
	return "all", func(db *zonedb.DB) {
		for id, sets := range zones {
			stage(t, db, id, served[id], sets)
		}
		db.ShowAll()
	}
}

func (f *follower) entry(id dns.ZoneID) dns.ZoneEntry {
	part := dns.ZoneEntry{ID: id, Name: served[id]}
	for range 1 + f.IntN(4)/2 {
		part.RRsets = append(part.RRsets, f.rrset(served[id]))
	}
	if f.IntN(3) > 0 {
		part.RRsets = append(part.RRsets, f.soa(served[id]))
	}
	switch f.IntN(40) {
	case 0:
		part.Keys = map[dns.KeyID]*dns.Key{1: nil}
	case 1, 2:
		part.Keys = map[dns.KeyID]*dns.Key{1: {ID: 1, Flags: 257, Active: true}}
	case 3:
		part.Metadata = dns.Metadata{"NSEC3PARAM": [][]string{nil, {"1 0 0 -"}, {"1 1 0 -"}}[f.IntN(3)]}
	}
	return part
}

// zone is a new zone, or what is there somewhat changed.
func (f *follower) zone(id dns.ZoneID) []dns.RRset {
	sets := []dns.RRset{f.soa(served[id])}
	if answers, err := f.now.List(id, served[id]); err == nil && f.IntN(3) > 0 {
		for a := range answers {
			if a.Type != dns.TypeENT && a.Type != dns.TypeSOA {
				sets = append(sets, a.RRset)
			}
		}
	}
	for range f.IntN(10) {
		if s := f.rrset(served[id]); len(s.Content) > 0 {
			sets = append(sets, s)
		}
	}
	return sets
}

// differs reports whether any question for a name is answered in another way than before, or any lookup
// of PowerDNS's.
func (f *follower) differs(name dns.Name, serials bool) (string, bool) {
	for _, typ := range []dns.Type{dns.TypeA, dns.TypeTXT, dns.TypeMX, dns.TypeSRV, dns.TypeHTTPS, typeNAPTR, dns.TypeNS, dns.TypeDS, dns.TypeSOA, dns.TypeDNSKEY, dns.TypeANY, dns.TypeNSEC} {
		for _, do := range []bool{false, true} {
			was, is := reply(f.before, name, typ, do), reply(f.now, name, typ, do)
			if !alike(was, is, serials) {
				return fmt.Sprintf("%s %s do %t was\n%s\nand is\n%s", name, typ, do, was, is), true
			}
		}
	}
	for id, apex := range served {
		if !name.Under(apex) {
			continue
		}
		was, is := write(look(f.before, name, dns.TypeANY, id)), write(look(f.now, name, dns.TypeANY, id))
		if !alike(was, is, serials) {
			return fmt.Sprintf("lookup of %s was\n%sand is\n%s", name, was, is), true
		}
	}
	return "", false
}

// alike compares two answers, on request without their serials.
func alike(was, is string, serials bool) bool {
	return was == is || !serials && withoutSerial(was) == withoutSerial(is)
}

// withoutSerial takes the serials out of what are SOA here.
func withoutSerial(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if i := slices.Index(f, "ns."); i >= 0 && len(f) == i+7 {
			f[i+2] = "0"
		}
		fmt.Fprintln(&b, f)
	}
	return b.String()
}

func (f *follower) covered(name dns.Name) bool {
	return f.told.All || slices.Contains(f.told.Names, name) || slices.Contains(f.told.Serials, name) || f.inTree(name)
}

func (f *follower) inTree(name dns.Name) bool {
	return slices.ContainsFunc(f.told.Trees, func(tree dns.Name) bool { return name.Under(tree) })
}

// names are those to ask for: of every kind below every apex.
func names() (list []dns.Name) {
	for _, apex := range served {
		level := []dns.Name{apex}
		for range 3 {
			list = append(list, level...)
			var next []dns.Name
			for _, name := range level {
				for _, label := range []string{"a.", "b.", "c.", "x.", "*."} {
					next = append(next, dns.Name(label)+name)
				}
			}
			level = next
		}
		list = append(list, level[:5]...)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// Whatever changes, every question that is answered in another way than before is for a name that was
// told. Few names are told for nothing, though much here is hidden by a cut, a CNAME or another zone.
func TestStale(t *testing.T) {
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	t.Logf("-seed %d", *seed)
	f := newFollower(*seed)
	every := names()
	steps := 600
	if testing.Short() {
		steps = 100
	}
	told, needless := 0, 0
	for i := range steps {
		f.told = dns.Stale{}
		what, make := f.change(t)
		make(f.now)
		for range 30 {
			name := every[f.IntN(len(every))]
			if f.covered(name) {
				continue
			}
			// A serial that is old in the answers to others does not count.
			if why, differs := f.differs(name, false); differs {
				t.Fatalf("step %d: %s\ntold %+v, but\n%s", i, what, f.told, why)
			}
		}
		for _, name := range slices.Concat(f.told.Names, f.told.Serials) {
			if _, differs := f.differs(name, true); !differs {
				needless++
			}
			told++
		}
		make(f.before)
	}
	t.Logf("told %d names, %d of them needlessly", told, needless)
	if needless*2 > told {
		t.Errorf("told %d of %d names for nothing", needless, told)
	}
}
