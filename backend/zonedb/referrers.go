package zonedb

import (
	"cmp"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/tidwall/btree"

	"redyn/backend/dns"
)

// Referrers returns owner and type of every RRset shown that names target: CNAME, DNAME and ALIAS,
// and those for which a server adds the target's addresses to an answer, NS, MX, SRV, SVCB, HTTPS
// and NAPTR. It is what is there now, whatever changes later, each once. While a change is made it is
// what was and what will be. The names that a DNAME answers are below its owner, and name what is
// below target.
func (db *DB) Referrers(target dns.Name) iter.Seq2[dns.Name, dns.Type] {
	refs := db.referrers.of(target)
	return func(yield func(dns.Name, dns.Type) bool) {
		for _, r := range refs {
			if !yield(r.owner, r.typ) {
				return
			}
		}
	}
}

// ref says that an RRset of a zone names target.
type ref struct {
	target, owner dns.Name
	zone          *mark
	typ           dns.Type
}

func compareRefs(a, b ref) int {
	return cmp.Or(
		dns.Compare(a.target, b.target),
		strings.Compare(string(a.owner), string(b.owner)),
		cmp.Compare(a.typ, b.typ),
		cmp.Compare(a.zone.number, b.zone.number))
}

// referrers holds the refs of all zones, shown and staged. Those to names below one another stand side
// by side, as targets are in canonical order.
type referrers struct {
	mu     sync.RWMutex
	refs   *btree.BTreeG[ref]
	dnames int // those of DNAME
}

func newReferrers() *referrers {
	return &referrers{refs: newOrder(func(a, b ref) bool { return compareRefs(a, b) < 0 })}
}

// of returns the refs to target of zones that are shown, one of each owner and type.
func (r *referrers) of(target dns.Name) []ref {
	return slices.CompactFunc(r.to(target), func(a, b ref) bool { return a.owner == b.owner && a.typ == b.typ })
}

// to returns the refs to target of zones that are shown.
func (r *referrers) to(target dns.Name) []ref {
	return r.from(target, func(name dns.Name) bool { return name == target })
}

// under returns the refs to ancestor and names below it of zones that are shown.
func (r *referrers) under(ancestor dns.Name) []ref {
	return r.from(ancestor, func(name dns.Name) bool { return name.Under(ancestor) })
}

// from returns the refs of zones that are shown from the first target on as long as they are wanted.
func (r *referrers) from(first dns.Name, wanted func(target dns.Name) bool) (found []ref) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	r.refs.Ascend(ref{target: first, zone: &mark{}}, func(next ref) bool {
		if !wanted(next.target) {
			return false
		}
		if next.zone.shown.Load() {
			found = append(found, next)
		}
		return true
	})
	return found
}

// hasDNAME reports whether there are refs of DNAME.
func (r *referrers) hasDNAME() bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.dnames > 0
}

// batch is the most refs that are added or removed before others may look.
const batch = 256

func (r *referrers) add(refs []ref) {
	slices.SortFunc(refs, compareRefs)
	for some := range slices.Chunk(refs, batch) {
		r.mu.Lock()
		for _, ref := range some {
			if _, there := r.refs.Set(ref); !there && ref.typ == dns.TypeDNAME {
				r.dnames++
			}
		}
		r.mu.Unlock()
	}
}

func (r *referrers) remove(refs []ref) {
	for some := range slices.Chunk(refs, batch) {
		r.mu.Lock()
		for _, ref := range some {
			if _, there := r.refs.Delete(ref); there && ref.typ == dns.TypeDNAME {
				r.dnames--
			}
		}
		r.mu.Unlock()
	}
}

// refs returns all refs of a zone. The caller is the one who may change it.
func (z *zone) refs() []ref {
	var refs []ref
	for n := range z.nodes.all() {
		refs = z.appendRefs(refs, n)
	}
	return refs
}

// refsOf returns the refs that swaps bring with them and those that they take away. A ref that stays
// is among the first, so that it does not hold on to the text of the old node.
func (z *zone) refsOf(swaps []swap) (added, removed []ref) {
	for _, s := range swaps {
		first := len(added)
		added = z.appendRefs(added, s.fresh)
		fresh := added[first:]
		for _, old := range z.appendRefs(nil, s.old) {
			if !slices.ContainsFunc(fresh, func(r ref) bool { return compareRefs(r, old) == 0 }) {
				removed = append(removed, old)
			}
		}
	}
	return added, removed
}

// appendRefs appends the refs of an owner; n may be nil.
func (z *zone) appendRefs(refs []ref, n *node) []ref {
	for i := range n.len() {
		set := n.set(i)
		field, ok := targetField[set.Type]
		if !ok {
			continue
		}
		for _, content := range set.Content {
			if target, ok := targetIn(content, field); ok {
				refs = append(refs, ref{target, n.name, z.mark, set.Type})
			}
		}
	}
	return refs
}

// targetField is the field of a type's content that is a target; last is the last one, whatever
// its number: that of NAPTR comes after texts that may have spaces in them.
var targetField = map[dns.Type]int{
	dns.TypeNS: 0, dns.TypeCNAME: 0, dns.TypeDNAME: 0, dns.TypeALIAS: 0, dns.TypeMX: 1,
	dns.TypeSVCB: 1, dns.TypeHTTPS: 1, dns.TypeSRV: last, typeNAPTR: last,
}

const (
	last = -1

	typeNAPTR dns.Type = 35
)

// targetIn returns the target in a content. The root is none: it says that there is no target (SRV,
// NAPTR, MX of RFC 7505) or that it is the owner itself (SVCB of RFC 9460).
func targetIn(content string, field int) (dns.Name, bool) {
	text := content
	if field == last {
		text = content[strings.LastIndexByte(content, ' ')+1:]
	} else {
		for range field {
			_, text, _ = strings.Cut(text, " ")
		}
		text, _, _ = strings.Cut(text, " ")
	}
	target, err := dns.ParseName(text)
	return target, err == nil && target != dns.Root
}
