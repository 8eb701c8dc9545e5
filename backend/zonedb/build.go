package zonedb

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"

	"redyn/backend/dns"
)

// builder builds a zone from RRsets in any order. A million that are sorted first by keys that hold
// most of what is to be compared, and then go where they belong one after the other, take a
// fraction of the time of a million put in their places as they come.
type builder struct {
	zone  *zone
	nodes []*node   // as they came, one for each RRset
	keys  []sortKey // one for each of nodes
	late  []*node   // those of owners for whom there is no key, as they came
}

// sortKey is the beginning of a node's name in canonical order, and the node's place in nodes. It
// has no pointers, so that the collector has nothing to do with it.
type sortKey struct {
	high, low uint64
	node      int
}

// take takes one RRset. One without Content is none.
func (b *builder) take(set dns.RRset) {
	if len(set.Content) == 0 || !set.Name.Under(b.zone.name) {
		return
	}
	n := newNode(set.Name, []dns.RRset{set})
	labels := string(n.name[:len(n.name)-len(b.zone.name)])
	if strings.IndexByte(labels, '\\') >= 0 {
		b.late = append(b.late, n)
		return
	}
	high, low := keyOf(labels)
	b.keys = append(b.keys, sortKey{high, low, len(b.nodes)})
	b.nodes = append(b.nodes, n)
}

// finish puts all that was taken into the zone.
func (b *builder) finish() {
	z := b.zone
	list := b.sorted()
	z.nodes.reserve(len(list))
	for _, n := range list {
		z.nodes.put(n)
		z.order.Load(n)
		z.records += n.records()
		z.noteCut(nil, n)
		z.enter(n.name) // not an empty non-terminal yet: what is below it comes later
	}
	// Half of each leaf's memory is what was split off, and would keep nodes alive that were replaced
	// since: make all leaves anew.
	z.order = z.order.Copy()
	z.order.ScanMut(func(*node) bool { return true })
	z.noteSerial(z.nodes.find(z.name))
	for _, n := range b.late {
		old := z.nodes.find(n.name)
		z.put(n.name, old, old.with(n.name, n.set(0)))
	}
	if p, ok := nsec3ParamsOf(z.meta); ok {
		z.nsec3 = newNSEC3(p, z.name, z.order)
	}
}

// sorted returns the nodes in canonical order, one for each owner.
func (b *builder) sorted() []*node {
	slices.SortFunc(b.keys, b.compare)
	list := make([]*node, 0, len(b.nodes))
	for i, key := range b.keys {
		n := b.nodes[key.node]
		if i > 0 && b.keys[i-1].high == key.high && b.keys[i-1].low == key.low {
			if before := &list[len(list)-1]; (*before).name == n.name {
				*before = (*before).with(n.name, n.set(0))
				continue
			}
		}
		list = append(list, n)
	}
	return list
}

func (b *builder) compare(x, y sortKey) int {
	if x.high != y.high {
		return cmp.Compare(x.high, y.high)
	}
	if x.low != y.low {
		return cmp.Compare(x.low, y.low)
	}
	if c := dns.Compare(b.nodes[x.node].name, b.nodes[y.node].name); c != 0 {
		return c
	}
	return cmp.Compare(x.node, y.node) // of two that are alike the later counts
}

// keyOf returns the first 16 bytes of labels without escapes, from the right, each followed by a 0,
// as two numbers. Of two names below an apex the one with the lesser key comes first (RFC 4034
// section 6.1): a label's octets are greater than 0, so it comes before all that it begins.
func keyOf(labels string) (high, low uint64) {
	var key [16]byte
	for at := 0; labels != "" && at < len(key); at++ {
		labels = strings.TrimSuffix(labels, ".")
		dot := strings.LastIndexByte(labels, '.')
		at += copy(key[at:], labels[dot+1:])
		labels = labels[:dot+1]
	}
	return binary.BigEndian.Uint64(key[:8]), binary.BigEndian.Uint64(key[8:])
}
