package zonedb

import (
	"github.com/tidwall/btree"

	"redyn/backend/dns"
)

// nsec3Change is what a change of a zone does to its chain. It is worked out aside.
type nsec3Change struct {
	chain          *nsec3                 // after the change; the same as before, or another
	below          map[dns.Name]int32     // what is to be added to that of chain
	order          *btree.BTreeG[chained] // what takes the place of that of chain; nil: that one changes
	added, removed []chained
	hashed         int
}

// nsec3Params returns the settings of the chain that the zone keeps; false if it keeps none.
func (z *zone) nsec3Params() (p nsec3Params, ok bool) {
	if z.nsec3 == nil {
		return p, false
	}
	return z.nsec3.params, true
}

// nsec3After works out what swaps do to the zone's chain, which has the settings p after them. The
// caller is the one who may change the zone.
func (z *zone) nsec3After(p nsec3Params, swaps []swap) nsec3Change {
	if z.nsec3 == nil || z.nsec3.params != p || p.optOut && p.presigned && z.resigns(swaps) {
		return nsec3Change{chain: newNSEC3(p, z.name, z.orderAfter(swaps))}
	}
	e := &nsec3Edit{z: z}
	e.edit(swaps)
	change := nsec3Change{chain: z.nsec3, below: e.below}
	if p.narrow {
		return change
	}
	change.added = p.hashes(z.name, e.added)
	change.removed = p.hashes(z.name, e.removed)
	change.hashed = len(e.added) + len(e.removed)
	if change.hashed > batch {
		z.mu.Lock()
		change.order = z.nsec3.order.Copy()
		z.mu.Unlock()
		change.reorder(change.order)
		change.added, change.removed = nil, nil
	}
	return change
}

// make makes the change; the caller holds the zone's lock.
func (change nsec3Change) make(z *zone) {
	z.nsec3 = change.chain
	if change.chain == nil {
		return
	}
	change.chain.hashed += change.hashed
	for name, n := range change.below {
		if n += change.chain.below[name]; n > 0 {
			change.chain.below[name] = n
		} else {
			delete(change.chain.below, name)
		}
	}
	if change.order != nil {
		change.chain.order = change.order
	}
	change.reorder(change.chain.order)
}

func (change nsec3Change) reorder(order *btree.BTreeG[chained]) {
	for _, old := range change.removed {
		order.Delete(old)
	}
	for _, fresh := range change.added {
		order.Set(fresh)
	}
}

// orderAfter returns the nodes that the zone has after swaps.
func (z *zone) orderAfter(swaps []swap) *btree.BTreeG[*node] {
	order, _ := z.snapshot()
	for _, s := range swaps {
		if s.fresh != nil {
			order.Set(s.fresh)
		} else if s.old != nil {
			order.Delete(s.old)
		}
	}
	return order
}

// resigns reports whether swaps bring or take away signatures at what may be hashed names.
func (z *zone) resigns(swaps []swap) bool {
	for _, s := range swaps {
		if s.old.has(dns.TypeRRSIG) != s.fresh.has(dns.TypeRRSIG) && len(relative(s.name, z.name)) == hashText+1 {
			return true
		}
	}
	return false
}

// nsec3Edit works out what names come into a zone's chain and what names leave it.
type nsec3Edit struct {
	z     *zone
	swaps map[dns.Name]swap // those that matter
	// turned tells of owners whether what is above them is in the chain for their sake, where that is
	// not as it was before.
	turned         map[dns.Name]bool
	below          map[dns.Name]int32 // what is to be added to that of the chain
	added, removed []dns.Name
}

func (e *nsec3Edit) edit(swaps []swap) {
	e.swaps = e.z.thatMatter(swaps)
	if len(e.swaps) == 0 {
		return
	}
	e.turned, e.below = make(map[dns.Name]bool), make(map[dns.Name]int32)
	touched := e.touched()
	var coming, leaving []dns.Name
	for name := range touched {
		_, was := e.owned(name)
		switch _, will := e.willOwn(name); {
		case !was && will:
			coming = append(coming, name)
		case was && !will:
			leaving = append(leaving, name)
		}
	}
	for _, name := range coming {
		e.come(name)
	}
	for _, name := range leaving {
		e.leave(name)
	}
	for name := range e.below {
		touched[name] = struct{}{}
	}
	for name := range touched {
		e.compare(name)
	}
}

// compare notes whether name comes into the chain or leaves it.
func (e *nsec3Edit) compare(name dns.Name) {
	was, _ := e.owned(name)
	will, _ := e.willOwn(name)
	was = was || e.z.nsec3.below[name] > 0
	will = will || e.carries(name)
	switch {
	case !was && will:
		e.added = append(e.added, name)
	case was && !will:
		e.removed = append(e.removed, name)
	}
}

// thatMatter returns the swaps that may change the chain: not those of addresses, for example.
func (z *zone) thatMatter(swaps []swap) map[dns.Name]swap {
	var matter map[dns.Name]swap
	for _, s := range swaps {
		if s.old.isSigned() == s.fresh.isSigned() && s.old.isCut(z.name) == s.fresh.isCut(z.name) &&
			s.old.has(dns.TypeDS) == s.fresh.has(dns.TypeDS) {
			continue
		}
		if matter == nil {
			matter = make(map[dns.Name]swap)
		}
		matter[s.name] = s
	}
	return matter
}

// touched returns the owners for which something may change: those of swaps, and those below cuts
// that are new or were.
func (e *nsec3Edit) touched() map[dns.Name]struct{} {
	names := make(map[dns.Name]struct{})
	for name, s := range e.swaps {
		names[name] = struct{}{}
		if s.old.isCut(e.z.name) == s.fresh.isCut(e.z.name) {
			continue
		}
		e.z.order.Ascend(&node{name: name}, func(n *node) bool {
			below := n.name.Under(name)
			if below {
				names[n.name] = struct{}{}
			}
			return below
		})
	}
	return names
}

// owned reports whether name was in the chain for its own sake before the change, and what is above
// it for its sake.
func (e *nsec3Edit) owned(name dns.Name) (in, above bool) {
	n := e.z.nodes.find(name)
	if e.z.place(name, n) == belowCut {
		return false, false
	}
	return e.z.nsec3.params.chains(e.z.name, n, e.node)
}

// willOwn reports whether name is in the chain for its own sake after the change, and what is above it
// for its sake.
func (e *nsec3Edit) willOwn(name dns.Name) (in, above bool) {
	for above := name.Parent(); len(above) > len(e.z.name); above = above.Parent() {
		if s, swapped := e.swaps[above]; swapped {
			if s.fresh.isCut(e.z.name) {
				return false, false
			}
		} else if e.z.nodes.find(above).isCut(e.z.name) {
			return false, false
		}
	}
	n := e.z.nodes.find(name)
	if s, swapped := e.swaps[name]; swapped {
		n = s.fresh
	}
	return e.z.nsec3.params.chains(e.z.name, n, e.node)
}

// node returns the node of what may be a hashed name; a change of those makes the chain anew.
func (e *nsec3Edit) node(name dns.Name) *node { return e.z.nodes.find(name) }

// come counts name for the sake of which what is above it is in the chain from now on.
func (e *nsec3Edit) come(name dns.Name) {
	there := e.counts(name)
	e.turned[name] = true
	for !there && name != e.z.name {
		name = name.Parent()
		there = e.counts(name)
		e.below[name]++
	}
}

// leave does the contrary of come.
func (e *nsec3Edit) leave(name dns.Name) {
	e.turned[name] = false
	for !e.counts(name) && name != e.z.name {
		name = name.Parent()
		e.below[name]--
	}
}

// counts reports whether what is above name is in the chain for its sake or for that of names below.
func (e *nsec3Edit) counts(name dns.Name) bool {
	owns, turned := e.turned[name]
	if !turned {
		_, owns = e.owned(name)
	}
	return owns || e.carries(name)
}

// carries reports whether there are names below name that it is in the chain for.
func (e *nsec3Edit) carries(name dns.Name) bool { return e.z.nsec3.below[name]+e.below[name] > 0 }
