package auth_test

import (
	"net/netip"
	"testing"

	"redyn/auth"
	"redyn/backend/dns"
)

func TestGrantAllows(t *testing.T) {
	const zone dns.Name = "example.org."
	f := func(g auth.Grant, zone, name dns.Name, typ dns.Type, want bool) {
		t.Helper()
		if got := g.Allows(auth.Target{Zone: zone, Name: name, Type: typ}); got != want {
			t.Errorf("%+v allows %s %v in %q: %v, want %v", g, name, typ, zone, got, want)
		}
	}

	// A host's own name and nothing else, addresses alone unless types are named.
	host := auth.Grant{Hosts: []auth.Area{{Name: "h.example.org."}}}
	f(host, zone, "h.example.org.", dns.TypeA, true)
	f(host, zone, "h.example.org.", dns.TypeAAAA, true)
	f(host, zone, "h.example.org.", dns.TypeTXT, false)
	f(host, zone, "h.example.org.", dns.TypeMX, false)
	f(host, zone, "_acme-challenge.h.example.org.", dns.TypeTXT, false)
	f(host, zone, "x.h.example.org.", dns.TypeA, false)
	f(host, zone, "xh.example.org.", dns.TypeA, false)
	f(host, zone, "example.org.", dns.TypeA, false)
	f(host, zone, `x\.h.example.org.`, dns.TypeA, false)
	f(host, "", "h.example.org.", dns.TypeA, true)

	host.Types = []dns.Type{dns.TypeAAAA}
	f(host, zone, "h.example.org.", dns.TypeA, false)
	f(host, zone, "h.example.org.", dns.TypeAAAA, true)

	host.Types = []dns.Type{dns.TypeANY}
	f(host, zone, "h.example.org.", dns.TypeMX, true)
	f(host, zone, "h.example.org.", dns.TypeTXT, false)
	f(host, zone, "_acme-challenge.h.example.org.", dns.TypeTXT, true)

	below := auth.Grant{Hosts: []auth.Area{{Name: "h.example.org.", Below: true}}}
	f(below, zone, "h.example.org.", dns.TypeA, true)
	f(below, zone, "x.y.h.example.org.", dns.TypeA, true)
	f(below, zone, "*.h.example.org.", dns.TypeA, true)
	f(below, zone, "example.org.", dns.TypeA, false)
	f(below, zone, `x\.h.example.org.`, dns.TypeA, false)

	// TXT of a host is for _acme-challenge alone, directly below a granted name.
	acme := auth.Grant{Hosts: []auth.Area{{Name: "h.example.org."}}, Types: []dns.Type{dns.TypeTXT}}
	f(acme, zone, "_acme-challenge.h.example.org.", dns.TypeTXT, true)
	f(acme, zone, "_acme-challenge.h.example.org.", dns.TypeA, false)
	f(acme, zone, "_acme-challenge.x.h.example.org.", dns.TypeTXT, false)
	f(acme, zone, "x._acme-challenge.h.example.org.", dns.TypeTXT, false)
	f(acme, zone, "_acme-challenge.example.org.", dns.TypeTXT, false)
	f(acme, zone, "_acme-challenge.", dns.TypeTXT, false)
	f(acme, zone, "h.example.org.", dns.TypeTXT, false)
	f(acme, zone, "h.example.org.", dns.TypeA, false)
	acme.Hosts[0].Below = true
	f(acme, zone, "_acme-challenge.h.example.org.", dns.TypeTXT, true)
	f(acme, zone, "_acme-challenge.x.h.example.org.", dns.TypeTXT, true)
	f(acme, zone, "x._acme-challenge.h.example.org.", dns.TypeTXT, false)
	f(acme, zone, "_acme-challenge.example.org.", dns.TypeTXT, false)

	// A zone is all that it holds, of every type, and not what zones below it hold.
	zoned := auth.Grant{Zones: []auth.Area{{Name: "example.org."}}}
	f(zoned, zone, "example.org.", dns.TypeSOA, true)
	f(zoned, zone, "a.b.example.org.", dns.TypeTXT, true)
	f(zoned, "sub.example.org.", "a.sub.example.org.", dns.TypeA, false)
	f(zoned, "example.net.", "example.net.", dns.TypeA, false)
	f(zoned, zone, "www.example.net.", dns.TypeA, false)
	f(zoned, "", "www.example.org.", dns.TypeA, false)
	zoned.Types = []dns.Type{dns.TypeTXT}
	f(zoned, zone, "a.example.org.", dns.TypeTXT, true)
	f(zoned, zone, "a.example.org.", dns.TypeA, false)
	zoned = auth.Grant{Zones: []auth.Area{{Name: "example.org.", Below: true}}}
	f(zoned, "sub.example.org.", "a.sub.example.org.", dns.TypeA, true)
	f(zoned, "org.", "a.org.", dns.TypeA, false)
	f(auth.Grant{Zones: []auth.Area{{Name: dns.Root, Below: true}}}, "org.", "a.org.", dns.TypeA, true)

	// Nothing granted, or nothing valid.
	f(auth.Grant{}, zone, "h.example.org.", dns.TypeA, false)
	f(auth.Grant{Zones: []auth.Area{{Below: true}}, Hosts: []auth.Area{{Below: true}}}, "", "", dns.TypeA, false)
	f(auth.Grant{Zones: []auth.Area{{Below: true}}, Hosts: []auth.Area{{Below: true}}}, zone, zone, dns.TypeA, false)
}

func TestGrantHostMadeAnew(t *testing.T) {
	f := func(granted, asked auth.HostID, want bool) {
		t.Helper()
		g := auth.Grant{Hosts: []auth.Area{{Host: granted, Name: "h.example.org.", Below: true}}}
		target := auth.Target{Zone: "example.org.", Host: asked, Name: "h.example.org.", Type: dns.TypeA}
		if got := g.Allows(target); got != want {
			t.Errorf("granted as host %d, asked as %d: %v, want %v", granted, asked, got, want)
		}
	}
	f(17, 17, true)
	f(17, 18, false)
	f(17, 0, true)
	f(0, 18, true)
}

func TestGrantFrom(t *testing.T) {
	f := func(addr string, want bool, networks ...string) {
		t.Helper()
		var g auth.Grant
		for _, text := range networks {
			g.Networks = append(g.Networks, must(auth.ParseNetwork(text)))
		}
		a, _ := netip.ParseAddr(addr)
		if got := g.From(a); got != want {
			t.Errorf("from %q with %v: %v, want %v", addr, networks, got, want)
		}
	}
	f("192.0.2.1", true)
	f("", true)
	f("", false, "0.0.0.0/0", "::/0")
	f("192.0.2.1", true, "192.0.2.0/24")
	f("192.0.3.1", false, "192.0.2.0/24")
	f("::ffff:192.0.2.1", true, "192.0.2.0/24")
	f("192.0.2.1", true, "::ffff:192.0.2.0/120")
	f("192.0.2.1", false, "::/0")
	f("192.0.2.1", true, "198.51.100.7", "192.0.2.1")
	f("192.0.2.2", false, "192.0.2.1")
	f("2001:db8::1", true, "2001:db8::/32")
	f("fe80::1%eth0", true, "fe80::/10")
	f("2001:db9::1", false, "2001:db8::/32")

	g := auth.Grant{Networks: []netip.Prefix{netip.MustParsePrefix("::ffff:192.0.2.0/120")}}
	if !g.From(netip.MustParseAddr("192.0.2.1")) {
		t.Error("a network of IPv4 in IPv6 that was not parsed here does not hold its IPv4 address")
	}
}

func TestParseNetwork(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		got, err := auth.ParseNetwork(in)
		if (err == nil) != (want != "") || err == nil && got.String() != want {
			t.Errorf("ParseNetwork(%q) = %v, %v; want %q", in, got, err, want)
		}
	}
	f("192.0.2.77/24", "192.0.2.0/24")
	f("192.0.2.77", "192.0.2.77/32")
	f("::ffff:192.0.2.77", "192.0.2.77/32")
	f("::ffff:192.0.2.77/112", "192.0.0.0/16")
	f("::ffff:0:0/95", "")
	f("2001:DB8::1/32", "2001:db8::/32")
	f("fe80::1%eth0", "")
	f("192.0.2.0/33", "")
	f("192.0.2.0/024", "")
	f("", "")
}

func TestGrantNear(t *testing.T) {
	g := auth.Grant{Hosts: []auth.Area{{Name: "h.example.org."}}, Zones: []auth.Area{{Name: "example.net."}}}
	for name, want := range map[dns.Name]bool{
		"h.example.org.": true, "x.h.example.org.": true, "example.org.": false, "g.example.org.": false,
		"example.net.": true, "www.example.net.": true, "net.": false,
	} {
		if g.Near(name) != want {
			t.Errorf("Near(%s) is %v", name, !want)
		}
	}
}

func TestGrantWithoutHost(t *testing.T) {
	g := auth.Grant{Hosts: []auth.Area{{Host: 1, Name: "a."}, {Host: 2, Name: "b."}, {Name: "c."}}}
	left := g.WithoutHost(1)
	if len(left.Hosts) != 2 || left.Hosts[0].Host != 2 || len(g.Hosts) != 3 || g.Hosts[0].Host != 1 {
		t.Errorf("left %v of %v", left.Hosts, g.Hosts)
	}
	if left = g.WithoutHost(0); len(left.Hosts) != 3 {
		t.Errorf("left %v", left.Hosts)
	}
	one := auth.Grant{Hosts: []auth.Area{{Host: 1, Name: "a."}}}.WithoutHost(1)
	if !one.IsZero() || g.IsZero() {
		t.Error("IsZero is wrong")
	}
}

func TestGrantCovers(t *testing.T) {
	zoneOf := func(n dns.Name) dns.Name {
		for _, zone := range []dns.Name{"sub.example.org.", "example.org."} {
			if n.Under(zone) {
				return zone
			}
		}
		return ""
	}
	f := func(own, other auth.Grant, want bool) {
		t.Helper()
		if got := own.Covers(other, zoneOf); got != want {
			t.Errorf("%+v covers %+v: %v, want %v", own, other, got, want)
		}
	}
	host := func(name dns.Name, below bool, types ...dns.Type) auth.Grant {
		return auth.Grant{Hosts: []auth.Area{{Name: name, Below: below}}, Types: types}
	}
	zone := func(name dns.Name, below bool, types ...dns.Type) auth.Grant {
		return auth.Grant{Zones: []auth.Area{{Name: name, Below: below}}, Types: types}
	}
	all := zone(dns.Root, true)
	f(all, zone("example.org.", true), true)
	f(all, host("h.example.org.", true, dns.TypeANY), true)
	f(all, host("h.example.net.", false), false) // no zone holds it

	f(zone("example.org.", false), zone("example.org.", false), true)
	f(zone("example.org.", false), zone("example.org.", true), false)
	f(zone("example.org.", true), zone("sub.example.org.", true), true)
	f(zone("example.org.", false), host("h.example.org.", false), true)
	f(zone("example.org.", false), host("h.example.org.", true), false)
	f(zone("example.org.", true), host("h.example.org.", true), true)
	f(zone("example.org.", false), host("h.sub.example.org.", false), false)
	f(zone("example.org.", false, dns.TypeA), host("h.example.org.", false), false)
	f(zone("example.org.", false, dns.TypeA), zone("example.org.", false), false)
	f(zone("example.org.", false, dns.TypeA), zone("example.org.", false, dns.TypeA), true)
	f(zone("example.org.", false), zone("example.net.", false), false)

	f(host("h.example.org.", false), host("h.example.org.", false, dns.TypeA), true)
	f(host("h.example.org.", false), host("h.example.org.", false, dns.TypeTXT), false)
	f(host("h.example.org.", false), host("h.example.org.", true), false)
	f(host("h.example.org.", true), host("x.h.example.org.", false), true)
	f(host("h.example.org.", true), zone("h.example.org.", false), false)

	networked := func(g auth.Grant, networks ...string) auth.Grant {
		for _, text := range networks {
			g.Networks = append(g.Networks, netip.MustParsePrefix(text))
		}
		return g
	}
	f(networked(all, "192.0.2.0/24"), networked(all, "192.0.2.0/25"), true)
	f(networked(all, "192.0.2.0/24"), networked(all, "192.0.2.0/25", "198.51.100.0/24"), false)
	f(networked(all, "192.0.2.0/24"), networked(all, "192.0.0.0/16"), false)
	f(networked(all, "192.0.2.0/24"), all, false)
	f(networked(all, "::/0"), networked(all, "192.0.2.0/24"), false)
	f(all, networked(all, "192.0.2.0/24"), true)
}
