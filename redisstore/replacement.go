package redisstore

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"redyn/backend/dns"
)

var (
	//go:embed feed.lua
	feedLua string
	//go:embed hold.lua
	holdLua string

	feedScript = redis.NewScript(feedLua)
	holdScript = redis.NewScript(holdLua)
)

// feedingTTL is how long a generation that is being fed outlives the process that feeds it.
const feedingTTL = 5 * time.Minute

// Replacement is a whole zone on its way in: records are added as they come, kept aside in the
// store, and take the place of all the zone has by Commit, at once. In memory it has no more than
// the last thousand of them. It lives until Commit or Abandon, one of which must be called, and may
// be used by several goroutines.
type Replacement struct {
	s     *Store
	o     ReplaceOptions
	doing string
	zone  dns.Zone
	begin string // the epoch to begin, if there is none
	old   string // the generation to be replaced; empty if the zone is new
	gen   string

	stop    context.CancelFunc // ends what keeps gen from expiring
	stopped chan struct{}

	mu      sync.Mutex
	chunk   chunk
	types   map[dns.Type]struct{} // of what was added
	fed     int                   // RRsets in gen
	records int                   // sent so far
	err     error                 // why it can only be abandoned
	ended   bool
}

// BeginReplace begins to replace the records of a zone, or to create it if that is wanted. It fails
// with dns.ErrNotFound or dns.ErrExists if the zone should, or should not, have been there, and with
// dns.ErrLost if there is no data set and one must not be begun.
func (s *Store) BeginReplace(ctx context.Context, name dns.Name, o ReplaceOptions) (*Replacement, error) {
	doing := "replace"
	if o.New {
		doing = "create"
	}
	r := &Replacement{
		s: s, o: o, doing: fmt.Sprintf("%s zone %s", doing, name), gen: randomID(4),
		types: make(map[dns.Type]struct{}), stopped: make(chan struct{}),
	}
	if err := r.prepare(ctx, name); err != nil {
		return nil, r.failure(err)
	}
	holding, stop := context.WithCancel(context.WithoutCancel(ctx))
	r.stop = stop
	go func() {
		defer close(r.stopped)
		r.keep(holding)
	}()
	return r, nil
}

func (r *Replacement) failure(err error) error { return fmt.Errorf("%s: %w", r.doing, err) }

// Zone returns what is known of the zone besides its records; the Serial only after Commit.
func (r *Replacement) Zone() dns.Zone {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.zone
}

// Add adds records. An RRset may come in several pieces: the first says what the TTL is, records
// that are there already are left out. If it fails to feed them, the Replacement can only be
// abandoned.
func (r *Replacement) Add(ctx context.Context, sets ...dns.RRset) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.usable(); err != nil {
		return err
	}
	for _, set := range sets {
		if err := checkRRset(r.zone.Name, set); err != nil {
			return r.failure(err)
		}
	}
	for _, set := range sets {
		if len(set.Content) == 0 {
			continue
		}
		if !r.chunk.hasRoom(set) {
			if err := r.flush(ctx); err != nil {
				return err
			}
		}
		r.chunk.add(set)
		r.types[set.Type] = struct{}{}
	}
	return nil
}

// Lookup returns the RRsets of an owner among what was added, by type.
func (r *Replacement) Lookup(ctx context.Context, name dns.Name) ([]dns.RRset, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.usable(); err != nil {
		return nil, err
	}
	types := make([]dns.Type, 0, len(r.types))
	for typ := range r.types {
		types = append(types, typ)
	}
	slices.Sort(types)
	texts, err := r.values(ctx, name, types)
	if err != nil {
		return nil, r.failure(err)
	}
	var found []dns.RRset
	for i, typ := range types {
		set, err := decodeRRset(name, typ, texts[i])
		if err != nil {
			return nil, r.failure(err)
		}
		if set = merge(set, r.chunk.get(setKey{name, typ})); len(set.Content) > 0 {
			found = append(found, set)
		}
	}
	return found, nil
}

// values returns what was fed of an owner; r.mu is held.
func (r *Replacement) values(ctx context.Context, name dns.Name, types []dns.Type) ([]string, error) {
	texts := make([]string, len(types))
	if r.fed == 0 {
		return texts, nil
	}
	fields := textsOf(types, func(typ dns.Type) string { return field(name, typ) })
	var length *redis.IntCmd
	var found *redis.SliceCmd
	_, err := r.s.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		length = p.HLen(ctx, r.key())
		found = p.HMGet(ctx, r.key(), fields...)
		return nil
	})
	if err != nil {
		return nil, explain(err)
	}
	if int(length.Val()) < r.fed {
		return nil, errGone
	}
	for i, v := range found.Val() {
		texts[i], _ = v.(string)
	}
	return texts, nil
}

// RRsets yields all that was added before, in no order. What is added meanwhile may be yielded too,
// or what it is added to twice. If it fails, the error is the last that it yields.
func (r *Replacement) RRsets(ctx context.Context) iter.Seq2[dns.RRset, error] {
	return func(yield func(dns.RRset, error) bool) {
		fed, err := r.feedAll(ctx)
		if err != nil {
			yield(dns.RRset{}, err)
			return
		}
		for page, err := range r.s.primary().scan(ctx, r.key(), 0) {
			if err != nil {
				yield(dns.RRset{}, r.failure(err))
				return
			}
			if !yieldPage(page, yield) {
				return
			}
		}
		length, err := r.s.rdb.HLen(ctx, r.key()).Result()
		if err == nil && int(length) < fed {
			err = errGone
		}
		if err != nil {
			yield(dns.RRset{}, r.failure(explain(err)))
		}
	}
}

// feedAll feeds the chunk in hand and returns how many RRsets there are now.
func (r *Replacement) feedAll(ctx context.Context) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.usable(); err != nil {
		return 0, err
	}
	if err := r.flush(ctx); err != nil {
		return 0, err
	}
	return r.fed, nil
}

// Commit puts what was added in the place of all records of the zone; the serial is that of the SOA
// among them. It fails with dns.ErrConflict if the zone was replaced or deleted since BeginReplace,
// with dns.ErrExists if one that was to be new was created since. The Replacement has ended then,
// too; the zone is as it was, unless the error says that this is not known.
func (r *Replacement) Commit(ctx context.Context) (Result, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.usable(); err != nil {
		return Result{}, err
	}
	defer r.end(ctx)
	if err := r.flush(ctx); err != nil {
		return Result{}, err
	}
	soa, err := r.values(ctx, r.zone.Name, []dns.Type{dns.TypeSOA})
	if err != nil {
		return Result{}, r.failure(err)
	}
	set, err := decodeRRset(r.zone.Name, dns.TypeSOA, soa[0])
	if err != nil {
		return Result{}, r.failure(err)
	}
	r.zone.Serial = serialOf(set)
	reply, err := r.commit(ctx)
	if err == nil && reply.taken() {
		if err = r.moveAside(ctx); err == nil {
			reply, err = r.commit(ctx)
		}
	}
	r.s.forget([]dns.ZoneChange{{Zone: r.zone.Name}})
	switch {
	case err != nil:
		return Result{}, r.failure(err)
	case reply.stale():
		return Result{}, r.failure(fmt.Errorf("the zone was replaced or deleted meanwhile: %w", dns.ErrConflict))
	}
	result, err := reply.result(r.doing, []dns.ZoneID{r.zone.ID})
	if err != nil {
		return Result{}, err
	}
	result.Serials = map[dns.Name]dns.Serial{r.zone.Name: r.zone.Serial}
	return result, nil
}

func (r *Replacement) commit(ctx context.Context) (reply, error) {
	k, id, old := r.s.keys, r.zone.ID, r.gen
	if r.old != "" {
		old = r.old
	}
	keys := []string{k.zone(id), k.rr(id, r.gen), k.rr(id, old)}
	args := []any{r.begin, string(r.zone.Name), idText(id), r.old, r.gen, r.fed, uint32(r.zone.Serial)}
	return r.s.run(ctx, commitScript, origin{change: randomID(8), who: r.o.Who, from: r.o.From}, keys, append(args, zoneFields(r.zone)...))
}

// moveAside gives the zone, and what was fed, another id: one that a primary gave, and did not tell the
// replica that was promoted in its place, may be another zone's by now. r.mu is held.
func (r *Replacement) moveAside(ctx context.Context) error {
	r.stop()
	<-r.stopped
	before := r.key()
	if err := r.giveID(ctx); err != nil || r.fed == 0 {
		return err
	}
	return explain(r.s.rdb.Rename(ctx, before, r.key()).Err())
}

// Abandon takes back what was added; if the store is away, that expires. After Commit it does nothing.
func (r *Replacement) Abandon(ctx context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.ended {
		r.end(ctx)
	}
}

var (
	errGone  = errors.New("the records fed are no longer all there; feed them again")
	errEnded = errors.New("it is committed or abandoned already")
)

// usable returns why nothing can be done any more; r.mu is held.
func (r *Replacement) usable() error {
	if r.ended {
		return r.failure(errEnded)
	}
	return r.err
}

// end takes away what was fed, unless it has become the zone's; r.mu is held.
func (r *Replacement) end(ctx context.Context) {
	r.ended = true
	r.stop()
	<-r.stopped
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.s.o.Timeout)
	defer cancel()
	_ = r.hold(ctx, 0) // else it expires
	r.chunk = chunk{}
}

// keep keeps what was fed from expiring, also while nothing comes, until ctx ends.
func (r *Replacement) keep(ctx context.Context) {
	tick := time.NewTicker(r.s.feedingTTL / 5)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := r.hold(ctx, r.s.feedingTTL); err != nil && ctx.Err() == nil {
				r.s.log.WarnContext(ctx, "cannot keep records that are being fed", "zone", r.zone.Name, "err", err)
			}
		}
	}
}

func (r *Replacement) hold(ctx context.Context, ttl time.Duration) error {
	return explain(holdScript.Run(ctx, r.s.rdb, []string{r.key()}, ttl.Milliseconds()).Err())
}

func (r *Replacement) key() string { return r.s.keys.rr(r.zone.ID, r.gen) }

// flush feeds the chunk. If it fails, so does all that is done later. r.mu is held.
func (r *Replacement) flush(ctx context.Context) error {
	if len(r.chunk.sets) == 0 {
		return nil
	}
	if err := r.feed(ctx, r.chunk.sets); err != nil {
		r.err = r.failure(fmt.Errorf("feed records: %w", err))
		return r.err
	}
	r.records += r.chunk.records
	r.chunk.clear()
	if r.o.Progress != nil {
		r.o.Progress(r.records)
	}
	return nil
}

// feed sends RRsets. Nobody else writes to the generation, so that those which are there in part
// can be put together here: in the order of bytes, which a server's Lua may not have.
func (r *Replacement) feed(ctx context.Context, sets []dns.RRset) error {
	old := make([]string, len(sets))
	for len(sets) > 0 {
		args := append(make([]any, 0, 2+3*len(sets)), r.s.feedingTTL.Milliseconds(), r.fed)
		for i, set := range sets {
			args = append(args, field(set.Name, set.Type), old[i], encodeRRset(set))
		}
		reply, err := feedScript.Run(ctx, r.s.rdb, []string{r.key()}, args...).StringSlice()
		if err != nil {
			return explain(err)
		}
		if len(reply) == 0 {
			return errGone
		}
		if r.fed, err = strconv.Atoi(reply[0]); err != nil {
			return err
		}
		if sets, old, err = mergeInto(sets, reply[1:]); err != nil {
			return err
		}
	}
	return nil
}

// mergeInto returns the RRsets that were there with other values, made whole, and those values.
func mergeInto(sets []dns.RRset, there []string) (merged []dns.RRset, old []string, err error) {
	for i := 0; i+1 < len(there); i += 2 {
		n, err := strconv.Atoi(there[i])
		if err != nil || n < 1 || n > len(sets) {
			return nil, nil, fmt.Errorf("the script names RRset %q of %d", there[i], len(sets))
		}
		set, err := decodeRRset(sets[n-1].Name, sets[n-1].Type, there[i+1])
		if err != nil {
			return nil, nil, err
		}
		if whole := merge(set, sets[n-1]); !whole.Equal(set) {
			merged, old = append(merged, whole), append(old, there[i+1])
		}
	}
	return merged, old, nil
}
