package redisstore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"redyn/backend/dns"
)

// reader reads from one server.
type reader struct {
	rdb     redis.UniversalClient
	keys    keyspace
	timeout time.Duration // of a short command
}

// tail is the end of the log: the newest entry, and the data set that it belongs to.
type tail struct{ epoch, log string }

// tail returns the end of the log; its epoch is empty if there is no data set.
func (r reader) tail(ctx context.Context) (tail, error) {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	v, err := r.rdb.HMGet(ctx, r.keys.epoch(), "id", "log", "schema").Result()
	if err != nil {
		return tail{}, fmt.Errorf("read epoch: %w", explain(err))
	}
	epoch, _ := v[0].(string)
	log, _ := v[1].(string)
	if version, _ := v[2].(string); epoch != "" && version != schema {
		return tail{}, fmt.Errorf("the keys have schema %q, and this program knows %s", version, schema)
	}
	return tail{epoch, log}, nil
}

// errMoved says that what was being read was replaced meanwhile.
var errMoved = errors.New("replaced while it was read")

// server names the running server and the history of its data. A scan that began at one must not
// go on at another: they do not share cursors.
func (r reader) server(ctx context.Context) string {
	_, told := r.info(ctx, "server", "replication")
	return told["run_id"] + " " + told["master_replid"]
}

func (r reader) zoneID(ctx context.Context, name dns.Name) (dns.ZoneID, error) {
	var epoch, id *redis.StringCmd
	_, err := r.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		epoch = p.HGet(ctx, r.keys.epoch(), "id")
		id = p.HGet(ctx, r.keys.zones(), string(name))
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return 0, explain(err)
	}
	if epoch.Err() != nil {
		return 0, dns.ErrLost
	}
	if id.Err() != nil {
		return 0, known(id.Err())
	}
	return parseID(id.Val())
}

// listed is a zone as the list of all zones has it.
type listed struct {
	id   dns.ZoneID
	name string
	err  error // why the id is none
}

// list returns all zones.
func (r reader) list(ctx context.Context) ([]listed, error) {
	var zones []listed
	seen := make(map[string]bool)
	for page, err := range r.scan(ctx, r.keys.zones(), 0) {
		if err != nil {
			return nil, err
		}
		for i := 0; i+1 < len(page); i += 2 {
			if name := page[i]; !seen[name] {
				seen[name] = true
				id, err := parseID(page[i+1])
				zones = append(zones, listed{id, name, err})
			}
		}
	}
	return zones, nil
}

// listedIDs returns the ids of the zones.
func listedIDs(zones []listed) ([]dns.ZoneID, error) {
	ids := make([]dns.ZoneID, len(zones))
	for i, z := range zones {
		if z.err != nil {
			return nil, fmt.Errorf("zone %.300q: %w", z.name, z.err)
		}
		ids[i] = z.id
	}
	return ids, nil
}

// headers returns what is known of the zones, without those that are gone.
func (r reader) headers(ctx context.Context, ids []dns.ZoneID) ([]*header, error) {
	fields := make([]*redis.MapStringStringCmd, len(ids))
	meta := make([]*redis.MapStringStringCmd, len(ids))
	_, err := r.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, id := range ids {
			fields[i] = p.HGetAll(ctx, r.keys.zone(id))
			meta[i] = p.HGetAll(ctx, r.keys.meta(id))
		}
		return nil
	})
	if err != nil {
		return nil, explain(err)
	}
	all := make([]*header, 0, len(ids))
	for i, id := range ids {
		if len(fields[i].Val()) == 0 {
			continue
		}
		h, err := parseHeader(id, fields[i].Val(), meta[i].Val())
		if err != nil {
			return nil, unreadable{err}
		}
		all = append(all, h)
	}
	return all, nil
}

// addSerials reads the serials of the zones from their SOA.
func (r reader) addSerials(ctx context.Context, zones []*header) error {
	soas := make([]*redis.StringCmd, len(zones))
	_, err := r.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, h := range zones {
			soas[i] = p.HGet(ctx, r.keys.rr(h.ID, h.gen), field(h.Name, dns.TypeSOA))
		}
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) && !isUnreadable(err) {
		return explain(err)
	}
	for i, h := range zones {
		err := soas[i].Err()
		if err != nil && !errors.Is(err, redis.Nil) {
			return fmt.Errorf("SOA of %s: %w", h.Name, explain(err))
		}
		set, err := decodeRRset(h.Name, dns.TypeSOA, soas[i].Val())
		if err != nil {
			return fmt.Errorf("SOA of %s: %w", h.Name, err)
		}
		h.Serial = serialOf(set)
	}
	return nil
}

// serialOf returns the serial in a SOA RRset, 0 if there is none.
func serialOf(set dns.RRset) dns.Serial {
	if len(set.Content) == 0 {
		return 0
	}
	soa, err := dns.ParseSOA(set.Content[0])
	if err != nil {
		return 0
	}
	return soa.Serial
}

// headerBatch is how many zones are asked for at once.
const headerBatch = 128

func (r reader) zones(ctx context.Context) ([]dns.Zone, error) {
	var zones []dns.Zone
	err := r.inBatches(ctx, func(batch []*header) error {
		if err := r.addSerials(ctx, batch); err != nil {
			return err
		}
		for _, h := range batch {
			zones = append(zones, h.Zone)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	sortZones(zones)
	return zones, nil
}

// inBatches gives all zones to do, some at a time. It fails with dns.ErrLost if there is no data set.
func (r reader) inBatches(ctx context.Context, do func([]*header) error) error {
	t, err := r.tail(ctx)
	if err != nil {
		return err
	}
	if t.epoch == "" {
		return dns.ErrLost
	}
	zones, err := r.list(ctx)
	if err != nil {
		return err
	}
	for some := range slices.Chunk(zones, headerBatch) {
		ids, err := listedIDs(some)
		if err != nil {
			return err
		}
		batch, err := r.headers(ctx, ids)
		if isUnreadable(err) {
			err = r.named(ctx, some)
		}
		if err == nil {
			err = r.gone(ctx, ids, batch, func(id dns.ZoneID) dns.Name { return dns.Name(some[slices.Index(ids, id)].name) })
		}
		if err != nil {
			return err
		}
		if err := do(batch); err != nil {
			return err
		}
	}
	return nil
}

// named returns the error of the first zone that cannot be read, with the zone's name.
func (r reader) named(ctx context.Context, zones []listed) error {
	for _, z := range zones {
		if _, err := r.headers(ctx, []dns.ZoneID{z.id}); err != nil {
			return fmt.Errorf("zone %s: %w", z.name, err)
		}
	}
	return fmt.Errorf("zones: %w", errMoved)
}

// How many fields one HSCAN is to return, about; and how many if many zones are asked for at once.
const (
	scanCount  = 2000
	firstCount = 100
)

// scan yields the fields and values of a hash in pages, from a cursor on. It reads ahead.
func (r reader) scan(ctx context.Context, key string, cursor uint64) iter.Seq2[[]string, error] {
	type page struct {
		fields []string
		err    error
	}
	return func(yield func([]string, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		pages := make(chan page, 2)
		go func() {
			defer close(pages)
			for {
				fields, next, err := r.rdb.HScan(ctx, key, cursor, "", scanCount).Result()
				select {
				case pages <- page{fields, explain(err)}:
				case <-ctx.Done():
					return
				}
				if cursor = next; cursor == 0 || err != nil {
					return
				}
			}
		}()
		defer func() {
			cancel()
			for range pages { // until the goroutine has ended
			}
		}()
		for p := range pages {
			if !yield(p.fields, p.err) || p.err != nil {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(nil, err)
		}
	}
}

// rrsets yields the RRsets of a zone; the last is errMoved if the zone was replaced meanwhile.
func (r reader) rrsets(ctx context.Context, h header) iter.Seq2[dns.RRset, error] {
	return func(yield func(dns.RRset, error) bool) {
		server := r.server(ctx)
		for set, err := range r.rest(ctx, h, nil, 0, true) {
			if !yield(set, err) || err != nil {
				return
			}
		}
		if r.server(ctx) != server {
			yield(dns.RRset{}, errMoved)
		}
	}
}

// rest yields the RRsets on a first page and, if there is more, all from the cursor on.
func (r reader) rest(ctx context.Context, h header, first []string, cursor uint64, more bool) iter.Seq2[dns.RRset, error] {
	return func(yield func(dns.RRset, error) bool) {
		if !yieldPage(first, yield) || !more {
			return
		}
		for page, err := range r.scan(ctx, r.keys.rr(h.ID, h.gen), cursor) {
			if err != nil {
				yield(dns.RRset{}, err)
				return
			}
			if !yieldPage(page, yield) {
				return
			}
		}
		gen, err := r.rdb.HGet(ctx, r.keys.zone(h.ID), "gen").Result()
		if err == nil && gen == h.gen {
			return
		}
		if err == nil || errors.Is(err, redis.Nil) {
			err = errMoved
		}
		yield(dns.RRset{}, explain(err))
	}
}

// yieldPage yields what stands on a page of HSCAN and reports whether to go on.
func yieldPage(page []string, yield func(dns.RRset, error) bool) bool {
	for i := 0; i+1 < len(page); i += 2 {
		set, err := parseRRset(page[i], page[i+1])
		if err != nil {
			err = unreadable{err}
		}
		if !yield(set, err) || err != nil {
			return false
		}
	}
	return true
}

// parseRRset reads a field of rr:<id>:<gen> and its value.
func parseRRset(name, value string) (dns.RRset, error) {
	owner, typ, err := parseField(name)
	if err != nil {
		return dns.RRset{}, err
	}
	return decodeRRset(owner, typ, value)
}
