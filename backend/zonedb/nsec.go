package zonedb

import "redyn/backend/dns"

// Neighbours returns the names between which name stands in the NSEC chain of a zone (RFC 4034
// section 6.1): the greatest that is not after it, which may be itself, and the next after that one.
// The chain is a circle. In it are the names for which the zone is authoritative and its delegations,
// but neither empty non-terminals nor what a cut hides. False says that there is no such zone, that
// name is not in it, or that nothing is.
func (db *DB) Neighbours(id dns.ZoneID, name dns.Name) (before, after dns.Name, ok bool) {
	z := db.numbered(id)
	if z == nil || !name.Under(z.name) {
		return "", "", false
	}
	z.mu.RLock()
	defer z.mu.RUnlock()
	b := z.chained(func(visit func(*node) bool) { z.order.Descend(&node{name: name}, visit) }, z.order.Reverse)
	if b == nil {
		return "", "", false
	}
	from := &node{name: name}
	if cut := z.cutOver(name); cut != "" {
		from = allBelow(cut)
	}
	a := z.chained(func(visit func(*node) bool) {
		z.order.Ascend(from, func(n *node) bool { return n.name == name || visit(n) })
	}, z.order.Scan)
	return b.name, a.name, true
}

// chained returns the first node of the NSEC chain in one direction: near or, if there is none left,
// from the other end. What a cut hides counts as the cut. It is nil if the chain is empty.
func (z *zone) chained(near, far func(visit func(*node) bool)) (found *node) {
	visit := func(n *node) bool {
		if cut := z.cutOver(n.name); cut != "" {
			n = z.nodes.find(cut)
		}
		if n.isSigned() {
			found = n
		}
		return found == nil
	}
	near(visit)
	if found == nil {
		far(visit)
	}
	return found
}

// cutOver returns the cut at name or above it that is nearest to the apex, or "" if there is none.
func (z *zone) cutOver(name dns.Name) (top dns.Name) {
	if z.cuts.Load() == 0 {
		return ""
	}
	for ; len(name) > len(z.name); name = name.Parent() {
		if z.nodes.find(name).isCut(z.name) {
			top = name
		}
	}
	return top
}

// isSigned reports whether the owner has what gets a name into a chain. What a pre-signed zone
// has at a hashed name is part of the chain itself: NSEC3 and its signature (RFC 5155 section 3).
// n may be nil.
func (n *node) isSigned() bool {
	for i := range n.len() {
		switch n.set(i).Type {
		case dns.TypeRRSIG, dns.TypeNSEC, dns.TypeNSEC3:
		default:
			return true
		}
	}
	return false
}

// allBelow returns what stands in an order of nodes after all that is below a name and before all
// else that is after it.
func allBelow(name dns.Name) *node { return &node{name: name, typ: dns.TypeANY} }

// isAllBelow tells what allBelow makes from nodes: no record is of that type, and one has content.
func (n *node) isAllBelow() bool { return n.typ == dns.TypeANY && n.one[0] == "" }

// nodeBefore is canonical order (RFC 4034 section 6.1).
func nodeBefore(a, b *node) bool {
	switch {
	case a.isAllBelow() && b.name.Under(a.name):
		return false
	case b.isAllBelow() && a.name.Under(b.name):
		return true
	}
	return dns.Compare(a.name, b.name) < 0
}
