package zonedb

import (
	"hash/maphash"
	"iter"
	"sync/atomic"

	"redyn/backend/dns"
)

// table finds the nodes of a zone by their names. It is a hash table with open addressing and linear
// probing (Knuth, The Art of Computer Programming, volume 3, section 6.4). One goroutine at a time changes
// it. Others may call find meanwhile: they get what is there before or after, or nothing where something
// is moved, which zone.version tells them.
type table struct {
	slots atomic.Pointer[[]slot] // a power of two of them, more than count; nil for none
	count int
}

// slot is free if its hash is 0.
type slot struct {
	hash atomic.Uint32
	node atomic.Pointer[node]
}

var tableSeed = maphash.MakeSeed()

// hashOf never returns 0.
func hashOf(name dns.Name) uint32 { return max(1, uint32(maphash.String(tableSeed, string(name)))) }

// find returns the node of a name, nil if there is none.
func (t *table) find(name dns.Name) *node {
	slots := t.slots.Load()
	if slots == nil {
		return nil
	}
	hash, list := hashOf(name), *slots
	for i := int(hash) & (len(list) - 1); ; i = (i + 1) & (len(list) - 1) {
		switch list[i].hash.Load() {
		case 0:
			return nil
		case hash:
			if n := list[i].node.Load(); n != nil && n.name == name {
				return n
			}
		}
	}
}

// reserve makes room for as many nodes as there will be. Those who read meanwhile are not held up.
func (t *table) reserve(count int) {
	size := 0
	if old := t.slots.Load(); old != nil {
		size = len(*old)
	}
	if count <= roomIn(size) {
		return
	}
	for size = max(size, 4); roomIn(size) < count; {
		size *= 2
	}
	fresh := make([]slot, size)
	for n := range t.all() {
		insert(fresh, n)
	}
	t.slots.Store(&fresh)
}

// roomIn returns how many nodes so many slots take. Of few slots, which are a few cache lines, nearly all:
// there may be very many small zones.
func roomIn(slots int) int {
	if slots <= 32 {
		return slots - (slots+7)/8
	}
	return slots / 4 * 3
}

// put takes a node, in the place of another of its name.
func (t *table) put(n *node) {
	t.reserve(t.count + 1)
	if insert(*t.slots.Load(), n) {
		t.count++
	}
}

// insert reports whether the name is new.
func insert(list []slot, n *node) (fresh bool) {
	hash := hashOf(n.name)
	i := int(hash) & (len(list) - 1)
	for ; ; i = (i + 1) & (len(list) - 1) {
		other := list[i].hash.Load()
		if fresh = other == 0; fresh || other == hash && list[i].node.Load().name == n.name {
			break
		}
	}
	list[i].node.Store(n)
	list[i].hash.Store(hash)
	return fresh
}

// remove takes out the node of a name, if there is one.
func (t *table) remove(name dns.Name) {
	slots := t.slots.Load()
	if slots == nil {
		return
	}
	hash, list := hashOf(name), *slots
	i := int(hash) & (len(list) - 1)
	for ; list[i].hash.Load() != hash || list[i].node.Load().name != name; i = (i + 1) & (len(list) - 1) {
		if list[i].hash.Load() == 0 {
			return
		}
	}
	t.count--
	fill(list, i)
}

// fill frees a slot, so that whatever is found by way of it still is.
func fill(list []slot, free int) {
	mask := len(list) - 1
	for i := (free + 1) & mask; list[i].hash.Load() != 0; i = (i + 1) & mask {
		home := int(list[i].hash.Load()) & mask
		if (i-home)&mask < (i-free)&mask {
			continue // it is found without
		}
		list[free].node.Store(list[i].node.Load())
		list[free].hash.Store(list[i].hash.Load())
		free = i
	}
	list[free].hash.Store(0)
	list[free].node.Store(nil)
}

// all yields the nodes, in no order.
func (t *table) all() iter.Seq[*node] {
	return func(yield func(*node) bool) {
		slots := t.slots.Load()
		if slots == nil {
			return
		}
		for i := range *slots {
			if n := (*slots)[i].node.Load(); n != nil && !yield(n) {
				return
			}
		}
	}
}
