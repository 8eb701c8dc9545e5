package redisstore

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"redyn/backend/dns"
)

func (l *loading) stage(ctx context.Context, ids []dns.ZoneID) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(loaders)
	for len(ids) > 0 {
		n := min(len(ids), headerBatch)
		batch := ids[:n]
		ids = ids[n:]
		g.Go(func() error {
			return l.f.stageKnown(ctx, batch, l, func(id dns.ZoneID) dns.Name { return l.shown[id] })
		})
	}
	return g.Wait()
}

// stage stages the zones; one that is replaced meanwhile is begun again, one that is gone left out.
func (f *Follower) stage(ctx context.Context, ids []dns.ZoneID, l *loading, name func(dns.ZoneID) dns.Name) error {
	for len(ids) > 0 {
		zones, err := f.r.headers(ctx, ids)
		if err != nil {
			return fmt.Errorf("read zones: %w", err)
		}
		if err := f.r.gone(ctx, ids, zones, name); err != nil {
			return err
		}
		if err := f.addKeys(ctx, zones); err != nil {
			return err
		}
		pages, err := f.r.firstPages(ctx, zones)
		if err != nil {
			return err
		}
		var again []dns.ZoneID
		for i, h := range zones {
			switch err := f.stageZone(ctx, *h, pages[i], l); {
			case errors.Is(err, errMoved):
				again = append(again, h.ID)
			case err != nil:
				return fmt.Errorf("read zone %s: %w", h.Name, err)
			}
			pages[i] = page{}
		}
		ids = again
	}
	return nil
}

// gone makes sure that the zones without a header are deleted, which takes them off the list as well.
func (r reader) gone(ctx context.Context, ids []dns.ZoneID, there []*header, name func(dns.ZoneID) dns.Name) error {
	for _, id := range ids {
		if slices.ContainsFunc(there, func(h *header) bool { return h.ID == id }) {
			continue
		}
		listed, err := r.rdb.HGet(ctx, r.keys.zones(), string(name(id))).Result()
		switch {
		case err != nil && !errors.Is(err, redis.Nil):
			return fmt.Errorf("list zones: %w", explain(err))
		case listed == idText(id):
			return unreadable{fmt.Errorf("%s is listed as zone %d, and there is no %s", name(id), id, r.keys.zone(id))}
		}
	}
	return nil
}

// addKeys reads the keys of the zones.
func (f *Follower) addKeys(ctx context.Context, zones []*header) error {
	ids := make([]dns.ZoneID, len(zones))
	for i, h := range zones {
		ids[i] = h.ID
	}
	texts, err := f.r.keyTexts(ctx, ids)
	if err != nil {
		return err
	}
	var all []secretRead
	for i, h := range zones {
		var reads []secretRead
		h.keys, reads = f.s.secrets.decodeKeys(h.ID, texts[i])
		h.keysUnknown = failed(reads) != nil
		all = append(all, reads...)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.note(ctx, all)
	return nil
}

// page is the beginning of a zone's records.
type page struct {
	fields []string
	cursor uint64
	gen    string
}

// firstPages reads of many zones at once what is all for most of them.
func (r reader) firstPages(ctx context.Context, zones []*header) ([]page, error) {
	scans := make([]*redis.ScanCmd, len(zones))
	gens := make([]*redis.StringCmd, len(zones))
	_, err := r.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, h := range zones {
			scans[i] = p.HScan(ctx, r.keys.rr(h.ID, h.gen), 0, "", firstCount)
			gens[i] = p.HGet(ctx, r.keys.zone(h.ID), "gen")
		}
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) && !isUnreadable(err) {
		return nil, fmt.Errorf("read zones: %w", explain(err))
	}
	pages := make([]page, len(zones))
	for i, h := range zones {
		err := scans[i].Err()
		if err == nil && !errors.Is(gens[i].Err(), redis.Nil) {
			err = gens[i].Err()
		}
		if err != nil {
			return nil, fmt.Errorf("read zone %s: %w", h.Name, explain(err))
		}
		pages[i].fields, pages[i].cursor = scans[i].Val()
		pages[i].gen = gens[i].Val()
	}
	return pages, nil
}

func (f *Follower) stageZone(ctx context.Context, h header, first page, l *loading) error {
	if first.gen != h.gen {
		return errMoved
	}
	sets := f.r.rest(ctx, h, first.fields, first.cursor, first.cursor != 0)
	counted := func(yield func(dns.RRset, error) bool) {
		n := int64(0)
		defer func() { l.count(n) }()
		for set, err := range sets {
			if n++; n%10_000 == 0 {
				l.count(n)
				n = 0
			}
			if !yield(set, err) {
				return
			}
		}
	}
	err := f.copy.Stage(dns.ZoneData{Zone: h.Zone, Metadata: h.meta, Keys: h.keys, KeysUnknown: h.keysUnknown}, counted)
	if err != nil {
		return err
	}
	f.readAgain(ctx, h.Zone)
	if l != nil {
		l.staging.Add(1)
	}
	return nil
}

func (l *loading) count(sets int64) {
	if l != nil {
		l.sets.Add(sets)
	}
}
