package updater

import (
	"net/netip"
	"sync"
	"time"

	"redyn/auth"
)

// guard keeps sources off the store: those that the store said must wait, and, while the store does not
// answer, those that ask more often than its limit would allow.
type guard struct {
	limit auth.Limit

	mu      sync.Mutex
	sources map[netip.Prefix]*source
	swept   time.Time // when those that are over were dropped last
}

// source is what is known of one, until it is over.
type source struct {
	until time.Time // end of the wait, or of the time that is counted in
	count int       // requests that the store did not answer
	waits bool
}

// mostSources bounds the memory for it. Beyond, the guard lets everybody through.
const mostSources = 50_000

// sweepPause is how long there may be no room before it is looked again for those that are over: so many
// take a while.
const sweepPause = time.Second

func newGuard(limit auth.Limit) *guard {
	return &guard{limit: limit, sources: make(map[netip.Prefix]*source)}
}

// sourceOf is what counts as one source: an address, or in IPv6 the network of a site.
func sourceOf(a netip.Addr) netip.Prefix {
	const site = 64
	p, _ := a.Prefix(min(a.BitLen(), site))
	return p
}

// wait returns how long a source has to wait; 0 if it has not.
func (g *guard) wait(from netip.Addr, now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.sources[sourceOf(from)]
	if s == nil || !s.waits {
		return 0
	}
	return max(s.until.Sub(now), 0)
}

// hold makes a source wait.
func (g *guard) hold(from netip.Addr, now time.Time, wait time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if s := g.source(from, now); s != nil {
		s.until, s.waits = now.Add(wait), true
	}
}

// count counts a request that the store did not answer.
func (g *guard) count(from netip.Addr, now time.Time) {
	if g.limit.Count == 0 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.source(from, now)
	if s == nil {
		return
	}
	if s.count == 0 {
		s.until = now.Add(g.limit.Per)
	}
	s.count++
	s.waits = s.count >= g.limit.Count
}

// source returns what is known of a source at a time, of which nothing is if it is over; nil if there
// is no room.
func (g *guard) source(from netip.Addr, now time.Time) *source {
	key := sourceOf(from)
	s := g.sources[key]
	if s == nil {
		if len(g.sources) >= mostSources && (now.Sub(g.swept) < sweepPause || !g.forget(now)) {
			return nil
		}
		s = new(source)
		g.sources[key] = s
	}
	if !now.Before(s.until) {
		*s = source{}
	}
	return s
}

// forget drops what is over, and reports whether there is room then.
func (g *guard) forget(now time.Time) bool {
	g.swept = now
	for key, s := range g.sources {
		if !now.Before(s.until) {
			delete(g.sources, key)
		}
	}
	return len(g.sources) < mostSources
}
