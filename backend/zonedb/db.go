package zonedb

import (
	"iter"
	"sync"

	"github.com/tidwall/btree"

	"redyn/backend/dns"
)

// DB is a copy of all zones. Any number of goroutines may read it; who may change it when is said
// at Stage.
type DB struct {
	referrers *referrers

	mu     sync.RWMutex // guards what follows, but not what is in the zones
	byID   map[dns.ZoneID]*zone
	byName map[dns.Name]*zone
	order  *btree.BTreeG[*zone] // those of byName
	staged map[dns.ZoneID]*zone
}

// New returns a DB without zones.
func New() *DB {
	db := &DB{referrers: newReferrers(), staged: make(map[dns.ZoneID]*zone)}
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

// Zones returns the zones that there are now, in canonical order.
func (db *DB) Zones() iter.Seq[dns.Zone] {
	zones := db.snapshot()
	return func(yield func(dns.Zone) bool) {
		zones.Scan(func(z *zone) bool { return yield(z.about()) })
	}
}

// Metadata returns the domain metadata of the zone named name, nil if there is none. Callers do not
// change it.
func (db *DB) Metadata(name dns.Name) dns.Metadata {
	z := db.named(name)
	if z == nil {
		return nil
	}
	z.mu.RLock()
	defer z.mu.RUnlock()
	return z.meta
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
	db.snapshot().Scan(func(z *zone) bool {
		z.mu.RLock()
		defer z.mu.RUnlock()
		s.Zones++
		s.Names += len(z.nodes)
		s.Records += z.records
		return true
	})
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

// snapshot returns the zones shown now; it may be read without a lock.
func (db *DB) snapshot() *btree.BTreeG[*zone] {
	db.mu.Lock()
	defer db.mu.Unlock()
	return db.order.Copy()
}
