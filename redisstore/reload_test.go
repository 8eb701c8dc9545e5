package redisstore_test

import (
	"context"
	"fmt"
	"iter"
	"sync/atomic"
	"testing"

	"redyn/backend/dns"
	"redyn/redisstore"
)

// gate is a memory whose Stage of one zone waits, when it has read everything, to be let through.
type gate struct {
	*memory
	zone    atomic.Pointer[dns.Name] // nil: none waits
	waiting chan struct{}
	open    chan struct{}
}

func (g *gate) Stage(data dns.ZoneData, sets iter.Seq2[dns.RRset, error]) error {
	held := func(yield func(dns.RRset, error) bool) {
		for set, err := range sets {
			if !yield(set, err) {
				return
			}
		}
		if name := g.zone.Load(); name != nil && *name == data.Zone.Name {
			g.waiting <- struct{}{}
			<-g.open
		}
	}
	return g.memory.Stage(data, held)
}

func followGate(t *testing.T, s *redisstore.Store) (*redisstore.Follower, *gate) {
	t.Helper()
	g := &gate{memory: newMemory(), waiting: make(chan struct{}), open: make(chan struct{})}
	f := s.NewFollower(redisstore.NodeOptions{Name: "node", Copy: g})
	run(t, f)
	name := org
	g.zone.Store(&name)
	return f, g
}

// While one zone is loaded aside, the others are followed, and what comes for the one is not lost.
func TestReloadAside(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		s := open(t, redisstore.Options{URL: srv.url})
		create(t, s, org, orgSets()...)
		create(t, s, "other.example.")
		f, g := followGate(t, s)
		before := g.get(org, "www.example.org.", dns.TypeA)
		_, replaced, err := s.ReplaceZone(ctx, org, hosts(org, 10), redisstore.ReplaceOptions{})
		if err != nil {
			t.Fatal(err)
		}
		<-g.waiting
		first := apply(t, s, org, www("192.0.2.41"))
		other := apply(t, s, "other.example.", dns.NewRRset("other.example.", dns.TypeA, 60, "192.0.2.42"))
		if err := f.Wait(ctx, other); err != nil {
			t.Fatal(err)
		}
		if got := g.get("other.example.", "other.example.", dns.TypeA); len(got) != 1 {
			t.Errorf("the other zone shows %v", got)
		}
		if got := g.get(org, "www.example.org.", dns.TypeA); fmt.Sprint(got) != fmt.Sprint(before) {
			t.Errorf("the zone that is being loaded shows %v", got)
		}
		late := make(chan struct{})
		go func() {
			defer close(late)
			f.Wait(ctx, replaced)
			f.Wait(ctx, first)
		}()
		select {
		case <-late:
			t.Error("the zone is said to be shown and is not")
		default:
		}
		g.zone.Store(nil)
		g.open <- struct{}{}
		<-late
		if got := g.get(org, "www.example.org.", dns.TypeA); len(got) != 1 || got[0] != "192.0.2.41" {
			t.Errorf("www is %v", got)
		}
		sameAsStore(t, s, g.memory)
	})
}

// A zone that is replaced, or deleted, while it is loaded aside.
func TestReloadAsideAgain(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		s := open(t, redisstore.Options{URL: srv.url})
		create(t, s, org, orgSets()...)
		f, g := followGate(t, s)
		fill2(t, s, org, 10)
		<-g.waiting
		_, again, err := s.ReplaceZone(ctx, org, hosts(org, 20), redisstore.ReplaceOptions{})
		if err != nil {
			t.Fatal(err)
		}
		seen := apply(t, s, org, www("192.0.2.41"))
		eventually(t, "entries are read", func() error { return holds(f.Status().Position == seen.ID, "%+v", f.Status()) })
		g.open <- struct{}{}
		<-g.waiting
		g.open <- struct{}{}
		if err := f.Wait(ctx, again); err != nil {
			t.Fatal(err)
		}
		sameAsStore(t, s, g.memory)

		fill2(t, s, org, 10)
		<-g.waiting
		gone, err := s.DeleteZone(ctx, org, "", "")
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "entries are read", func() error { return holds(f.Status().Position == gone.ID, "%+v", f.Status()) })
		g.open <- struct{}{}
		if err := f.Wait(ctx, gone); err != nil {
			t.Fatal(err)
		}
		sameAsStore(t, s, g.memory)
		if st := f.Status(); st.Reloads != 1 || st.Errors > 0 || st.Zones != 0 || st.Reloading != 0 {
			t.Errorf("status is %+v", st)
		}
	})
}

func TestReload(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		s := open(t, redisstore.Options{URL: srv.url})
		z := create(t, s, org, orgSets()...)
		f, m := follow(t, s, "node")
		// Data changed by hand, beside the log.
		keys := rrKeys(t, srv)
		if err := srv.rdb.HSet(ctx, keys[0], "by-hand.example.org. A", `{ "content": ["192.0.2.2", "192.0.2.1"], "ttl": 5 }`).Err(); err != nil {
			t.Fatal(err)
		}
		f.Reload()
		eventually(t, "zone is read anew", func() error {
			got := m.get(org, "by-hand.example.org.", dns.TypeA)
			return holds(len(got) == 2 && got[0] == "192.0.2.1", "%v", got)
		})
		// What cannot be read does not become nothing: the copy stays, and others go on.
		other := create(t, s, "other.example.", dns.NewRRset("other.example.", dns.TypeSOA, 3600, soaContent))
		if err := srv.rdb.HSet(ctx, keys[0], "by-hand.example.org. A", "192.0.2.1").Err(); err != nil {
			t.Fatal(err)
		}
		f.Reload()
		eventually(t, "it is told", func() error { return holds(f.Status().Unknown == 1, "%+v", f.Status()) })
		apply(t, s, org, www("192.0.2.99"))
		eventually(t, "it goes on", func() error {
			got := m.get(org, "www.example.org.", dns.TypeA)
			return holds(len(got) == 1 && got[0] == "192.0.2.99" && f.Status().Reloading == 0, "%v", got)
		})
		if got := m.get(org, "by-hand.example.org.", dns.TypeA); len(got) != 2 {
			t.Errorf("by-hand is %v", got)
		}
		apply(t, s, org, dns.RRset{Name: "by-hand.example.org.", Type: dns.TypeA})
		eventually(t, "it is mended", func() error {
			return holds(m.get(org, "by-hand.example.org.", dns.TypeA) == nil && f.Status().Unknown == 0, "%+v", f.Status())
		})
		if got := f.Status().Zones; got != 2 || z.ID == 0 || other.ID == 0 {
			t.Errorf("%d zones", got)
		}
	})
}

// A follower that begins while Redis is away loads once it is there.
func TestLoadOnceRedisIsThere(t *testing.T) {
	srv := startRedis(t)
	p := newProxy(t, "127.0.0.1:1")
	s := open(t, redisstore.Options{URL: srv.url(), ReadURL: p.url()})
	create(t, s, org, orgSets()...)
	m := newMemory()
	f := s.NewFollower(redisstore.NodeOptions{Name: "node", Copy: m})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f.Run(ctx)
	}()
	eventually(t, "it fails", func() error { return holds(f.Status().Errors > 3, "%+v", f.Status()) })
	select {
	case <-f.Loaded():
		t.Error("loaded without Redis")
	default:
	}
	p.redirect(srv.addr())
	<-f.Loaded()
	sameAsStore(t, s, m)
	cancel()
	<-ended
}

func TestUnblocked(t *testing.T) {
	srv := startRedis(t)
	s := open(t, redisstore.Options{URL: srv.url()})
	create(t, s, org, orgSets()...)
	f, m := follow(t, s, "node")
	rdb := newServer(t, srv.url(), srv).rdb
	ctx := context.Background()
	for range 3 {
		eventually(t, "follower is unblocked", func() error {
			n, err := unblock(ctx, rdb)
			return holds(err == nil && n > 0, "%d, %v", n, err)
		})
	}
	r := apply(t, s, org, www("192.0.2.7"))
	if err := f.Wait(ctx, r); err != nil {
		t.Fatal(err)
	}
	sameAsStore(t, s, m)
	if st := f.Status(); st.Errors > 0 || st.Reloads != 1 {
		t.Errorf("status is %+v", st)
	}
}

// A zone that is being loaded aside when the data set is lost is loaded again once that is back.
func TestLostWhileReloadedAside(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		s := open(t, redisstore.Options{URL: srv.url})
		create(t, s, org, orgSets()...)
		f, g := followGate(t, s)
		fill2(t, s, org, 10)
		<-g.waiting
		if err := srv.rdb.Rename(ctx, "{redyn}:epoch", "away").Err(); err != nil {
			t.Fatal(err)
		}
		g.zone.Store(nil)
		g.open <- struct{}{}
		eventually(t, "loss is noticed", lost(f))
		eventually(t, "the zone is not taken for loaded", func() error { return holds(f.Status().Errors > 0, "%+v", f.Status()) })
		if err := srv.rdb.Rename(ctx, "away", "{redyn}:epoch").Err(); err != nil {
			t.Fatal(err)
		}
		shown(t, f, apply(t, s, org, www("192.0.2.41")))
		sameAsStore(t, s, g.memory)
	})
}
