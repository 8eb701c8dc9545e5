package redisstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"redyn/backend/dns"
)

// Zones returns all zones, from the primary, in canonical order. It fails with dns.ErrLost if there
// is no data set.
func (s *Store) Zones(ctx context.Context) ([]dns.Zone, error) {
	zones, err := s.primary().zones(ctx)
	if err != nil {
		return nil, fmt.Errorf("list zones: %w", err)
	}
	return zones, nil
}

// Zone returns the zone named name, from the primary, or dns.ErrNotFound.
func (s *Store) Zone(ctx context.Context, name dns.Name) (dns.Zone, error) {
	h, err := s.header(ctx, name)
	if err != nil {
		return dns.Zone{}, fmt.Errorf("zone %s: %w", name, err)
	}
	if err := s.primary().addSerials(ctx, []*header{&h}); err != nil {
		return dns.Zone{}, fmt.Errorf("serial of zone %s: %w", name, err)
	}
	return h.Zone, nil
}

// RRsets yields all RRsets of a zone, from the primary, in no order. What is changed meanwhile may
// be yielded old or new, or twice. If it fails, the error is the last that it yields.
func (s *Store) RRsets(ctx context.Context, zone dns.Name) iter.Seq2[dns.RRset, error] {
	return func(yield func(dns.RRset, error) bool) {
		h, err := s.header(ctx, zone)
		if err != nil {
			yield(dns.RRset{}, fmt.Errorf("zone %s: %w", zone, err))
			return
		}
		for set, err := range s.primary().rrsets(ctx, h) {
			if err != nil {
				err = fmt.Errorf("read zone %s: %w", zone, err)
			}
			if !yield(set, err) || err != nil {
				return
			}
		}
	}
}

// RRset returns one RRset of a zone, from the primary, or dns.ErrNotFound. It fails with dns.ErrUnknown
// if there is one that cannot be read.
func (s *Store) RRset(ctx context.Context, zone, name dns.Name, typ dns.Type) (dns.RRset, error) {
	var text string
	err := s.whileHere(ctx, zone, func(h header) (err error) {
		text, err = s.rdb.HGet(ctx, s.keys.rr(h.ID, h.gen), field(name, typ)).Result()
		return known(err)
	})
	if err != nil {
		return dns.RRset{}, fmt.Errorf("RRset %s %s of zone %s: %w", name, typ, zone, err)
	}
	set, err := decodeRRset(name, typ, text)
	if err != nil {
		return set, unreadable{err}
	}
	return set, nil
}

// Name returns all RRsets of one owner, from the primary; none is no error. It takes Redis as long as
// reading the zone does.
func (s *Store) Name(ctx context.Context, zone, name dns.Name) ([]dns.RRset, error) {
	glob := strings.NewReplacer(`*`, `\*`, `?`, `\?`, `[`, `\[`, `\`, `\\`).Replace(string(name)) + " *"
	var found map[dns.Type]dns.RRset
	err := s.whileHere(ctx, zone, func(h header) error {
		found = make(map[dns.Type]dns.RRset)
		for cursor, more := uint64(0), true; more; more = cursor != 0 {
			page, next, err := s.rdb.HScan(ctx, s.keys.rr(h.ID, h.gen), cursor, glob, 10*scanCount).Result()
			if err != nil {
				return explain(err)
			}
			cursor = next
			whole := yieldPage(page, func(set dns.RRset, unread error) bool {
				found[set.Type], err = set, unread
				return unread == nil
			})
			if !whole {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("RRsets of %s in zone %s: %w", name, zone, err)
	}
	return slices.SortedFunc(maps.Values(found), func(a, b dns.RRset) int { return cmp.Compare(a.Type, b.Type) }), nil
}

// whileHere calls read with a zone's header, and again if the zone is replaced meanwhile, with its records.
func (s *Store) whileHere(ctx context.Context, zone dns.Name, read func(header) error) error {
	for range staleTries {
		h, err := s.header(ctx, zone)
		if err != nil {
			return err
		}
		if err = read(h); err != nil && !errors.Is(err, dns.ErrNotFound) && !isUnreadable(err) {
			return err
		}
		gen, here := s.rdb.HGet(ctx, s.keys.zone(h.ID), "gen").Result()
		switch {
		case here != nil && !errors.Is(here, redis.Nil):
			return explain(here)
		case gen == h.gen:
			return err
		}
	}
	return errMoved
}

// Metadata returns a zone's domain metadata, from the primary.
func (s *Store) Metadata(ctx context.Context, zone dns.Name) (dns.Metadata, error) {
	h, err := s.header(ctx, zone)
	if err != nil {
		return nil, fmt.Errorf("metadata of zone %s: %w", zone, err)
	}
	return h.meta, nil
}

// DeleteZone takes the zone away with all that belongs to it.
func (s *Store) DeleteZone(ctx context.Context, name dns.Name, who, from string) (Result, error) {
	o := origin{change: randomID(8), who: who, from: from}
	doing := fmt.Sprintf("delete zone %s", name)
	var r reply
	var at ref
	for range staleTries {
		refs, err := s.refsOf(ctx, []dns.ZoneChange{{Zone: name}})
		switch {
		case err == nil:
			at = refs[0]
		case isUnreadable(err):
			at, err = s.place(ctx, name)
		}
		if err != nil {
			return Result{}, fmt.Errorf("%s: %w", doing, err)
		}
		keys := []string{s.keys.zone(at.id), s.keys.rr(at.id, at.gen), s.keys.meta(at.id), s.keys.key(at.id)}
		if r, err = s.run(ctx, deleteScript, o, keys, []any{string(name), idText(at.id), at.gen}); err != nil {
			return Result{}, fmt.Errorf("%s: %w", doing, err)
		}
		s.forget([]dns.ZoneChange{{Zone: name}})
		if !r.stale() {
			break
		}
	}
	return r.result(doing, []dns.ZoneID{at.id})
}

// place returns where a zone is of which not everything can be read; gen is empty if that is so, too.
func (s *Store) place(ctx context.Context, name dns.Name) (ref, error) {
	id, err := s.primary().zoneID(ctx, name)
	if err != nil {
		return ref{}, err
	}
	gen, err := s.rdb.HGet(ctx, s.keys.zone(id), "gen").Result()
	if errors.Is(err, redis.Nil) || redis.HasErrorPrefix(err, "WRONGTYPE") {
		err = nil
	}
	return ref{id, gen}, explain(err)
}

func (s *Store) primary() reader { return reader{s.rdb, s.keys, s.o.Timeout} }

// header reads what is known of a zone besides its records, from the primary.
func (s *Store) header(ctx context.Context, name dns.Name) (header, error) {
	r := s.primary()
	id, err := r.zoneID(ctx, name)
	if err != nil {
		return header{}, err
	}
	ids := []dns.ZoneID{id}
	h, err := r.headers(ctx, ids)
	if err == nil {
		err = r.gone(ctx, ids, h, func(dns.ZoneID) dns.Name { return name })
	}
	if err != nil {
		return header{}, err
	}
	if len(h) == 0 {
		return header{}, dns.ErrNotFound
	}
	return *h[0], nil
}

// refsOf returns where the zones are, from memory if they have been looked up before.
func (s *Store) refsOf(ctx context.Context, zones []dns.ZoneChange) ([]ref, error) {
	refs := make([]ref, len(zones))
	var missing []int
	s.refsMu.Lock()
	for i, z := range zones {
		at, ok := s.refs[z.Zone]
		if !ok {
			missing = append(missing, i)
		}
		refs[i] = at
	}
	s.refsMu.Unlock()
	for _, i := range missing {
		h, err := s.header(ctx, zones[i].Zone)
		if err != nil {
			return nil, fmt.Errorf("zone %s: %w", zones[i].Zone, err)
		}
		refs[i] = ref{h.ID, h.gen}
		s.refsMu.Lock()
		s.refs[zones[i].Zone] = refs[i]
		s.refsMu.Unlock()
	}
	return refs, nil
}

// forget makes refsOf look the zones up again.
func (s *Store) forget(zones []dns.ZoneChange) {
	s.refsMu.Lock()
	defer s.refsMu.Unlock()
	for _, z := range zones {
		delete(s.refs, z.Zone)
	}
}

// known says dns.ErrNotFound where Redis says nil.
func known(err error) error {
	if errors.Is(err, redis.Nil) {
		return dns.ErrNotFound
	}
	return explain(err)
}

func sortZones(zones []dns.Zone) {
	slices.SortFunc(zones, func(a, b dns.Zone) int { return dns.Compare(a.Name, b.Name) })
}
