package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"redyn/backend/dns"
	"redyn/redisstore"
)

func begin(t testing.TB, s *redisstore.Store, zone dns.Name) *redisstore.Replacement {
	t.Helper()
	r, err := s.BeginReplace(context.Background(), zone, redisstore.ReplaceOptions{Create: &dns.Zone{}, BeginAnew: true, Who: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Abandon(context.Background()) })
	return r
}

func add(t testing.TB, r *redisstore.Replacement, sets ...dns.RRset) {
	t.Helper()
	if err := r.Add(context.Background(), sets...); err != nil {
		t.Fatal(err)
	}
}

func commit(t testing.TB, r *redisstore.Replacement) redisstore.Result {
	t.Helper()
	result, err := r.Commit(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// setsOf returns all RRsets by owner and type.
func setsOf(t testing.TB, sets func(func(dns.RRset, error) bool)) map[rrKey]dns.RRset {
	t.Helper()
	all := make(map[rrKey]dns.RRset)
	for set, err := range sets {
		if err != nil {
			t.Fatal(err)
		}
		all[rrKey{set.Name, set.Type}] = set
	}
	return all
}

func sameSets(a, b map[rrKey]dns.RRset) error {
	for key, set := range a {
		if !set.Equal(b[key]) {
			return fmt.Errorf("%v and %v", set, b[key])
		}
	}
	return holds(len(a) == len(b), "%d and %d RRsets", len(a), len(b))
}

// Records that come in pieces, in any order, are read back while they come, and are in the end what
// they would be if they had come at once.
func TestReplacementInPieces(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		s := open(t, redisstore.Options{URL: srv.url})
		create(t, s, org, orgSets()...)
		f, m := follow(t, s, "node")
		rnd := rand.New(rand.NewPCG(3, 4))
		r := begin(t, s, org)
		want := make(map[rrKey]dns.RRset)
		put := func(set dns.RRset) {
			key := rrKey{set.Name, set.Type}
			there := want[key]
			if len(there.Content) > 0 {
				set.TTL = there.TTL
			}
			want[key] = dns.NewRRset(set.Name, set.Type, set.TTL, slices.Concat(there.Content, set.Content)...)
		}
		types := []dns.Type{dns.TypeA, dns.TypeTXT, dns.TypeMX, 65280}
		for i := range 6000 {
			set := dns.RRset{Name: dns.Name(fmt.Sprintf("h%d.example.org.", rnd.IntN(150))), Type: types[rnd.IntN(len(types))], TTL: uint32(i)}
			for range 1 + rnd.IntN(2) {
				set.Content = append(set.Content, []string{`"`, `"\"`, `z`, "\x01", `ü`, `\\`}[rnd.IntN(6)]+fmt.Sprint(rnd.IntN(40)))
			}
			add(t, r, set)
			put(set)
			if i%500 != 0 {
				continue
			}
			found, err := r.Lookup(ctx, set.Name)
			for _, got := range found {
				if !got.Equal(want[rrKey{got.Name, got.Type}]) {
					t.Fatalf("in the midst there is %v, want %v", got, want[rrKey{got.Name, got.Type}])
				}
			}
			if err != nil || len(found) == 0 {
				t.Fatalf("%s has %v, %v", set.Name, found, err)
			}
			if i%1500 == 0 {
				if err := sameSets(setsOf(t, r.RRsets(ctx)), want); err != nil {
					t.Fatal(err)
				}
			}
		}
		if found, err := r.Lookup(ctx, "nobody.example.org."); err != nil || len(found) > 0 {
			t.Errorf("an owner that is not there has %v, %v", found, err)
		}
		if n := count(t, s, org); n != len(orgSets()) {
			t.Errorf("before the end the zone has %d RRsets", n)
		}
		soa := orgSets()[0]
		add(t, r, soa, soa)
		put(soa)
		result := commit(t, r)
		if result.ID == "" || result.Serials[org] != 1 || r.Zone().Serial != 1 {
			t.Errorf("it comes to %+v, %+v", result, r.Zone())
		}
		if err := sameSets(setsOf(t, s.RRsets(ctx, org)), want); err != nil {
			t.Error(err)
		}
		// Equal sets are equal bytes: nothing is left to change.
		for _, set := range want {
			if r := apply(t, s, org, set); r.ID != "" {
				t.Fatalf("%v is stored as another", set)
			}
		}
		shown(t, f, result)
		sameAsStore(t, s, m)
		if _, err := r.Commit(ctx); err == nil {
			t.Error("it is committed twice")
		}
		if err := r.Add(ctx, soa); err == nil {
			t.Error("records are taken after the end")
		}
	})
}

// A zone that somebody else replaced or deleted meanwhile stays as it is.
func TestReplacementConflict(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		s, other := open(t, redisstore.Options{URL: srv.url}), open(t, redisstore.Options{URL: srv.url})
		f := func(meanwhile func(), wantErr error, want int) {
			t.Helper()
			if _, err := s.DeleteZone(ctx, org, "", ""); err != nil && !errors.Is(err, dns.ErrNotFound) && !errors.Is(err, dns.ErrLost) {
				t.Fatal(err)
			}
			create(t, s, org, orgSets()...)
			r := begin(t, s, org)
			for set := range hosts(org, 1500) {
				add(t, r, set)
			}
			meanwhile()
			if _, err := r.Commit(ctx); !errors.Is(err, wantErr) {
				t.Errorf("%v, want %v", err, wantErr)
			}
			n := 0
			for _, err := range other.RRsets(ctx, org) {
				if n++; err != nil && !errors.Is(err, dns.ErrNotFound) {
					t.Error(err)
				}
			}
			if n != want {
				t.Errorf("%d RRsets, want %d", n, want)
			}
			if keys := rrKeys(t, srv); len(keys) > 1 {
				t.Errorf("generations: %q", keys)
			}
		}
		gone := func() {
			if _, err := other.DeleteZone(ctx, org, "", ""); err != nil {
				t.Fatal(err)
			}
		}
		f(func() {}, nil, 1501)
		f(func() { fill2(t, other, org, 20) }, dns.ErrConflict, 21)
		f(gone, dns.ErrConflict, 1)
		f(func() { gone(); create(t, other, org, orgSets()...) }, dns.ErrConflict, len(orgSets()))
		f(func() { apply(t, other, org, www("192.0.2.55")) }, nil, 1501)
		r := begin(t, s, "new.example.")
		create(t, other, "new.example.")
		if _, err := r.Commit(ctx); !errors.Is(err, dns.ErrExists) {
			t.Errorf("a zone created meanwhile: %v", err)
		}
	})
}

// What is abandoned leaves nothing, and what comes late from one that has ended does nothing.
func TestReplacementEnds(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		s := open(t, redisstore.Options{URL: srv.url})
		create(t, s, org, orgSets()...)
		r := begin(t, s, org)
		for set := range hosts(org, 1500) {
			add(t, r, set)
		}
		r.Abandon(ctx)
		r.Abandon(ctx)
		if keys := rrKeys(t, srv); len(keys) != 1 {
			t.Errorf("generations: %q", keys)
		}
		if _, err := r.Lookup(ctx, org); err == nil {
			t.Error("it is read after the end")
		}
		for _, err := range r.RRsets(ctx) {
			if err == nil {
				t.Error("it is listed after the end")
			}
		}
		r = begin(t, s, org)
		add(t, r, orgSets()...)
		commit(t, r)
		r.Abandon(ctx)
		if err := r.FeedLate(ctx, www("192.0.2.66"), dns.NewRRset("late.example.org.", dns.TypeA, 60, "192.0.2.66")); err == nil {
			t.Error("what comes late is taken")
		}
		for _, ttl := range []time.Duration{time.Minute, 0} {
			if err := r.HoldLate(ctx, ttl); err != nil {
				t.Error(err)
			}
		}
		keys := rrKeys(t, srv)
		if ttl, err := srv.rdb.TTL(ctx, keys[0]).Result(); err != nil || ttl >= 0 || len(keys) != 1 || count(t, s, org) != len(orgSets()) {
			t.Errorf("%q expires in %v, %v, with %d RRsets", keys, ttl, err, count(t, s, org))
		}
	})
}

// Whoever loses what was fed can neither read nor commit the rest.
func TestReplacementGone(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		s := open(t, redisstore.Options{URL: srv.url})
		create(t, s, org, orgSets()...)
		old := rrKeys(t, srv)
		for _, use := range []func(r *redisstore.Replacement) error{
			func(r *redisstore.Replacement) error { _, err := r.Commit(ctx); return err },
			func(r *redisstore.Replacement) error { _, err := r.Lookup(ctx, org); return err },
			func(r *redisstore.Replacement) (err error) {
				for _, err = range r.RRsets(ctx) {
				}
				return err
			},
			func(r *redisstore.Replacement) error {
				for set := range hosts(org, 2500) {
					if err := r.Add(ctx, set); err != nil {
						_, again := r.Commit(ctx)
						return errors.Join(err, again)
					}
				}
				return nil
			},
		} {
			r := begin(t, s, org)
			for set := range hosts(org, 1500) {
				add(t, r, set)
			}
			for _, key := range rrKeys(t, srv) {
				if !slices.Contains(old, key) {
					srv.rdb.Del(ctx, key)
				}
			}
			if err := use(r); err == nil || !strings.Contains(err.Error(), "feed them again") {
				t.Errorf("%v", err)
			}
			r.Abandon(ctx)
		}
		if n := count(t, s, org); n != len(orgSets()) {
			t.Errorf("%d RRsets", n)
		}
	})
}

// A transfer may pause for as long as its process lives; what a dead process has left expires.
func TestReplacementOutlivesPause(t *testing.T) {
	const ttl = time.Second
	ctx := context.Background()
	srv := newServer(t, startRedis(t).url(), nil)
	s := open(t, redisstore.Options{URL: srv.url})
	s.SetFeedingTTL(ttl)
	create(t, s, org, orgSets()...)
	alive, dead := begin(t, s, org), begin(t, s, org)
	for set := range hosts(org, 1500) {
		add(t, alive, set)
		add(t, dead, set)
	}
	dead.Die()
	eventually(t, "what a dead process left expires", func() error {
		keys := rrKeys(t, srv)
		return holds(len(keys) == 2, "generations: %q", keys)
	})
	commit(t, alive)
	if n := count(t, s, org); n != 1501 {
		t.Errorf("%d RRsets", n)
	}
	if _, err := dead.Commit(ctx); err == nil {
		t.Error("what has expired is committed")
	}
}

// Four transfers at once, record by record, do not mix.
func TestFourReplacementsAtOnce(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		s := open(t, redisstore.Options{URL: srv.url})
		create(t, s, "zone0.example.")
		f, m := follow(t, s, "node")
		var wg sync.WaitGroup
		for i := range 4 {
			zone, n := dns.Name(fmt.Sprintf("zone%d.example.", i)), 2500+i
			wg.Go(func() {
				r, err := s.BeginReplace(context.Background(), zone, redisstore.ReplaceOptions{Create: &dns.Zone{}})
				if err != nil {
					t.Error(err)
					return
				}
				defer r.Abandon(context.Background())
				for set := range hosts(zone, n) {
					if err := r.Add(context.Background(), set); err != nil {
						t.Error(err)
						return
					}
				}
				result, err := r.Commit(context.Background())
				if err != nil {
					t.Error(err)
					return
				}
				if err := f.Wait(context.Background(), result); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for i := range 4 {
			if n := count(t, s, dns.Name(fmt.Sprintf("zone%d.example.", i))); n != 2501+i {
				t.Errorf("zone %d has %d RRsets", i, n)
			}
		}
		sameAsStore(t, s, m)
	})
}

// A million records are replaced in one visible step, with a thousand of them in memory.
func TestReplaceMillion(t *testing.T) {
	const sets, each = 100_000, 10
	ctx := context.Background()
	s := open(t, redisstore.Options{URL: startRedis(t).url()})
	create(t, s, org, orgSets()...)
	c := &counter{applied: make(chan string, 100)}
	f := s.NewFollower(redisstore.NodeOptions{Name: "node", Copy: c})
	run(t, f)
	loaded := c.sets
	var most uint64
	memory := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := memory()
	r := begin(t, s, org)
	add(t, r, orgSets()[0])
	content := make([]string, each)
	for i := range sets {
		for k := range content {
			content[k] = fmt.Sprintf("10.%d.%d.%d", k, i>>8&255, i&255)
		}
		add(t, r, dns.RRset{Name: dns.Name(fmt.Sprintf("h%d.example.org.", i)), Type: dns.TypeA, TTL: 60, Content: slices.Clone(content)})
		if i%20_000 == 0 {
			most = max(most, memory())
		}
	}
	if most > before+20<<20 {
		t.Errorf("feeding takes %d KiB", (most-before)>>10)
	}
	if z, err := s.Zone(ctx, org); err != nil || z.Serial != 1 {
		t.Errorf("before the end the zone is %+v, %v", z, err)
	}
	begun := time.Now()
	result := commit(t, r)
	t.Logf("fed with %d KiB, committed in %v", (int64(most)-int64(before))>>10, time.Since(begun))
	shown(t, f, result)
	if c.sets != loaded+sets+1 {
		t.Errorf("the node was told of %d RRsets", c.sets-loaded)
	}
}

// An id that was given to two zones, as a replica is promoted that had not heard of the first, becomes
// that of the zone which is committed first.
func TestZoneIDGivenTwice(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		s := open(t, redisstore.Options{URL: srv.url})
		create(t, s, org, orgSets()...)
		feed := func(name dns.Name) *redisstore.Replacement {
			t.Helper()
			r := begin(t, s, name)
			add(t, r, dns.NewRRset(name, dns.TypeSOA, 3600, soaContent), dns.NewRRset(name, dns.TypeTXT, 60, `"`+string(name)+`"`))
			return r
		}
		back := func() {
			t.Helper()
			if err := srv.rdb.HIncrBy(ctx, "{redyn}:epoch", "last_zone", -1).Err(); err != nil {
				t.Fatal(err)
			}
		}
		first := feed("first.example.")
		back()
		second := feed("second.example.")
		if first.Zone().ID != second.Zone().ID {
			t.Fatalf("ids are %d and %d", first.Zone().ID, second.Zone().ID)
		}
		back()
		commit(t, first)
		commit(t, second)
		third := feed("third.example.")
		commit(t, third)
		ids := make(map[dns.ZoneID]dns.Name)
		for _, r := range []*redisstore.Replacement{first, second, third} {
			z := r.Zone()
			if other := ids[z.ID]; other != "" {
				t.Errorf("%s and %s have the id %d", other, z.Name, z.ID)
			}
			ids[z.ID] = z.Name
			set, err := s.RRset(ctx, z.Name, z.Name, dns.TypeTXT)
			if err != nil || set.Content[0] != `"`+string(z.Name)+`"` {
				t.Errorf("%s has %v, %v", z.Name, set, err)
			}
		}
	})
}
