package updater

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"redyn/auth"
	"redyn/backend/dns"
)

// What is remembered of a host saves asking, and is never the last word.
func TestPremises(t *testing.T) {
	s, token := desecServer(t, Options{SourceLimit: auth.Limit{Count: 100, Per: time.Minute}, FailureLimit: auth.Limit{Count: 5, Per: time.Minute}})
	premises := 0
	f := func(what string, premise bool, status int, body, query string, a, aaaa []string) {
		t.Helper()
		asked := s.store.asked[loopback]
		s.get("/?hostname=home.example.org"+query, token).is(t, status, body)
		s.has(home, dns.TypeA, a...)
		s.has(home, dns.TypeAAAA, aaaa...)
		if premise {
			premises++
		}
		if s.store.premises != premises || s.store.asked[loopback] != asked+1 {
			t.Errorf("%s: %d updates by a premise, want %d; %d requests counted at once", what, s.store.premises, premises, s.store.asked[loopback]-asked)
		}
	}
	one, two, six := []string{"192.0.2.1"}, []string{"192.0.2.2"}, []string{"2001:db8::1"}
	f("the first", false, 200, "good", "&myipv4=192.0.2.1&myipv6=2001:db8::1", one, six)
	f("the second", true, 200, "good", "&myipv4=192.0.2.2", two, nil)
	if got := s.store.used; len(got) != 2 || got[0] != got[1] {
		t.Errorf("used are %v", got)
	}
	f("both families", true, 200, "good", "&myipv4=192.0.2.1&myipv6=2001:db8::1", one, six)

	s.store.hosts[0].Policy = auth.PolicyPreserve
	asked := s.store.asked[loopback]
	s.get("/?hostname=home.example.org&myipv4=192.0.2.2", token).is(t, 200, "good")
	s.has(home, dns.TypeAAAA, six...)
	if s.store.premises != premises || s.store.asked[loopback] != asked+1 {
		t.Errorf("another policy: %d updates by a premise, %d requests counted", s.store.premises, s.store.asked[loopback]-asked)
	}
	f("preserved", true, 200, "good", "&myipv4=192.0.2.1", one, six)
	s.store.hosts[0].Policy = auth.PolicyDelete
	f("no longer preserved, of which only the old policy was remembered", false, 200, "good", "&myipv4=192.0.2.2", two, nil)

	s.store.conflicts, s.store.meanwhile = 1, func() {}
	f("a conflict", true, 200, "good", "&myipv4=192.0.2.1", one, nil)

	s.store.credentials[0].Revoked = true
	failed := s.store.failed[loopback]
	f("a revoked token", false, 401, "badauth", "&myipv4=192.0.2.2", one, nil)
	if s.store.failed[loopback] != failed+1 {
		t.Errorf("%d failures", s.store.failed[loopback])
	}
	s.store.credentials[0].Revoked = false
	f("a token that is good again", false, 200, "good", "&myipv4=192.0.2.2", two, nil)

	s.store.asked[loopback] = 100
	a := s.get("/?hostname=home.example.org&myipv4=192.0.2.1", token)
	if a.is(t, 429, "too many requests; try again in 1m0s"); a.Header.Get("Retry-After") != "60" {
		t.Errorf("header is %v", a.Header)
	}
	s.has(home, dns.TypeA, two...)
}

// What fails before the store is asked is counted and proved all the same.
func TestPremiseRefused(t *testing.T) {
	s, token := desecServer(t, Options{RefusedAddresses: prefixes("10.0.0.0/8")})
	s.get("/?hostname=home.example.org", token).is(t, 200, "good")
	f := func(what string, status, failed int) {
		t.Helper()
		asked := s.store.asked[loopback]
		if a := s.get("/?hostname=home.example.org&myip=10.1.2.3", token); a.StatusCode != status {
			t.Errorf("%s: %d %s", what, a.StatusCode, a.body)
		}
		if s.store.asked[loopback] != asked+1 || s.store.failed[loopback] != failed {
			t.Errorf("%s: %d requests counted, %d failures; want 1 and %d", what, s.store.asked[loopback]-asked, s.store.failed[loopback], failed)
		}
	}
	f("an address that is refused", 400, 0)
	s.store.credentials[0].Revoked = true
	f("the same with a revoked token", 401, 1)
}

// Several requests share what is remembered.
func TestPremiseShared(t *testing.T) {
	s, token := desecServer(t, Options{})
	s.get("/?hostname=home.example.org", token).is(t, 200, "good")
	var clients sync.WaitGroup
	for c := range 4 {
		clients.Go(func() {
			for i := range 20 {
				a := s.get(fmt.Sprintf("/?hostname=home.example.org&myip=192.0.2.%d", 20*c+i), token)
				a.is(t, 200, "good")
			}
		})
	}
	clients.Wait()
	if s.store.premises != 80 {
		t.Errorf("%d of 80 updates by a premise", s.store.premises)
	}
}

// A host that is not named, and an answer that is long, are not remembered.
func TestPremiseNotKept(t *testing.T) {
	s, token := desecServer(t, Options{})
	f := func(query string, length int) {
		t.Helper()
		s.get("/"+query, token).is(t, 200, "good")
		if got := s.premises.found.Len(); got != length {
			t.Errorf("%q: %d are remembered, want %d", query, got, length)
		}
	}
	f("", 0)
	f("?hostname=home.example.org", 1)
	s.premises.found.Purge()
	for i := range 40 {
		s.store.credentials[0].Grant.Hosts = append(s.store.credentials[0].Grant.Hosts, auth.Area{Name: dns.Name(fmt.Sprintf("h%d.example.org.", i))})
	}
	f("?hostname=home.example.org", 0)
}

// A premise is no way around a store that does not answer, nor does the guard let it be asked more often.
func TestPremiseAway(t *testing.T) {
	s, token := desecServer(t, Options{SourceLimit: auth.Limit{Count: 3, Per: time.Minute}})
	s.get("/?hostname=home.example.org", token).is(t, 200, "good")
	s.store.away = errAway
	for range 3 {
		s.get("/?hostname=home.example.org&myip=192.0.2.7", token).is(t, 503, "not available now; try again later")
	}
	s.get("/?hostname=home.example.org&myip=192.0.2.7", token).is(t, 429, "too many requests; try again in 1m0s")
	s.has(home, dns.TypeA, "127.0.0.1")
}

// Of a password it is remembered only what was found for the right one, and nothing while it is guessed at.
func TestPremiseOfPassword(t *testing.T) {
	s := serve(t, Options{FailureLimit: auth.Limit{Count: 10, Per: time.Minute}})
	s.store.addHost(17, home)
	s.passwordFor("correcthorse", nil, home)
	f := func(password string, status, premises int) {
		t.Helper()
		if a := s.get("/?hostname=home.example.org", basic("home.example.org", password)); a.StatusCode != status || s.store.premises != premises {
			t.Errorf("%s: %d, %d by a premise, want %d and %d", password, a.StatusCode, s.store.premises, status, premises)
		}
	}
	f("correcthorse", 200, 0)
	f("correcthorse", 200, 1)
	f("wrong", 401, 1)
	f("correcthorse", 200, 1) // there is a failure now
	f("correcthorse", 200, 1)
	s.store.failures = make(map[string]int)
	f("correcthorse", 200, 2)
	c, err := auth.NewPasswordCredential(auth.HashPassword(auth.NewSecret("another"), cheap))
	if err != nil {
		t.Fatal(err)
	}
	c.Grant = s.store.credentials[0].Grant
	s.store.credentials[0] = c
	f("correcthorse", 401, 2)
	f("another", 200, 2)
}

// That a password is right is not to be seen by the time of a denial.
func TestPremiseDenied(t *testing.T) {
	s := serve(t, Options{TrustedProxies: prefixes("127.0.0.1/32")})
	s.store.addHost(17, home)
	s.passwordFor("correcthorse", func(c *auth.Credential) { c.Grant.Networks = prefixes("192.0.2.0/24") }, home)
	f := func(password, from string, status int, hashings uint64) {
		t.Helper()
		before := s.Verifier.Stats().Hashings
		a := s.get("/?hostname=home.example.org", basic("home.example.org", password), "X-Forwarded-For: "+from)
		if took := s.Verifier.Stats().Hashings - before; a.StatusCode != status || took != hashings {
			t.Errorf("%s from %s: %d after %d hashings; want %d after %d", password, from, a.StatusCode, took, status, hashings)
		}
	}
	f("correcthorse", "192.0.2.1", 200, 1)
	f("correcthorse", "192.0.2.1", 200, 0)
	f("wrong", "203.0.113.1", 401, 2)
	f("correcthorse", "203.0.113.1", 401, 2)
	f("correcthorse", "192.0.2.1", 200, 0)
}
