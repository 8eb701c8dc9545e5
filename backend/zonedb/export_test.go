package zonedb

import (
	"fmt"
	"iter"
	"slices"

	"redyn/backend/dns"
)

// Inside renders what db works out and keeps besides the nodes, for comparison with another DB that
// should have the same.
func (db *DB) Inside() string {
	parents, cuts := make(map[dns.ZoneID]string), make(map[dns.ZoneID]string)
	for id, z := range db.byID {
		parents[id] = fmt.Sprint(z.children)
		cuts[id] = fmt.Sprint(z.cuts.Load(), slices.Sorted(z.owners((*node).isCut)))
		if c := z.nsec3; c != nil {
			parents[id] += fmt.Sprint(c.params, c.below)
			if c.order != nil {
				parents[id] += fmt.Sprint(c.order.Items())
			}
		}
		if db.byName[z.name] != z || !z.mark.shown.Load() || z.order.Len() != z.nodes.count {
			panic("zone " + z.name + " is not where it should be")
		}
	}
	for i := range db.lately {
		if z := db.lately[i].Load(); z != nil && db.byID[z.id] != z {
			panic("zone " + z.name + " is found and not there")
		}
	}
	return fmt.Sprintln(len(db.byName), db.order.Len(), len(db.staged), db.referrers.refs.Len(), parents, cuts)
}

// owners yields the names of the nodes that are something.
func (z *zone) owners(is func(n *node, apex dns.Name) bool) iter.Seq[dns.Name] {
	return func(yield func(dns.Name) bool) {
		for n := range z.nodes.all() {
			if is(n, z.name) && !yield(n.name) {
				return
			}
		}
	}
}

// ZonesOfRefs returns the zones of which there are referrers, to see that none is forgotten there.
func (db *DB) ZonesOfRefs() int {
	zones := make(map[*mark]bool)
	db.referrers.refs.Scan(func(r ref) bool {
		zones[r.zone] = true
		return true
	})
	return len(zones)
}

// Hashed returns the number of names hashed so far for the chain of a zone.
func (db *DB) Hashed(id dns.ZoneID) int { return db.byID[id].nsec3.hashed }

// Matches is matches.
func Matches(pattern, text string) bool { return matches(pattern, text) }
