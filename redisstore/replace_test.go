package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"redyn/backend/dns"
	"redyn/redisstore"
)

func count(t testing.TB, s *redisstore.Store, zone dns.Name) int {
	t.Helper()
	n := 0
	for _, err := range s.RRsets(context.Background(), zone) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

// rrKeys returns the generations that there are.
func rrKeys(t testing.TB, srv *server) []string {
	t.Helper()
	keys, err := srv.rdb.Keys(context.Background(), "{redyn}:rr:*").Result()
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestReplaceZone(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		s := open(t, redisstore.Options{URL: srv.url})
		create(t, s, org, orgSets()...)
		f, m := follow(t, s, "node")
		before, err := s.Zone(ctx, org)
		if err != nil {
			t.Fatal(err)
		}
		calls, records := 0, 0
		z, r, err := s.ReplaceZone(ctx, org, hosts(org, 3500), redisstore.ReplaceOptions{Who: "me", Progress: func(n int) {
			if n <= records {
				t.Errorf("after %d records %d", records, n)
			}
			calls, records = calls+1, n
		}})
		if err != nil || z.ID != before.ID || z.Serial != 1 || r.Serials[org] != 1 {
			t.Fatalf("%+v, %+v, %v", z, r, err)
		}
		if calls != 4 || records != 3501 {
			t.Errorf("fed %d records in %d chunks", records, calls)
		}
		if n := count(t, s, org); n != 3501 {
			t.Errorf("%d RRsets", n)
		}
		keys := rrKeys(t, srv)
		if len(keys) != 1 {
			t.Fatalf("generations: %q", keys)
		}
		if ttl, err := srv.rdb.TTL(ctx, keys[0]).Result(); err != nil || ttl >= 0 {
			t.Errorf("the records expire in %v, %v", ttl, err)
		}
		if err := f.Wait(ctx, r); err != nil {
			t.Fatal(err)
		}
		if m.get(org, "www.example.org.", dns.TypeA) != nil || m.get(org, "host-003499.example.org.", dns.TypeA) == nil {
			t.Error("the copy does not show the new records")
		}
		// A store that has seen the zone before finds it again.
		apply(t, s, org, www("192.0.2.1"))
	})
}

func TestReplaceZoneRefuses(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		s := open(t, redisstore.Options{URL: srv.url})
		f := func(name dns.Name, sets iter.Seq2[dns.RRset, error], o redisstore.ReplaceOptions, want string) {
			t.Helper()
			_, _, err := s.ReplaceZone(context.Background(), name, sets, o)
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %q", err, want)
			}
		}
		f(org, hosts(org, 10), redisstore.ReplaceOptions{}, dns.ErrLost.Error())
		create(t, s, org, orgSets()...)
		keys, before := rrKeys(t, srv), logLength(t, srv)
		broken := errors.New("line 7: nonsense")
		failing := func(yield func(dns.RRset, error) bool) {
			for set := range hosts(org, 2500) {
				if !yield(set, nil) {
					return
				}
			}
			yield(dns.RRset{}, broken)
		}
		f(org, failing, redisstore.ReplaceOptions{}, broken.Error())
		f("new.example.", hosts("new.example.", 10), redisstore.ReplaceOptions{}, dns.ErrNotFound.Error())
		f(org, hosts(org, 10), redisstore.ReplaceOptions{Create: &dns.Zone{}, New: true}, dns.ErrExists.Error())
		f("new.example.", hosts(org, 10), redisstore.ReplaceOptions{Create: &dns.Zone{}}, "not in the zone")
		f("new.example.", hosts("new.example.", 10), redisstore.ReplaceOptions{Create: &dns.Zone{Kind: "producer"}}, "kind")
		if now := rrKeys(t, srv); !slices.Equal(now, keys) || logLength(t, srv) != before {
			t.Errorf("after failures there are %q, %d entries", now, logLength(t, srv)-before)
		}
		if n := count(t, s, org); n != len(orgSets()) {
			t.Errorf("%d RRsets", n)
		}
	})
}

// A chunk stays below a megabyte.
func TestReplaceZoneWithLongRecords(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		s := open(t, redisstore.Options{URL: srv.url})
		long := `"` + strings.Repeat("x", 50_000) + `"`
		sets := func(yield func(dns.RRset, error) bool) {
			for i := range 50 {
				if !yield(dns.NewRRset(dns.Name(fmt.Sprintf("h%d.example.org.", i)), dns.TypeTXT, 60, long), nil) {
					return
				}
			}
		}
		calls := 0
		_, _, err := s.ReplaceZone(context.Background(), org, sets, redisstore.ReplaceOptions{
			Create: &dns.Zone{}, BeginAnew: true, Progress: func(int) { calls++ },
		})
		if err != nil || calls != 3 || count(t, s, org) != 50 {
			t.Errorf("%d chunks, %d RRsets, %v", calls, count(t, s, org), err)
		}
	})
}

// What was fed and has expired before the end is not shown in part.
func TestReplaceZoneExpires(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		s := open(t, redisstore.Options{URL: srv.url})
		create(t, s, org, orgSets()...)
		old := rrKeys(t, srv)[0]
		sets := func(yield func(dns.RRset, error) bool) {
			n := 0
			for set, err := range hosts(org, 2500) {
				if n++; n == 1500 {
					for _, key := range rrKeys(t, srv) {
						if key == old {
							continue
						}
						if ttl, err := srv.rdb.TTL(ctx, key).Result(); err != nil || ttl <= 0 {
							t.Errorf("what is being fed expires in %v, %v", ttl, err)
						}
						srv.rdb.Del(ctx, key)
					}
				}
				if !yield(set, err) {
					return
				}
			}
		}
		_, _, err := s.ReplaceZone(ctx, org, sets, redisstore.ReplaceOptions{})
		if err == nil || !strings.Contains(err.Error(), "feed them again") {
			t.Errorf("%v", err)
		}
		if n := count(t, s, org); n != len(orgSets()) {
			t.Errorf("%d RRsets", n)
		}
	})
}

// Readers of a zone that is replaced under them are told so.
func TestReadWhileReplaced(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		s := open(t, redisstore.Options{URL: srv.url})
		fill(t, s, org, 20_000)
		var last error
		n := 0
		for _, err := range s.RRsets(ctx, org) {
			if n++; n == 1 {
				fill2(t, s, org, 10)
			}
			last = err
		}
		if last == nil {
			t.Errorf("%d RRsets read of a zone replaced meanwhile", n)
		}
	})
}

func fill2(t testing.TB, s *redisstore.Store, zone dns.Name, n int) {
	t.Helper()
	if _, _, err := s.ReplaceZone(context.Background(), zone, hosts(zone, n), redisstore.ReplaceOptions{}); err != nil {
		t.Fatal(err)
	}
}

func TestName(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		s := open(t, redisstore.Options{URL: srv.url})
		odd := dns.Name(`*.[a?b\\\*.example.org.`)
		create(t, s, org, append(orgSets(), dns.NewRRset(odd, dns.TypeTXT, 60, "x"), dns.NewRRset(odd, dns.TypeA, 60, "192.0.2.1"),
			dns.NewRRset("x.[a?b\\\\*.example.org.", dns.TypeA, 60, "192.0.2.1"))...)
		for name, want := range map[dns.Name]int{odd: 2, "www.example.org.": 1, org: 2, "w.example.org.": 0, "*.example.org.": 0} {
			if sets, err := s.Name(context.Background(), org, name); err != nil || len(sets) != want {
				t.Errorf("%s has %v, %v", name, sets, err)
			}
		}
	})
}
