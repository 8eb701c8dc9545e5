package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"redyn/auth"
	"redyn/backend/dns"
	"redyn/redisstore"
)

func update(s *redisstore.Store, u auth.Use, sets ...dns.RRset) (redisstore.Result, error) {
	return s.Update(context.Background(), dns.Change{Who: "test", Zones: []dns.ZoneChange{{Zone: org, RRsets: sets}}}, u)
}

func address(last int) dns.RRset {
	return dns.NewRRset(home, dns.TypeA, 60, fmt.Sprintf("192.0.2.%d", last))
}

func oneTimeToken(t testing.TB, s *redisstore.Store, id auth.HostID) string {
	t.Helper()
	token, err := s.OneTimeToken(context.Background(), id, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestOneTimeToken(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		s := open(t, redisstore.Options{URL: srv.url})
		if _, err := s.OneTimeToken(ctx, 1, time.Minute); !errors.Is(err, dns.ErrLost) {
			t.Errorf("of an empty store: %v", err)
		}
		create(t, s, org, orgSets()...)
		if _, err := s.OneTimeToken(ctx, 1, time.Minute); !errors.Is(err, dns.ErrNotFound) {
			t.Errorf("of no host: %v", err)
		}
		h := addHost(t, s, home)
		token := oneTimeToken(t, s, h.ID)
		left, err := srv.rdb.PTTL(ctx, "{redyn}:token:1").Result()
		if len(token) != 44 || err != nil || left <= 0 || left > time.Minute {
			t.Errorf("token %q lives %v, %v", token, left, err)
		}
		if again, err := s.OneTimeToken(ctx, h.ID, time.Hour); err != nil || again != token {
			t.Errorf("asked again: %q, %v; want %q", again, err, token)
		}
		if still, err := srv.rdb.PTTL(ctx, "{redyn}:token:1").Result(); err != nil || still > left {
			t.Errorf("asking again makes it live %v, %v", still, err)
		}
		found, err := s.Find(ctx, auth.Query{Hosts: []auth.HostID{h.ID}, OneTimeToken: true})
		if err != nil || len(found.Tokens) != 1 || found.Tokens[h.ID] != token {
			t.Errorf("found %+v, %v", found, err)
		}
	})
}

func TestUpdateUsesUp(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		s := open(t, redisstore.Options{URL: srv.url})
		create(t, s, org, orgSets()...)
		h := addHost(t, s, home)
		used := func(u auth.Use, last int) {
			t.Helper()
			before := logLength(t, srv)
			if _, err := update(s, u, address(last)); !errors.Is(err, auth.ErrUsed) || logLength(t, srv) != before {
				t.Errorf("%+v: %v", u, err)
			}
		}
		uses := func(u auth.Use, last int, writes bool) {
			t.Helper()
			if r, err := update(s, u, address(last)); err != nil || (r.ID != "") != writes {
				t.Errorf("%+v comes to %+v, %v", u, r, err)
			}
		}
		token := func(text string) auth.Use { return auth.Use{Token: text, TokenHost: h.ID} }
		used(token("never given"), 1)
		first := oneTimeToken(t, s, h.ID)
		used(token("not the same"), 1)
		used(auth.Use{Token: first, TokenHost: h.ID + 1}, 1)
		uses(token(first), 1, true)
		used(token(first), 2)
		second := oneTimeToken(t, s, h.ID)
		if second == first {
			t.Error("a token is given twice")
		}
		uses(token(second), 1, false) // which changes nothing
		used(token(second), 1)

		replay := func(key string) auth.Use {
			return auth.Use{Replay: &auth.Replay{Key: key, Expires: time.Now().Add(10 * time.Minute)}}
		}
		uses(replay("key:sig"), 1, false)
		used(replay("key:sig"), 1)
		used(replay("key:sig"), 2)
		uses(replay("key:other"), 2, true)
		used(replay("key:other"), 3)
		if left, err := srv.rdb.PTTL(ctx, "{redyn}:replay:key:sig").Result(); err != nil || left < 9*time.Minute || left > 10*time.Minute {
			t.Errorf("a signature is known for %v, %v", left, err)
		}

		// A conflict uses up nothing, nor does one of two that is used.
		third := oneTimeToken(t, s, h.ID)
		both := token(third)
		both.Replay = replay("key:sig").Replay
		used(both, 3)
		_, err := s.Update(ctx, dns.Change{Zones: []dns.ZoneChange{{Zone: org, Expect: []dns.RRset{address(9)}, RRsets: []dns.RRset{address(4)}}}}, token(third))
		if !errors.Is(err, dns.ErrConflict) {
			t.Errorf("a conflict: %v", err)
		}
		uses(token(third), 4, true)
	})
}

func TestUpdateLimitsHosts(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
		s := open(t, redisstore.Options{URL: srv.url, Now: func() time.Time { return now }})
		create(t, s, org, orgSets()...)
		h := addHost(t, s, home)
		u := auth.Use{Hosts: []dns.Name{home, "other.example.org."}, HostLimit: auth.Limit{Count: 2, Per: time.Minute}, TokenHost: h.ID}
		write := func(last int, writes bool) {
			t.Helper()
			if r, err := update(s, u, address(last)); err != nil || (r.ID != "") != writes {
				t.Errorf("update to %d comes to %+v, %v", last, r, err)
			}
		}
		write(1, true)
		if h, err := s.Host(ctx, h.ID); err != nil || !h.Changed.Equal(now) {
			t.Errorf("host is %+v, %v", h, err)
		}
		now = now.Add(time.Minute)
		write(1, false)
		if h, _ := s.Host(ctx, h.ID); h.Changed.Equal(now) {
			t.Error("an update that changes nothing is noted as a change")
		}
		write(2, true)
		write(2, false)
		u.Token = oneTimeToken(t, s, h.ID)
		var limit *auth.LimitError
		before := logLength(t, srv)
		if _, err := update(s, u, address(3)); !errors.As(err, &limit) || limit.RetryAfter <= 0 || limit.RetryAfter > time.Minute || logLength(t, srv) != before {
			t.Errorf("a third change: %v", err)
		}
		if token := oneTimeToken(t, s, h.ID); token != u.Token {
			t.Error("a change over the limit uses up the token")
		}
		write(2, false)
		u.Token = ""
		// The other host has changed never, and all of a change counts or nothing.
		other := dns.NewRRset("other.example.org.", dns.TypeA, 60, "192.0.2.7")
		if _, err := update(s, u, address(3), other); !errors.As(err, &limit) {
			t.Errorf("two hosts, one over the limit: %v", err)
		}
		if r, err := update(s, u, other); err != nil || r.ID == "" {
			t.Errorf("the other host: %+v, %v", r, err)
		}
		srv.pass("{redyn}:limit:host:home.example.org.")
		write(3, true)
	})
}

// One token is worth one update, however many race for it.
func TestUpdateRace(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		s := open(t, redisstore.Options{URL: srv.url})
		create(t, s, org, orgSets()...)
		h := addHost(t, s, home)
		u := auth.Use{Token: oneTimeToken(t, s, h.ID), TokenHost: h.ID}
		var wg sync.WaitGroup
		var won, lost atomic.Int32
		for i := range 200 {
			wg.Go(func() {
				switch _, err := update(s, u, address(i%250)); {
				case err == nil:
					won.Add(1)
				case errors.Is(err, auth.ErrUsed):
					lost.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 || lost.Load() != 199 {
			t.Errorf("%d have won, %d lost", won.Load(), lost.Load())
		}
	})
}

func TestUpdateLostReply(t *testing.T) {
	srv := startRedis(t)
	p := newProxy(t, srv.addr())
	s := open(t, redisstore.Options{URL: p.url()})
	create(t, s, org, orgSets()...)
	h := addHost(t, s, home)
	apply(t, s, org, address(1))
	look := newServer(t, srv.url(), srv)
	for i := range 10 {
		last := i / 2 // every other update changes nothing
		u := auth.Use{Token: oneTimeToken(t, s, h.ID), TokenHost: h.ID}
		if i%3 == 0 {
			u = auth.Use{Replay: &auth.Replay{Key: fmt.Sprintf("key:%d", i), Expires: time.Now().Add(time.Minute)}}
		}
		if _, err := update(s, auth.Use{}, address(last+i%2)); err != nil { // so that there is a connection
			t.Fatal(err)
		}
		before := logLength(t, look)
		want := before
		if i%2 == 0 {
			want++
			last++
		} else {
			last++
		}
		p.cutReplies(1)
		r, err := update(s, u, address(last))
		if err != nil || logLength(t, look) != want || (r.ID != "") != (want > before) {
			t.Errorf("update %d, reply lost: %+v, %v", i, r, err)
		}
		if _, err := update(s, u, address(200)); !errors.Is(err, auth.ErrUsed) {
			t.Errorf("update %d again: %v", i, err)
		}
	}
}

// Nor is an update reported as failed that uses up nothing, whether it changes something or not.
func TestLostReplyOfNoChange(t *testing.T) {
	srv := startRedis(t)
	p := newProxy(t, srv.addr())
	s := open(t, redisstore.Options{URL: p.url()})
	create(t, s, org, orgSets()...)
	addHost(t, s, home)
	apply(t, s, org, address(1))
	u := auth.Use{Hosts: []dns.Name{home}}
	for i, last := range []int{1, 2, 2, 2, 3, 3} {
		p.cutReplies(1)
		if r, err := update(s, u, address(last)); err != nil || (r.ID != "") != (i%3 == 1) {
			t.Errorf("update %d to %d, reply lost: %+v, %v", i, last, r, err)
		}
	}
}

// A question whose reply is lost is asked again.
func TestFindLostReply(t *testing.T) {
	srv := startRedis(t)
	p := newProxy(t, srv.addr())
	s := open(t, redisstore.Options{URL: p.url()})
	ctx := context.Background()
	create(t, s, org, orgSets()...)
	h := addHost(t, s, home)
	token := oneTimeToken(t, s, h.ID)
	q := auth.Query{HostNames: []dns.Name{home}, OneTimeToken: true}
	for range 3 {
		p.cutReplies(1)
		if found, err := s.Find(ctx, q); err != nil || found.Tokens[h.ID] != token {
			t.Errorf("reply lost: %+v, %v", found, err)
		}
		p.cutReplies(1)
		if again := oneTimeToken(t, s, h.ID); again != token {
			t.Errorf("reply lost: %s is another token", again)
		}
	}
	p.cutReplies(1000)
	if _, err := s.Find(ctx, q); err == nil || errors.Is(err, dns.ErrNotFound) {
		t.Errorf("no reply: %v", err)
	}
}

// Twenty hosts of two zones in one request are one entry, and one serial of each zone.
func TestUpdateManyHosts(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		s := open(t, redisstore.Options{URL: srv.url})
		const net = dns.Name("example.net.")
		create(t, s, org, orgSets()...)
		create(t, s, net, dns.NewRRset(net, dns.TypeSOA, 60, soaContent))
		zones := []dns.ZoneChange{{Zone: org}, {Zone: net}}
		u := auth.Use{HostLimit: auth.Limit{Count: 1, Per: time.Minute}}
		for i := range 20 {
			z := &zones[i%2]
			h := addHost(t, s, dns.Name(fmt.Sprintf("h%d.%s", i, z.Zone)))
			u.Hosts = append(u.Hosts, h.Name)
			z.RRsets = append(z.RRsets, dns.NewRRset(h.Name, dns.TypeA, 60, "192.0.2.1"), dns.NewRRset(h.Name, dns.TypeAAAA, 60, "2001:db8::1"))
		}
		before := logLength(t, srv)
		r, err := s.Update(ctx, dns.Change{Zones: zones}, u)
		if err != nil || len(r.Serials) != 2 || logLength(t, srv) != before+1 {
			t.Errorf("twenty hosts come to %+v, %v, and %d entries", r, err, logLength(t, srv)-before)
		}
		for id := range auth.HostID(20) {
			if h, err := s.Host(ctx, id+1); err != nil || h.Changed.IsZero() {
				t.Errorf("host %+v, %v", h, err)
			}
		}
		// One of them over its limit, and nothing changes.
		zones[1].RRsets[0].Content = []string{"192.0.2.2"}
		zones[0] = dns.ZoneChange{Zone: org, RRsets: []dns.RRset{www("192.0.2.2")}}
		var limit *auth.LimitError
		if _, err := s.Update(ctx, dns.Change{Zones: zones}, u); !errors.As(err, &limit) || serial(t, s, org) != r.Serials[org] {
			t.Errorf("one host over its limit: %v", err)
		}
	})
}

// What was used up on one node is used up on all.
func TestUpdateOnTwoNodes(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		one, two := open(t, redisstore.Options{URL: srv.url}), open(t, redisstore.Options{URL: srv.url})
		create(t, one, org, orgSets()...)
		h := addHost(t, one, home)
		token := auth.Use{Token: oneTimeToken(t, one, h.ID), TokenHost: h.ID}
		replay := auth.Use{Replay: &auth.Replay{Key: "key:sig", Expires: time.Now().Add(time.Minute)}}
		limited := auth.Use{Hosts: []dns.Name{home}, HostLimit: auth.Limit{Count: 1, Per: time.Minute}}
		for i, u := range []auth.Use{token, replay, limited} {
			if _, err := update(one, u, address(2*i+1)); err != nil {
				t.Errorf("%+v: %v", u, err)
			}
			var limit *auth.LimitError
			if _, err := update(two, u, address(2*i+2)); !errors.Is(err, auth.ErrUsed) && !errors.As(err, &limit) {
				t.Errorf("%+v on another node: %v", u, err)
			}
		}
	})
}
