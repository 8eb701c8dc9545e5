package redisstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"redyn/backend/dns"
)

// NodeOptions say who follows, and what it keeps.
type NodeOptions struct {
	// Name is the name of the node's lease, which no other node has; default is that of the host.
	Name string
	// Version of the program, for the lease.
	Version string
	// Copy is what the follower keeps.
	Copy Copy
	// Hosts says that the copy is to know which names are dynamic hosts'.
	Hosts bool
	// Settle is called after each change that the copy shows. It has done called, later and by another
	// goroutine, when nothing in front of the copy answers from before that change any more; until then
	// nobody is told that this node shows it. If it returns false, that is so already, and done is not
	// called. Nil: there is nothing in front.
	Settle func(done func()) bool
	// Log gets events; default is the store's.
	Log *slog.Logger
}

// Follower brings all zones into a Copy and keeps them as the store has them. When the store is
// away, or has lost its data set, the copy stays as it is.
type Follower struct {
	s    *Store
	r    reader
	o    NodeOptions
	log  *slog.Logger
	copy Copy

	instance string // tells two nodes of one name apart

	loaded chan struct{} // closed once the copy shows what the store holds
	looked chan struct{} // closed then, or once the store is known to hold no data set yet
	reload atomic.Bool   // somebody wants everything loaded anew
	jobs   sync.WaitGroup

	mu        sync.Mutex // also held while copy is called, but for Stage
	at        tail       // what copy shows
	cursor    string     // the entry read last; after at.log come only foreign ones
	recent    recent     // entries that it shows, the newest
	zones     map[dns.ZoneID]*zoneJob
	shown     map[dns.ZoneID]dns.Name
	unread    unread
	unknown   map[dns.ZoneID]string // zones that could not be read, and why
	status    Status
	errorKind string // of status.LastError
	changes   uint64 // that were not settled at once
	unsettled []unsettled
	loadedAt  time.Time     // when all zones were loaded last
	moved     chan struct{} // closed, and made anew, whenever something above changes
}

// NewFollower returns a follower that does nothing until Run.
func (s *Store) NewFollower(o NodeOptions) *Follower {
	if o.Name == "" {
		o.Name, _ = os.Hostname()
	}
	f := &Follower{
		s: s, r: reader{s.read, s.keys, s.o.Timeout}, o: o, log: cmp.Or(o.Log, s.log), copy: o.Copy,
		instance: randomID(8),
		loaded:   make(chan struct{}),
		looked:   make(chan struct{}),
		zones:    make(map[dns.ZoneID]*zoneJob),
		shown:    make(map[dns.ZoneID]dns.Name),
		unread:   make(unread),
		unknown:  make(map[dns.ZoneID]string),
		moved:    make(chan struct{}),
	}
	f.status.Since = time.Now()
	return f
}

// Loaded is closed once the copy shows what the store holds.
func (f *Follower) Loaded() <-chan struct{} { return f.loaded }

// Looked is closed once Loaded is, or once it is known that there is nothing to load yet: neither the
// read server nor the primary has a data set, and no live node holds zones of one that was lost.
func (f *Follower) Looked() <-chan struct{} { return f.looked }

// Reload makes the follower load everything anew; the copy answers meanwhile, without new changes.
func (f *Follower) Reload() { f.reload.Store(true) }

// Bounds of waiting: for an entry before the tail is looked at, and after errors.
const (
	blockTime = 250 * time.Millisecond
	firstWait = 10 * time.Millisecond
	longWait  = 250 * time.Millisecond
)

// Run loads and follows until ctx ends; it goes on for ever through errors of the store.
func (f *Follower) Run(ctx context.Context) error {
	var leases sync.WaitGroup
	leases.Go(func() { f.keepLease(ctx) })
	defer leases.Wait()
	defer f.jobs.Wait()
	wait := firstWait
	for {
		before := f.Status().Contact
		err := f.follow(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if f.Status().Contact.After(before) {
			wait = firstWait
		}
		f.failed(ctx, err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		wait = min(2*wait, longWait)
	}
}

// errBroken says that the log does not go on from where the copy is.
var errBroken = errors.New("the log does not go on from here")

// withoutData notes that the store holds no data set, and waits for a moment or the first entry.
func (f *Follower) withoutData(ctx context.Context) error {
	if err := f.nothingYet(ctx); err != nil {
		return err
	}
	f.lost(ctx)
	_, err := f.r.entries(ctx, "$", blockTime)
	return err
}

// follow loads when it has to, and applies entry after entry, until something fails.
func (f *Follower) follow(ctx context.Context) error {
	for {
		err := f.goOn(ctx)
		if errors.Is(err, errBroken) || f.reload.Load() {
			err = f.loadAgain(ctx)
		}
		if errors.Is(err, dns.ErrLost) {
			err = f.withoutData(ctx)
		}
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		f.answered(ctx)
	}
}

// goOn looks where the store is and applies entries until there has been none for blockTime.
func (f *Follower) goOn(ctx context.Context) error {
	if err := f.check(ctx); err != nil {
		return err
	}
	f.answered(ctx)
	for !f.reload.Load() {
		messages, err := f.r.entries(ctx, f.readTo(), blockTime)
		if err != nil || len(messages) == 0 {
			return err
		}
		if err := f.takeAll(ctx, messages); err != nil {
			return err
		}
	}
	return nil
}

// loadAgain loads all zones, though not all the time.
func (f *Follower) loadAgain(ctx context.Context) error {
	f.mu.Lock()
	early := blockTime - time.Since(f.loadedAt)
	f.mu.Unlock()
	asked := f.reload.Swap(false)
	if !asked && early > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(early):
		}
	}
	err := f.load(ctx)
	if err != nil && asked {
		f.reload.Store(true)
	}
	return err
}

// check looks whether the copy is at the log's tail. It returns errBroken if the tail cannot be
// reached from there, dns.ErrLost if there is none.
func (f *Follower) check(ctx context.Context) error {
	now := time.Now()
	t, err := f.r.tail(ctx)
	if err != nil {
		return err
	}
	at := f.position()
	switch {
	case t.epoch == "":
		return dns.ErrLost
	case t == at:
		f.current(ctx, now)
		return nil
	case at.epoch == "":
		return errBroken
	case t.epoch != at.epoch:
		f.log.InfoContext(ctx, "store holds another data set", "epoch", t.epoch)
		return errBroken
	}
	messages, err := f.r.entries(ctx, f.readTo(), -1)
	if err != nil {
		return err
	}
	if len(messages) == 0 {
		f.log.WarnContext(ctx, "store is not where this node is", "position", at.log, "tail", t.log)
		return errBroken
	}
	return f.takeAll(ctx, messages)
}

// entriesCount is how many entries are read at once at most.
const entriesCount = 256

// entries returns what follows pos in the log, after waiting for it up to block; a negative block
// does not wait.
func (r reader) entries(ctx context.Context, pos string, block time.Duration) ([]redis.XMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, max(block, 0)+time.Second)
	defer cancel()
	streams, err := r.rdb.XRead(ctx, &redis.XReadArgs{
		Streams: []string{r.keys.log(), cmp.Or(pos, "0")}, Count: entriesCount, Block: block,
	}).Result()
	switch {
	case errors.Is(err, redis.Nil), err != nil && redis.HasErrorPrefix(err, "UNBLOCKED"):
		return nil, nil // the tail tells what has happened
	case err != nil:
		return nil, fmt.Errorf("read log: %w", explain(err))
	case len(streams) == 0:
		return nil, nil
	}
	return streams[0].Messages, nil
}

// takeAll applies the entries. It returns errBroken at one that does not follow what was before.
func (f *Follower) takeAll(ctx context.Context, messages []redis.XMessage) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	defer f.changed()
	for _, m := range messages {
		if f.cursor = m.ID; foreign(m) {
			continue
		}
		e, err := f.s.secrets.decodeEntry(m)
		if err != nil {
			f.log.ErrorContext(ctx, "loading all zones instead", "err", err)
			return errBroken
		}
		if e.epoch != f.at.epoch || e.prev != f.at.log {
			f.log.WarnContext(ctx, "log does not go on from here", "position", f.at.log, "prev", e.prev, "entry", e.ID)
			return errBroken
		}
		f.take(ctx, e)
	}
	if len(messages) < entriesCount {
		f.status.Contact = time.Now()
	}
	return nil
}

// take applies one entry; f.mu is held.
func (f *Follower) take(ctx context.Context, e entry) {
	if f.judge(ctx, &e) {
		f.reload.Store(true)
	}
	all := e.Zones
	e.Zones = make([]dns.ZoneEntry, 0, len(all))
	for _, z := range all {
		if f.takePart(ctx, z) {
			e.Zones = append(e.Zones, z)
		}
	}
	f.copy.Apply(e.Entry)
	f.settle(e.ID, 0)
	f.at.log = e.ID
	f.recent.add(e.ID)
	f.status.Entries++
	f.showReached()
}

// takePart reports whether the part is for the copy now, not for a zone that is being loaded.
func (f *Follower) takePart(ctx context.Context, z dns.ZoneEntry) bool {
	job := f.zones[z.ID]
	switch {
	case z.Reload:
		f.reloadZone(ctx, z.ID, z.Name)
		return false
	case z.Deleted:
		delete(f.shown, z.ID)
		f.unread.drop(z.ID)
		delete(f.unknown, z.ID)
		if job != nil {
			job.deleted = true
		}
		return true
	case f.unknown[z.ID] != "":
		f.reloadZone(ctx, z.ID, z.Name) // the change may be what mends it
		return true
	case job == nil || job.staged:
		return true
	}
	job.kept = append(job.kept, z)
	return false
}

func (f *Follower) position() tail {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.at
}

func (f *Follower) readTo() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.cursor
}

// changed wakes whoever waits for a change of state; f.mu is held.
func (f *Follower) changed() {
	close(f.moved)
	f.moved = make(chan struct{})
}
