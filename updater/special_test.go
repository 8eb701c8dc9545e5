package updater

import (
	"net/netip"
	"strings"
	"testing"

	"redyn/backend/dns"
)

func TestRefusedAddresses(t *testing.T) {
	s := serve(t, Options{RefusedAddresses: append(SpecialAddresses(), netip.MustParsePrefix("198.51.100.0/24"))})
	own := basic("", s.tokenFor(nil, home, office))
	param := func(addr string) string {
		if strings.Contains(addr, ":") {
			return "myipv4=&myipv6=" + addr
		}
		return "myip=" + addr
	}
	const h = "/update?hostname=home.example.org&"
	f := func(target string, status int, want string) {
		t.Helper()
		s.get(target, own).is(t, status, want)
	}
	f(h+"myip=192.0.2.1", 200, "good")
	for _, addr := range []string{
		"0.0.0.0", "127.0.0.1", "127.255.255.255", "169.254.1.1", "224.0.0.251", "239.255.255.255", "255.255.255.255",
		"198.51.100.7", "::", "::1", "fe80::1", "febf::1", "ff02::1",
	} {
		f(h+param(addr), 400, addr+" is no address that hosts may have here")
		f(h+"myip=192.0.2.2,2001:db8::2,"+addr, 400, addr+" is no address that hosts may have here")
	}
	f(h+"myip=::ffff:127.0.0.1", 400, "127.0.0.1 is no address that hosts may have here")
	// The caller's own is no better.
	s.get("/nic/update?hostname=home.example.org", own).is(t, 200, "dnserr")
	// One bad host among several changes none.
	f("/update?hostname=home.example.org,office.example.org&myip=192.0.2.3&myipv4:office.example.org=127.0.0.1", 400, "127.0.0.1 is no address that hosts may have here")
	// An address may get there by its network alone.
	f(h+"myip=198.51.0.0/16", 200, "good")
	f(h+"myip=198.51.0.100", 200, "good")
	f(h+"myip=127.0.0.0/8", 400, "127.51.0.100 is no address that hosts may have here")
	s.has(home, dns.TypeA, "198.51.0.100")
	for _, addr := range []string{"10.0.0.1", "192.168.1.1", "1.0.0.0", "128.0.0.0", "fd00::1", "fec0::1", "::2"} {
		f(h+param(addr), 200, "good")
	}
}
