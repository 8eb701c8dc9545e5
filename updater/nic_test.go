package updater

import (
	"fmt"
	"strings"
	"testing"

	"redyn/auth"
	"redyn/backend/dns"
)

func TestDyndns2(t *testing.T) {
	s := serve(t, Options{})
	s.store.addHost(17, home)
	secret := s.tokenFor(nil, home, office)
	f := func(target, header string, status int, want string) {
		t.Helper()
		s.get(target, header).is(t, status, want)
	}
	own := basic("home.example.org", secret)
	const h = "?hostname=home.example.org"
	f("/nic/update"+h+"&myip=192.0.2.1", own, 200, "good 192.0.2.1")
	f("/nic/update"+h+"&myip=192.0.2.1", own, 200, "nochg 192.0.2.1")
	f("/v3/update"+h+"&myip=192.0.2.1", own, 200, "nochg 192.0.2.1")
	f("/some/where/nic/update"+h+"&myip=192.0.2.1", own, 200, "nochg 192.0.2.1")
	f("/update/a/b/nic/update"+h+"&myip=192.0.2.1", own, 200, "nochg 192.0.2.1")
	f("//nic/update"+h+"&myip=192.0.2.1", own, 200, "nochg 192.0.2.1")
	f("http://dyn.example/nic/update"+h+"&myip=192.0.2.1", own, 200, "nochg 192.0.2.1")
	f("/nic/update"+h+"&myip=192.0.2.1&myipv6=2001:db8::1", own, 200, "good 192.0.2.1,2001:db8::1")
	f("/nic/update"+h+"&myip=192.0.2.1", own, 200, "good 192.0.2.1")
	f("/nic/update"+h+"&myip=", own, 200, "good")
	f("/nic/update"+h+"&myip=", own, 200, "nochg")
	f("/nic/update"+h, own, 200, "good 127.0.0.1")
	f("/nic/update", own, 200, "nochg 127.0.0.1")
	f("/nic/update"+h+"&myip=192.0.2.2&system=dyndns&wildcard=ON&mx=x&backmx=NO&offline=NO&url=x", own, 200, "good 192.0.2.2")
	f("/nic/update/home.example.org", own, 200, "good 127.0.0.1")
	f("/nic/update/home.example.org/192.0.2.3", own, 200, "good 192.0.2.3")
	f("/nic/update/home.example.org/192.0.2.3"+h, own, 400, `parameter "hostname" is given twice`)

	// A line for each host, in the order of the request.
	f("/nic/update?hostname=office.example.org,home.example.org&myip=192.0.2.3", own, 200, "good 192.0.2.3\nnochg 192.0.2.3")
	f("/nic/update?hostname=home.example.org,+office.example.org,HOME.example.org&myip=192.0.2.4", own, 200, "good 192.0.2.4\ngood 192.0.2.4")

	// What clients read only with status 200.
	f("/nic/update?hostname=other.example.org&myip=192.0.2.1", own, 200, "nohost")
	f("/nic/update?hostname=home.example.org,other.example.org&myip=192.0.2.9", own, 200, "nohost")
	f("/nic/update?hostname=home", own, 200, "notfqdn")
	f("/nic/update?hostname=home.example.org,", own, 200, "notfqdn")
	f("/nic/update?hostname=a..b", own, 200, "notfqdn")
	f("/nic/update"+h+"&myip=192.0.2.1.1", own, 200, "dnserr")
	f("/nic/update"+h+"&myip=192.0.2.1,preserve", own, 200, "dnserr")
	s.has(home, dns.TypeA, "192.0.2.4")

	f("/nic/update"+h, basic("home.example.org", "wrong"), 401, "badauth")
	f("/nic/update"+h, "X: y", 401, "badauth")
	// Who does not prove anything is told nothing else either.
	f("/nic/update?hostname=home", "X: y", 401, "badauth")
	f("/nic/update?hostname=home", basic("home.example.org", "wrong"), 401, "badauth")
	f("/nic/update"+h+"&myip=x.", basic("home.example.org", "wrong"), 401, "badauth")
}

// Twenty hosts in two zones are one change; one bad host among them changes nothing.
func TestDyndns2TwentyHosts(t *testing.T) {
	s := serve(t, Options{})
	var names []dns.Name
	for i := range mostHosts + 1 {
		zone := "org."
		if i%2 == 1 {
			zone = "net."
		}
		names = append(names, dns.Name(fmt.Sprintf("h%d.example.%s", i, zone)))
	}
	token := "Authorization: Token " + s.tokenFor(nil, names...)
	list := func(names []dns.Name) string {
		var texts []string
		for _, n := range names {
			texts = append(texts, strings.TrimSuffix(string(n), "."))
		}
		return strings.Join(texts, ",")
	}
	twenty := names[:mostHosts]
	s.get("/nic/update?myip=192.0.2.1&hostname="+list(names), token).is(t, 200, "numhost")
	s.get("/?myip=192.0.2.1&hostname="+list(names), token).is(t, 400, "there are more than 20 hosts, which are most at once")
	s.get("/nic/update?myip=192.0.2.1&hostname="+list(twenty[:19])+",stranger.example.org", token).is(t, 200, "nohost")
	if len(s.store.updates) != 0 {
		t.Fatalf("changes are made: %+v", s.store.updates)
	}
	want := strings.TrimSuffix(strings.Repeat("good 192.0.2.1\n", mostHosts), "\n")
	s.get("/nic/update?myip=192.0.2.1&hostname="+list(twenty), token).is(t, 200, want)
	if len(s.store.updates) != 1 || len(s.store.updates[0].Zones) != 2 {
		t.Errorf("changes are %+v", s.store.updates)
	}
}

// However many hosts a stranger names, no more than a few are looked at.
func TestThousandsOfHosts(t *testing.T) {
	var names strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&names, "%x.b,", i)
	}
	list := strings.TrimSuffix(names.String(), ",")
	for _, key := range []string{"hostname", ipv4.perHost + list} {
		p := params{{Key: key, Value: list}}
		if strings.HasPrefix(key, ipv4.perHost) {
			p[0].Value = "192.0.2.1"
		}
		var w wish
		allocs := testing.AllocsPerRun(3, func() { w = (&request{params: p, from: loopback}).hostsWish(p) })
		if w.flaw != errNumHost || w.hosts != nil || allocs > 20*mostHosts {
			t.Errorf("%.9s: %v, %d hosts, %v allocations", key, w.flaw, len(w.hosts), allocs)
		}
	}
}

func TestStyles(t *testing.T) {
	f := func(style Style, target string, status int, want string) {
		t.Helper()
		s := serve(t, Options{Style: style})
		token := "Authorization: Token " + s.tokenFor(nil, home)
		s.get(target, token).is(t, status, want)
		s.stop()
	}
	const ok, unknown = "?hostname=home.example.org&myip=192.0.2.1", "?hostname=other.example.org"
	f("", "/nic/update"+ok, 200, "good 192.0.2.1")
	f(AutoStyle, "/nic/update"+unknown, 200, "nohost")
	f(AutoStyle, "/"+ok, 200, "good")
	f(DeSECStyle, "/nic/update"+ok, 200, "good")
	f(DeSECStyle, "/nic/update"+unknown, 404, "nohost")
	f(Dyndns2Style, "/"+ok, 200, "good 192.0.2.1")
	f(Dyndns2Style, "/"+unknown, 200, "nohost")
}

// A wrong type is denied as a wrong secret is, and an update that is refused has a word of its own.
func TestDyndns2Refused(t *testing.T) {
	s := serve(t, Options{})
	token := "Authorization: Token " + s.tokenFor(func(c *auth.Credential) { c.Grant.Types = []dns.Type{dns.TypeTXT} }, home)
	s.get("/nic/update?hostname=home.example.org&myip=192.0.2.1", token).is(t, 401, "badauth")
	s.store.set(office, dns.TypeCNAME, "home.example.org.")
	token = "Authorization: Token " + s.tokenFor(nil, office)
	s.get("/nic/update?hostname=office.example.org&myip=192.0.2.1", token).is(t, 200, "dnserr")
}
