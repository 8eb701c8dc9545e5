package updater

import (
	"net/netip"
	"testing"
	"time"

	"redyn/auth"
)

func TestLimits(t *testing.T) {
	s, token := desecServer(t, Options{SourceLimit: auth.Limit{Count: 3, Per: time.Minute}})
	for range 3 {
		s.get("/nic/update?hostname=home.example.org", token)
	}
	limited := func(target, body string) {
		t.Helper()
		a := s.get(target, token)
		a.is(t, 429, body)
		if got := a.Header.Get("Retry-After"); got != "60" {
			t.Errorf("Retry-After is %q", got)
		}
	}
	limited("/nic/update?hostname=home.example.org", "abuse")
	limited("/?hostname=home.example.org", "too many requests; try again in 1m0s")
	limited("/token/17", "too many requests; try again in 1m0s")
	if s.store.asked[loopback] != 3 {
		t.Errorf("asked %d times", s.store.asked[loopback])
	}
	s.get("/myip").is(t, 200, "127.0.0.1")
}

// Ten failures are enough; no credentials at all, and names that are not granted, are none.
func TestFailureLimit(t *testing.T) {
	s, token := desecServer(t, Options{FailureLimit: auth.Limit{Count: 2, Per: 15 * time.Minute}})
	for range 5 {
		s.get("/?hostname=home.example.org").is(t, 401, "badauth")
		s.get("/?hostname=other.example.org", token).is(t, 404, "nohost")
	}
	s.get("/?hostname=home.example.org", "Authorization: Token wrong").is(t, 401, "badauth")
	s.get("/?hostname=home.example.org", token).is(t, 200, "good")
	s.get("/?hostname=home.example.org", "Authorization: Nonsense").is(t, 401, "badauth")
	a := s.get("/?hostname=home.example.org", token)
	a.is(t, 429, "too many requests; try again in 15m0s")
	if a.Header.Get("Retry-After") != "900" {
		t.Errorf("header is %v", a.Header)
	}
}

// Guessing at a password from many addresses is slowed down, and so is its owner, who is never locked out.
func TestSlowDown(t *testing.T) {
	s := serve(t, Options{FailureLimit: auth.Limit{Count: 2, Per: time.Minute}, TrustedProxies: prefixes("127.0.0.1/32")})
	s.store.addHost(17, home)
	s.passwordFor("correcthorse", nil, home)
	f := func(password string, status int) time.Duration {
		t.Helper()
		begin := time.Now()
		if a := s.get("/", basic("home.example.org", password), "X-Forwarded-For: 203.0.113.1"); a.StatusCode != status {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
		return time.Since(begin)
	}
	id := s.store.credentials[0].ID
	s.store.failures[id] = 2
	if took := f("correcthorse", 200); took >= slowStep {
		t.Errorf("two failures slow down: %v", took)
	}
	s.store.failures[id] = 4
	if took := f("correcthorse", 200); took < 2*slowStep {
		t.Errorf("two failures too many do not slow down: %v", took)
	}
	if took := f("wrong", 401); took < 2*slowStep {
		t.Errorf("two failures too many do not slow down: %v", took)
	}
	if s.store.failures[id] != 5 {
		t.Errorf("failures are %v", s.store.failures)
	}
	// Nobody sees by the wait who has a password; of a user whose name others have, tokens do not wait.
	g := func(user, secret string, status int) time.Duration {
		t.Helper()
		s.store.failed = make(map[netip.Addr]int)
		begin := time.Now()
		if a := s.get("/", basic(user, secret), "X-Forwarded-For: 203.0.113.2"); a.StatusCode != status {
			t.Errorf("%s: %d %s", user, a.StatusCode, a.body)
		}
		return time.Since(begin)
	}
	token := s.tokenFor(nil, home)
	for _, user := range []string{"nobody.example.org", "admin", "99"} {
		for range 4 {
			g(user, "wrong", 401)
		}
		if took := g(user, "wrong", 401); took < 2*slowStep {
			t.Errorf("two failures too many do not slow down for %s: %v", user, took)
		}
	}
	for key := range s.store.failures {
		s.store.failures[key] = 1e9
	}
	if took := g("admin", token, 200); took >= mostSlow {
		t.Errorf("a token is slowed down: %v", took)
	}
	// The longest wait is bounded.
	begin := time.Now()
	s.store.failures[id] = 1e9
	f("correcthorse", 200)
	if took := time.Since(begin); took > mostSlow+time.Second {
		t.Errorf("it takes %v", took)
	}
}

func TestHostLimit(t *testing.T) {
	s, token := desecServer(t, Options{HostLimit: auth.Limit{Count: 2, Per: 2 * time.Minute}})
	for _, ip := range []string{"192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.2"} {
		if a := s.get("/nic/update?hostname=home.example.org&myip="+ip, token); a.StatusCode != 200 {
			t.Errorf("%s: %d %s", ip, a.StatusCode, a.body)
		}
	}
	a := s.get("/nic/update?hostname=home.example.org&myip=192.0.2.3", token)
	a.is(t, 429, "abuse")
	if a.Header.Get("Retry-After") != "120" {
		t.Errorf("header is %v", a.Header)
	}
}

// The guard lets the store alone while it does not answer.
func TestGuard(t *testing.T) {
	g := newGuard(auth.Limit{Count: 2, Per: time.Minute})
	one, other := netip.MustParseAddr("2001:db8:1:2::1"), netip.MustParseAddr("2001:db8:1:2::2")
	f := func(from netip.Addr, at, want time.Duration) {
		t.Helper()
		if got := g.wait(from, start.Add(at)); got != want {
			t.Errorf("%v waits %v, want %v", from, got, want)
		}
	}
	g.count(one, start)
	f(one, 0, 0)
	g.count(other, start.Add(time.Second))
	f(one, time.Second, 59*time.Second)
	f(other, 30*time.Second, 30*time.Second)
	f(loopback, 0, 0)
	f(one, time.Minute, 0)
	g.count(one, start.Add(time.Minute))
	f(one, time.Minute, 0)
	g.hold(one, start.Add(time.Minute), time.Hour)
	f(one, 2*time.Minute, 59*time.Minute)
	f(one, 61*time.Minute, 0)

	// It does not grow without bound.
	for i := range mostSources + 100 {
		g.count(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), start.Add(2*time.Hour))
	}
	if len(g.sources) > mostSources {
		t.Errorf("%d sources are kept", len(g.sources))
	}
	g.count(loopback, start.Add(4*time.Hour))
	if len(g.sources) != 1 {
		t.Errorf("%d sources are kept", len(g.sources))
	}
}
