package redisstore_test

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"redyn/auth"
	"redyn/backend/dns"
	"redyn/redisstore"
)

// A change by a premise is what a query and a change are, in one step.
func TestPremise(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		s := open(t, redisstore.Options{URL: srv.url})
		create(t, s, org, orgSets()...)
		host := addHost(t, s, home)
		token, password := addToken(t, s, host), newPassword(t, "x")
		password.Grant = token.Grant
		password = addCredential(t, s, password)
		q := auth.Query{
			From: netip.MustParseAddr("192.0.2.9"), FromLimit: auth.Limit{Count: 1000, Per: time.Minute},
			FailureLimit: auth.Limit{Count: 1000, Per: time.Minute}, TokenHash: token.TokenHash(), HostNames: []dns.Name{home}, ForHosts: true,
		}
		find := func() auth.Premise {
			t.Helper()
			found, err := s.Find(ctx, q)
			if err != nil || len(found.Credentials) != 2 || len(found.Hosts) != 1 {
				t.Fatalf("found %+v, %v", found, err)
			}
			return auth.Premise{Query: q, Basis: found.Basis}
		}
		asked := func() string {
			t.Helper()
			n, err := srv.rdb.Get(ctx, "{redyn}:limit:source:192.0.2.9").Result()
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		p := find()
		use := func() auth.Use { return auth.Use{Hosts: []dns.Name{home}, Premise: &p} }
		last := 0
		holds := func(want string) {
			t.Helper()
			last++
			if r, err := update(s, use(), address(last)); err != nil || r.ID == "" {
				t.Errorf("update %d comes to %+v, %v", last, r, err)
			}
			if asked() != want {
				t.Errorf("%s requests are counted, want %s", asked(), want)
			}
		}
		holds("2")
		s.Used(token.ID, time.Now())
		s.FlushUses()
		holds("3") // though the host was changed, and the token was used
		if r, err := update(s, use(), address(last)); err != nil || r.ID != "" || asked() != "4" {
			t.Errorf("an update without a change comes to %+v, %v, as request %s", r, err, asked())
		}
		_, err := s.Update(ctx, dns.Change{Zones: []dns.ZoneChange{{Zone: org, Expect: []dns.RRset{address(99)}, RRsets: []dns.RRset{address(98)}}}}, use())
		if !errors.Is(err, dns.ErrConflict) || asked() != "5" {
			t.Errorf("a conflict comes to %v, as request %s", err, asked())
		}
		// Another store replaces the zone, whose keys are others then: the script runs twice.
		other := open(t, redisstore.Options{URL: srv.url})
		replaced, err := other.BeginReplace(ctx, org, redisstore.ReplaceOptions{})
		if err == nil {
			err = replaced.Add(ctx, orgSets()...)
		}
		if err == nil {
			_, err = replaced.Commit(ctx)
		}
		if err != nil {
			t.Fatal(err)
		}
		holds("6")

		failing := func(test string, look func(auth.Found) bool) {
			t.Helper()
			before := logLength(t, srv)
			_, err := update(s, use(), address(200))
			var changed *auth.PremiseError
			if !errors.As(err, &changed) || !look(changed.Found) || logLength(t, srv) != before {
				t.Errorf("%s: %v, %+v", test, err, changed)
			}
		}
		if _, err := s.Failed(ctx, q.From, password.ID, q.FailureLimit); err != nil {
			t.Fatal(err)
		}
		failing("a failure for the password", func(f auth.Found) bool { return f.Failures[password.ID] == 1 && len(f.Credentials) == 2 })
		p = find()
		holds("9")
		if _, err := s.SetHostPolicy(ctx, host.ID, auth.PolicyPreserve, "test", ""); err != nil {
			t.Fatal(err)
		}
		failing("another policy", func(f auth.Found) bool { return f.Hosts[0].Policy == auth.PolicyPreserve })
		p = find()
		if _, err := s.RevokeCredential(ctx, token.ID, "test", ""); err != nil {
			t.Fatal(err)
		}
		failing("a revoked token", func(f auth.Found) bool { return f.Credentials[0].ID == token.ID && f.Credentials[0].Revoked })
		p.Query.FromLimit.Count = 1
		failing("too many requests", func(f auth.Found) bool { return f.RetryAfter > 0 && f.RetryAfter <= time.Minute })
		srv.rdb.FlushAll(ctx)
		if _, err := update(s, use(), address(201)); !errors.Is(err, dns.ErrLost) {
			t.Errorf("in a lost store: %v", err)
		}
	})
}

// A change by a premise is the first command after a pause. It is not lost with a connection that has ended.
func TestPremiseSentAgain(t *testing.T) {
	ctx := context.Background()
	p := newProxy(t, startRedis(t).addr())
	s := open(t, redisstore.Options{URL: p.url()})
	create(t, s, org, orgSets()...)
	token := addToken(t, s, addHost(t, s, home))
	q := auth.Query{TokenHash: token.TokenHash(), HostNames: []dns.Name{home}}
	found, err := s.Find(ctx, q)
	if err != nil {
		t.Fatal(err)
	}
	u := auth.Use{Hosts: []dns.Name{home}, Premise: &auth.Premise{Query: q, Basis: found.Basis}}
	if r, err := update(s, u, address(0)); err != nil || r.ID == "" {
		t.Fatalf("an update comes to %+v, %v", r, err)
	}
	p.dropRequests(1)
	if r, err := update(s, u, address(1)); err != nil || r.ID == "" {
		t.Errorf("a request that is lost comes to %+v, %v", r, err)
	}
	p.cutReplies(1)
	first, err := update(s, u, address(2))
	if err != nil || first.ID == "" {
		t.Errorf("a reply that is lost comes to %+v, %v", first, err)
	}
	p.dropRequests(1)
	if _, err := update(s, auth.Use{Hosts: []dns.Name{home}}, address(3)); err == nil {
		t.Error("a change without a premise is sent again")
	}
	p.dropRequests(1)
	u.Replay = &auth.Replay{Key: "key:sig", Expires: time.Now().Add(time.Minute)}
	if _, err := update(s, u, address(4)); err == nil {
		t.Error("a change that uses up a signature is sent again")
	}
}
