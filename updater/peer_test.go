package updater

import (
	"net/netip"
	"strings"
	"testing"

	"redyn/auth"
)

func prefixes(texts ...string) (list []netip.Prefix) {
	for _, text := range texts {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}

// Who a request is from, behind proxies: what the last trusted one says, from right to left.
func TestCaller(t *testing.T) {
	s := serve(t, Options{TrustedProxies: prefixes("127.0.0.0/8", "192.0.2.0/24", "2001:db8::/32")})
	f := func(want string, header ...string) {
		t.Helper()
		a := s.get("/myip", header...)
		if a.StatusCode == 400 {
			a.body = "400"
		}
		if a.body != want {
			t.Errorf("%q is from %s; want %s", header, a.body, want)
		}
	}
	f("127.0.0.1")
	f("203.0.113.1", "X-Forwarded-For: 203.0.113.1")
	f("203.0.113.1", "x-forwarded-for: 10.0.0.1, 203.0.113.1")
	f("203.0.113.1", "X-Forwarded-For: 10.0.0.1,203.0.113.1 , 192.0.2.7")
	f("203.0.113.1", "X-Forwarded-For: 10.0.0.1", "X-Forwarded-For: 203.0.113.1, 192.0.2.7")
	f("192.0.2.8", "X-Forwarded-For: 192.0.2.8, 192.0.2.7")
	f("203.0.113.1", "X-Forwarded-For: nonsense, 203.0.113.1")
	f("203.0.113.1", "X-Forwarded-For: ::ffff:203.0.113.1")
	f("203.0.113.1", "X-Forwarded-For: 203.0.113.1:4711")
	f("2001:dead::1", "X-Forwarded-For: 2001:dead::1")
	f("2001:dead::1", "X-Forwarded-For: [2001:dead::1]")
	f("2001:dead::1", "X-Forwarded-For: [2001:dead::1]:4711, 2001:db8::7")
	f("fe80::1", "X-Forwarded-For: fe80::1%eth0")
	f("203.0.113.1", "Forwarded: for=203.0.113.1")
	f("203.0.113.1", `Forwarded: for=10.0.0.1, FOR="203.0.113.1:80";proto=https;by=192.0.2.7, for=192.0.2.7`)
	f("2001:dead::1", `Forwarded: proto=https;for="[2001:dead::1]:4711"`)
	f("2001:dead::1", `Forwarded: by="a,b;for=1";for="[2001:dead::1]"`)
	f("203.0.113.1", "X-Forwarded-For: 203.0.113.1", "Forwarded: for=203.0.113.1;proto=http")
	f("203.0.113.1", `Forwarded: for=10.0.0.1;x="\"", ; for=203.0.113.1 ; proto="https";`)

	// Whoever cannot be named is nobody, and of two names one is a lie.
	for _, header := range []string{
		"X-Forwarded-For:", "X-Forwarded-For: nonsense", "X-Forwarded-For: 203.0.113.1,", "X-Forwarded-For: 203.0.113.1, unknown",
		"X-Forwarded-For: [203.0.113.1", "X-Forwarded-For: 203.0.113.1:", "X-Forwarded-For: 203.0.113.1 10.0.0.1",
		"Forwarded: proto=https", "Forwarded: for=unknown", "Forwarded: for=_hidden", `Forwarded: for="203.0.113.1`,
		"Forwarded: for=203.0.113.1;for=203.0.113.2", `Forwarded: for=203.0.113.1\`, "Forwarded: for=2001:dead::1, for=",
		"Forwarded: for=10.0.0.1\r\nX-Forwarded-For: 203.0.113.1",
		// A quote that the caller leaves open ends at that of the proxy.
		`Forwarded: for=10.0.0.1;x=", for="[2001:dead::1]"`, "Forwarded: for=10.0.0.1;x=\"\r\nForwarded: for=\"[2001:dead::1]\"",
		`Forwarded: for=10.0.0.1;x="\, for="[2001:dead::1]"`, `Forwarded: for=10.0.0.1;", for="[2001:dead::1]";x`,
		`Forwarded: for=203.0.113.1;x=a"b"`,
	} {
		f("400", header)
	}

	// One header can be named.
	s = serve(t, Options{TrustedProxies: prefixes("127.0.0.1/32"), ProxyHeader: "forwarded"})
	f("203.0.113.1", "X-Forwarded-For: 10.0.0.1", "Forwarded: for=203.0.113.1")
	f("127.0.0.1", "X-Forwarded-For: 10.0.0.1")
	s = serve(t, Options{TrustedProxies: prefixes("127.0.0.1/32"), ProxyHeader: "X-Real-IP"})
	f("203.0.113.1", "X-Forwarded-For: 10.0.0.1", "X-Real-IP: 203.0.113.1")

	// A peer that is not trusted may say what it likes.
	s = serve(t, Options{TrustedProxies: prefixes("192.0.2.0/24")})
	f("127.0.0.1", "X-Forwarded-For: 203.0.113.1", "Forwarded: nonsense")
}

// The caller is what is limited, what networks are granted to, and what is set.
func TestCallerIsUsed(t *testing.T) {
	s := serve(t, Options{TrustedProxies: prefixes("127.0.0.1/32"), SourceLimit: auth.Limit{Count: 100, Per: 1e12}})
	s.store.addHost(17, home)
	token := "Authorization: Token " + s.tokenFor(func(c *auth.Credential) { c.Grant.Networks = prefixes("203.0.113.0/24") }, home)
	s.get("/nic/update?hostname=home.example.org", token, "X-Forwarded-For: 203.0.113.5").is(t, 200, "good 203.0.113.5")
	s.get("/nic/update?hostname=home.example.org", token, "X-Forwarded-For: 198.51.100.5").is(t, 401, "badauth")
	s.get("/nic/update?hostname=home.example.org", token).is(t, 401, "badauth")
	if s.store.asked[netip.MustParseAddr("203.0.113.5")] != 1 || s.store.updates[0].From != "203.0.113.5" {
		t.Errorf("asked %v, %+v", s.store.asked, s.store.updates)
	}
	if !strings.Contains(s.log.String(), "remote=203.0.113.5") {
		t.Error(s.log.String())
	}
}

func FuzzForwarded(f *testing.F) {
	f.Add(`for=10.0.0.1, FOR="203.0.113.1:80";proto=https;by=192.0.2.7, for="[2001:db8::1]"`, "127.0.0.1/32")
	f.Add(`for="\"";for=`, "::/0")
	f.Fuzz(func(t *testing.T, text, trusted string) {
		p, err := netip.ParsePrefix(trusted)
		if err != nil {
			return
		}
		u := &Updater{Options: Options{TrustedProxies: []netip.Prefix{p}}}
		for _, read := range []func(string) []string{forwarded, forwardedFor} {
			hops := read(text)
			if len(hops) == 0 {
				t.Fatalf("%q has no hop", text)
			}
			addr, ok := u.behind(loopback, hops)
			if !ok {
				continue
			}
			// All to the right of the caller are trusted, and a caller that is trusted is the first.
			i := len(hops) - 1
			for ; i > 0; i-- {
				if hop, _ := parseHop(hops[i]); !u.trusted(hop) {
					break
				}
			}
			if want, ok := parseHop(hops[i]); !ok || want != addr {
				t.Errorf("%q is from %v; want %v", text, addr, want)
			}
		}
	})
}
