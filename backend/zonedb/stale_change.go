package zonedb

import (
	"iter"
	"slices"

	"redyn/backend/dns"
)

// turns counts for names of a zone, empty non-terminals too, how often they came to be less how often
// they ceased in a change under way. As nil it counts nothing.
type turns map[dns.Name]int

func (t turns) count(name dns.Name, n int) {
	if t != nil {
		t[name] += n
	}
}

// changed notes what swaps in a zone, and the names that thereby came or went, make stale.
func (s *stale) changed(z *zone, swaps []swap, turned turns) {
	s.signed = s.signed || len(z.keys) > 0 || z.keysUnknown
	for _, w := range swaps {
		s.swapped(z, w)
	}
	for name, n := range turned {
		if n != 0 {
			s.turned(z, name, turned)
		}
	}
	s.denials(z, swaps)
}

// swapped notes what a change of the RRsets of one owner makes stale.
func (s *stale) swapped(z *zone, w swap) {
	what, tree := carried(0), false
	for typ := range w.types() {
		if typ == dns.TypeSOA && w.name == z.name && w.onlySerial() {
			s.serials = append(s.serials, z.name)
			continue
		}
		what |= answer
		switch typ {
		case dns.TypeA, dns.TypeAAAA:
			what |= address
		case dns.TypeSVCB, dns.TypeHTTPS:
			what |= service
		case dns.TypeSRV:
			what |= located
		case dns.TypeDNAME:
			tree = true
		case dns.TypeNS, dns.TypeDS: // those of a cut are in its referrals
			tree = tree || w.old.isCut(z.name) || w.fresh.isCut(z.name)
		case dns.TypeSOA: // that of the zone is in its denials
			tree = tree || w.name == z.name
		}
	}
	if what != 0 {
		s.name(w.name, what, z, 0)
	}
	if tree {
		s.tree(w.name, 0)
	}
}

// turned notes what it makes stale that a name came or went. Below it questions may have been answered
// from a wildcard beside it, or are now.
func (s *stale) turned(z *zone, name dns.Name, turned turns) {
	s.name(name, answer, nil, 0)
	if parent := name.Parent(); turned[parent] == 0 && z.exists(dns.Wildcard(parent)) {
		s.tree(name, 0)
	}
}

// denials notes what swaps in a signed zone make stale besides. A denial stays true for the name that
// it denies, whatever comes or goes beside it; but the NSEC can be asked for by its own name.
func (s *stale) denials(z *zone, swaps []swap) {
	if z.hasNSEC() {
		for _, w := range swaps {
			if w.old.isSigned() == w.fresh.isSigned() {
				continue
			}
			if before := z.signedBefore(w.name); before != nil {
				s.name(before.name, answer, nil, 0)
			}
		}
	}
	if z.nsec3 != nil && z.nsec3.params.optOut {
		for name := range z.thatMatter(swaps) {
			for above := name.Parent(); above.Below(z.name); above = above.Parent() {
				if z.nodes.find(above) == nil { // an empty non-terminal, which may be authoritative or not
					s.name(above, answer, nil, 0)
				}
			}
		}
	}
}

// described notes what a change of a zone's metadata and keys makes stale. PowerDNS forgets what it
// remembers of both when the zone's name is purged.
func (s *stale) described(z *zone, meta dns.Metadata, keys bool) {
	for kind := range meta {
		s.names[z.name] = struct{}{}
		keys = keys || slices.Contains(wide, kind)
	}
	if keys {
		s.tree(z.name, 0)
	}
}

// wide are the kinds of metadata that the answers of a whole zone depend on.
var wide = []string{"NSEC3PARAM", "NSEC3NARROW", "PRESIGNED", "ENABLE-LUA-RECORDS"}

// types yields the types of which the owner has another RRset than before.
func (w swap) types() iter.Seq[dns.Type] {
	return func(yield func(dns.Type) bool) {
		for i := range w.old.len() {
			set := w.old.set(i)
			fresh := w.fresh.find(set.Type)
			if fresh.Name = set.Name; !set.Equal(fresh) && !yield(set.Type) {
				return
			}
		}
		for i := range w.fresh.len() {
			if typ := w.fresh.set(i).Type; !w.old.has(typ) && !yield(typ) {
				return
			}
		}
	}
}

// onlySerial reports whether a swap changes nothing of the SOA but the serial.
func (w swap) onlySerial() bool {
	old, fresh := w.old.find(dns.TypeSOA), w.fresh.find(dns.TypeSOA)
	if old.TTL != fresh.TTL || len(old.Content) != 1 || len(fresh.Content) != 1 {
		return false
	}
	a, err1 := dns.ParseSOA(old.Content[0])
	b, err2 := dns.ParseSOA(fresh.Content[0])
	a.Serial = b.Serial
	return err1 == nil && err2 == nil && a == b
}

// exists reports whether a name has records, or names below it that have.
func (z *zone) exists(name dns.Name) bool {
	return z.nodes.find(name) != nil || z.children.of(name) > 0
}

// hasNSEC reports whether PowerDNS denies names of the zone by NSEC.
func (z *zone) hasNSEC() bool {
	signed := len(z.keys) > 0 || z.keysUnknown || firstOf(z.meta, "PRESIGNED") == "1"
	return signed && firstOf(z.meta, "NSEC3PARAM") == ""
}

// signedBefore returns the node of the NSEC chain that stands before a name, nil if there is none.
func (z *zone) signedBefore(name dns.Name) *node {
	return z.chained(func(visit func(*node) bool) {
		z.order.Descend(&node{name: name}, func(n *node) bool { return n.name == name || visit(n) })
	}, z.order.Reverse)
}
