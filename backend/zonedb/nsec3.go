package zonedb

import (
	"bytes"
	"cmp"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/tidwall/btree"

	"redyn/backend/dns"
)

// HashNeighbours returns the hashes between which one stands in the NSEC3 chain of a zone (RFC 5155
// section 7.1): the greatest that is not after it, which may be itself, with the name that has it,
// and the next after that one. The chain is a circle. In it are the names for which the zone is
// authoritative, its delegations, and the empty non-terminals above them, but not what a cut hides;
// with opt-out not the insecure delegations. Hashes are base32hex; answers are lower case. False says that there is no such zone, or that it keeps no such chain, or
// that hash is none.
func (db *DB) HashNeighbours(id dns.ZoneID, hash string) (before string, unhashed dns.Name, after string, ok bool) {
	key, ok := parseHash(hash)
	z := db.numbered(id)
	if z == nil || !ok {
		return "", "", "", false
	}
	z.mu.RLock()
	defer z.mu.RUnlock()
	if z.nsec3 == nil || z.nsec3.order == nil || z.nsec3.order.Len() == 0 {
		return "", "", "", false
	}
	b, a := z.nsec3.around(key)
	text := string(base32hex.AppendEncode(base32hex.AppendEncode(make([]byte, 0, 2*hashText), b.hash[:]), a.hash[:]))
	return text[:hashText], absolute(b.labels, z.name), text[hashText:], true
}

// nsec3 is what a zone keeps whose denials are NSEC3: its chain, ordered unless PowerDNS answers
// without (narrow). Only a pre-signed zone with opt-out keeps anything if it is narrow.
type nsec3 struct {
	params nsec3Params
	below  map[dns.Name]int32     // number of names right below a name that it is in the chain for, if any
	order  *btree.BTreeG[chained] // nil if narrow
	hashed int                    // names hashed so far
}

// chained is a name of the chain. The name is kept without the apex and in memory of its own, so
// that it does not hold on to a node that was replaced.
type chained struct {
	hash   nameHash
	labels string
}

type nameHash [sha1.Size]byte

func chainedBefore(a, b chained) bool { return bytes.Compare(a.hash[:], b.hash[:]) < 0 }

// around returns the names between which hash stands. The order is not empty.
func (c *nsec3) around(hash nameHash) (before, after chained) {
	found := false
	c.order.Descend(chained{hash: hash}, func(next chained) bool {
		before, found = next, true
		return false
	})
	if !found {
		before, _ = c.order.Max()
	}
	found = false
	c.order.Ascend(chained{hash: hash}, func(next chained) bool {
		if next.hash == hash {
			return true
		}
		after, found = next, true
		return false
	})
	if !found {
		after, _ = c.order.Min()
	}
	return before, after
}

// proves reports whether an empty non-terminal that no cut hides is in the chain of a zone; c may be
// nil. It always is but for opt-out in a zone signed elsewhere.
func (c *nsec3) proves(ent dns.Name) bool {
	return c == nil || !c.params.presigned || c.below[ent] > 0
}

// nsec3Params are the settings of a chain, from domain metadata.
type nsec3Params struct {
	salt       string // the octets
	iterations int
	optOut     bool
	narrow     bool
	presigned  bool // with opt-out, else it does not matter
}

// MaxNSEC3Iterations is the default of PowerDNS's max-nsec3-iterations, to which it lowers what a zone
// asks for that is not pre-signed.
const MaxNSEC3Iterations = 100

// nsec3ParamsOf returns the settings of the chain that a zone with this metadata keeps; false if it
// keeps none. PowerDNS reads the metadata likewise: the first value counts, any flag is opt-out, and
// the hash is SHA-1 whatever it says.
func nsec3ParamsOf(meta dns.Metadata) (p nsec3Params, ok bool) {
	f := strings.Fields(firstOf(meta, "NSEC3PARAM"))
	if len(f) != 4 {
		return p, false
	}
	flags, err1 := strconv.ParseUint(f[1], 10, 8)
	iterations, err2 := strconv.ParseUint(f[2], 10, 16)
	if f[3] == "-" {
		f[3] = ""
	}
	salt, err3 := hex.DecodeString(f[3])
	if err1 != nil || err2 != nil || err3 != nil {
		return p, false
	}
	p.optOut = flags != 0
	p.narrow = firstOf(meta, "NSEC3NARROW") == "1"
	p.salt, p.iterations = string(salt), int(iterations)
	presigned := firstOf(meta, "PRESIGNED") == "1"
	if !presigned {
		p.iterations = min(p.iterations, MaxNSEC3Iterations)
	}
	p.presigned = presigned && p.optOut
	return p, p.presigned || !p.narrow
}

func firstOf(meta dns.Metadata, kind string) string {
	if values := meta[kind]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// hash returns the hash of a name (RFC 5155 section 5).
func (p *nsec3Params) hash(name dns.Name) nameHash {
	var buf [dns.MaxNameLen + 255]byte
	sum := sha1.Sum(append(name.AppendWire(buf[:0]), p.salt...))
	for range p.iterations {
		sum = sha1.Sum(append(append(buf[:0], sum[:]...), p.salt...))
	}
	return sum
}

// hashes returns the names with their hashes, in the order of these.
func (p *nsec3Params) hashes(apex dns.Name, names []dns.Name) []chained {
	list := make([]chained, len(names))
	const share = 1024
	var workers sync.WaitGroup
	size := max(share, (len(names)+runtime.GOMAXPROCS(0)-1)/runtime.GOMAXPROCS(0))
	for first := 0; first < len(names); first += size {
		part := func(first, end int) {
			for i, name := range names[first:end] {
				list[first+i] = chained{p.hash(name), strings.Clone(relative(name, apex))}
			}
		}
		end := min(first+size, len(names))
		if end == len(names) {
			part(first, end)
		} else {
			workers.Go(func() { part(first, end) })
		}
	}
	workers.Wait()
	slices.SortFunc(list, func(a, b chained) int {
		x, y := binary.BigEndian.Uint64(a.hash[:]), binary.BigEndian.Uint64(b.hash[:])
		if x != y {
			return cmp.Compare(x, y)
		}
		return bytes.Compare(a.hash[:], b.hash[:])
	})
	return list
}

// base32hex is how hashes are written (RFC 5155 section 1.3).
var base32hex = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

const hashText = 32 // characters of a hash

func parseHash(text string) (hash nameHash, ok bool) {
	if len(text) != hashText {
		return hash, false
	}
	var lower [hashText]byte
	for i := range lower {
		lower[i] = text[i]
		if 'A' <= text[i] && text[i] <= 'V' {
			lower[i] |= 0x20
		}
	}
	n, err := base32hex.Decode(hash[:], lower[:])
	return hash, err == nil && n == len(hash)
}

// relative returns the labels of a name that stand before those of the apex, each with its dot.
func relative(name, apex dns.Name) string {
	switch {
	case name == apex:
		return ""
	case apex == dns.Root:
		return string(name)
	}
	return string(name[:len(name)-len(apex)])
}

// absolute does the contrary of relative.
func absolute(labels string, apex dns.Name) dns.Name {
	if apex == dns.Root && labels != "" {
		return dns.Name(labels)
	}
	return dns.Name(labels) + apex
}
