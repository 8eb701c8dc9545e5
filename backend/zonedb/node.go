package zonedb

import (
	"cmp"
	"slices"

	"redyn/backend/dns"
)

// node is an owner name and its RRsets. It never changes. It is laid out for the many nodes that
// have one record: these are 48 bytes, and right behind them the text, which a lookup reads next.
type node struct {
	name dns.Name
	one  [1]string // the content of the only record
	ttl  uint32    // of the only record
	typ  dns.Type  // of the only record
	sets *[]rrset  // if there are more records than one
}

// rrset is a dns.RRset without the owner.
type rrset struct {
	content []string
	ttl     uint32
	typ     dns.Type
}

// newNode returns the node of an owner that has sets, in the order of compareSets, or nil if there
// are none. Whatever memory the sets' texts are in, the node keeps none of it.
func newNode(name dns.Name, sets []dns.RRset) *node {
	if len(sets) == 0 {
		return nil
	}
	size, records := len(name), 0
	for _, set := range sets {
		records += len(set.Content)
		for _, content := range set.Content {
			size += len(content)
		}
	}
	n, text := makeNode(name, sets, size)
	n.name = dns.Name(text[:len(name)])
	text = text[len(name):]
	if records == 1 {
		n.one[0], n.ttl, n.typ = text, sets[0].TTL, sets[0].Type
		return n
	}
	contents := make([]string, 0, records)
	packed := make([]rrset, len(sets))
	for i, set := range sets {
		for _, content := range set.Content {
			contents = append(contents, text[:len(content)])
			text = text[len(content):]
		}
		packed[i] = rrset{slices.Clip(contents[len(contents)-len(set.Content):]), set.TTL, set.Type}
	}
	n.sets = &packed
	return n
}

// with returns the node of the owner name after changes, all of this owner, were made to n; of two
// changes of a type the later counts. It is nil if no RRset is left. n may be nil.
func (n *node) with(name dns.Name, changes ...dns.RRset) *node {
	if n == nil && len(changes) == 1 && len(changes[0].Content) > 0 {
		return newNode(name, changes)
	}
	sets := make([]dns.RRset, 0, n.len()+len(changes))
	for i := range n.len() {
		sets = append(sets, n.set(i))
	}
	for _, change := range changes {
		i, found := slices.BinarySearchFunc(sets, change, compareSets)
		switch {
		case found && len(change.Content) == 0:
			sets = slices.Delete(sets, i, i+1)
		case found:
			sets[i] = change
		case len(change.Content) > 0:
			sets = slices.Insert(sets, i, change)
		}
	}
	return newNode(name, sets)
}

// compareSets orders the RRsets of an owner: SOA, which PowerDNS wants to see first in a list, then
// by the types' numbers.
func compareSets(a, b dns.RRset) int { return cmp.Compare(rank(a.Type), rank(b.Type)) }

func rank(t dns.Type) int {
	if t == dns.TypeSOA {
		return -1
	}
	return int(t)
}

// len returns the number of RRsets; a nil node has none.
func (n *node) len() int {
	switch {
	case n == nil:
		return 0
	case n.sets == nil:
		return 1
	}
	return len(*n.sets)
}

// set returns the i-th RRset.
func (n *node) set(i int) dns.RRset {
	if n.sets == nil {
		return dns.RRset{Name: n.name, Type: n.typ, TTL: n.ttl, Content: n.one[:]}
	}
	s := &(*n.sets)[i]
	return dns.RRset{Name: n.name, Type: s.typ, TTL: s.ttl, Content: s.content}
}

// find returns the RRset of a type; one without Content if there is none. n may be nil.
func (n *node) find(typ dns.Type) dns.RRset {
	for i := range n.len() {
		if set := n.set(i); set.Type == typ {
			return set
		}
	}
	return dns.RRset{Type: typ}
}

// has reports whether there is an RRset of a type. n may be nil.
func (n *node) has(typ dns.Type) bool { return len(n.find(typ).Content) > 0 }

// records returns the number of records. n may be nil.
func (n *node) records() int {
	count := 0
	for i := range n.len() {
		count += len(n.set(i).Content)
	}
	return count
}
