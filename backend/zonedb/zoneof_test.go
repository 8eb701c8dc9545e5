package zonedb_test

import (
	"testing"

	"redyn/backend/dns"
	"redyn/backend/zonedb"
)

func TestZoneOf(t *testing.T) {
	db := zonedb.New()
	load(t, db, 1, "example.", parse(t, `
		@               SOA   `+soa+`
		www             A     192.0.2.1
		sub             NS    ns.sub.example.
		ns.sub          A     192.0.2.7
		child           NS    ns1.example.
	`))
	load(t, db, 2, "child.example.", parse(t, `
		child           SOA   `+soa+`
		in.child        NS    ns.other.
	`))

	f := func(name, want string) {
		t.Helper()
		zone, ok := db.ZoneOf(dns.MustParseName(name))
		if got := string(zone.Name); ok != (want != "") || ok && got != want {
			t.Errorf("the zone of %s is %q, %v; want %q", name, got, ok, want)
		}
	}
	f("example", "example.")
	f("www.example", "example.")
	f("not.there.example", "example.")
	f("below.www.example", "example.")
	f("*.example", "example.")

	// What is delegated elsewhere is nobody's here, glue neither; the cut itself is the parent's.
	f("sub.example", "example.")
	f("ns.sub.example", "")
	f("deep.below.sub.example", "")

	// A child that is here has its own.
	f("child.example", "child.example.")
	f("www.child.example", "child.example.")
	f("in.child.example", "child.example.")
	f("www.in.child.example", "")

	f("other", "")
	f("xexample", "")
	f(".", "")

	// The root zone has all the rest.
	load(t, db, 3, ".", parse(t, ". SOA "+soa))
	f("other", ".")
	f(".", ".")
	f("www.example", "example.")
}
