package zonedb

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/tidwall/btree"

	"redyn/backend/dns"
)

// zone is one zone, shown or staged. One goroutine at a time changes it; that one may read it
// without the lock.
type zone struct {
	id   dns.ZoneID
	name dns.Name
	mark *mark
	gone bool // stands for a zone that was deleted while it was staged
	lost bool // could not be read: nothing is known of it

	// What most lookups read, which take no lock for it. While that is changed, version is odd.
	version atomic.Uint32
	nodes   table
	cuts    atomic.Int32 // how many names are cuts

	mu          sync.RWMutex // guards what follows, and that no change is seen by half
	info        dns.Zone     // with the serial of the SOA
	meta        dns.Metadata
	keys        []dns.Key            // by number; never changed
	keysUnknown bool                 // there are others
	order       *btree.BTreeG[*node] // those of nodes, in canonical order
	children    children
	nsec3       *nsec3 // what there is for the sake of NSEC3; nil for nothing
	records     int

	turns turns // of the change under way; nil if nobody wants to know
}

// mark is what referrers knows of a zone. It tells zones of the same id apart, and does not hold on
// to one that is gone.
type mark struct {
	number uint64
	shown  atomic.Bool // as against staged
}

var marks atomic.Uint64

func newZone(data dns.ZoneData) *zone {
	info := data.Zone
	info.Serial = 0
	return &zone{
		id:          info.ID,
		name:        info.Name,
		mark:        &mark{number: marks.Add(1)},
		lost:        info.Unknown,
		info:        info,
		meta:        data.Metadata,
		keys:        sortedKeys(slices.Clone(data.Keys)),
		keysUnknown: data.KeysUnknown,
		order:       newOrder(nodeBefore),
		children:    children{apex: info.Name},
	}
}

func newOrder[T any](less func(a, b T) bool) *btree.BTreeG[T] {
	return btree.NewBTreeGOptions(less, btree.Options{NoLocks: true})
}

// unread is the error of whoever asks a zone that could not be read.
func (z *zone) unread() error { return fmt.Errorf("zone %s: %w", z.name, dns.ErrUnknown) }

// unknown counts the zone if it could not be read.
func (z *zone) unknown() int32 {
	if z.lost {
		return 1
	}
	return 0
}

// about returns what is known of the zone.
func (z *zone) about() dns.Zone {
	z.mu.RLock()
	defer z.mu.RUnlock()
	return z.info
}

// holding returns what is known of the zone if it is not one of its cuts that name is below.
func (z *zone) holding(name dns.Name) (dns.Zone, bool) {
	z.mu.RLock()
	defer z.mu.RUnlock()
	if z.place(name, nil) == belowCut {
		return dns.Zone{}, false
	}
	return z.info, true
}

// put puts fresh in the place of old; each may be nil, for no records at name.
func (z *zone) put(name dns.Name, old, fresh *node) {
	switch {
	case fresh != nil:
		z.nodes.put(fresh)
		z.order.Set(fresh)
		if old == nil && z.children.of(name) == 0 {
			z.turns.count(name, 1)
			z.enter(name)
		}
	case old != nil:
		z.nodes.remove(name)
		z.order.Delete(old)
		if z.children.of(name) == 0 {
			z.turns.count(name, -1)
			z.leave(name)
		}
	}
	z.records += fresh.records() - old.records()
	z.noteCut(old, fresh)
	if name == z.name {
		z.noteSerial(fresh)
	}
}

// enter counts a name that came to be, and the empty non-terminals that thereby came to be.
func (z *zone) enter(name dns.Name) {
	for name != z.name {
		name = name.Parent()
		if z.children.add(name, 1) > 1 || z.nodes.find(name) != nil {
			return
		}
		z.turns.count(name, 1)
	}
}

// leave does the contrary of enter.
func (z *zone) leave(name dns.Name) {
	for name != z.name {
		name = name.Parent()
		if z.children.add(name, -1) > 0 || z.nodes.find(name) != nil {
			return
		}
		z.turns.count(name, -1)
	}
}

// isENT reports whether a name without records has names below it.
func (z *zone) isENT(name dns.Name) bool { return name != z.name && z.children.of(name) > 0 }

// noteSerial takes the zone's serial from the apex. An unreadable SOA has none.
func (z *zone) noteSerial(apex *node) {
	z.info.Serial = 0
	for _, content := range apex.find(dns.TypeSOA).Content {
		if soa, err := dns.ParseSOA(content); err == nil {
			z.info.Serial = soa.Serial
		}
	}
}
