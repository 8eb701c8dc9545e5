package redisstore_test

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"redyn/auth"
	"redyn/backend/dns"
	"redyn/redisstore"
)

func TestFind(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		s := open(t, redisstore.Options{URL: srv.url})
		if _, err := s.Find(ctx, auth.Query{IDs: []string{"x"}}); !errors.Is(err, dns.ErrLost) {
			t.Errorf("in an empty store: %v", err)
		}
		create(t, s, org, orgSets()...)
		create(t, s, "example.com.", dns.NewRRset("example.com.", dns.TypeSOA, 60, soaContent))
		deep := addHost(t, s, `a\.b\\.dyn.example.org.`)
		dyn, apex := addHost(t, s, "dyn.example.org."), addHost(t, s, org)
		add := func(g auth.Grant) string {
			c := newPassword(t, "x")
			c.Grant = g
			return addCredential(t, s, c).ID
		}
		ofDeep := add(auth.Grant{Hosts: []auth.Area{{Host: deep.ID, Name: deep.Name}}})
		ofDyn := add(auth.Grant{Hosts: []auth.Area{{Host: dyn.ID, Name: dyn.Name, Below: true}}})
		ofOrg := add(auth.Grant{Zones: []auth.Area{{Name: org}}})
		ofCom := add(auth.Grant{Zones: []auth.Area{{Name: "example.com."}}, Hosts: []auth.Area{{Name: "example.com."}}})
		token := addToken(t, s, apex)

		f := func(q auth.Query, hosts []auth.HostID, want ...string) {
			t.Helper()
			got, err := s.Find(ctx, q)
			if err != nil {
				t.Errorf("%+v: %v", q, err)
			}
			var ids []auth.HostID
			for _, h := range got.Hosts {
				ids = append(ids, h.ID)
			}
			if !slices.Equal(ids, hosts) || !slices.Equal(found(t, s, q), want) {
				t.Errorf("%+v finds hosts %v and credentials %v; want %v and %v", q, ids, found(t, s, q), hosts, want)
			}
		}
		f(auth.Query{}, nil)
		f(auth.Query{TokenHash: token.TokenHash()}, nil, token.ID)
		f(auth.Query{TokenHash: auth.HashToken(auth.NewSecret("another"))}, nil)
		f(auth.Query{IDs: []string{ofCom, "unknown", ofDeep, ofCom}}, nil, ofCom, ofDeep)
		f(auth.Query{Hosts: []auth.HostID{dyn.ID, 99, dyn.ID}, HostNames: []dns.Name{"nobody.example.org.", deep.Name, dyn.Name}}, []auth.HostID{dyn.ID, deep.ID})
		// The credentials of a host, then those of names above it.
		f(auth.Query{Hosts: []auth.HostID{deep.ID}, ForHosts: true}, []auth.HostID{deep.ID}, ofDeep, ofDyn, ofOrg)
		f(auth.Query{HostNames: []dns.Name{"new.dyn.example.org."}, ForHosts: true}, nil, ofDyn, ofOrg)
		f(auth.Query{HostNames: []dns.Name{"sub.example.com."}, ForHosts: true}, nil, ofCom)
		f(auth.Query{ForZones: []dns.Name{"example.com."}}, nil, ofCom)
		f(auth.Query{HostNames: []dns.Name{"com."}, ForHosts: true}, nil)
		// Each once, though found twice.
		f(auth.Query{IDs: []string{ofOrg}, HostNames: []dns.Name{"x.example.org."}, ForHosts: true, ForZones: []dns.Name{org}}, nil, ofOrg, token.ID)
		if got := found(t, s, auth.Query{Hosts: []auth.HostID{apex.ID}, ForHosts: true}); len(got) != 2 || !slices.Contains(got, ofOrg) || !slices.Contains(got, token.ID) {
			t.Errorf("found of the apex are %v", got)
		}

		if err := srv.rdb.HSet(ctx, "{redyn}:cred:"+ofCom, "value", `{"id":"`+ofCom+`","limit_of_a_later_version":1}`).Err(); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Find(ctx, auth.Query{IDs: []string{ofCom}}); err == nil {
			t.Errorf("a credential that cannot be read is %+v", got)
		}
		srv.rdb.HSet(ctx, "{redyn}:epoch", "schema", "2")
		if _, err := s.Find(ctx, auth.Query{}); err == nil {
			t.Error("keys of another schema are read")
		}
	})
}

func TestLimitSource(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		s := open(t, redisstore.Options{URL: srv.url})
		other := open(t, redisstore.Options{URL: srv.url}) // nodes share limits
		create(t, s, org, orgSets()...)
		h := addHost(t, s, home)
		ask := func(s *redisstore.Store, from string, waits bool) {
			t.Helper()
			q := auth.Query{Hosts: []auth.HostID{h.ID}, FromLimit: auth.Limit{Count: 3, Per: time.Minute}}
			if from != "" {
				q.From = netip.MustParseAddr(from)
			}
			got, err := s.Find(ctx, q)
			if err != nil || (got.RetryAfter > 0) != waits || (len(got.Hosts) == 0) != waits || got.RetryAfter > time.Minute {
				t.Errorf("from %s: %+v, %v", from, got, err)
			}
		}
		ask(s, "192.0.2.1", false)
		ask(other, "::ffff:192.0.2.1", false)
		ask(s, "192.0.2.1", false)
		ask(other, "192.0.2.1", true)
		ask(s, "192.0.2.1", true)
		ask(s, "192.0.2.2", false)
		for _, addr := range []string{"2001:db8:1:2::1", "2001:db8:1:2:3::9", "2001:db8:1:2:ffff::%eth0"} {
			ask(s, addr, false)
		}
		ask(s, "2001:db8:1:2::77", true)
		ask(s, "2001:db8:1:3::1", false)
		for range 5 {
			ask(s, "", false) // from nowhere that is known
		}
		srv.pass("{redyn}:limit:source:192.0.2.1")
		ask(s, "192.0.2.1", false)
		if left, _ := srv.rdb.PTTL(ctx, "{redyn}:limit:source:2001:db8:1:2::/64").Result(); left <= 0 {
			t.Errorf("a count lives %v", left)
		}
	})
}

func TestLimitFailures(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		s := open(t, redisstore.Options{URL: srv.url})
		create(t, s, org, orgSets()...)
		c := addToken(t, s, addHost(t, s, home))
		limit := auth.Limit{Count: 2, Per: time.Minute}
		failures := 0
		fail := func(from string) {
			t.Helper()
			failures++
			if n, err := s.Failed(ctx, netip.MustParseAddr(from), c.ID, limit); err != nil || n != failures {
				t.Errorf("failed %d times, not %d, %v", n, failures, err)
			}
		}
		ask := func(from string, l auth.Limit, waits bool, failures int) {
			t.Helper()
			got, err := s.Find(ctx, auth.Query{From: netip.MustParseAddr(from), IDs: []string{c.ID}, FailureLimit: l})
			if err != nil || (got.RetryAfter > 0) != waits || got.Failures[c.ID] != failures {
				t.Errorf("from %s: %+v, %v", from, got, err)
			}
		}
		ask("192.0.2.1", limit, false, 0)
		fail("192.0.2.1")
		ask("192.0.2.1", limit, false, 1)
		fail("192.0.2.1")
		ask("192.0.2.1", limit, true, 0)
		ask("192.0.2.1", auth.Limit{}, false, 0)
		// Guesses from everywhere add up, and lock nobody out.
		for i := range 8 {
			fail(netip.AddrFrom4([4]byte{198, 51, 100, byte(i)}).String())
		}
		ask("192.0.2.2", limit, false, 10)
		srv.pass("{redyn}:limit:failures:192.0.2.1")
		ask("192.0.2.1", limit, false, 10)
		srv.pass("{redyn}:limit:credential:" + c.ID)
		ask("192.0.2.1", limit, false, 0)
		// Off is off, and one that is meant for nobody is counted against its source alone.
		if n, err := s.Failed(ctx, netip.MustParseAddr("192.0.2.9"), c.ID, auth.Limit{}); err != nil || n != 0 {
			t.Error(n, err)
		}
		if n, err := s.Failed(ctx, netip.MustParseAddr("192.0.2.9"), "", limit); err != nil || n != 0 {
			t.Error(n, err)
		}
		ask("192.0.2.9", auth.Limit{Count: 1, Per: time.Minute}, true, 0)
		if _, err := s.Failed(ctx, netip.Addr{}, "", limit); err != nil {
			t.Error(err)
		}
	})
}
