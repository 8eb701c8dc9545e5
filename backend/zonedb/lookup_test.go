package zonedb_test

import (
	"testing"

	"redyn/backend/dns"
	"redyn/backend/zonedb"
)

const soa = "ns1.example. hostmaster.example. 7 3600 600 86400 300"

func TestLookup(t *testing.T) {
	db := zonedb.New()
	load(t, db, 1, "example.", parse(t, `
		@               SOA   `+soa+`
		@               NS    ns1.example.
		@               A     192.0.2.1
		www             A     192.0.2.3
		www             A     192.0.2.2
		www             AAAA  2001:db8::2
		*               MX    10 www.example.
		*.w             A     192.0.2.4
		x.*.v           A     192.0.2.4
		a.b.c           TXT   "deep"
		alias           CNAME www.example.
		moved           DNAME elsewhere.example.
		below.moved     A     192.0.2.5
		sub             NS    ns.sub.example.
		sub             NS    ns.other.
		sub             DS    1 13 2 00
		sub             A     192.0.2.6
		sub             RRSIG DS 13
		ns.sub          A     192.0.2.7
		e.f.sub         A     192.0.2.8
		f.sub           DS    1 13 2 00
		in.sub          NS    ns.other.
		only.cut        NS    ns.other.
		child           NS    ns1.example.
		esc\.aped       A     192.0.2.9
		sp\032ace       A     192.0.2.10
	`))
	load(t, db, 2, "child.example.", parse(t, `
		child           SOA   `+soa+`
		child           NS    ns1.child.example.
		ns1.child       A     192.0.2.11
	`))
	load(t, db, 3, "other.", parse(t, "other. SOA "+soa))

	f := func(name string, typ dns.Type, id dns.ZoneID, want string) {
		t.Helper()
		answers := look(db, dns.MustParseName(name), typ, id)
		same(t, "lookup "+name+" "+typ.String(), write(answers), want)
	}
	const any = dns.TypeANY

	f("example", any, 1, `
		1 example. SOA auth `+soa+`
		1 example. A auth 192.0.2.1
		1 example. NS auth ns1.example.`)
	f("example", dns.TypeSOA, 1, `1 example. SOA auth `+soa)
	f("WWW.Example.", any, 1, `
		1 www.example. A auth 192.0.2.2, 192.0.2.3
		1 www.example. AAAA auth 2001:db8::2`)
	f("www.example", dns.TypeAAAA, 1, `1 www.example. AAAA auth 2001:db8::2`)
	f("www.example", dns.TypeTXT, 1, ``)
	f("nothing.example", any, 1, ``)
	f("www.nothing", any, dns.AnyZone, ``)

	// Wildcards and the names around them are there literally.
	f("*.example", any, 1, `1 *.example. MX auth 10 www.example.`)
	f("*.w.example", any, 1, `1 *.w.example. A auth 192.0.2.4`)
	f("w.example", any, 1, `1 w.example. ENT auth`)
	f("*.v.example", any, 1, `1 *.v.example. ENT auth`)

	// Empty non-terminals, also deep ones; only questions for any type get them.
	f("b.c.example", any, 1, `1 b.c.example. ENT auth`)
	f("c.example", any, 1, `1 c.example. ENT auth`)
	f("c.example", dns.TypeSOA, 1, ``)
	f("cut.example", any, 1, `1 cut.example. ENT auth`)

	f("alias.example", any, 1, `1 alias.example. CNAME auth www.example.`)
	f("alias.example", dns.TypeA, 1, ``)
	f("moved.example", any, 1, `1 moved.example. DNAME auth elsewhere.example.`)
	f("below.moved.example", any, 1, `1 below.moved.example. A auth 192.0.2.5`)

	// At a cut and below.
	f("sub.example", any, 1, `
		1 sub.example. A - 192.0.2.6
		1 sub.example. NS - ns.other., ns.sub.example.
		1 sub.example. DS auth 1 13 2 00
		1 sub.example. RRSIG auth DS 13`)
	f("sub.example", dns.TypeDS, 1, `1 sub.example. DS auth 1 13 2 00`)
	f("ns.sub.example", any, 1, `1 ns.sub.example. A - 192.0.2.7`)
	f("f.sub.example", any, 1, `1 f.sub.example. DS - 1 13 2 00`)
	f("e.f.sub.example", any, 1, `1 e.f.sub.example. A - 192.0.2.8`)
	f("in.sub.example", any, 1, `1 in.sub.example. NS - ns.other.`)
	f("only.cut.example", any, 1, `1 only.cut.example. NS - ns.other.`)

	// A child zone beside its parent.
	f("child.example", any, 1, `1 child.example. NS - ns1.example.`)
	f("child.example", any, 2, `
		2 child.example. SOA auth `+soa+`
		2 child.example. NS auth ns1.child.example.`)
	f("child.example", any, dns.AnyZone, `
		2 child.example. SOA auth `+soa+`
		2 child.example. NS auth ns1.child.example.
		1 child.example. NS - ns1.example.`)
	f("ns1.child.example", any, dns.AnyZone, `2 ns1.child.example. A auth 192.0.2.11`)
	f("ns1.child.example", any, 1, ``)
	f("www.example", any, 2, ``)
	f("www.example", dns.TypeAAAA, 4, `1 www.example. AAAA auth 2001:db8::2`) // the id of a zone that is gone

	f(`esc\.aped.example`, any, 1, `1 esc\.aped.example. A auth 192.0.2.9`)
	f(`aped.example`, any, 1, ``)
	f(`sp\032ace.example`, any, 1, `1 sp\032ace.example. A auth 192.0.2.10`)
	f(`sp\ ace.example`, any, dns.AnyZone, `1 sp\032ace.example. A auth 192.0.2.10`)
}

func TestLookupRootZone(t *testing.T) {
	db := zonedb.New()
	load(t, db, 1, dns.Root, parse(t, `
		.            SOA a.root. b.root. 9 1 1 1 1
		.            NS  a.root.
		org.         NS  ns.org.
		ns.org.      A   192.0.2.1
		a.b.arpa.    PTR www.example.
	`))
	f := func(name string, want string) {
		t.Helper()
		for _, id := range []dns.ZoneID{1, dns.AnyZone} {
			same(t, "lookup "+name, write(look(db, dns.MustParseName(name), dns.TypeANY, id)), want)
		}
	}
	f(".", `
		1 . SOA auth a.root. b.root. 9 1 1 1 1
		1 . NS auth a.root.`)
	f("org", `1 org. NS - ns.org.`)
	f("ns.org", `1 ns.org. A - 192.0.2.1`)
	f("b.arpa", `1 b.arpa. ENT auth`)
	f("arpa", `1 arpa. ENT auth`)
	f("com", ``)
	same(t, "list", write(list(t, db, 1, dns.Root)), `
		1 . SOA auth a.root. b.root. 9 1 1 1 1
		1 . NS auth a.root.
		1 arpa. ENT auth
		1 b.arpa. ENT auth
		1 a.b.arpa. PTR auth www.example.
		1 org. NS - ns.org.
		1 ns.org. A - 192.0.2.1`)
	if z, ok := db.Zone(dns.Root); !ok || z.Serial != 9 {
		t.Errorf("zone %v %v", z, ok)
	}
}

// A lookup needs no memory but the caller's.
func TestLookupAllocates(t *testing.T) {
	db := zonedb.New()
	load(t, db, 1, "example.", parse(t, `
		@        SOA   `+soa+`
		www      A     192.0.2.3
		www      A     192.0.2.2
		sub      NS    ns.sub.example.
		ns.sub   A     192.0.2.7
		b.c      A     192.0.2.7
	`))
	dst := make([]dns.Answer, 0, 8)
	for _, name := range []dns.Name{"example.", "www.example.", "c.example.", "ns.sub.example.", "no.example."} {
		for _, id := range []dns.ZoneID{1, dns.AnyZone} {
			if n := testing.AllocsPerRun(10, func() { db.Lookup(dst, name, dns.TypeANY, id) }); n != 0 {
				t.Errorf("lookup %s in zone %d: %v allocations", name, id, n)
			}
		}
	}
}
