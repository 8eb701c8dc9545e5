package redisstore

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"time"

	"github.com/redis/go-redis/v9"

	"redyn/backend/dns"
)

var (
	//go:embed commit.lua
	commitLua string
	//go:embed delete.lua
	deleteLua string

	commitScript = newScript(commitLua)
	deleteScript = newScript(deleteLua)
)

// CreateOptions say how a zone is created.
type CreateOptions struct {
	// BeginAnew begins a data set in a store without one even while live nodes hold zones of
	// another, which they then drop.
	BeginAnew bool
	// Who asks for it, and From where.
	Who, From string
}

// ReplaceOptions say how the records of a zone are replaced.
type ReplaceOptions struct {
	// Create has what is known of the zone if it may have to be created; nil: it is there.
	Create *dns.Zone
	// New says that the zone must not be there yet.
	New bool
	// BeginAnew, Who and From are as in CreateOptions.
	BeginAnew bool
	Who, From string
	// Progress is told from time to time how many records have been fed.
	Progress func(records int)
}

// CreateZone creates a zone with the RRsets given. It fails with dns.ErrExists if the zone is there.
// In a store without a data set it begins one.
func (s *Store) CreateZone(ctx context.Context, z dns.Zone, sets []dns.RRset, o CreateOptions) (dns.Zone, Result, error) {
	all := func(yield func(dns.RRset, error) bool) {
		for _, set := range sets {
			if !yield(set, nil) {
				return
			}
		}
	}
	return s.ReplaceZone(ctx, z.Name, all, ReplaceOptions{Create: &z, New: true, BeginAnew: o.BeginAnew, Who: o.Who, From: o.From})
}

// ReplaceZone puts sets, each owner and type once, in the place of all records of a zone, and
// creates the zone if that is wanted. They are fed in chunks; readers see the whole at once or, if
// sets yields an error or anything else fails, nothing. The serial is that of the SOA in sets.
//
// It fails with dns.ErrNotFound or dns.ErrExists if the zone should, or should not, have been there,
// and with dns.ErrLost if there is no data set and one must not be begun.
func (s *Store) ReplaceZone(ctx context.Context, name dns.Name, sets iter.Seq2[dns.RRset, error], o ReplaceOptions) (dns.Zone, Result, error) {
	doing := fmt.Sprintf("replace zone %s", name)
	if o.New {
		doing = fmt.Sprintf("create zone %s", name)
	}
	fail := func(err error) (dns.Zone, Result, error) {
		return dns.Zone{}, Result{}, fmt.Errorf("%s: %w", doing, err)
	}
	f, err := s.prepare(ctx, name, o)
	if err != nil {
		return fail(err)
	}
	if err := f.feed(ctx, sets, o.Progress); err != nil {
		f.abandon(ctx)
		return fail(err)
	}
	r, err := f.commit(ctx, origin{randomID(8), o.Who, o.From})
	if err != nil {
		f.abandon(ctx)
		return fail(err)
	}
	s.forget([]dns.ZoneChange{{Zone: name}})
	result, err := r.result(doing, []dns.ZoneID{f.zone.ID})
	if err != nil {
		f.abandon(ctx)
		return dns.Zone{}, Result{}, err
	}
	result.Serials = map[dns.Name]dns.Serial{name: f.zone.Serial}
	return f.zone, result, nil
}

// feeding is a new generation of a zone's records on its way in.
type feeding struct {
	s        *Store
	zone     dns.Zone
	begin    string // the epoch to begin, if there is none
	old, gen string // generations; old is empty if the zone is new
	fed      int    // RRsets
	records  int
}

// prepare looks up the zone, or gives it an id.
func (s *Store) prepare(ctx context.Context, name dns.Name, o ReplaceOptions) (*feeding, error) {
	f := &feeding{s: s, gen: randomID(4)}
	h, err := s.header(ctx, name)
	switch {
	case err == nil && o.New:
		return nil, dns.ErrExists
	case err == nil:
		f.zone, f.old = h.Zone, h.gen
		return f, nil
	case o.Create == nil || !errors.Is(err, dns.ErrNotFound) && !errors.Is(err, dns.ErrLost):
		return nil, err
	}
	f.zone = *o.Create
	f.zone.Name = name
	if f.zone.Kind, err = dns.ParseKind(string(f.zone.Kind)); err != nil {
		return nil, err
	}
	if f.zone.Policy, err = dns.ParseSerialPolicy(string(f.zone.Policy)); err != nil {
		return nil, err
	}
	if f.zone.Created.IsZero() {
		f.zone.Created = s.o.Now().UTC().Truncate(time.Second)
	}
	t, err := s.primary().tail(ctx)
	if err != nil {
		return nil, err
	}
	if t.epoch != "" {
		id, err := s.rdb.HIncrBy(ctx, s.keys.epoch(), "last_zone", 1).Result()
		f.zone.ID = dns.ZoneID(id)
		return f, explain(err)
	}
	if !o.BeginAnew {
		if err := s.mayBegin(ctx); err != nil {
			return nil, err
		}
	}
	f.begin, f.zone.ID = randomID(8), dns.ZoneID(1+rand.Int32N(1<<30))
	return f, nil
}

// Bounds of one chunk, and how long a generation lives that is not fed any more.
const (
	chunkRecords = 1000
	chunkBytes   = 1 << 20
	feedingTTL   = 5 * time.Minute
)

// feed sends the RRsets in chunks.
func (f *feeding) feed(ctx context.Context, sets iter.Seq2[dns.RRset, error], progress func(int)) error {
	var chunk []any
	records, bytes := 0, 0
	flush := func() error {
		if len(chunk) == 0 {
			return nil
		}
		if err := f.send(ctx, chunk); err != nil {
			return err
		}
		f.records += records
		chunk, records, bytes = chunk[:0], 0, 0
		if progress != nil {
			progress(f.records)
		}
		return ctx.Err()
	}
	for set, err := range sets {
		if err == nil {
			err = checkRRset(f.zone.Name, set)
		}
		if err != nil {
			return err
		}
		if len(set.Content) == 0 {
			continue
		}
		name, value := field(set.Name, set.Type), encodeRRset(set)
		if records+len(set.Content) > chunkRecords || bytes+len(name)+len(value) > chunkBytes {
			if err := flush(); err != nil {
				return err
			}
		}
		chunk = append(chunk, name, value)
		records += len(set.Content)
		bytes += len(name) + len(value)
		if set.Type == dns.TypeSOA && set.Name == f.zone.Name {
			f.zone.Serial = serialOf(set)
		}
	}
	return flush()
}

func (f *feeding) send(ctx context.Context, chunk []any) error {
	key := f.s.keys.rr(f.zone.ID, f.gen)
	var added *redis.IntCmd
	_, err := f.s.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		added = p.HSet(ctx, key, chunk...)
		p.Expire(ctx, key, feedingTTL)
		return nil
	})
	if err != nil {
		return fmt.Errorf("feed records: %w", explain(err))
	}
	if n := len(chunk) / 2; int(added.Val()) != n {
		return fmt.Errorf("an RRset is given twice; among %d that end with %s", n, chunk[len(chunk)-2])
	}
	f.fed += len(chunk) / 2
	return nil
}

func (f *feeding) commit(ctx context.Context, o origin) (reply, error) {
	k, id := f.s.keys, f.zone.ID
	old := f.gen
	if f.old != "" {
		old = f.old
	}
	keys := []string{k.zone(id), k.rr(id, f.gen), k.rr(id, old)}
	args := []any{f.begin, string(f.zone.Name), idText(id), f.old, f.gen, f.fed, uint32(f.zone.Serial)}
	return f.s.run(ctx, commitScript, o, keys, append(args, zoneFields(f.zone)...))
}

// abandon takes back what was fed; if it cannot, the TTL does.
func (f *feeding) abandon(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), f.s.o.Timeout)
	defer cancel()
	key := f.s.keys.rr(f.zone.ID, f.gen)
	// Only while it has a TTL: if the commit was done after all, it has none.
	if ttl, err := f.s.rdb.PTTL(ctx, key).Result(); err == nil && ttl > 0 {
		f.s.rdb.Unlink(ctx, key)
	}
}
