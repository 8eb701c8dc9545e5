package zonedb

import (
	"unsafe"

	"redyn/backend/dns"
)

// roomy is a node and the text of its name and records, in one piece of memory.
type roomy[Text any] struct {
	node node
	text Text
}

// makeNode returns an empty node, and the text of this size that is kept with it: name, and the contents
// of sets.
func makeNode(name dns.Name, sets []dns.RRset, size int) (*node, string) {
	n, text := allocate(size)
	text = append(text, name...)
	for _, set := range sets {
		for _, content := range set.Content {
			text = append(text, content...)
		}
	}
	return n, unsafe.String(unsafe.SliceData(text), len(text))
}

// allocate returns a node with room for a text, in the size classes of Go's memory as long as these are
// narrow.
func allocate(size int) (*node, []byte) {
	switch {
	case size <= 16:
		r := new(roomy[[16]byte])
		return &r.node, r.text[:0]
	case size <= 32:
		r := new(roomy[[32]byte])
		return &r.node, r.text[:0]
	case size <= 48:
		r := new(roomy[[48]byte])
		return &r.node, r.text[:0]
	case size <= 64:
		r := new(roomy[[64]byte])
		return &r.node, r.text[:0]
	case size <= 80:
		r := new(roomy[[80]byte])
		return &r.node, r.text[:0]
	case size <= 112:
		r := new(roomy[[112]byte])
		return &r.node, r.text[:0]
	case size <= 144:
		r := new(roomy[[144]byte])
		return &r.node, r.text[:0]
	}
	return new(node), make([]byte, 0, size)
}
