package zonedb

import (
	"maps"
	"slices"
	"strings"

	"redyn/backend/dns"
)

// Apply makes a change visible, in each zone all at once. The part that concerns a staged zone goes
// to that alone, and so does what belongs to no zone, if that is staged. Parts of zones that are
// neither shown nor staged are left out, and so are RRsets of owners outside their zone. See Stage
// for who may call it.
func (db *DB) Apply(e dns.Entry) {
	s := db.watch()
	for _, part := range e.Zones {
		z := db.current(part.ID)
		switch {
		case z == nil || z.gone || z.lost && !part.Deleted:
		case part.Deleted:
			db.delete(z, s)
		default:
			db.apply(z, part, s)
		}
	}
	db.applyServer(e)
	s.finish()
}

// current returns the zone that changes go to: the staged one before the one shown, nil if none.
func (db *DB) current(id dns.ZoneID) *zone {
	db.mu.RLock()
	defer db.mu.RUnlock()
	if z := db.staged[id]; z != nil {
		return z
	}
	return db.byID[id]
}

// delete takes a zone away. If it is staged, the one shown goes when this one would be shown.
func (db *DB) delete(z *zone, s *stale) {
	db.mu.Lock()
	shown := db.byID[z.id] == z // a zone that is kept is staged, too
	if db.staged[z.id] == z {
		nothing := newZone(dns.ZoneData{Zone: dns.Zone{ID: z.id, Name: z.name}})
		nothing.gone = true
		db.staged[z.id] = nothing
	}
	if shown {
		db.takeAway(z)
	}
	db.mu.Unlock()
	if s != nil && shown {
		s.gone(z)
	}
	db.drop(z)
}

// swap is a node to be put in the place of another; each may be nil.
type swap struct {
	name       dns.Name
	old, fresh *node
}

func (db *DB) apply(z *zone, part dns.ZoneEntry, s *stale) {
	swaps := z.swaps(part.RRsets)
	added, removed := z.refsOf(swaps)
	meta := z.meta
	params, chained := z.nsec3Params()
	if len(part.Metadata) > 0 {
		meta = changed(meta, part.Metadata)
		params, chained = nsec3ParamsOf(meta)
	}
	var chain nsec3Change
	if chained {
		chain = z.nsec3After(params, swaps)
	}
	keys := withKeys(z.keys, part.Keys)
	told := s != nil && z.mark.shown.Load()
	if told {
		z.turns = make(turns)
	}
	z.nodes.reserve(z.nodes.count + len(swaps))
	// Until the swap is done referrers has both the old and the new ones.
	db.referrers.add(added)
	z.mu.Lock()
	z.version.Add(1)
	z.meta, z.keys, z.keysUnknown = meta, keys, z.keysUnknown || part.KeysUnknown
	if part.Zone != nil {
		serial := z.info.Serial
		z.info = *part.Zone
		z.info.ID, z.info.Name, z.info.Serial = z.id, z.name, serial
	}
	for _, s := range swaps {
		z.put(s.name, s.old, s.fresh)
	}
	chain.make(z)
	z.version.Add(1)
	z.mu.Unlock()
	db.referrers.remove(removed)
	if told {
		s.described(z, part.Metadata, len(part.Keys) > 0 || part.KeysUnknown)
		s.changed(z, swaps, z.turns)
		z.turns = nil
	}
}

// swaps makes the nodes that the zone has after sets, which it takes owner by owner.
func (z *zone) swaps(sets []dns.RRset) []swap {
	sets = slices.Clone(sets)
	slices.SortStableFunc(sets, func(a, b dns.RRset) int { return strings.Compare(string(a.Name), string(b.Name)) })
	var list []swap
	for len(sets) > 0 {
		name, n := sets[0].Name, 1
		for n < len(sets) && sets[n].Name == name {
			n++
		}
		if name.Under(z.name) {
			old := z.nodes.find(name)
			list = append(list, swap{name, old, old.with(name, sets[:n]...)})
		}
		sets = sets[n:]
	}
	return list
}

// changed returns meta with changes, of which those without values take a kind away.
func changed(meta, changes dns.Metadata) dns.Metadata {
	meta = maps.Clone(meta)
	if meta == nil {
		meta = make(dns.Metadata, len(changes))
	}
	for kind, values := range changes {
		if len(values) > 0 {
			meta[kind] = values
		} else {
			delete(meta, kind)
		}
	}
	if len(meta) == 0 {
		return nil
	}
	return meta
}
