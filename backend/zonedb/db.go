package zonedb

import (
	"iter"
	"sync"
	"sync/atomic"

	"github.com/tidwall/btree"

	"redyn/backend/dns"
)

// DB is a copy of all zones. Any number of goroutines may read it; who may change it when is said
// at Stage.
type DB struct {
	referrers *referrers
	tell      func(dns.Stale) // nil: nobody wants to know

	mu                   sync.RWMutex // guards what follows, but not what is in the zones
	byID                 map[dns.ZoneID]*zone
	byName               map[dns.Name]*zone
	order                *btree.BTreeG[dns.Name] // those of byName
	unknown              atomic.Int32            // how many of byID could not be read
	lately               [latelyAsked]atomic.Pointer[zone]
	staged               map[dns.ZoneID]*zone
	server, stagedServer *server // the second nil if there is none
}

// New returns a DB without zones.
func New() *DB {
	db := &DB{referrers: newReferrers(), server: &server{}}
	db.index(nil)
	return db
}

// Zone returns what is known of the zone named name; false if there is none.
func (db *DB) Zone(name dns.Name) (dns.Zone, bool) {
	z := db.named(name)
	if z == nil {
		return dns.Zone{}, false
	}
	return z.about(), true
}

// ZoneByID returns what is known of the zone with this id; false if there is none.
func (db *DB) ZoneByID(id dns.ZoneID) (dns.Zone, bool) {
	z := db.numbered(id)
	if z == nil {
		return dns.Zone{}, false
	}
	return z.about(), true
}

// ZoneOf returns the zone that holds name or would hold it: the one with the longest name that name
// is in. False says that there is none, or that it delegates what is above name to servers elsewhere.
// The names at a cut are still in the zone that delegates.
func (db *DB) ZoneOf(name dns.Name) (dns.Zone, bool) {
	db.mu.RLock()
	defer db.mu.RUnlock()
	for above := name; ; above = above.Parent() {
		if z := db.byName[above]; z != nil {
			return z.holding(name)
		}
		if above == dns.Root {
			return dns.Zone{}, false
		}
	}
}

// Zones returns all zones in canonical order. Those that come or go while it is read may be missing.
func (db *DB) Zones() iter.Seq[dns.Zone] {
	return func(yield func(dns.Zone) bool) {
		for z := range db.zones() {
			if !yield(z.about()) {
				return
			}
		}
	}
}

// Metadata returns the domain metadata of the zone named name, nil if there is none. Callers do not
// change it. It fails with dns.ErrUnknown if the zone could not be read.
func (db *DB) Metadata(name dns.Name) (dns.Metadata, error) {
	z := db.named(name)
	if z == nil {
		return nil, nil
	}
	if z.lost {
		return nil, z.unread()
	}
	z.mu.RLock()
	defer z.mu.RUnlock()
	return z.meta, nil
}

// Stats counts what a DB shows.
type Stats struct {
	Zones   int
	Names   int // owner names, without empty non-terminals
	Records int
}

// Stats counts what db shows.
func (db *DB) Stats() Stats {
	var s Stats
	for z := range db.zones() {
		z.mu.RLock()
		s.Zones++
		s.Names += z.nodes.count
		s.Records += z.records
		z.mu.RUnlock()
	}
	return s
}

func (db *DB) named(name dns.Name) *zone {
	db.mu.RLock()
	defer db.mu.RUnlock()
	return db.byName[name]
}

func (db *DB) numbered(id dns.ZoneID) *zone {
	db.mu.RLock()
	defer db.mu.RUnlock()
	return db.byID[id]
}

// zones yields the zones shown, without a lock held meanwhile. The order it goes by has names only:
// a B-tree does not let go at once of all that was taken out of it, and a zone may be big.
func (db *DB) zones() iter.Seq[*zone] {
	db.mu.Lock()
	order := db.order.Copy()
	db.mu.Unlock()
	return func(yield func(*zone) bool) {
		order.Scan(func(name dns.Name) bool {
			z := db.named(name)
			return z == nil || yield(z)
		})
	}
}
