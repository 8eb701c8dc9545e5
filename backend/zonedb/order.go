package zonedb

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/tidwall/btree"

	"redyn/backend/dns"
)

// sortKey is a node and the beginning of its name in canonical order, by which nearly all nodes of
// a zone are put in order without a look at the names themselves.
type sortKey struct {
	high, low uint64
	node      *node
}

func compareKeys(a, b sortKey) int {
	if a.high != b.high {
		return cmp.Compare(a.high, b.high)
	}
	if a.low != b.low {
		return cmp.Compare(a.low, b.low)
	}
	return dns.Compare(a.node.name, b.node.name)
}

// fill puts the nodes of the zone with this apex into an empty order. A million that come in order
// take a tenth of the time of a million that do not.
func fill(order *btree.BTreeG[*node], nodes map[dns.Name]*node, apex dns.Name) {
	keys := make([]sortKey, 0, len(nodes))
	var escaped []*node
	for _, n := range nodes {
		below := strings.TrimSuffix(string(n.name), string(apex))
		if strings.IndexByte(below, '\\') >= 0 {
			escaped = append(escaped, n)
			continue
		}
		high, low := keyOf(below)
		keys = append(keys, sortKey{high, low, n})
	}
	slices.SortFunc(keys, compareKeys)
	for _, key := range keys {
		order.Load(key.node)
	}
	for _, n := range escaped {
		order.Set(n)
	}
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
