package dns

import (
	"slices"
	"strconv"
	"strings"
)

// MaxTTL is the greatest TTL, in seconds (RFC 2181 section 8).
const MaxTTL = 1<<31 - 1

// RRset is all records of one owner and type; they share the TTL, in seconds (RFC 2181
// section 5). Content is the records' data in presentation form with absolute names, sorted
// and without duplicates, so that equal RRsets have equal texts. An RRset without Content says in
// a change that there is none, or none any more. Whoever holds an RRset does not change Content.
type RRset struct {
	Name    Name
	Type    Type
	TTL     uint32
	Content []string
}

// NewRRset returns an RRset with content put in order; the slice becomes the RRset's.
func NewRRset(name Name, typ Type, ttl uint32, content ...string) RRset {
	slices.Sort(content)
	return RRset{Name: name, Type: typ, TTL: ttl, Content: slices.Compact(content)}
}

// Equal reports whether both have the same owner, type, content and, unless empty, TTL.
func (s RRset) Equal(o RRset) bool {
	return s.Name == o.Name && s.Type == o.Type && slices.Equal(s.Content, o.Content) &&
		(s.TTL == o.TTL || len(s.Content) == 0)
}

// TTLOf returns the TTL of the record with this content. RRSIGs of one owner are no RRset: each has the
// TTL of the RRset that it covers (RFC 4034 section 3), which it tells.
func (s *RRset) TTLOf(content string) uint32 {
	if s.Type != TypeRRSIG {
		return s.TTL
	}
	const before = 3 // the type covered, the algorithm, the number of labels
	for range before {
		_, content, _ = strings.Cut(content, " ")
	}
	text, _, _ := strings.Cut(content, " ")
	ttl, err := strconv.ParseUint(text, 10, 32)
	if err != nil || ttl > MaxTTL {
		return s.TTL
	}
	return uint32(ttl)
}

// Answer is one RRset as PowerDNS is told of it: with the zone it comes from, and whether the
// zone is authoritative for it (not for delegating NS, glue, or what a cut hides). An empty
// non-terminal is an Answer of TypeENT without Content. PowerDNS puts what is Uncached into no cache.
type Answer struct {
	RRset
	Zone     ZoneID
	Auth     bool
	Uncached bool
}
