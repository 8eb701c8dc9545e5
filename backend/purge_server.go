package backend

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"syscall"
	"time"

	"redyn/backend/dns"
)

const (
	// purgeWait is how long an acknowledgement waits for a PowerDNS.
	purgeWait = 800 * time.Millisecond
	// purgeLimit is how long a PowerDNS may take for one command. It takes half a second to look through
	// 200,000 names for those below one.
	purgeLimit = 10 * time.Second
	// retryFirst and retryLongest bound the time to the next try after one that failed.
	retryFirst   = 50 * time.Millisecond
	retryLongest = time.Second
	// againSlack is how long names that are to be purged again wait for others to go out with: a command
	// costs much the same however few names are in it.
	againSlack = 2 * time.Millisecond
)

// againAfter is when names are purged again.
var againAfter = [...]time.Duration{20 * time.Millisecond, 200 * time.Millisecond}

// purged is a PowerDNS whose caches are purged. Run alone sends; purges that fail, or for which it has
// no time, are kept and merged.
type purged struct {
	name      string
	send      func(context.Context, names) error
	zonesOnly bool
	log       *slog.Logger
	metrics   *purgeMetrics
	wake      chan struct{}

	mu      sync.Mutex
	names   names                   // to be purged
	waiting []*purge                // for that
	serials serials                 // to be purged, but not too often
	again   [len(againAfter)][]redo // to be purged again, those due first first
	last    map[dns.Name]uint64     // which purge of a name was the last
	purges  uint64
	slow    bool      // does not answer: nobody waits for it
	failing time.Time // since when; the zero Time is not
	warned  bool      // of that

	// replies counts what PowerDNS is answered, if there is but one; else it is nil.
	replies func() uint64
	counted uint64 // what it was once this one had been away for awayLong
}

// redo are names to be purged again, if no later purge was of the same. They are not changed.
type redo struct {
	names
	purge uint64
	due   time.Time
}

func newPurged(name string, send func(context.Context, names) error, zonesOnly bool, log *slog.Logger, m *purgeMetrics) *purged {
	m.up.WithLabelValues(name).Set(1)
	return &purged{name: name, send: send, zonesOnly: zonesOnly, log: log, metrics: m, wake: make(chan struct{}, 1), last: make(map[dns.Name]uint64)}
}

// add takes what is to be purged.
func (s *purged) add(list []*purge) {
	if len(list) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	for _, c := range list {
		if s.zonesOnly {
			put(&s.names.zones, c.Zones...)
			continue
		}
		s.names.add(&c.Stale)
		s.names.addExact(s.serials.admit(c.Serials, now))
	}
	if s.slow || s.names.isEmpty() {
		finish(list)
	} else {
		s.waiting = append(s.waiting, list...)
	}
	poke(s.wake)
}

func finish(list []*purge) {
	for _, c := range list {
		c.finished()
	}
}

// run purges until ctx ends. After a failure it tries again whenever there is something new, and from
// time to time.
func (s *purged) run(ctx context.Context) {
	retry := retryFirst
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-timer.C:
		}
		next, err := s.purge(ctx)
		if err != nil {
			timer.Reset(retry)
			retry = min(2*retry, retryLongest)
			continue
		}
		retry = retryFirst
		if !next.IsZero() {
			timer.Reset(time.Until(next) + againSlack)
		}
	}
}

// purge purges what there is, and returns when there will be something to be purged again.
func (s *purged) purge(ctx context.Context) (next time.Time, err error) {
	fresh, all, waiting := s.take()
	all.merge(fresh)
	if !all.isEmpty() {
		err = s.try(ctx, all, waiting)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.names.merge(all)
		return time.Time{}, err
	}
	s.repeat(fresh)
	return s.next(), nil
}

// next returns when there will be something to be purged; s.mu is held.
func (s *purged) next() time.Time {
	next := s.serials.next()
	for _, list := range s.again {
		if len(list) > 0 && (next.IsZero() || list[0].due.Before(next)) {
			next = list[0].due
		}
	}
	return next
}

// take takes what is to be purged now: what is new, and what was purged before.
func (s *purged) take() (fresh, repeated names, waiting []*purge) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.names.addExact(s.serials.take(now))
	fresh, waiting = s.names, s.waiting
	s.names, s.waiting = names{}, nil
	for i, list := range s.again {
		for len(list) > 0 && !list[0].due.After(now) {
			s.redo(&repeated, list[0], i == len(s.again)-1)
			list = list[1:]
		}
		s.again[i] = list
	}
	return fresh, repeated, waiting
}

// redo adds what of r was not purged for another reason since; s.mu is held.
func (s *purged) redo(to *names, r redo, last bool) {
	n := names{all: r.all, trees: r.trees}
	for name := range r.exact {
		if s.last[name] != r.purge {
			continue
		}
		put(&n.exact, name)
		if last {
			delete(s.last, name)
		}
	}
	to.merge(n)
}

// repeat has names purged again; s.mu is held.
func (s *purged) repeat(n names) {
	n.zones = nil
	if n.isEmpty() {
		return
	}
	s.purges++
	for name := range n.exact {
		s.last[name] = s.purges
	}
	for i, after := range againAfter {
		s.again[i] = append(s.again[i], redo{n, s.purges, time.Now().Add(after)})
	}
}

// try sends names. Those who wait are told when it is done, or has failed, or takes too long: then
// nobody waits for this PowerDNS until it has answered.
func (s *purged) try(ctx context.Context, all names, waiting []*purge) error {
	var once sync.Once
	release := func() { once.Do(func() { finish(waiting) }) }
	told := make(chan struct{})
	late := time.AfterFunc(purgeWait, func() {
		defer close(told)
		s.late(ctx)
		release()
	})
	start := time.Now()
	err := s.send(ctx, all)
	took := time.Since(start)
	if !late.Stop() {
		<-told
	}
	s.metrics.observe(s.name, all.count(), took, err)
	if err == nil {
		s.answered(ctx)
	} else if ctx.Err() == nil {
		s.failed(ctx, err)
	}
	release()
	return err
}

// late notes that nobody is to wait.
func (s *purged) late(ctx context.Context) {
	s.mu.Lock()
	s.slow = true
	left := s.waiting
	s.waiting = nil
	s.mu.Unlock()
	s.failed(ctx, fmt.Errorf("no answer in %s", purgeWait))
	finish(left)
}

// away reports whether an error says that there is no PowerDNS, and so no cache.
func away(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET)
}

func (s *purged) failed(ctx context.Context, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := s.failing.IsZero()
	if first {
		s.failing, s.counted = time.Now(), 0
	}
	s.metrics.up.WithLabelValues(s.name).Set(0)
	switch gone := away(err) && !s.asks(); {
	case !gone && !s.warned:
		s.warned = true
		s.log.WarnContext(ctx, "cannot purge PowerDNS's caches; until it takes commands again its answers may be old", "pdns", s.name, "err", err)
	case gone && first:
		s.log.InfoContext(ctx, "PowerDNS is not running where its caches are to be purged", "pdns", s.name)
	}
}

// awayLong is after what time a PowerDNS that is away has no question under way any more.
const awayLong = 10 * time.Second

// asks reports whether the PowerDNS that is away for so long asks all the same; s.mu is held.
func (s *purged) asks() bool {
	if s.replies == nil || time.Since(s.failing) < awayLong {
		return false
	}
	n := s.replies() + 1
	if s.counted == 0 {
		s.counted = n
	}
	return n != s.counted
}

func (s *purged) answered(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slow = false
	if !s.failing.IsZero() {
		s.failing, s.warned = time.Time{}, false
		s.metrics.up.WithLabelValues(s.name).Set(1)
		s.log.InfoContext(ctx, "PowerDNS's caches are purged again", "pdns", s.name)
	}
}
