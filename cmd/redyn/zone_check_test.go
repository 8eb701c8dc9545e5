package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"redyn/backend/dns"
	"redyn/backend/dns/zonefile"
)

func expectProblems(t *testing.T, got []zonefile.Problem, want ...string) {
	t.Helper()
	var texts []string
	for _, p := range got {
		texts = append(texts, severity(p)+": "+p.String())
	}
	same := slices.EqualFunc(texts, want, strings.Contains)
	if !same {
		t.Errorf("problems are\n%s\nwant\n%s", strings.Join(texts, "\n"), strings.Join(want, "\n"))
	}
}

func TestCheckContents(t *testing.T) {
	sets := []dns.RRset{
		dns.NewRRset("a.example.org.", dns.TypeHTTPS, 60, "0 svc.example.org. port=80"),
		dns.NewRRset("b.example.org.", dns.TypeHTTPS, 60, `1 . key667="a;b"`),
		dns.NewRRset("c.example.org.", dns.TypeLUA, 60, `TXT "return 'x'"`),
	}
	expectProblems(t, checkContents(sets),
		"error: a.example.org. has a record that cannot be served: HTTPS: an alias (priority 0) has no parameters",
		`warning: b.example.org. HTTPS: PowerDNS may not read 1 . key667="a;b"; expected 1 . key667="a\059b"`)
}

func TestCheckSigning(t *testing.T) {
	const apex = dns.Name("example.org.")
	key := dns.Key{ID: 1, Flags: 257, Active: true, Published: true}
	live := dns.ZoneData{Zone: dns.Zone{Name: apex}, Keys: []dns.Key{key}}
	with := func(z dns.ZoneData, meta dns.Metadata) dns.ZoneData {
		z.Metadata = meta
		return z
	}
	param := func(text string) dns.ZoneData { return with(live, dns.Metadata{"NSEC3PARAM": {text}}) }
	set := func(name dns.Name, typ dns.Type) dns.RRset { return dns.NewRRset(name, typ, 60, "x") }
	f := func(z dns.ZoneData, sets []dns.RRset, want ...string) {
		t.Helper()
		expectProblems(t, checkSigning(z, sets, map[dns.Name]dns.Name{"there.": "hmac-md5."}), want...)
	}
	f(live, []dns.RRset{set(apex, dns.TypeSOA)})
	f(param("1 0 0 -"), nil)
	f(param("1 1 10 AbCd"), nil)
	f(param("1 0 500 -"), nil, "warning: example.org. wants 500 iterations of NSEC3: PowerDNS lowers them to 100 (expected 0, RFC 9276)")
	for text, fault := range map[string]string{
		"1 0 0":     "it has 3 fields of 4",
		"":          "it has 0 fields of 4",
		"2 0 0 -":   "the hash algorithm is not 1",
		"1 2 0 -":   "the flags are neither 0 nor 1 (opt-out)",
		"1 0 -1 -":  "the iterations are no number from 0 to 65535",
		"1 0 0 abc": "the salt is neither - nor up to 255 octets in hexadecimal digits",
	} {
		f(param(text), nil, fmt.Sprintf("error: example.org. has the metadata NSEC3PARAM %q: %s; expected something like 1 0 0 -", text, fault))
	}
	f(with(live, dns.Metadata{"NSEC3PARAM": {"1 0 0 -", "1 1 0 -"}}), nil, "has several values of the metadata NSEC3PARAM")
	f(with(live, dns.Metadata{"NSEC3NARROW": {"1"}}), nil, "has the metadata NSEC3NARROW without NSEC3PARAM")
	f(with(live, dns.Metadata{"ALSO-NOTIFY": {"192.0.2.1", "192.0.2.1"}}), nil, "has a value twice in its metadata ALSO-NOTIFY")
	f(with(live, dns.Metadata{"TSIG-ALLOW-AXFR": {"there", "gone"}}), nil, "names the TSIG key gone in its metadata TSIG-ALLOW-AXFR, and there is none")

	long := live
	long.Zone.Name = dns.Name(strings.Repeat(strings.Repeat("a", 55)+".", 4))
	long.Metadata = dns.Metadata{"NSEC3PARAM": {"1 0 0 -"}}
	f(long, nil, "its name of 225 octets leaves no room for a hash; at most 222 do")

	// What PowerDNS makes itself.
	ours := []dns.RRset{
		set(apex, dns.TypeDNSKEY), set(apex, dns.TypeNSEC3PARAM), set("a.example.org.", dns.TypeNSEC),
		set("a.example.org.", dns.TypeRRSIG), set("h.example.org.", dns.TypeNSEC3),
	}
	made := []string{
		"warning: example.org. DNSKEY: is ignored", "warning: example.org. NSEC3PARAM: is ignored",
		"error: a.example.org. NSEC: does not belong", "error: a.example.org. RRSIG: does not belong", "error: h.example.org. NSEC3: does not belong",
	}
	f(live, ours, made...)
	f(dns.ZoneData{Zone: dns.Zone{Name: apex}}, ours, made...)
	presigned := with(dns.ZoneData{Zone: dns.Zone{Name: apex}}, dns.Metadata{"PRESIGNED": {"1"}})
	f(presigned, []dns.RRset{set(apex, dns.TypeDNSKEY), set(apex, dns.TypeRRSIG)})
	f(presigned, nil)
	f(presigned, []dns.RRset{set(apex, dns.TypeSOA)}, "error: example.org. is pre-signed and has no RRSIG at its apex")

	presigned.Keys = live.Keys
	f(presigned, nil, "is pre-signed and has DNSSEC keys, which are not used")
	key.Active = false
	f(dns.ZoneData{Zone: live.Zone, Keys: []dns.Key{key}}, nil, "none is active")
	key.Active, key.Published = true, false
	f(dns.ZoneData{Zone: live.Zone, Keys: []dns.Key{key}}, nil, "no active DNSSEC key that is published")
	f(dns.ZoneData{Zone: live.Zone, KeysUnknown: true}, nil, "error: example.org. has a DNSSEC key that cannot be read")

	wild := []dns.RRset{set("*.example.org.", dns.TypeA)}
	f(param("1 0 0 -"), wild)
	f(param("1 1 0 -"), wild, "warning: *.example.org. A: is a wildcard in a zone with opt-out, and so not secure")
}

func TestCheckCut(t *testing.T) {
	const cut = dns.Name("sub.example.org.")
	parent, child := dns.ZoneData{Zone: dns.Zone{Name: "example.org.", Serial: 1}}, dns.ZoneData{Zone: dns.Zone{Name: cut, Serial: 1}}
	signed := func(z dns.ZoneData) dns.ZoneData {
		z.Keys = []dns.Key{{ID: 1, Active: true, Published: true}}
		return z
	}
	of := func(sets ...dns.RRset) getSet {
		return func(name dns.Name, typ dns.Type) (dns.RRset, error) {
			for _, s := range sets {
				if s.Name == name && s.Type == typ {
					return s, nil
				}
			}
			return dns.RRset{Name: name, Type: typ}, nil
		}
	}
	ns := func(servers ...string) dns.RRset { return dns.NewRRset(cut, dns.TypeNS, 60, servers...) }
	a := func(addr string) dns.RRset { return dns.NewRRset("ns.sub.example.org.", dns.TypeA, 60, addr) }
	ds := dns.NewRRset(cut, dns.TypeDS, 60, "1 13 2 AB")
	f := func(parent, child dns.ZoneData, above, below getSet, want ...string) {
		t.Helper()
		got, err := checkCut(parent, child, above, below)
		if err != nil {
			t.Fatal(err)
		}
		expectProblems(t, got, want...)
	}
	f(parent, child, of(ns("ns.sub.example.org."), a("192.0.2.1")), of(ns("NS.sub.example.org."), a("192.0.2.1")))
	f(parent, child, of(), of(ns("ns.")), "warning: sub.example.org. is a zone of its own here and has no NS in the zone above it")
	f(parent, child, of(ns("ns.other.")), of(ns("ns.")), "warning: sub.example.org. NS: is delegated to ns.other., and the zone here has ns.")
	f(parent, child, of(ns("ns.sub.example.org."), a("192.0.2.1")), of(ns("ns.sub.example.org."), a("192.0.2.2")),
		"warning: ns.sub.example.org. A: is glue with 192.0.2.1, and the zone here has 192.0.2.2")
	f(parent, child, of(ns("ns.sub.example.org."), a("192.0.2.1")), of(ns("ns.sub.example.org.")),
		"warning: ns.sub.example.org. A: is glue with 192.0.2.1, and the zone here has none")
	f(parent, child, of(ns("ns."), ds), of(ns("ns.")), "error: sub.example.org. DS: says that the zone is signed")
	f(parent, signed(child), of(ns("ns.")), of(ns("ns.")))
	f(signed(parent), signed(child), of(ns("ns."), ds), of(ns("ns.")))
	f(signed(parent), signed(child), of(ns("ns.")), of(ns("ns.")), "warning: sub.example.org. is signed and has no DS in the zone above it")
	child.Zone.Serial = 0
	f(parent, child, of(ns("ns.other.")), of())
}
