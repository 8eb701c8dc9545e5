package zonedb_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"redyn/backend/dns"
	"redyn/backend/zonedb"
)

// A name is an empty non-terminal as long as it has no records and some owner is below it, in
// whatever order owners come and go; when all are gone nothing is left.
func TestENTsComeAndGo(t *testing.T) {
	const apex = "example."
	rnd := rand.New(rand.NewPCG(3, 4))
	db := zonedb.New()
	load(t, db, 1, apex, nil)
	empty := db.Inside()
	for range 50 {
		owners := make(map[dns.Name]bool)
		for range 30 {
			name := apex
			for range rnd.IntN(7) {
				name = string('a'+rune(rnd.IntN(2))) + "." + name
			}
			owners[dns.Name(name)] = true
		}
		var order []dns.Name
		for name := range owners {
			order = append(order, name)
		}
		set := func(name dns.Name, content ...string) {
			owners[name] = len(content) > 0
			db.Apply(dns.Entry{Zones: []dns.ZoneEntry{{ID: 1, RRsets: []dns.RRset{
				{Name: name, Type: dns.TypeA, Content: content},
			}}}})
			for above := name; above != dns.Root; above = above.Parent() {
				ent := false
				for owner, there := range owners {
					ent = ent || there && strings.HasSuffix(string(owner), "."+string(above))
				}
				ent = ent && !owners[above] && above != apex
				got := look(db, above, dns.TypeANY, 1)
				if isENT := len(got) == 1 && got[0].Type == dns.TypeENT; isENT != ent || owners[above] != (len(got) == 1 && !isENT) {
					t.Fatalf("%s is %v, empty non-terminal should be %v", above, got, ent)
				}
			}
		}
		for name := range owners {
			owners[name] = false
		}
		for _, name := range order {
			set(name, "192.0.2.1")
		}
		rnd.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for _, name := range order {
			set(name)
		}
		if got := db.Inside(); got != empty {
			t.Fatalf("left is %s", got)
		}
	}
}
