package updater

import (
	"fmt"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"redyn/auth"
	"redyn/backend/dns"
)

func TestMethods(t *testing.T) {
	s, token := desecServer(t, Options{})
	f := func(method, path, allow string) {
		t.Helper()
		p := s.dial()
		request := method + " " + path + " HTTP/1.1\r\nHost: dyn.example\r\n" + token + "\r\n\r\n"
		p.send(request)
		a := p.read(request)
		if a.StatusCode != 405 || a.Header.Get("Allow") != allow {
			t.Errorf("%s %s: %d, Allow %q; want %q", method, path, a.StatusCode, a.Header.Get("Allow"), allow)
		}
		// The connection goes on.
		p.send("GET /myip HTTP/1.1\r\nHost: dyn.example\r\n\r\n")
		p.read("GET").is(t, 200, "127.0.0.1")
	}
	for _, method := range []string{"HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "get"} {
		f(method, "/nic/update?hostname=home.example.org", "GET, POST")
		f(method, "/?hostname=home.example.org", "GET, POST")
		f(method, "/update/17", "POST")
		f(method, "/token/17", "GET")
	}
	f("GET", "/update/17", "POST")
	f("GET", "/update-simple/17", "POST")
	f("POST", "/myip", "GET")
	f("POST", "/domain/17", "GET")
	if len(s.store.updates) > 0 || len(s.store.asked) > 0 {
		t.Errorf("updates %v, asked %v", s.store.updates, s.store.asked)
	}
}

func TestHTTP10(t *testing.T) {
	s, token := desecServer(t, Options{})
	p := s.dial()
	p.send("GET /nic/update?hostname=home.example.org HTTP/1.0\r\n" + token + "\r\n\r\n")
	a := p.read("GET")
	a.is(t, 200, "good 127.0.0.1")
	if !a.Close || a.TransferEncoding != nil {
		t.Errorf("header is %v", a.Header)
	}
	p.ended()
}

// A request that can be read in two ways is not read at all.
func TestFraming(t *testing.T) {
	s, token := desecServer(t, Options{})
	f := func(header, body string) {
		t.Helper()
		p := s.dial()
		request := "POST /?hostname=home.example.org HTTP/1.1\r\nHost: dyn.example\r\n" + token +
			"\r\nContent-Type: application/x-www-form-urlencoded\r\n" + header + "\r\n" + body
		p.send(request)
		if a := p.read(request); a.StatusCode != 400 {
			t.Errorf("%q: %d %s", header, a.StatusCode, a.body)
		}
		p.ended()
	}
	const chunked = "4\r\na=bc\r\n0\r\n\r\n"
	f("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", chunked)
	f("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", chunked)
	f("transfer-encoding: identity\r\nCONTENT-LENGTH: 4\r\n", "a=bc")
	f("Content-Length: 4\r\nContent-Length: 4\r\n", "a=bc")
	f("Content-Length: 4\r\nContent-Length: 5\r\n", "a=bc")
	f("Content-Length: -4\r\n", "a=bc")
	f("Content-Length: 4x\r\n", "a=bc")
	f("Content-Length : 4\r\n", "a=bc")
	f("Transfer-Encoding: gzip, chunked\r\n", chunked)
	f("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", chunked)
	f("Transfer-Encoding:\r\n chunked\r\nContent-Length: 4\r\n", chunked)
	f("Transfer-Encoding: chunked\r\n", "x\r\n")
	f(token+"\r\n", "")
	f("Conexim-Time: 1\r\nConexim-Time: 2\r\n", "")
	if len(s.store.updates) > 0 {
		t.Errorf("changes are %+v", s.store.updates)
	}

	p := s.dial()
	p.send("POST /?hostname=home.example.org HTTP/1.1\r\nHost: dyn.example\r\n" + token +
		"\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n" +
		"4\r\nmyip\r\na\r\n=192.0.2.1\r\n0\r\n\r\n")
	p.read("POST").is(t, 200, "good")
	s.has(home, dns.TypeA, "192.0.2.1")
}

func TestBroken(t *testing.T) {
	s, token := desecServer(t, Options{})
	f := func(request string, status int, want string) {
		t.Helper()
		a := s.send(request)
		if a.StatusCode != status || !strings.Contains(a.body, want) {
			t.Errorf("%.100q: %d %q; want %d %q", request, a.StatusCode, a.body, status, want)
		}
	}
	get := func(target string, status int, want string) {
		t.Helper()
		f("GET "+target+" HTTP/1.1\r\nHost: x\r\n"+token+"\r\n\r\n", status, want)
	}
	const h = "hostname=home.example.org"
	get("/?"+h+"&myip=%", 400, "broken escape")
	get("/?"+h+"&myip=%4", 400, "broken escape")
	get("/?"+h+"&%zz=1", 400, "broken escape")
	get("/%?"+h, 400, "broken escape")
	get("/%zz/nic/update?"+h, 400, "broken escape")
	get("/%00?"+h, 400, "broken escape")
	get("/?"+h+"&myip=1.2.3.4%00", 400, `parameter "myip" holds NUL`)
	get("/?"+h+"&%00=1", 400, `holds NUL`)
	get("/?"+h+"&hostname=home.example.org", 400, `parameter "hostname" stands twice`)
	get("/nic/update?"+h+"&myip=1.2.3.4&myip=1.2.3.5", 400, `parameter "myip" stands twice`)
	get("/?"+h+"&myipv4:a.b=1.2.3.4&myipv4:a.b=1.2.3.5", 400, `parameter "myipv4:a.b" stands twice`)
	get("/?"+strings.Repeat("a=b&", 1001)+h, 400, "more than 1000 parameters")
	get("/?"+strings.Repeat("a", mostHeader), 431, "the header is longer than 8192 octets")
	get("*", 400, "the path does not begin with /")
	get("/a b", 400, "this is no HTTP request")
	get("/\x01", 400, "the path does not begin with /")
	f("GET / HTTP/1.1\r\nHost: x\r\nX: "+strings.Repeat("a", mostHeader)+"\r\n\r\n", 431, "the header is longer")
	f("nonsense\r\n\r\n", 400, "this is no HTTP request")
	f("GET / HTTP/9\r\n\r\n", 400, "this is no HTTP request")
	f("\x16\x03\x01\x02\x00\x01\r\n\r\n", 400, "this is no HTTP request")
	body := strings.Repeat("a", mostBody+1)
	f("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: "+itoa(len(body))+"\r\n\r\n"+body, 413, "the body is longer than 16384 octets")
	f("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"+fmt.Sprintf("%x\r\n", len(body))+body+"\r\n0\r\n\r\n", 413, "the body is longer")
	if len(s.store.updates) > 0 {
		t.Errorf("changes are %+v", s.store.updates)
	}
}

// A sender of a byte now and then is cut off.
func TestSlowSender(t *testing.T) {
	s := serve(t, Options{ReadTimeout: 200 * time.Millisecond})
	for _, request := range []string{
		"GET /myip HTTP/1.1\r\nHo",
		"POST /nic/update HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\na",
	} {
		p := s.dial()
		p.send(request)
		a := p.read(request)
		a.is(t, 408, "the rest of the request did not come in time")
		p.ended()
	}
}

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
	if len(change.Expect) != 1 || change.Expect[0].Type != dns.TypeAAAA {
		t.Errorf("expected is %+v", change.Expect)
	}
	s.store.conflicts = 100
	s.get("/nic/update?hostname=home.example.org&myipv6=2001:db8:1:2::/64", token).is(t, 503, "911")
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
	log := s.log.String()
	for _, line := range []string{
		"level=INFO msg=\"host updated\" host=[home.example.org.] addrs=[192.0.2.1] key=" + id + " remote=127.0.0.1 protocol=dyndns2 agent=Router/1 changed=true",
		"level=DEBUG msg=\"host updated\" host=[home.example.org.] addrs=[192.0.2.1] key=" + id,
		`level=INFO msg="update denied" remote=127.0.0.1 protocol=dyndns2 agent="" err.reason="wrong secret" err.key=` + id,
	} {
		if !strings.Contains(log, line) {
			t.Errorf("the log lacks %s:\n%s", line, log)
		}
	}
	if strings.Contains(log, secret) || strings.Contains(log, "wrongword") {
		t.Errorf("the log has a secret:\n%s", log)
	}
	if strings.Join(s.store.used, " ") != strings.Join([]string{id, id, id}, " ") {
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

// Stopping answers what runs, and closes what is idle.
func TestStop(t *testing.T) {
	before := runtime.NumGoroutine()
	s := serve(t, Options{})
	p := s.dial()
	p.send("GET /myip HTTP/1.1\r\nHost: x\r\n\r\n")
	p.read("GET").is(t, 200, "127.0.0.1")
	silent := s.dial() // it has never asked anything
	s.get("/myip").is(t, 200, "127.0.0.1")
	begin := time.Now()
	s.stop()
	p.ended()
	silent.ended()
	if took := time.Since(begin); took >= 2*time.Second {
		t.Errorf("stopping takes %v", took)
	}
	deadline := time.Now().Add(10 * time.Second)
	for runtime.NumGoroutine() > before+5 && time.Now().Before(deadline) {
		time.Sleep(10 * time.Millisecond)
	}
	if n := runtime.NumGoroutine(); n > before+5 {
		t.Errorf("%d goroutines are left of %d", n, before)
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
