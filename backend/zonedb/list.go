package zonedb

import (
	"fmt"
	"iter"

	"github.com/tidwall/btree"

	"redyn/backend/dns"
)

// List returns everything that a zone has now, whatever changes later: the SOA first, then all in
// canonical order with the empty non-terminals. The zone is the one with this id, which must have
// this name; if id is dns.AnyZone, the one with this name. It fails with dns.ErrNotFound if there is no
// such zone, and with dns.ErrUnknown if it could not be read.
func (db *DB) List(id dns.ZoneID, name dns.Name) (iter.Seq[dns.Answer], error) {
	z := db.named(name)
	switch {
	case z == nil, id != dns.AnyZone && id != z.id:
		return nil, fmt.Errorf("zone %s: %w", name, dns.ErrNotFound)
	case z.lost:
		return nil, z.unread()
	}
	order, chain := z.snapshot()
	return func(yield func(dns.Answer) bool) { z.list(order, chain, yield) }, nil
}

// snapshot returns the nodes that the zone has now, which may be read without the lock, and the
// settings of the NSEC3 chain that it keeps.
func (z *zone) snapshot() (*btree.BTreeG[*node], nsec3Params) {
	z.mu.Lock()
	defer z.mu.Unlock()
	chain, _ := z.nsec3Params()
	return z.order.Copy(), chain
}

// list yields what order has. Canonical order makes it simple: what is below a name follows it at
// once, so that one cut at most is in force, and what separates a name from the one before it but
// itself was not seen is an empty non-terminal.
func (z *zone) list(order *btree.BTreeG[*node], chain nsec3Params, yield func(dns.Answer) bool) {
	proves := func(dns.Name) bool { return true }
	if chain.presigned {
		names := chain.provable(z.name, order)
		proves = func(ent dns.Name) bool { _, ok := names[ent]; return ok }
	}
	before := z.name
	var cut dns.Name
	var ents []dns.Name
	order.Scan(func(n *node) bool {
		place := authoritative
		switch {
		case cut != "" && n.name.Below(cut):
			place = belowCut
		case n.isCut(z.name):
			place, cut = atCut, n.name
		}
		ents = ents[:0]
		for above := n.name.Parent(); !before.Under(above); above = above.Parent() {
			ents = append(ents, above)
		}
		for i := len(ents) - 1; i >= 0; i-- {
			if !yield(z.ent(ents[i], place != belowCut && proves(ents[i]))) {
				return false
			}
		}
		before = n.name
		for i := range n.len() {
			set := n.set(i)
			if !yield(dns.Answer{RRset: set, Zone: z.id, Auth: place.auth(set.Type)}) {
				return false
			}
		}
		return true
	})
}
