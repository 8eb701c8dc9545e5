package zonedb

import (
	"maps"
	"slices"

	"redyn/backend/dns"
)

// mostSwaps is the most names that may differ between a zone and what replaces it for them to be told
// one by one.
const mostSwaps = 1000

// shown notes what it makes stale that a zone is shown in place of others, of the same id or name. If
// it is one that was deleted, none is.
func (s *stale) shown(old []*zone, fresh *zone) {
	known := false
	for _, z := range old {
		switch {
		case fresh.gone || z.name != fresh.name:
			s.gone(z)
		default:
			known = true
			s.replaced(z, fresh)
		}
	}
	if !known && !fresh.gone {
		s.appeared(fresh)
	}
}

// shownAll notes what it makes stale that zones are shown in place of all there were. If there were
// none, nobody knows what was answered before.
func (s *stale) shownAll(old map[dns.ZoneID]*zone, fresh []*zone) {
	s.all = len(old) == 0
	if s.all {
		return
	}
	kept := make(map[dns.ZoneID]bool, len(fresh))
	for _, z := range fresh {
		before := old[z.id]
		if before == nil || before.name != z.name {
			s.appeared(z)
			continue
		}
		kept[z.id] = true
		s.replaced(before, z)
	}
	for id, z := range old {
		if !kept[id] {
			s.gone(z)
		}
	}
}

// appeared notes what a zone that came to be makes stale, and gone one that is no more.
func (s *stale) appeared(z *zone) {
	s.zones = append(s.zones, z.name)
	s.tree(z.name, 0)
}

func (s *stale) gone(z *zone) { s.tree(z.name, 0) }

// replaced notes what it makes stale that a zone took the place of another with its name.
func (s *stale) replaced(old, fresh *zone) {
	if old.id != fresh.id {
		s.appeared(fresh)
		return
	}
	keys := !slices.Equal(old.keys, fresh.keys) || old.keysUnknown || fresh.keysUnknown
	s.described(fresh, metadataDiff(old.meta, fresh.meta), keys)
	swaps, few := difference(old, fresh)
	if !few {
		s.tree(fresh.name, 0)
		return
	}
	turned := make(turns)
	for _, w := range swaps {
		turned.compare(old, fresh, w.name)
	}
	s.changed(fresh, swaps, turned)
}

// metadataDiff returns the kinds of which the values differ, with the later ones.
func metadataDiff(old, fresh dns.Metadata) dns.Metadata {
	diff := make(dns.Metadata)
	for kind := range old {
		diff[kind] = nil
	}
	maps.Copy(diff, fresh)
	maps.DeleteFunc(diff, func(kind string, values []string) bool { return slices.Equal(old[kind], values) })
	return diff
}

// difference returns the owners whose RRsets differ between two zones; false if they are many.
func difference(old, fresh *zone) (swaps []swap, few bool) {
	a, b := old.order.Iter(), fresh.order.Iter()
	defer a.Release()
	defer b.Release()
	moreA, moreB := a.First(), b.First()
	for (moreA || moreB) && len(swaps) <= mostSwaps {
		order := 0
		switch {
		case !moreB:
			order = -1
		case !moreA:
			order = 1
		default:
			order = dns.Compare(a.Item().name, b.Item().name)
		}
		w := swap{}
		if order <= 0 {
			w.name, w.old = a.Item().name, a.Item()
			moreA = a.Next()
		}
		if order >= 0 {
			w.name, w.fresh = b.Item().name, b.Item()
			moreB = b.Next()
		}
		for range w.types() {
			swaps = append(swaps, w)
			break
		}
	}
	return swaps, len(swaps) <= mostSwaps
}

// compare counts the names at and above name that are in one of two zones only.
func (t turns) compare(old, fresh *zone, name dns.Name) {
	for name != fresh.name {
		was, is := old.exists(name), fresh.exists(name)
		switch {
		case was == is:
			return
		case is:
			t[name] = 1
		default:
			t[name] = -1
		}
		name = name.Parent()
	}
}
