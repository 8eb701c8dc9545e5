package zonedb

import (
	"iter"

	"redyn/backend/dns"
)

// Stage builds a zone aside, invisible to readers, from what sets yields, in any order. Of two RRsets
// of the same owner and type the later counts; those of owners outside the zone are left out. If sets
// yields an error, Stage returns it. A zone of the same id staged before is forgotten in any case. Of a
// zone that is Unknown there is nothing to build; what is asked of it fails with dns.ErrUnknown.
// The Serial of data is not looked at: the SOA has it.
//
// One goroutine at a time calls the methods that change a DB: Stage, StageServer, Apply, Show,
// ShowAll and Forget. Only Stage may run beside Stage of other zones and beside Apply.
func (db *DB) Stage(data dns.ZoneData, sets iter.Seq2[dns.RRset, error]) error {
	db.unstage(data.Zone.ID)
	z := newZone(data)
	b := builder{zone: z}
	for set, err := range sets {
		if err != nil {
			return err
		}
		b.take(set)
	}
	b.finish()
	db.referrers.add(z.refs())
	db.mu.Lock()
	defer db.mu.Unlock()
	db.staged[z.id] = z
	return nil
}

// Keep stages the zone with this id that is shown, to go on as it is; false if there is none. See Stage
// for who may call it.
func (db *DB) Keep(id dns.ZoneID) bool {
	db.unstage(id)
	db.mu.Lock()
	defer db.mu.Unlock()
	z := db.byID[id]
	if z != nil {
		db.staged[id] = z
	}
	return z != nil
}

// Show makes the staged zone with this id visible in place of the one shown before, if it is staged.
// If it was deleted while it was staged, none takes that place.
func (db *DB) Show(id dns.ZoneID) {
	db.mu.Lock()
	z := db.staged[id]
	delete(db.staged, id)
	if z == nil || z == db.byID[id] {
		db.mu.Unlock()
		return
	}
	var old []*zone
	if z.gone {
		old = db.takeAway(db.byID[id])
	} else {
		old = append(db.takeAway(db.byID[id]), db.takeAway(db.byName[z.name])...)
		z.mark.shown.Store(true)
		db.byID[id], db.byName[z.name] = z, z
		db.order.Set(z.name)
		db.unknown.Add(z.unknown())
	}
	db.mu.Unlock()
	if s := db.watch(); s != nil {
		s.shown(old, z)
		s.finish()
	}
	db.drop(old...)
}

// ShowAll makes exactly the staged zones visible: all others are gone. With them it shows what
// StageServer staged, if anything.
func (db *DB) ShowAll() {
	db.mu.RLock()
	old, fresh := db.byID, make([]*zone, 0, len(db.staged))
	for _, z := range db.staged {
		if !z.gone {
			z.mark.shown.Store(true)
			fresh = append(fresh, z)
		}
	}
	db.mu.RUnlock()
	db.index(fresh)
	if s := db.watch(); s != nil {
		s.shownAll(old, fresh)
		s.finish()
	}
	for id, z := range old {
		if db.numbered(id) != z {
			db.drop(z)
		}
	}
}

// Forget drops all that is staged.
func (db *DB) Forget() {
	db.mu.Lock()
	staged := db.staged
	db.staged = make(map[dns.ZoneID]*zone)
	db.stagedServer = nil
	db.mu.Unlock()
	for id, z := range staged {
		if db.numbered(id) != z {
			db.drop(z)
		}
	}
}

// unstage drops the staged zone with this id, if there is one.
func (db *DB) unstage(id dns.ZoneID) {
	db.mu.Lock()
	z := db.staged[id]
	delete(db.staged, id)
	kept := z == db.byID[id]
	db.mu.Unlock()
	if z != nil && !kept {
		db.drop(z)
	}
}

// index makes zones what db shows, and leaves none staged.
func (db *DB) index(zones []*zone) {
	byID := make(map[dns.ZoneID]*zone, len(zones))
	byName := make(map[dns.Name]*zone, len(zones))
	order := newOrder(func(a, b dns.Name) bool { return dns.Compare(a, b) < 0 })
	unknown := int32(0)
	for _, z := range zones {
		byID[z.id], byName[z.name] = z, z
		order.Set(z.name)
		unknown += z.unknown()
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	db.byID, db.byName, db.order = byID, byName, order
	db.unknown.Store(unknown)
	db.forget()
	if db.stagedServer != nil {
		db.server, db.stagedServer = db.stagedServer, nil
	}
	db.staged = make(map[dns.ZoneID]*zone)
}

// takeAway makes z, which may be nil, invisible; the caller holds the lock, and drops what it gets
// after it has let go of it.
func (db *DB) takeAway(z *zone) []*zone {
	if z == nil {
		return nil
	}
	delete(db.byID, z.id)
	delete(db.byName, z.name)
	db.order.Delete(z.name)
	db.unknown.Add(-z.unknown())
	db.forget()
	return []*zone{z}
}

// drop takes what is left of zones that are neither shown nor staged any more out of referrers.
func (db *DB) drop(zones ...*zone) {
	for _, z := range zones {
		z.mark.shown.Store(false)
		db.referrers.remove(z.refs())
	}
}
