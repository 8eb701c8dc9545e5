package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"redyn/auth"
	"redyn/backend/dns"
	"redyn/redisstore"
)

func newToken(t testing.TB, hosts ...auth.Host) auth.Credential {
	t.Helper()
	c, err := auth.NewTokenCredential(auth.GenerateToken())
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range hosts {
		c.Grant.Hosts = append(c.Grant.Hosts, auth.Area{Host: h.ID, Name: h.Name})
	}
	return c
}

func addToken(t testing.TB, s *redisstore.Store, hosts ...auth.Host) auth.Credential {
	t.Helper()
	return addCredential(t, s, newToken(t, hosts...))
}

func addCredential(t testing.TB, s *redisstore.Store, c auth.Credential) auth.Credential {
	t.Helper()
	if _, err := s.AddCredential(context.Background(), c, "test", ""); err != nil {
		t.Fatal(err)
	}
	return c
}

func newPassword(t testing.TB, password string) auth.Credential {
	t.Helper()
	c, err := auth.NewPasswordCredential(auth.HashPassword(auth.NewSecret(password), auth.Cost{Memory: 8 * 1024, Passes: 1, Threads: 1}))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// found returns the ids of the credentials that a query finds, in order.
func found(t testing.TB, s *redisstore.Store, q auth.Query) []string {
	t.Helper()
	found, err := s.Find(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, c := range found.Credentials {
		ids = append(ids, c.ID)
	}
	return ids
}

func TestCredentials(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
		s := open(t, redisstore.Options{URL: srv.url, Now: func() time.Time { return now }})
		if _, err := s.AddCredential(ctx, newToken(t), "", ""); !errors.Is(err, dns.ErrLost) {
			t.Errorf("a credential of an empty store: %v", err)
		}
		if _, err := s.Credentials(ctx); !errors.Is(err, dns.ErrLost) {
			t.Errorf("credentials of an empty store: %v", err)
		}
		create(t, s, org, orgSets()...)
		h := addHost(t, s, home)
		c := newToken(t, h)
		c.Grant.Types = []dns.Type{dns.TypeA}
		if _, err := s.AddCredential(ctx, c, "cli", "root@here"); err != nil {
			t.Fatal(err)
		}
		e := newestEntry(t, srv)
		told := fmt.Sprint(e["credential "+c.ID])
		if !strings.Contains(told, `"kind":"token","hosts":[{"host":1,"name":"home.example.org."}],"types":["A"]`) || e["who"] != "cli" || e["from"] != "root@here" {
			t.Errorf("the log tells %v", e)
		}
		if strings.Contains(fmt.Sprint(e), c.TokenHash()) {
			t.Errorf("the log tells what proves the secret: %v", e)
		}
		got, err := s.Credential(ctx, c.ID)
		if err != nil || got.TokenHash() != c.TokenHash() || !got.Created.Equal(now) || got.Revoked {
			t.Errorf("credential is %+v, %v", got, err)
		}
		if _, err := s.AddCredential(ctx, c, "", ""); !errors.Is(err, dns.ErrExists) {
			t.Errorf("added again: %v", err)
		}
		twin := c
		twin.ID = auth.NewID()
		if _, err := s.AddCredential(ctx, twin, "", ""); !errors.Is(err, dns.ErrExists) {
			t.Errorf("the token added again: %v", err)
		}
		refused := func(g auth.Grant, text string) {
			t.Helper()
			c := newToken(t)
			c.Grant = g
			if _, err := s.AddCredential(ctx, c, "", ""); err == nil || !strings.Contains(err.Error(), text) {
				t.Errorf("%+v: %v, want %q", g, err, text)
			}
		}
		refused(auth.Grant{Hosts: []auth.Area{{Host: 9, Name: home}}}, "host 9: not found")
		refused(auth.Grant{Hosts: []auth.Area{{Host: 1, Name: "a.example.org."}}}, "host 1 is home.example.org., not a.example.org.")
		refused(auth.Grant{Zones: []auth.Area{{Name: "example.com."}}}, "zone example.com.: not found")

		now = now.Add(time.Hour)
		zone := newToken(t)
		zone.Grant.Zones = []auth.Area{{Name: org}}
		addCredential(t, s, zone)
		all, err := s.Credentials(ctx)
		if err != nil || len(all) != 2 || all[0].ID != c.ID || all[1].ID != zone.ID {
			t.Errorf("credentials are %+v, %v", all, err)
		}

		// Revoked is revoked everywhere with the next look, and stays to be seen.
		other := open(t, redisstore.Options{URL: srv.url})
		if r, err := s.RevokeCredential(ctx, c.ID, "cli", ""); err != nil || r.ID == "" {
			t.Errorf("revoked: %+v, %v", r, err)
		}
		if f, err := other.Find(ctx, auth.Query{TokenHash: c.TokenHash()}); err != nil || len(f.Credentials) != 1 || !f.Credentials[0].Revoked {
			t.Errorf("found %+v, %v", f, err)
		}
		if told := newestEntry(t, srv)["credential "+c.ID]; !strings.Contains(fmt.Sprint(told), `"revoked":true`) {
			t.Errorf("the log tells %v", told)
		}
		if r, err := s.RevokeCredential(ctx, c.ID, "", ""); err != nil || r.ID != "" {
			t.Errorf("revoked again: %+v, %v", r, err)
		}
		for _, id := range []string{c.ID, zone.ID} {
			if _, err := s.DeleteCredential(ctx, id, "", ""); err != nil {
				t.Error(err)
			}
		}
		for _, err := range []error{
			func() error { _, err := s.RevokeCredential(ctx, c.ID, "", ""); return err }(),
			func() error { _, err := s.DeleteCredential(ctx, c.ID, "", ""); return err }(),
			func() error { _, err := s.Credential(ctx, c.ID); return err }(),
		} {
			if !errors.Is(err, dns.ErrNotFound) {
				t.Errorf("of no credential: %v", err)
			}
		}
		for _, pattern := range []string{"{redyn}:cred*", "{redyn}:grants:*", "{redyn}:tokens"} {
			if left, _ := srv.rdb.Keys(ctx, pattern).Result(); len(left) > 0 {
				t.Errorf("left are %q", left)
			}
		}
	})
}

// A deleted host takes with it what was granted as that host, and nothing else.
func TestDeleteHostWithdraws(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		s := open(t, redisstore.Options{URL: srv.url})
		create(t, s, org, orgSets()...)
		h, other := addHost(t, s, home), addHost(t, s, "other.example.org.")
		only, both := addToken(t, s, h), addToken(t, s, h, other)
		byName := newPassword(t, "by name")
		byName.Grant.Hosts = []auth.Area{{Name: home}}
		addCredential(t, s, byName)
		zone := newPassword(t, "zone")
		zone.Grant.Zones = []auth.Area{{Name: org}}
		addCredential(t, s, zone)
		before := logLength(t, srv)
		gone, _, err := s.DeleteHost(ctx, h.ID, false, "cli", "")
		if err != nil || !slices.Equal(gone, []string{only.ID}) || logLength(t, srv) != before+1 {
			t.Errorf("gone are %v, %v", gone, err)
		}
		e := newestEntry(t, srv)
		if told, ok := e["credential "+only.ID]; !ok || told != "" || e["credential "+both.ID] == nil || e["credential "+zone.ID] != nil {
			t.Errorf("the log tells %v", e)
		}
		if got, err := s.Credential(ctx, both.ID); err != nil || len(got.Grant.Hosts) != 1 || got.Grant.Hosts[0].Host != other.ID {
			t.Errorf("the grant of two hosts is %+v, %v", got, err)
		}
		if got := found(t, s, auth.Query{TokenHash: only.TokenHash()}); got != nil {
			t.Errorf("the token still finds %v", got)
		}
		// Whoever has the name later is another host.
		again := addHost(t, s, home)
		if got := found(t, s, auth.Query{Hosts: []auth.HostID{again.ID}, ForHosts: true}); !slices.Equal(got, []string{byName.ID, zone.ID}) {
			t.Errorf("the new host's credentials are %v", got)
		}
	})
}

// Whatever is granted as a host while that is deleted is taken away with it, or refused.
func TestGrantWhileDeleting(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		s := open(t, redisstore.Options{URL: srv.url})
		create(t, s, org, orgSets()...)
		h := addHost(t, s, home)
		var wg sync.WaitGroup
		for i := range 6 {
			wg.Go(func() {
				for range 5 {
					if _, err := s.AddCredential(ctx, newToken(t, h), "", ""); err != nil && !errors.Is(err, dns.ErrNotFound) {
						t.Error(err)
					}
				}
			})
			if i == 2 {
				wg.Go(func() {
					if _, _, err := s.DeleteHost(ctx, h.ID, false, "", ""); err != nil {
						t.Error(err)
					}
				})
			}
		}
		wg.Wait()
		if left, err := s.Credentials(ctx); err != nil || len(left) > 0 {
			t.Errorf("left are %+v, %v", left, err)
		}
		if left, _ := srv.rdb.Keys(ctx, "{redyn}:grants:*").Result(); len(left) > 0 {
			t.Errorf("left are %q", left)
		}
	})
}

func TestLastUse(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		s := open(t, redisstore.Options{URL: srv.url})
		create(t, s, org, orgSets()...)
		h := addHost(t, s, home)
		c, deleted := addToken(t, s, h), addToken(t, s, h)
		first := time.Unix(1_800_000_000, 0).UTC()
		lastUse := func(want time.Time) {
			t.Helper()
			s.FlushUses()
			if got, err := s.Credential(ctx, c.ID); err != nil || !got.LastUse.Equal(want) {
				t.Errorf("used last at %v, %v; want %v", got.LastUse, err, want)
			}
		}
		before := logLength(t, srv)
		s.Used(c.ID, first.Add(-time.Second))
		s.Used(c.ID, first)
		s.Used(c.ID, first.Add(-time.Minute))
		s.Used(deleted.ID, first)
		lastUse(first)
		s.Used(c.ID, first.Add(-time.Hour)) // as a node with another clock says
		lastUse(first)
		if logLength(t, srv) != before {
			t.Error("the log is told of uses")
		}
		// A change of the credential does not rest on it, nor take it away.
		if _, err := s.RevokeCredential(ctx, c.ID, "", ""); err != nil {
			t.Error(err)
		}
		lastUse(first)
		if _, err := s.DeleteCredential(ctx, deleted.ID, "", ""); err != nil {
			t.Error(err)
		}
		s.Used(deleted.ID, first.Add(time.Hour))
		s.FlushUses()
		if left, _ := srv.rdb.Exists(ctx, "{redyn}:cred:"+deleted.ID).Result(); left != 0 {
			t.Error("noting a use makes a credential")
		}
	})
}

// What is noted while the store is away is written later, the rest when writing ends.
func TestWriteUses(t *testing.T) {
	srv := startRedis(t)
	p := newProxy(t, srv.addr())
	s := open(t, redisstore.Options{URL: p.url()})
	create(t, s, org, orgSets()...)
	c := addToken(t, s, addHost(t, s, home))
	p.redirect("127.0.0.1:1") // nobody is there
	s.Used(c.ID, time.Unix(1_800_000_000, 0))
	s.FlushUses()
	p.redirect(srv.addr())
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.WriteUses(ctx)
	}()
	cancel()
	<-ended
	eventually(t, "the use is written", func() error {
		got, err := s.Credential(context.Background(), c.ID)
		return holds(err == nil && got.LastUse.Unix() == 1_800_000_000, "%+v, %v", got, err)
	})
}

func TestUpgradePassword(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		s := open(t, redisstore.Options{URL: srv.url})
		create(t, s, org, orgSets()...)
		h := addHost(t, s, home)
		c := newPassword(t, "one")
		c.Grant.Hosts = []auth.Area{{Host: h.ID, Name: h.Name}}
		addCredential(t, s, c)
		s.Used(c.ID, time.Now())
		s.FlushUses()
		first, err := s.Credential(ctx, c.ID)
		if err != nil {
			t.Fatal(err)
		}
		detail := func(want string) {
			t.Helper()
			if got, err := s.Credential(ctx, c.ID); err != nil || !strings.Contains(got.Detail(), want) || got.LastUse.IsZero() {
				t.Errorf("credential is %q, %v; want %q", got.Detail(), err, want)
			}
		}
		hash := func(memory uint32) string {
			return auth.HashPassword(auth.NewSecret("one"), auth.Cost{Memory: memory, Passes: 1, Threads: 1})
		}
		before := logLength(t, srv)
		if err := s.UpgradePassword(ctx, first, hash(9*1024)); err != nil {
			t.Error(err)
		}
		detail("m=9216")
		if err := s.UpgradePassword(ctx, first, hash(10*1024)); err != nil { // which was changed meanwhile
			t.Error(err)
		}
		detail("m=9216")
		if logLength(t, srv) != before {
			t.Error("the log is told of another hash of the same password")
		}
		if err := s.UpgradePassword(ctx, first, "plain"); err == nil {
			t.Error("a hash that is none is taken")
		}
	})
}
