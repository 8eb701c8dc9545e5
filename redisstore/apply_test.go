package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"redyn/backend/dns"
	"redyn/redisstore"
)

func www(addrs ...string) dns.RRset {
	return dns.NewRRset("www.example.org.", dns.TypeA, 60, addrs...)
}

func logLength(t testing.TB, srv *server) int64 {
	t.Helper()
	n, err := srv.rdb.XLen(context.Background(), "{redyn}:log").Result()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func serial(t testing.TB, s *redisstore.Store, zone dns.Name) dns.Serial {
	t.Helper()
	z, err := s.Zone(context.Background(), zone)
	if err != nil {
		t.Fatal(err)
	}
	return z.Serial
}

func TestApplyChangesNothing(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		s := open(t, redisstore.Options{URL: srv.url})
		create(t, s, org, orgSets()...)
		before := logLength(t, srv)
		r := apply(t, s, org, www("192.0.2.1"), dns.NewRRset("gone.example.org.", dns.TypeA, 60))
		if r.ID != "" || len(r.Serials) > 0 || serial(t, s, org) != 1 || logLength(t, srv) != before {
			t.Errorf("nothing to change comes to %+v, serial %d", r, serial(t, s, org))
		}
	})
}

func TestApplyExpect(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		s := open(t, redisstore.Options{URL: srv.url})
		create(t, s, org, orgSets()...)
		f := func(expect dns.RRset, want error) {
			t.Helper()
			before := logLength(t, srv)
			_, err := s.Apply(context.Background(), dns.Change{Zones: []dns.ZoneChange{{
				Zone: org, Expect: []dns.RRset{expect}, RRsets: []dns.RRset{www("192.0.2.7")},
			}}})
			if !errors.Is(err, want) {
				t.Errorf("expecting %v: %v, want %v", expect, err, want)
			}
			if want != nil && logLength(t, srv) != before {
				t.Errorf("expecting %v: something was written", expect)
			}
		}
		f(www("192.0.2.9"), dns.ErrConflict)
		f(www(), dns.ErrConflict)
		f(dns.NewRRset("www.example.org.", dns.TypeA, 61, "192.0.2.1"), dns.ErrConflict)
		f(www("192.0.2.1"), nil)
		f(dns.NewRRset("new.example.org.", dns.TypeA, 0), nil)
	})
}

func TestApplyRefuses(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		s := open(t, redisstore.Options{URL: srv.url})
		f := func(want string, zones ...dns.ZoneChange) {
			t.Helper()
			_, err := s.Apply(context.Background(), dns.Change{Zones: zones})
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v: want %q", err, want)
			}
		}
		f(dns.ErrLost.Error(), dns.ZoneChange{Zone: org})
		create(t, s, org, orgSets()...)
		f(dns.ErrNotFound.Error(), dns.ZoneChange{Zone: "nowhere.example."})
		f("is not in the zone", dns.ZoneChange{Zone: org, RRsets: []dns.RRset{dns.NewRRset("a.example.com.", dns.TypeA, 60)}})
		f("no type of records", dns.ZoneChange{Zone: org, RRsets: []dns.RRset{dns.NewRRset(org, dns.TypeANY, 60)}})
		f("twice", dns.ZoneChange{Zone: org, RRsets: []dns.RRset{www("192.0.2.5"), www("192.0.2.6")}})
		f("twice", dns.ZoneChange{Zone: org}, dns.ZoneChange{Zone: org})
		f("TTL", dns.ZoneChange{Zone: org, RRsets: []dns.RRset{dns.NewRRset(org, dns.TypeA, 1<<31, "192.0.2.1")}})
		f("not UTF-8", dns.ZoneChange{Zone: org, RRsets: []dns.RRset{dns.NewRRset(org, dns.TypeTXT, 60, "\"caf\xe9\"")}})
		f("not UTF-8", dns.ZoneChange{Zone: org, Metadata: dns.Metadata{"X-NOTE": {"caf\xe9"}}})
		f("no content", dns.ZoneChange{Zone: org, Keys: map[dns.KeyID]*dns.Key{1: {}}})
		f("from 1 on", dns.ZoneChange{Zone: org, Keys: map[dns.KeyID]*dns.Key{0: {Content: "private"}}})
		kind, policy := dns.Kind("catalog"), dns.SerialPolicy("random")
		f("catalog", dns.ZoneChange{Zone: org, Update: dns.ZoneUpdate{Kind: &kind}})
		f("random", dns.ZoneChange{Zone: org, Update: dns.ZoneUpdate{Policy: &policy}})
		f("spaces", dns.ZoneChange{Zone: org, Update: dns.ZoneUpdate{Masters: []string{"192.0.2.1 192.0.2.2"}}})
		// All or nothing: one of two zones is not there.
		f(dns.ErrNotFound.Error(), dns.ZoneChange{Zone: org, RRsets: []dns.RRset{www("192.0.2.5")}}, dns.ZoneChange{Zone: "nowhere.example."})
		if serial(t, s, org) != 1 {
			t.Error("half of a change was made")
		}
		if err := srv.rdb.HSet(context.Background(), "{redyn}:epoch", "schema", "2").Err(); err != nil {
			t.Fatal(err)
		}
		f("schema", dns.ZoneChange{Zone: org, RRsets: []dns.RRset{www("192.0.2.5")}})
	})
}

func TestApplySerial(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
		s := open(t, redisstore.Options{URL: srv.url, Now: func() time.Time { return now }})
		n := 0
		soa := func(zone dns.Name, serial dns.Serial) dns.RRset {
			return dns.NewRRset(zone, dns.TypeSOA, 3600, fmt.Sprintf(`ns\032\"1.example. host.example. %d 3600 600 86400 60`, serial))
		}
		f := func(kind dns.Kind, policy dns.SerialPolicy, old, want dns.Serial, more ...dns.RRset) {
			t.Helper()
			n++
			zone := dns.Name(fmt.Sprintf("zone%d.example.", n))
			z := dns.Zone{Name: zone, Kind: kind, Policy: policy}
			if _, _, err := s.CreateZone(ctx, z, []dns.RRset{soa(zone, old)}, redisstore.CreateOptions{BeginAnew: true}); err != nil {
				t.Fatal(err)
			}
			sets := []dns.RRset{dns.NewRRset(zone, dns.TypeA, 60, "192.0.2.1")}
			for _, set := range more {
				sets = append(sets, soa(zone, serialIn(set)))
			}
			r := apply(t, s, zone, sets...)
			if got := serial(t, s, zone); got != want {
				t.Errorf("%s %s: after %d comes %d, want %d", kind, policy, old, got, want)
			}
			if given, ok := r.Serials[zone]; ok != (old != want) || ok && given != want {
				t.Errorf("%s %s: result is %+v", kind, policy, r)
			}
		}
		for _, old := range []dns.Serial{0, 1, 5, 2026112200, 2026112299, 4294967295, dns.Serial(now.Unix()), dns.Serial(now.Unix()) + 1<<31, dns.Serial(now.Unix()) + 1<<31 - 1} {
			for _, policy := range []dns.SerialPolicy{dns.SerialUnixTime, dns.SerialIncrement, dns.SerialDate} {
				f(dns.Native, policy, old, policy.Next(old, now))
			}
		}
		f(dns.Master, dns.SerialIncrement, 7, 8)
		f(dns.Slave, dns.SerialUnixTime, 7, 7)
		f(dns.Native, dns.SerialUnixTime, 7, 3, soa(org, 3))
		f(dns.Native, dns.SerialUnixTime, 7, 7, soa(org, 7))
	})
}

func serialIn(set dns.RRset) dns.Serial {
	soa, err := dns.ParseSOA(set.Content[0])
	if err != nil {
		panic(err)
	}
	return soa.Serial
}

func TestApplyMetadata(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		s := open(t, redisstore.Options{URL: srv.url})
		create(t, s, org, orgSets()...)
		f, _ := follow(t, s, "node")
		set := func(meta dns.Metadata) redisstore.Result {
			t.Helper()
			r, err := s.Apply(ctx, dns.Change{Zones: []dns.ZoneChange{{Zone: org, Metadata: meta}}})
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		r := set(dns.Metadata{"ALLOW-AXFR-FROM": {"AUTO-NS", `2001:db8::/48 "x"`}, "PRESIGNED": {"1"}})
		if r.ID == "" || serial(t, s, org) != 1 {
			t.Errorf("metadata come to %+v, serial %d", r, serial(t, s, org))
		}
		if r := set(dns.Metadata{"PRESIGNED": {"1"}}); r.ID != "" {
			t.Errorf("the same metadata come to %+v", r)
		}
		r = set(dns.Metadata{"PRESIGNED": nil})
		meta, err := s.Metadata(ctx, org)
		if err != nil || len(meta) != 1 || len(meta["ALLOW-AXFR-FROM"]) != 2 || meta["ALLOW-AXFR-FROM"][1] != `2001:db8::/48 "x"` {
			t.Errorf("metadata are %v, %v", meta, err)
		}
		if err := f.Wait(ctx, r); err != nil {
			t.Error(err)
		}
	})
}

func TestApplyManyZones(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		s := open(t, redisstore.Options{URL: srv.url, Timeout: 20 * time.Second})
		var change dns.Change
		for i := range 500 {
			zone := dns.Name(fmt.Sprintf("z%d.example.", i))
			create(t, s, zone, dns.NewRRset(zone, dns.TypeSOA, 60, soaContent))
			change.Zones = append(change.Zones, dns.ZoneChange{Zone: zone, RRsets: []dns.RRset{
				dns.NewRRset(zone, dns.TypeA, 60, "192.0.2.1"), dns.NewRRset(zone, dns.TypeAAAA, 60, "2001:db8::1"),
				dns.NewRRset(zone, dns.TypeMX, 60, "10 mail.example."),
			}})
		}
		f, m := follow(t, s, "node")
		before := logLength(t, srv)
		r, err := s.Apply(ctx, change)
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Serials) != 500 || logLength(t, srv) != before+1 {
			t.Errorf("%d serials, %d entries", len(r.Serials), logLength(t, srv)-before)
		}
		if err := f.Wait(ctx, r); err != nil {
			t.Fatal(err)
		}
		for _, z := range change.Zones {
			if got := m.get(z.Zone, z.Zone, dns.TypeAAAA); len(got) != 1 {
				t.Fatalf("%s has %v", z.Zone, got)
			}
		}
		change.Zones = append(change.Zones, dns.ZoneChange{Zone: org})
		if _, err := s.Apply(ctx, change); err == nil {
			t.Error("501 zones are taken")
		}
	})
}

// A change that is too large for the log is told as a zone to be read anew.
func TestApplyLargeChange(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		s := open(t, redisstore.Options{URL: srv.url})
		create(t, s, org, orgSets()...)
		create(t, s, "small.example.", dns.NewRRset("small.example.", dns.TypeSOA, 60, soaContent))
		f, m := follow(t, s, "node")
		var many, gone []dns.RRset
		for i := range 2000 {
			many = append(many, dns.NewRRset(dns.Name(fmt.Sprintf("h%d.example.org.", i)), dns.TypeTXT, 60, `"`+strings.Repeat("x", 40)+`"`))
			gone = append(gone, dns.NewRRset(many[i].Name, dns.TypeTXT, 0))
		}
		for _, sets := range [][]dns.RRset{many, gone} {
			r, err := s.Apply(ctx, dns.Change{ID: "large", Zones: []dns.ZoneChange{
				{Zone: org, RRsets: sets},
				{Zone: "small.example.", RRsets: []dns.RRset{dns.NewRRset("small.example.", dns.TypeA, 60, fmt.Sprintf("192.0.2.%d", len(sets[0].Content)))}},
			}})
			if err != nil {
				t.Fatal(err)
			}
			if err := f.Wait(ctx, r); err != nil {
				t.Fatal(err)
			}
			if got := m.get(org, "h1999.example.org.", dns.TypeTXT); len(got) != len(sets[0].Content) {
				t.Errorf("last RRset is %v", got)
			}
			entry, err := srv.rdb.XRevRangeN(ctx, "{redyn}:log", "+", "-", 1).Result()
			if err != nil || len(entry[0].Values) > 20 {
				t.Errorf("the entry has %d fields, %v", len(entry[0].Values), err)
			}
		}
	})
}

func TestApplyAtTheSameTime(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		s := open(t, redisstore.Options{URL: srv.url})
		f, m := follow(t, s, "node")
		create(t, s, org, dns.NewRRset(org, dns.TypeSOA, 60, soaContent), dns.NewRRset(org, dns.TypeTXT, 60, "0"))
		const workers, each = 8, 25
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				for done := 0; done < each; {
					old, err := s.RRset(ctx, org, org, dns.TypeTXT)
					if err != nil {
						t.Error(err)
						return
					}
					var n int
					fmt.Sscan(old.Content[0], &n)
					_, err = s.Apply(ctx, dns.Change{Zones: []dns.ZoneChange{{
						Zone: org, Expect: []dns.RRset{old},
						RRsets: []dns.RRset{dns.NewRRset(org, dns.TypeTXT, 60, fmt.Sprint(n+1))},
					}}})
					switch {
					case err == nil:
						done++
					case !errors.Is(err, dns.ErrConflict):
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		r := apply(t, s, org, www("192.0.2.1"))
		if err := f.Wait(ctx, r); err != nil {
			t.Fatal(err)
		}
		if got := m.get(org, org, dns.TypeTXT); len(got) != 1 || got[0] != fmt.Sprint(workers*each) {
			t.Errorf("counted to %v, want %d", got, workers*each)
		}
	})
}
