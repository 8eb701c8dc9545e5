package backend

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"redyn/backend/dns"
)

// PurgeOptions say whose caches a Purger purges, and how.
type PurgeOptions struct {
	// Control are the paths of control sockets of PowerDNS.
	Control []string
	// API is the URL of PowerDNS's HTTP API, without /api/v1, and Key its key. Beside control sockets
	// it only makes new zones known, which they cannot.
	API, Key string
	// Log is where it is told that a PowerDNS does not answer; nil tells nobody.
	Log *slog.Logger
	// Metrics is where the figures are registered; nil is nowhere.
	Metrics prometheus.Registerer
}

// Purger takes out of PowerDNS's caches what a change has made wrong. For each change, which is visible
// to lookups by then, it
//
//  1. waits until the replies that may have been made before are written,
//  2. waits, if one of the names was answered lately, until PowerDNS has stored what it made of that,
//  3. purges the names, with whatever else there is to purge, and reads PowerDNS's reply,
//  4. says that this is done, so that the change may be acknowledged,
//  5. purges them again twice: what PowerDNS took long to store we do not see.
//
// A PowerDNS that does not answer is waited for only once, and purged when it is back.
type Purger struct {
	log     *slog.Logger
	traffic traffic
	servers []*purged
	wake    chan struct{}

	mu      sync.Mutex
	open    *purge   // what is stale since Settle was called last; nil if nothing is
	waiting []*purge // new to Run
}

// purge is what one change has made stale, until it is purged.
type purge struct {
	dns.Stale
	due  time.Time    // from when on it may be purged
	left atomic.Int32 // how many of the servers have not purged it
	done func()
}

// finished notes that one more server has purged, or is not waited for.
func (p *purge) finished() {
	if p.left.Add(-1) == 0 {
		p.done()
	}
}

// NewPurger returns a Purger that does nothing until Run.
func NewPurger(o PurgeOptions) *Purger {
	p := &Purger{log: o.Log, wake: make(chan struct{}, 1)}
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	m := newPurgeMetrics(o.Metrics)
	for _, path := range o.Control {
		p.servers = append(p.servers, newPurged(path, controlSocket(path).purge, false, p.log, m))
	}
	if o.API != "" {
		p.servers = append(p.servers, newPurged(o.API, newAPI(o.API, o.Key).purge, len(o.Control) > 0, p.log, m))
	}
	if len(p.servers) > 0 && len(o.Control) <= 1 {
		p.servers[0].replies = p.traffic.count
	}
	return p
}

// Stale takes what is stale after a change, to be purged once Settle is called.
func (p *Purger) Stale(s dns.Stale) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open == nil {
		p.open = &purge{Stale: s}
		return
	}
	o := &p.open.Stale
	o.All, o.Signed = o.All || s.All, o.Signed || s.Signed
	o.Names = append(o.Names, s.Names...)
	o.Trees = append(o.Trees, s.Trees...)
	o.Serials = append(o.Serials, s.Serials...)
	o.Zones = append(o.Zones, s.Zones...)
}

// Settle has done called, by another goroutine, when all that Stale has taken is purged or is not waited
// for any more. If it has taken nothing since the last call, Settle returns false and done is not called.
func (p *Purger) Settle(done func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open == nil {
		return false
	}
	p.open.done = done
	p.open.left.Store(int32(len(p.servers)))
	p.waiting = append(p.waiting, p.open)
	p.open = nil
	poke(p.wake)
	return true
}

// poke wakes whoever waits for wake, or will.
func poke(wake chan struct{}) {
	select {
	case wake <- struct{}{}:
	default:
	}
}

// Run purges until ctx ends.
func (p *Purger) Run(ctx context.Context) error {
	var servers sync.WaitGroup
	defer servers.Wait()
	for _, s := range p.servers {
		servers.Go(func() { s.run(ctx) })
	}
	var held []*purge // whose time has not come
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-p.wake:
		case <-timer.C:
		}
		held = append(held, p.judge(ctx)...)
		slices.SortStableFunc(held, func(a, b *purge) int { return a.due.Compare(b.due) })
		now, ready := time.Now(), 0
		for ready < len(held) && !held[ready].due.After(now) {
			ready++
		}
		for _, s := range p.servers {
			s.add(held[:ready])
		}
		if held = slices.Delete(held, 0, ready); len(held) > 0 {
			timer.Reset(held[0].due.Sub(now))
		}
	}
}

// judge takes what is new, waits until replies from before are written, and says when each is due. That
// a serial was asked for lately delays nothing: it is in nearly every question.
func (p *Purger) judge(ctx context.Context) []*purge {
	p.mu.Lock()
	fresh := p.waiting
	p.waiting = nil
	p.mu.Unlock()
	if len(fresh) == 0 {
		return nil
	}
	p.traffic.settle(ctx)
	recent, now := p.traffic.recent(latelySigned), time.Now()
	for _, c := range fresh {
		long := lately
		if c.Signed {
			long = latelySigned
		}
		c.due = now.Add(recent.wait(c.Names, c.All || len(c.Trees) > 0, long))
	}
	return fresh
}
