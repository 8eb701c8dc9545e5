package zonedb

import (
	"github.com/tidwall/btree"

	"redyn/backend/dns"
)

// newNSEC3 returns the chain of a zone with these nodes.
func newNSEC3(p nsec3Params, apex dns.Name, nodes *btree.BTreeG[*node]) *nsec3 {
	c := &nsec3{params: p, below: make(map[dns.Name]int32)}
	var names []dns.Name
	p.scan(apex, nodes, func(name dns.Name, in bool) {
		if name != apex {
			c.below[name.Parent()]++
		}
		if in {
			names = append(names, name)
		}
	})
	if p.narrow {
		return c
	}
	c.order = newOrder(chainedBefore)
	for _, next := range p.hashes(apex, names) {
		c.order.Load(next)
	}
	c.hashed = len(names)
	// As in builder.finish: leaves without the room that loading left in them.
	c.order = c.order.Copy()
	c.order.ScanMut(func(chained) bool { return true })
	return c
}

// scan tells the names of the chain of a zone with these nodes, and with them those that only what
// is above them is in the chain for. Canonical order makes it simple: of the names at or above an
// owner those are new that are not above the owner before.
func (p *nsec3Params) scan(apex dns.Name, nodes *btree.BTreeG[*node], tell func(name dns.Name, in bool)) {
	get := func(name dns.Name) *node {
		n, _ := nodes.Get(&node{name: name})
		return n
	}
	var cut, last dns.Name
	nodes.Scan(func(n *node) bool {
		if cut != "" && n.name.Below(cut) {
			return true
		}
		if n.isCut(apex) {
			cut = n.name
		}
		in, above := p.chains(apex, n, get)
		if !above {
			return true
		}
		for name := n.name; last == "" || !last.Under(name); name = name.Parent() {
			tell(name, in || name != n.name)
			if name == apex {
				break
			}
		}
		last = n.name
		return true
	})
}

// chains reports whether an owner, which no cut hides, is in the chain for its own sake, and whether
// the empty non-terminals above it are in the chain for its sake; n may be nil. With opt-out insecure
// delegations are not, but what is above them is, though RFC 5155 section 7.1 would let it be left out:
// PowerDNS takes an empty non-terminal for the closest encloser of what is below, which the chain must
// prove. But who signed a pre-signed zone may have been of another mind: what is in that chain has its
// NSEC3 signed, and of these PowerDNS keeps the signatures.
func (p *nsec3Params) chains(apex dns.Name, n *node, get func(dns.Name) *node) (in, above bool) {
	if !n.isSigned() {
		return false, false
	}
	if !p.optOut || !n.isCut(apex) || n.has(dns.TypeDS) {
		return true, true
	}
	if !p.presigned {
		return false, true
	}
	hash := p.hash(n.name)
	in = get(absolute(base32hex.EncodeToString(hash[:])+".", apex)).has(dns.TypeRRSIG)
	return in, in
}

// provable returns the names of a zone with these nodes that are in its chain for the sake of others
// below, perhaps among others.
func (p *nsec3Params) provable(apex dns.Name, nodes *btree.BTreeG[*node]) map[dns.Name]struct{} {
	names := make(map[dns.Name]struct{})
	p.scan(apex, nodes, func(name dns.Name, _ bool) {
		if name != apex {
			names[name.Parent()] = struct{}{}
		}
	})
	return names
}
