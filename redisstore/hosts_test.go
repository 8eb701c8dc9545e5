package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"redyn/auth"
	"redyn/backend/dns"
	"redyn/redisstore"
)

const home = dns.Name("home.example.org.")

func addHost(t testing.TB, s *redisstore.Store, name dns.Name) auth.Host {
	t.Helper()
	h, _, err := s.AddHost(context.Background(), auth.Host{Name: name}, "test", "")
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// newestEntry returns the fields of the newest entry of the log.
func newestEntry(t testing.TB, srv *server) map[string]any {
	t.Helper()
	m, err := srv.rdb.XRevRangeN(context.Background(), "{redyn}:log", "+", "-", 1).Result()
	if err != nil || len(m) == 0 {
		t.Fatalf("the log has %v, %v", m, err)
	}
	return m[0].Values
}

func TestHosts(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		s := open(t, redisstore.Options{URL: srv.url})
		if _, _, err := s.AddHost(ctx, auth.Host{Name: home}, "", ""); !errors.Is(err, dns.ErrLost) {
			t.Errorf("a host of an empty store: %v", err)
		}
		if _, err := s.Hosts(ctx); !errors.Is(err, dns.ErrLost) {
			t.Errorf("hosts of an empty store: %v", err)
		}
		create(t, s, org, orgSets()...)
		f, m := follow(t, s, "node")

		h, r, err := s.AddHost(ctx, auth.Host{Name: home, Policy: auth.PolicyPreserve}, "cli", "root@here")
		if err != nil || h.ID != 1 || h.Created.IsZero() || r.ID == "" {
			t.Fatalf("host is %+v, %+v, %v", h, r, err)
		}
		if e := newestEntry(t, srv); e["host 1 home.example.org."] != `{"policy":"preserve"}` || e["who"] != "cli" || e["from"] != "root@here" {
			t.Errorf("the log tells %v", e)
		}
		if got, err := s.Host(ctx, 1); err != nil || got != h {
			t.Errorf("host is %+v, %v; want %+v", got, err, h)
		}
		if got, err := s.HostNamed(ctx, home); err != nil || got != h {
			t.Errorf("host is %+v, %v; want %+v", got, err, h)
		}
		refused := func(h auth.Host, want error, text string) {
			t.Helper()
			before := logLength(t, srv)
			if _, _, err := s.AddHost(ctx, h, "", ""); !errors.Is(err, want) || !strings.Contains(fmt.Sprint(err), text) {
				t.Errorf("%+v: %v, want %v", h, err, want)
			}
			if logLength(t, srv) != before {
				t.Errorf("%+v: something is written", h)
			}
		}
		refused(auth.Host{Name: home}, dns.ErrExists, "host 1 is home.example.org.")
		refused(auth.Host{Name: "other.example.org.", ID: 1}, dns.ErrExists, "host 1 is home.example.org.")
		refused(auth.Host{Name: "home.example.com."}, dns.ErrNotFound, "a zone that holds home.example.com.")

		// Numbers go on after the greatest, and are given once.
		for _, want := range []auth.Host{{Name: "b.example.org.", ID: 2}, {Name: org, ID: 40}, {Name: "c.example.org.", ID: 7}, {Name: "a.example.org.", ID: 41}} {
			give := want
			if want.ID != 40 && want.ID != 7 {
				give.ID = 0
			}
			if got, _, err := s.AddHost(ctx, give, "", ""); err != nil || got.ID != want.ID {
				t.Errorf("%+v becomes %+v, %v", give, got, err)
			}
		}
		if _, _, err := s.DeleteHost(ctx, 41, false, "", ""); err != nil {
			t.Error(err)
		}
		if h := addHost(t, s, "a.example.org."); h.ID != 42 {
			t.Errorf("after host 41 was deleted comes %d", h.ID)
		}
		all, err := s.Hosts(ctx)
		var names []dns.Name
		for _, h := range all {
			names = append(names, h.Name)
		}
		if want := []dns.Name{org, "a.example.org.", "b.example.org.", "c.example.org.", home}; err != nil || !slices.Equal(names, want) {
			t.Errorf("hosts are %v, %v; want %v", names, err, want)
		}
		some, err := s.HostsAmong(ctx, func(name dns.Name) bool { return name.Below(org) && name != home }, 2)
		if err != nil || len(some) != 2 || some[0].Name != "a.example.org." || some[1].Name != "b.example.org." {
			t.Errorf("some hosts are %v, %v", some, err)
		}

		r, err = s.SetHostPolicy(ctx, 1, auth.PolicyDelete, "", "")
		if got, _ := s.Host(ctx, 1); err != nil || r.ID == "" || got.Policy != auth.PolicyDelete {
			t.Errorf("host is %+v, %v", got, err)
		}
		if r, err = s.SetHostPolicy(ctx, 1, auth.PolicyDelete, "", ""); err != nil || r.ID != "" {
			t.Errorf("the same policy comes to %+v, %v", r, err)
		}
		if r, err = s.SetHostPolicy(ctx, 1, auth.PolicyDefault, "", ""); err != nil || r.ID == "" {
			t.Errorf("no policy comes to %+v, %v", r, err)
		}
		for _, err := range []error{
			func() error { _, err := s.SetHostPolicy(ctx, 99, "", "", ""); return err }(),
			func() error { _, _, err := s.DeleteHost(ctx, 99, true, "", ""); return err }(),
			func() error { _, err := s.Host(ctx, 99); return err }(),
			func() error { _, err := s.HostNamed(ctx, "no.example.org."); return err }(),
		} {
			if !errors.Is(err, dns.ErrNotFound) {
				t.Errorf("of no host: %v", err)
			}
		}
		// Nodes follow across what is not theirs.
		shown(t, f, r)
		sameAsStore(t, s, m)
		if st := f.Status(); st.Reloads != 1 || st.Errors != 0 {
			t.Errorf("status is %+v", st)
		}
	})
}

// The first of many are the first, whatever order Redis has them in.
func TestHostsAmongMany(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		s := open(t, redisstore.Options{URL: srv.url})
		create(t, s, org, orgSets()...)
		const many = 600
		for i := range many {
			addHost(t, s, dns.Name(fmt.Sprintf("h%03d.example.org.", i*7%many)))
		}
		var asked int
		some, err := s.HostsAmong(t.Context(), func(name dns.Name) bool { asked++; return name > "h003" }, 20)
		if err != nil || len(some) != 20 || some[0].Name != "h003.example.org." || some[19].Name != "h022.example.org." || asked < many {
			t.Errorf("some hosts are %v, %v; asked for %d", some, err, asked)
		}
	})
}

func TestDeleteHostWithAddresses(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		s := open(t, redisstore.Options{URL: srv.url})
		create(t, s, org, orgSets()...)
		apply(t, s, org, dns.NewRRset(home, dns.TypeA, 60, "192.0.2.9"), dns.NewRRset(home, dns.TypeAAAA, 60, "2001:db8::9"), dns.NewRRset(home, dns.TypeTXT, 60, `"x"`))
		h := addHost(t, s, home)
		before, entries := serial(t, s, org), logLength(t, srv)
		_, r, err := s.DeleteHost(ctx, h.ID, true, "cli", "")
		if err != nil || r.Serials[org] != before+1 || logLength(t, srv) != entries+1 {
			t.Errorf("deleting comes to %+v, %v", r, err)
		}
		for typ, want := range map[dns.Type]error{dns.TypeA: dns.ErrNotFound, dns.TypeAAAA: dns.ErrNotFound, dns.TypeTXT: nil} {
			if _, err := s.RRset(ctx, org, home, typ); !errors.Is(err, want) {
				t.Errorf("%v: %v", typ, err)
			}
		}
		if e := newestEntry(t, srv); e["host 1 home.example.org."] != "" || e["who"] != "cli" {
			t.Errorf("the log tells %v", e)
		}
		// A host outlives its zone, and can be deleted then.
		h = addHost(t, s, home)
		if _, err := s.DeleteZone(ctx, org, "", ""); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.DeleteHost(ctx, h.ID, true, "", ""); err != nil {
			t.Error(err)
		}
		if left, _ := srv.rdb.Keys(ctx, "{redyn}:host*").Result(); len(left) > 0 {
			t.Errorf("left are %q", left)
		}
	})
}

// Hosts outlive the loss of epoch, and keep their numbers when a data set is begun anew.
func TestHostsOfLostStore(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		s := open(t, redisstore.Options{URL: srv.url})
		create(t, s, org, orgSets()...)
		addHost(t, s, home)
		addHost(t, s, "other.example.org.")
		if err := srv.rdb.Del(t.Context(), "{redyn}:epoch").Err(); err != nil {
			t.Fatal(err)
		}
		create(t, s, "example.com.")
		for want := auth.HostID(3); want < 5; want++ {
			if h := addHost(t, s, dns.Name(fmt.Sprintf("host%d.example.com.", want))); h.ID != want {
				t.Errorf("the host's number is %d, want %d", h.ID, want)
			}
		}
	})
}

func TestAddHostsAtTheSameTime(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		s := open(t, redisstore.Options{URL: srv.url})
		create(t, s, org, orgSets()...)
		const workers, each = 6, 4
		var wg sync.WaitGroup
		for w := range workers {
			wg.Go(func() {
				for i := range each {
					if _, _, err := s.AddHost(context.Background(), auth.Host{Name: dns.Name(fmt.Sprintf("h%d-%d.example.org.", w, i))}, "", ""); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		hosts, err := s.Hosts(context.Background())
		ids := make(map[auth.HostID]bool)
		for _, h := range hosts {
			ids[h.ID] = h.ID >= 1 && h.ID <= workers*each
		}
		if err != nil || len(ids) != workers*each || slices.ContainsFunc(hosts, func(h auth.Host) bool { return !ids[h.ID] }) {
			t.Errorf("hosts are %+v, %v", hosts, err)
		}
	})
}
