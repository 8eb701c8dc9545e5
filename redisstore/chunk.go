package redisstore

import (
	"slices"

	"redyn/backend/dns"
)

// Bounds of what is sent at once. A single RRset may be larger.
const (
	chunkRecords = 1000
	chunkBytes   = 1 << 20
)

// chunk is what is going to be fed next; records of one RRset stand together.
type chunk struct {
	sets           []dns.RRset // their content is in no order
	at             map[setKey]int
	records, bytes int
}

type setKey struct {
	name dns.Name
	typ  dns.Type
}

// hasRoom reports whether the set can be added without going over the bounds.
func (c *chunk) hasRoom(set dns.RRset) bool {
	return len(c.sets) == 0 || c.records+len(set.Content) <= chunkRecords && c.bytes+sizeOf(set) <= chunkBytes
}

func (c *chunk) add(set dns.RRset) {
	c.records += len(set.Content)
	c.bytes += sizeOf(set)
	key := setKey{set.Name, set.Type}
	if i, ok := c.at[key]; ok {
		c.sets[i].Content = append(c.sets[i].Content, set.Content...)
		return
	}
	if c.at == nil {
		c.at = make(map[setKey]int)
	}
	c.at[key] = len(c.sets)
	set.Content = slices.Clip(set.Content) // so that what is appended is not written behind it
	c.sets = append(c.sets, set)
}

func (c *chunk) clear() {
	clear(c.sets)
	clear(c.at)
	c.sets, c.records, c.bytes = c.sets[:0], 0, 0
}

// get returns an RRset, without content if there is none.
func (c *chunk) get(key setKey) dns.RRset {
	if i, ok := c.at[key]; ok {
		return c.sets[i]
	}
	return dns.RRset{Name: key.name, Type: key.typ}
}

// sizeOf returns about how many bytes a set takes to send.
func sizeOf(set dns.RRset) int {
	n := len(set.Name) + len(set.Type.String()) + len(`{"ttl":2147483647,"content":[]}`)
	for _, c := range set.Content {
		n += escapedLen(c) + 3
	}
	return n
}

// merge adds a later piece of an RRset to an earlier one, which has said what the TTL is.
func merge(set, piece dns.RRset) dns.RRset {
	if len(set.Content) == 0 {
		set.TTL = piece.TTL
	}
	return dns.NewRRset(set.Name, set.Type, set.TTL, slices.Concat(set.Content, piece.Content)...)
}
