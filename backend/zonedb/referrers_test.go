package zonedb_test

import (
	"slices"
	"testing"

	"redyn/backend/dns"
	"redyn/backend/zonedb"
)

func TestReferrers(t *testing.T) {
	db := zonedb.New()
	sets := parse(t, `
		@      NS     t.other.
		cname  CNAME  T.Other.
		dname  DNAME  t.other.
		alias  ALIAS  t.other.
		mx     MX     10 t.other.
		mx     MX     20 t.other.
		srv    SRV    1 2 3 t.other.
		svcb   SVCB   1 t.other. alpn=h2
		https  HTTPS  0 t.other.
		naptr  NAPTR  1 2 "a" "x y" "" t.other.
		self   HTTPS  1 . alpn=h2
		nomx   MX     0 .
		txt    TXT    t.other.
		ptr    PTR    t.other.
		broken MX     10
		esc    CNAME  a\.b.other.
	`)
	load(t, db, 1, "example.", sets)
	const all = `
		alias.example. ALIAS
		cname.example. CNAME
		dname.example. DNAME
		example. NS
		https.example. HTTPS
		mx.example. MX
		naptr.example. NAPTR
		srv.example. SRV
		svcb.example. SVCB`
	f := func(target dns.Name, want string) {
		t.Helper()
		same(t, "referrers of "+string(target), referrers(db, target), want)
	}
	f("t.other.", all)
	f("other.", "")
	f(dns.Root, "")
	f(`a\.b.other.`, "esc.example. CNAME")

	// Zones that are staged do not count, and zones shown twice as once.
	stage(t, db, 1, "example.", parse(t, "new CNAME t.other."))
	f("t.other.", all)
	db.Show(1)
	f("t.other.", "new.example. CNAME")
	load(t, db, 2, dns.Root, parse(t, "new CNAME t.other."))
	f("t.other.", "new.example. CNAME")

	db.Apply(dns.Entry{Zones: []dns.ZoneEntry{{ID: 1, RRsets: parse(t, `
		new CNAME x.
		mx  MX    10 t.other.
		mx  MX    10 u.other.
	`)}, {ID: 2, Deleted: true}}})
	f("t.other.", "mx.example. MX")
	f("u.other.", "mx.example. MX")
	f("x.", "new.example. CNAME")
	for range db.Referrers("x.") {
		break
	}

	// More than others wait for.
	many := slices.Clone(sets)
	for i := range 1000 {
		many = append(many, dns.RRset{Name: host(i) + "example.", Type: dns.TypeCNAME, Content: []string{"t.other."}})
	}
	load(t, db, 1, "example.", many)
	n := 0
	for range db.Referrers("t.other.") {
		n++
	}
	if n != 1009 {
		t.Errorf("%d referrers", n)
	}
	db.ShowAll()
	if got := db.ZonesOfRefs(); got != 0 {
		t.Errorf("referrers of %d zones, but there are none", got)
	}
}
