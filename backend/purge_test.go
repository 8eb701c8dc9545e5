package backend

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"redyn/backend/dns"
)

// fakePDNS is a PowerDNS that keeps what it is told to purge, with when.
type fakePDNS struct {
	mu    sync.Mutex
	start time.Time
	err   error
	takes time.Duration
	lines []string
}

func (p *fakePDNS) purge(ctx context.Context, n names) error {
	p.mu.Lock()
	takes := p.takes
	p.mu.Unlock()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(takes):
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	list := slices.Sorted(maps.Keys(n.exact))
	for _, tree := range slices.Sorted(maps.Keys(n.trees)) {
		list = append(list, tree+"$")
	}
	if n.all {
		list = append(list, "all")
	}
	for _, zone := range slices.Sorted(maps.Keys(n.zones)) {
		list = append(list, "zone "+zone)
	}
	var line strings.Builder
	line.WriteString(time.Since(p.start).Truncate(time.Millisecond).String())
	for _, name := range list {
		line.WriteString(" " + string(name))
	}
	if p.err == nil {
		p.lines = append(p.lines, line.String())
	}
	return p.err
}

// told returns the lines so far, and forgets them.
func (p *fakePDNS) told() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	lines := p.lines
	p.lines = nil
	return strings.Join(lines, "\n")
}

func (p *fakePDNS) set(takes time.Duration, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.takes, p.err = takes, err
}

// purging is a Purger that runs, and the fakes in front of it.
type purging struct {
	*testing.T
	*Purger
	start time.Time
	log   lockedLog
}

type lockedLog struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// withPurger runs a story in which time passes only while all wait.
func withPurger(t *testing.T, servers []*fakePDNS, story func(*purging)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := &purging{T: t, Purger: NewPurger(PurgeOptions{}), start: time.Now()}
		p.Purger.log = slog.New(slog.NewTextHandler(&p.log, nil))
		metrics := newPurgeMetrics(nil)
		for i, s := range servers {
			s.start = p.start
			p.servers = append(p.servers, newPurged("pdns", s.purge, i > 1, p.Purger.log, metrics))
		}
		p.servers[0].replies = p.traffic.count
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = p.Purger.Run(ctx)
		}()
		story(p)
		cancel()
		<-ended
	})
}

// change makes something stale, and returns what tells when that was settled, or none if that took
// nothing.
func (p *purging) change(s dns.Stale) func() string {
	p.Helper()
	p.Stale(s)
	at := make(chan time.Duration, 1)
	if !p.Settle(func() { at <- time.Since(p.start) }) {
		return func() string { return "at once" }
	}
	return func() string {
		select {
		case took := <-at:
			return took.Truncate(time.Millisecond).String()
		default:
			return "not yet"
		}
	}
}

func (p *purging) after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (p *purging) want(what, got, want string) {
	p.Helper()
	if got != want {
		p.Errorf("%s: %q; want %q", what, got, want)
	}
}

// A change is settled when PowerDNS has purged, and purged again twice.
func TestPurge(t *testing.T) {
	pdns := &fakePDNS{takes: 2 * time.Millisecond}
	withPurger(t, []*fakePDNS{pdns}, func(p *purging) {
		if p.Settle(func() { t.Error("settled") }) {
			t.Error("there is something to settle")
		}
		one := p.change(dns.Stale{Names: []dns.Name{"b.", "a."}, Serials: []dns.Name{"z."}, Trees: []dns.Name{"t."}})
		p.after(time.Millisecond)
		two, three := p.change(dns.Stale{Names: []dns.Name{"c.", "d."}}), p.change(dns.Stale{Names: []dns.Name{"d."}})
		p.want("the first", one(), "not yet")
		p.after(10 * time.Millisecond)
		p.want("the first", one(), "2ms")
		p.want("the second", two(), "4ms")
		p.want("the third", three(), "4ms")
		p.want("purged", pdns.told(), "2ms a. b. z. t.$\n4ms c. d.")
		p.after(time.Second)
		p.want("purged again", pdns.told(), "26ms a. b. c. d. z. t.$\n206ms a. b. c. d. z. t.$")
		all := p.change(dns.Stale{All: true, Names: []dns.Name{"a."}})
		p.after(time.Second)
		p.want("all", all(), "1.013s")
		p.want("purged", pdns.told(), "1.013s all\n1.037s all\n1.217s all")
	})
}

// Before PowerDNS is told, every reply that was under way is written, and if it was of one of the names
// PowerDNS had the time to store it.
func TestPurgeWaits(t *testing.T) {
	pdns := &fakePDNS{}
	withPurger(t, []*fakePDNS{pdns}, func(p *purging) {
		lookups := p.traffic.join()
		lookups.begin()
		lookups.name("other.")
		under := p.change(dns.Stale{Names: []dns.Name{"a."}})
		p.after(10 * time.Millisecond)
		p.want("while a reply is under way", under(), "not yet")
		lookups.end()
		p.after(3 * time.Millisecond)
		p.want("when it is written", under(), "10ms")

		lookups.begin()
		lookups.name("a.")
		lookups.end()
		p.after(2 * time.Millisecond) // 15 ms
		late, free := p.change(dns.Stale{Names: []dns.Name{"b.", "a."}}), p.change(dns.Stale{Names: []dns.Name{"b."}})
		serial := p.change(dns.Stale{Serials: []dns.Name{"a."}})
		tree := p.change(dns.Stale{Trees: []dns.Name{"x."}})
		p.after(10 * time.Millisecond)
		p.want("a name that was asked for", late(), "18ms")
		p.want("another", free(), "15ms")
		p.want("a serial", serial(), "15ms")
		p.want("any name below another", tree(), "18ms")

		lookups.begin()
		lookups.name("signed.")
		lookups.end()
		p.after(7 * time.Millisecond) // 32 ms
		late, free = p.change(dns.Stale{Names: []dns.Name{"signed."}, Signed: true}), p.change(dns.Stale{Names: []dns.Name{"signed."}})
		p.after(20 * time.Millisecond)
		p.want("a name whose answer is signed", late(), "40ms")
		p.want("the same without", free(), "32ms")

		for range trailSlots {
			lookups.begin()
			lookups.name("many.")
			lookups.end()
		}
		p.traffic.leave(lookups)
		if p.traffic.join() != lookups {
			t.Error("a new connection gets a new trail")
		}
		unknown := p.change(dns.Stale{Names: []dns.Name{"unknown."}})
		p.after(10 * time.Millisecond)
		p.want("more than is known", unknown(), "57ms")

		lookups.begin() // and never written
		stuck := p.change(dns.Stale{Names: []dns.Name{"a."}})
		p.after(100 * time.Millisecond)
		p.want("a reply that nobody reads", stuck(), "112ms")
		again := p.change(dns.Stale{Names: []dns.Name{"a."}})
		p.after(time.Millisecond)
		p.want("is waited for once", again(), "162ms")
	})
}

// A PowerDNS that does not answer is waited for once, and told all it missed when it does.
func TestPurgeSlow(t *testing.T) {
	slow, quick := &fakePDNS{}, &fakePDNS{}
	withPurger(t, []*fakePDNS{slow, quick}, func(p *purging) {
		slow.set(3*time.Second, nil)
		one := p.change(dns.Stale{Names: []dns.Name{"a."}})
		p.after(500 * time.Millisecond)
		two := p.change(dns.Stale{Names: []dns.Name{"b."}})
		p.after(500 * time.Millisecond)
		three := p.change(dns.Stale{Names: []dns.Name{"c."}})
		p.after(time.Millisecond)
		p.want("the first", one(), "800ms")
		p.want("one that came then", two(), "800ms")
		p.want("one that came later", three(), "1s")
		slow.set(0, nil)
		p.after(2 * time.Second)
		p.want("purged", slow.told(), "3s a.\n3s b. c.")
		four := p.change(dns.Stale{Names: []dns.Name{"d."}})
		p.after(time.Millisecond)
		p.want("once it answers", four(), "3.001s")
		if log := p.log.b.String(); strings.Count(log, "cannot purge") != 1 || strings.Count(log, "purged again") != 1 {
			t.Errorf("it was logged:\n%s", log)
		}
	})
}

// What failed is tried again, with what is new, from time to time, and nobody waits for it.
func TestPurgeFails(t *testing.T) {
	pdns := &fakePDNS{}
	withPurger(t, []*fakePDNS{pdns}, func(p *purging) {
		pdns.set(0, fs.ErrNotExist)
		one := p.change(dns.Stale{Names: []dns.Name{"a."}, Zones: []dns.Name{"a."}})
		p.after(time.Millisecond)
		p.want("the first", one(), "0s")
		pdns.set(0, nil)
		two := p.change(dns.Stale{Names: []dns.Name{"b."}})
		p.after(time.Millisecond)
		p.want("the second", two(), "1ms")
		p.want("purged", pdns.told(), "1ms a. b. zone a.")
		p.after(time.Second)
		pdns.told()
		pdns.set(0, errors.New("broken"))
		p.change(dns.Stale{Names: []dns.Name{"c."}})
		p.after(time.Millisecond)
		pdns.set(0, nil)
		p.after(time.Second)
		p.want("purged", pdns.told(), "1.052s c.\n1.074s c.\n1.254s c.")
		if log := p.log.b.String(); strings.Count(log, "cannot purge") != 1 || strings.Count(log, "is not running") != 1 {
			t.Errorf("it was logged:\n%s", log)
		}

		pdns.set(0, fs.ErrNotExist)
		connection := p.traffic.join()
		ask := func() {
			connection.begin()
			connection.name("d.")
			connection.end()
		}
		warned := func(when string, want int) {
			t.Helper()
			if log := p.log.b.String(); strings.Count(log, "cannot purge") != want {
				t.Errorf("%s was logged:\n%s", when, log)
			}
		}
		ask()
		p.change(dns.Stale{Names: []dns.Name{"d."}})
		p.after(time.Second)
		ask()
		p.after(72 * time.Minute)
		warned("of a PowerDNS that has ended", 1)
		ask()
		p.after(2 * time.Second)
		warned("of a socket that is gone under a PowerDNS that asks", 2)
		pdns.set(0, nil)
		p.after(2 * time.Second)
		pdns.told()

		pdns.set(0, errors.New("broken"))
		many := dns.Stale{}
		for i := range mostPurged + 1 {
			many.Names = append(many.Names, dns.Name(strconv.Itoa(i)+"."))
		}
		p.change(many)
		p.after(time.Millisecond)
		pdns.set(0, nil)
		p.after(100 * time.Millisecond)
		p.want("more than are remembered", strings.Split(pdns.told(), "\n")[0], "1h12m7.053s all")
	})
}

// Beside control sockets the API only makes zones known.
func TestPurgeZonesOnly(t *testing.T) {
	control, other, api := &fakePDNS{}, &fakePDNS{}, &fakePDNS{}
	withPurger(t, []*fakePDNS{control, other, api}, func(p *purging) {
		name := p.change(dns.Stale{Names: []dns.Name{"a."}})
		zone := p.change(dns.Stale{Trees: []dns.Name{"z."}, Zones: []dns.Name{"z."}})
		p.after(time.Millisecond)
		p.want("a name", name(), "0s")
		p.want("a zone", zone(), "0s")
		p.want("by the API", api.told(), "0s zone z.")
		p.after(time.Second)
		p.want("by the API again", api.told(), "")
		p.want("by control", control.told(), "0s a. z.$ zone z.\n22ms a. z.$\n202ms a. z.$")
		for range 2 * serialBurst {
			p.change(dns.Stale{Serials: []dns.Name{"z."}})
			p.after(time.Millisecond)
		}
		p.after(time.Second)
		p.want("by the API after many serials", api.told(), "")
	})
}

// What is purged anew needs no purge for what was before.
func TestPurgeAgainOnce(t *testing.T) {
	pdns := &fakePDNS{}
	withPurger(t, []*fakePDNS{pdns}, func(p *purging) {
		p.change(dns.Stale{Names: []dns.Name{"a.", "b."}})
		p.after(10 * time.Millisecond)
		p.change(dns.Stale{Names: []dns.Name{"b."}})
		p.after(time.Second)
		p.want("purged", pdns.told(), "0s a. b.\n10ms b.\n22ms a.\n32ms b.\n202ms a.\n212ms b.")
		p.change(dns.Stale{Names: []dns.Name{"a."}})
		p.after(100 * time.Millisecond)
		p.change(dns.Stale{Names: []dns.Name{"a."}})
		p.after(time.Second)
		p.want("purged", pdns.told(), "1.01s a.\n1.032s a.\n1.11s a.\n1.132s a.\n1.312s a.")
		s := p.servers[0]
		s.mu.Lock()
		defer s.mu.Unlock()
		if left := len(s.last); left > 0 {
			t.Errorf("%d names are remembered", left)
		}
	})
}

// A zone that changes all the time has its serial purged from time to time, and once the changes end.
func TestPurgeSerials(t *testing.T) {
	pdns := &fakePDNS{}
	withPurger(t, []*fakePDNS{pdns}, func(p *purging) {
		serial := func() {
			p.change(dns.Stale{Serials: []dns.Name{"z."}})
			p.after(time.Millisecond)
		}
		count := func(what, told string, least, most int) {
			t.Helper()
			if n := strings.Count(told, " z."); n < least || n > most {
				t.Errorf("%s: purged %d times, not %d to %d:\n%s", what, n, least, most, told)
			}
		}
		for range serialBurst {
			serial()
		}
		count("a burst", pdns.told(), serialBurst, serialBurst)
		for range 1000 {
			serial()
		}
		count("a change each ms for a second", pdns.told(), 60, 66)
		p.after(serialPause)
		count("after the last", pdns.told(), 1, 1)
		p.after(time.Second)
		count("purged again", pdns.told(), 2, 2)
		serial()
		count("another after a second", pdns.told(), 1, 1)
		p.after(time.Second)

		many := dns.Stale{}
		for i := range 3000 {
			many.Serials = append(many.Serials, dns.Name(strconv.Itoa(i)+"."))
		}
		p.change(many)
		p.after(time.Second)
		p.change(many)
		p.after(time.Second)
		s := p.servers[0]
		s.mu.Lock()
		defer s.mu.Unlock()
		if kept := len(s.serials.spent); kept > 2*len(many.Serials) {
			t.Errorf("%d zones are remembered", kept)
		}
	})
}

// The API's key goes to nobody else.
func TestPurgeAPIKeyStays(t *testing.T) {
	var others atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { others.Add(1) }))
	defer other.Close()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
	}))
	defer api.Close()
	a := newAPI(api.URL, "key")
	if err := a.purge(t.Context(), names{all: true}); err == nil || others.Load() > 0 {
		t.Errorf("redirected it says %v, and %d requests went elsewhere", err, others.Load())
	}
	if a.client.Transport.(*http.Transport).Proxy != nil {
		t.Error("it goes through proxies")
	}
}
