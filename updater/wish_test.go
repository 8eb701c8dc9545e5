package updater

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"redyn/backend/dns"
)

// A fault in one request is that one's end.
func TestFault(t *testing.T) {
	s, token := desecServer(t, Options{})
	s.store.panics = true
	s.get("/nic/update?hostname=home.example.org&password=secretword", token).is(t, 500, "a fault of this server")
	s.store.panics = false
	s.get("/nic/update?hostname=home.example.org", token).is(t, 200, "good 127.0.0.1")
	log := s.log.String()
	if !strings.Contains(log, "the store is broken") || strings.Contains(log, "secretword") {
		t.Errorf("log: %s", log)
	}
}

// While the store does not answer, or does not know, nobody is told no.
func TestUnavailable(t *testing.T) {
	s, token := desecServer(t, Options{})
	s.passwordFor("correcthorse", nil, home)
	f := func(status int, desec, dyndns2, plain string) {
		t.Helper()
		s.get("/?hostname=home.example.org", token).is(t, status, desec)
		s.get("/nic/update?hostname=home.example.org", token).is(t, status, dyndns2)
		s.get("/nic/update?hostname=home.example.org", basic("home.example.org", "wrong")).is(t, status, dyndns2)
		s.post("/update-simple/17", "password=correcthorse").is(t, status, plain)
		s.get("/token/17").is(t, status, plain)
		s.get("/domain/17").is(t, status, plain)
	}
	const text = "not available now; try again later"
	s.store.away = errAway
	f(503, text, "911", text)
	s.store.away = fmt.Errorf("find credentials: %w", dns.ErrLost)
	f(503, text, "911", text)
	s.store.away = nil
	s.get("/?hostname=home.example.org", token).is(t, 200, "good")
	if strings.Contains(s.log.String(), "correcthorse") {
		t.Error("the log has a secret")
	}

	loaded := make(chan struct{})
	s = serve(t, Options{Loaded: loaded})
	s.store.addHost(17, home)
	token = "Authorization: Token " + s.tokenFor(nil, home)
	s.get("/?hostname=home.example.org", token).is(t, 503, text)
	s.get("/domain/17").is(t, 503, text)
	s.get("/myip").is(t, 200, "127.0.0.1")
	close(loaded)
	s.get("/?hostname=home.example.org", token).is(t, 200, "good")
}

// What is computed from current values is computed again if they change meanwhile.
func TestConflict(t *testing.T) {
	s, token := desecServer(t, Options{})
	s.store.set(home, dns.TypeAAAA, "2001:db8:9:9::1")
	s.store.conflicts = 3
	n := 1
	s.store.meanwhile = func() {
		n++
		s.store.set(home, dns.TypeAAAA, fmt.Sprintf("2001:db8:9:9::%d", n))
	}
	s.get("/nic/update?hostname=home.example.org&myipv4=192.0.2.1&myipv6=2001:db8:1:2::/64", token).is(t, 200, "good 192.0.2.1,2001:db8:1:2::4")
	change := s.store.updates[0].Zones[0]
	if len(change.Expect) != 2 || change.Expect[0].Type != dns.TypeAAAA || change.Expect[1].Type != dns.TypeCNAME {
		t.Errorf("expected is %+v", change.Expect)
	}
	s.store.conflicts = 100
	s.get("/nic/update?hostname=home.example.org&myipv6=2001:db8:1:2::/64", token).is(t, 503, "911")
}

// Those who met in a conflict do not wait alike.
func TestJittered(t *testing.T) {
	const pause = 20 * time.Millisecond
	seen := make(map[time.Duration]bool)
	for range 100 {
		got := jittered(pause)
		seen[got] = true
		if got < pause/2 || got >= 2*pause {
			t.Errorf("the wait is %v", got)
		}
	}
	if len(seen) < 50 {
		t.Errorf("there are %d waits among 100", len(seen))
	}
}

// Who changed what, from where, is in the change and in one line of the log; secrets are in neither.
func TestAudit(t *testing.T) {
	s := serve(t, Options{})
	s.store.addHost(17, home)
	secret := s.tokenFor(nil, home)
	id := s.store.credentials[0].ID
	s.get("/nic/update?hostname=home.example.org&myip=192.0.2.1&username=home.example.org&password="+secret, "User-Agent: Router/1").is(t, 200, "good 192.0.2.1")
	if c := s.store.updates[0]; c.Who != id || c.From != "127.0.0.1" {
		t.Errorf("the change is by %s from %s", c.Who, c.From)
	}
	s.get("/nic/update?hostname=home.example.org&myip=192.0.2.1", basic("", secret)).is(t, 200, "nochg 192.0.2.1")
	s.get("/nic/update?hostname=home.example.org&username=home.example.org&password=wrongword").is(t, 401, "badauth")
	s.get("/nic/update?hostname=home.example.org&myip=bad.word&password="+secret).is(t, 200, "dnserr")
	s.get("/nic/update?hostname=home.example.org&myip=bad.word&password="+secret, "User-Agent: "+strings.Repeat("x", 7000)).is(t, 200, "dnserr")
	log := s.log.String()
	for _, line := range []string{
		"level=INFO msg=\"host updated\" host=[home.example.org.] addrs=[192.0.2.1] key=" + id + " remote=127.0.0.1 protocol=dyndns2 agent=Router/1 changed=true",
		"level=DEBUG msg=\"host updated\" host=[home.example.org.] addrs=[192.0.2.1] key=" + id,
		`level=INFO msg="update refused" host=[home.example.org.] remote=127.0.0.1 protocol=dyndns2 agent="" err="malformed: myip: `,
		`level=INFO msg="update denied" remote=127.0.0.1 protocol=dyndns2 agent="" err.reason="wrong secret" err.key=` + id,
	} {
		if !strings.Contains(log, line) {
			t.Errorf("the log lacks %s:\n%s", line, log)
		}
	}
	if strings.Contains(log, strings.Repeat("x", mostAgent+1)) {
		t.Error("the log has a User-Agent of any length")
	}
	if strings.Contains(log, secret) || strings.Contains(log, "wrongword") {
		t.Errorf("the log has a secret:\n%s", log)
	}
	if strings.Join(s.store.used, " ") != strings.Join([]string{id, id, id, id}, " ") {
		t.Errorf("used are %q", s.store.used)
	}
}

func TestMetrics(t *testing.T) {
	s, token := desecServer(t, Options{})
	s.get("/nic/update?hostname=home.example.org&myip=192.0.2.1", token)
	s.get("/nic/update?hostname=home.example.org&myip=192.0.2.1", token)
	s.get("/?hostname=home.example.org", "X: y")
	s.get("/myip")
	s.send("nonsense\r\n\r\n")
	families, err := s.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]float64)
	for _, f := range families {
		if f.GetName() != "redyn_updater_requests_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetValue())
			}
			got[strings.Join(labels, " ")] = m.GetCounter().GetValue()
		}
	}
	want := map[string]float64{"dyndns2 good": 1, "dyndns2 nochg": 1, "desec denied": 1, "myip read": 1, "none bad": 1}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("counted is %v; want %v", got, want)
	}
}
