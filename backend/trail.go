package backend

import (
	"context"
	"hash/maphash"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"redyn/backend/dns"
)

// traffic knows which names were asked for lately and which replies are under way, as a Purger needs
// it. Each connection notes its own in a trail that only the Purger reads, so that noting costs a lookup
// next to nothing. The nil traffic notes nothing.
type traffic struct {
	mu     sync.Mutex
	trails []*trail // one for each of the most connections that were open at a time
	free   []*trail
}

// trail is what a connection notes. The nil trail notes nothing.
type trail struct {
	state atomic.Uint64 // odd while a reply is made and written
	asked uint32        // the hash of the name of that reply; 0: none
	next  uint          // slot
	slots [trailSlots]atomic.Uint64
	stuck uint64 // the state at which the Purger gave up waiting; only it looks
}

// trailSlots is more than the lookups that one connection is asked in lately.
const trailSlots = 256

const (
	// lately is how long PowerDNS may take from an answer of ours to storing what it makes of it.
	lately = 5 * time.Millisecond
	// latelySigned is the same if it signs what it makes of that. When only lately was waited for, one change
	// in some hundreds left an old answer under full load, until names were purged again.
	latelySigned = 15 * time.Millisecond
)

var nameSeed = maphash.MakeSeed()

// hashName never returns 0.
func hashName(name dns.Name) uint32 { return uint32(maphash.String(nameSeed, string(name))) | 1 }

// join returns a trail for a connection.
func (t *traffic) join() *trail {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if last := len(t.free) - 1; last >= 0 {
		joined := t.free[last]
		t.free = t.free[:last]
		return joined
	}
	joined := new(trail)
	t.trails = append(t.trails, joined)
	return joined
}

// leave takes back the trail of a connection that ends. What it noted is still read.
func (t *traffic) leave(left *trail) {
	if t == nil {
		return
	}
	left.end()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.free = append(t.free, left)
}

// begin notes that a reply is going to be made of what is known now. It comes before anything is read. If
// the reply before is still to be written, as those of requests that came together are, it goes with this.
func (t *trail) begin() {
	if t == nil {
		return
	}
	if state := t.state.Load(); state%2 == 0 {
		t.state.Store(state + 1)
	} else {
		t.keep()
	}
}

// name notes the name that is asked for.
func (t *trail) name(name dns.Name) {
	if t != nil {
		t.asked = hashName(name)
	}
}

// end notes that the reply that was begun, if any was, is written.
func (t *trail) end() {
	if t == nil || t.state.Load()%2 == 0 {
		return
	}
	t.keep()
	t.state.Store(t.state.Load() + 1)
}

// keep keeps the name that was asked for, if one was.
func (t *trail) keep() {
	if t.asked != 0 {
		t.slots[t.next%trailSlots].Store(uint64(t.asked)<<32 | uint64(micros()))
		t.next++
		t.asked = 0
	}
}

// micros is the time since epoch, modulo an hour and more.
func micros() uint32 { return uint32(time.Since(epoch) / time.Microsecond) }

// all returns the trails that there are.
func (t *traffic) all() []*trail {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.trails[:len(t.trails):len(t.trails)]
}

// count grows with each reply.
func (t *traffic) count() (n uint64) {
	for _, trail := range t.all() {
		n += trail.state.Load()
	}
	return n
}

// settle waits until every reply that is being made now is written, but not for a peer that does not
// read its reply.
func (t *traffic) settle(ctx context.Context) {
	const (
		spins   = 20
		pause   = 50 * time.Microsecond
		longest = 50 * time.Millisecond
	)
	start := time.Now()
	for _, trail := range t.all() {
		state := trail.state.Load()
		if state%2 == 0 || trail.stuck == state {
			continue
		}
		for i := 0; trail.state.Load() == state && trail.stuck != state; i++ {
			switch {
			case i < spins:
				runtime.Gosched()
			case ctx.Err() != nil:
				return
			case time.Since(start) < longest:
				time.Sleep(pause)
			default:
				trail.stuck = state
			}
		}
	}
}

// recent is what was answered lately.
type recent struct {
	now    uint32
	within time.Duration
	names  map[uint32]uint32 // when the names of these hashes were answered last
	latest uint32            // when any was, if any was
	more   bool              // there may be others
}

// recent returns what was answered within a time that is over now.
func (t *traffic) recent(within time.Duration) recent {
	r := recent{now: micros(), within: within, names: make(map[uint32]uint32)}
	for _, trail := range t.all() {
		count := 0
		for i := range trail.slots {
			slot := trail.slots[i].Load()
			if hash, at := uint32(slot>>32), uint32(slot); hash != 0 && r.isLate(at) {
				r.note(hash, at)
				count++
			}
		}
		r.more = r.more || count == trailSlots
	}
	return r
}

// isLate reports whether at is within the time, or just now. What is longer ago than half an hour, as micros
// counts, is not far in the future.
func (r *recent) isLate(at uint32) bool {
	age := time.Duration(int32(r.now-at)) * time.Microsecond
	return -time.Second < age && age < r.within
}

func (r *recent) note(hash, at uint32) {
	if len(r.names) == 0 || int32(at-r.latest) > 0 {
		r.latest = at
	}
	if before, known := r.names[hash]; !known || int32(at-before) > 0 {
		r.names[hash] = at
	}
}

// wait is how long to wait until none of names, or with every none at all, was answered for so long.
func (r *recent) wait(names []dns.Name, every bool, long time.Duration) time.Duration {
	switch {
	case r.more:
		return long
	case len(r.names) == 0:
		return 0
	case every:
		return r.left(r.latest, long)
	}
	longest := time.Duration(0)
	for _, name := range names {
		if at, known := r.names[hashName(name)]; known {
			longest = max(longest, r.left(at, long))
		}
	}
	return longest
}

func (r *recent) left(at uint32, long time.Duration) time.Duration {
	return max(0, min(long, long-time.Duration(int32(r.now-at))*time.Microsecond))
}
