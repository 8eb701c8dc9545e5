package zonedb_test

import (
	"errors"
	"testing"

	"redyn/backend/dns"
	"redyn/backend/zonedb"
)

// unknown stages that a zone could not be read.
func unknown(t *testing.T, db *zonedb.DB, id dns.ZoneID, name dns.Name) {
	t.Helper()
	if err := db.Stage(dns.ZoneData{Zone: dns.Zone{ID: id, Name: name, Unknown: true}}, yields(nil)); err != nil {
		t.Fatal(err)
	}
}

// Of a zone that could not be read nothing is answered, and nothing of its names by the zone above.
func TestUnknownZone(t *testing.T) {
	db := zonedb.New()
	stage(t, db, 1, "example.", parse(t, "@ SOA "+soa+"\n mid NS ns\n www A 192.0.2.1"))
	unknown(t, db, 2, "mid.example.")
	stage(t, db, 3, "deep.mid.example.", parse(t, "deep.mid SOA "+soa))
	db.ShowAll()
	f := func(known bool, name dns.Name, ids ...dns.ZoneID) {
		t.Helper()
		for _, id := range ids {
			if got, err := db.Lookup(nil, name, dns.TypeANY, id); known != (err == nil) || err != nil && !errors.Is(err, dns.ErrUnknown) {
				t.Errorf("lookup of %s in zone %d: %v, %v", name, id, got, err)
			}
		}
	}
	all := []dns.ZoneID{dns.AnyZone, 1, 2, 77}
	f(true, "example.", dns.AnyZone, 1, 77)
	f(true, "no.example.", dns.AnyZone, 1, 77)
	f(false, "mid.example.", all...)
	f(false, "a.b.mid.example.", all...)
	f(false, "deep.mid.example.", 1, 2)
	f(true, "deep.mid.example.", dns.AnyZone, 3, 77)
	f(true, "no.deep.mid.example.", dns.AnyZone, 3, 77)

	if z, ok := db.Zone("mid.example."); !ok || !z.Unknown || z.ID != 2 {
		t.Errorf("the zone is %+v, %t", z, ok)
	}
	if _, err := db.List(2, "mid.example."); !errors.Is(err, dns.ErrUnknown) {
		t.Errorf("list: %v", err)
	}
	if _, err := db.Metadata("mid.example."); !errors.Is(err, dns.ErrUnknown) {
		t.Errorf("metadata: %v", err)
	}
	if _, err := db.Keys("mid.example."); !errors.Is(err, dns.ErrUnknown) {
		t.Errorf("keys: %v", err)
	}

	// A change makes it no more known; to be read does.
	db.Apply(dns.Entry{Zones: []dns.ZoneEntry{{ID: 2, RRsets: parse(t, "www.mid A 192.0.2.1")}}})
	f(false, "www.mid.example.", all...)
	stage(t, db, 2, "mid.example.", parse(t, "mid SOA "+soa))
	db.Show(2)
	f(true, "www.mid.example.", all...)
	unknown(t, db, 2, "mid.example.")
	db.Show(2)
	f(false, "www.mid.example.", all...)
	db.Apply(dns.Entry{Zones: []dns.ZoneEntry{{ID: 2, Deleted: true}}})
	f(true, "www.mid.example.", all...)
}

// A zone that is kept goes on as it is, through all that may come after.
func TestKeep(t *testing.T) {
	db := zonedb.New()
	is := func(want string) {
		t.Helper()
		same(t, "www", write(look(db, "www.example.", dns.TypeANY, dns.AnyZone)), want)
	}
	referrers := func(want int) {
		t.Helper()
		got := 0
		for range db.Referrers("www.example.") {
			got++
		}
		if got != want {
			t.Errorf("%d names refer to www, want %d", got, want)
		}
	}
	if db.Keep(1) {
		t.Error("a zone that there is not is kept")
	}
	stage(t, db, 1, "example.", parse(t, "@ SOA "+soa+"\n www A 192.0.2.1\n to CNAME www.example."))
	db.ShowAll()
	for _, goOn := range []func(){db.ShowAll, func() { db.Show(1) }, db.Forget, func() { db.Keep(1) }, db.ShowAll} {
		if !db.Keep(1) {
			t.Error("the zone is not kept")
		}
		goOn()
		is("1 www.example. A auth 192.0.2.1\n")
		referrers(1)
	}
	db.Keep(1)
	db.Apply(dns.Entry{Zones: []dns.ZoneEntry{{ID: 1, RRsets: parse(t, "www A 192.0.2.2")}}})
	is("1 www.example. A auth 192.0.2.2\n")
	db.ShowAll()
	is("1 www.example. A auth 192.0.2.2\n")
	db.Keep(1)
	db.Apply(dns.Entry{Zones: []dns.ZoneEntry{{ID: 1, Deleted: true}}})
	is("")
	db.ShowAll()
	is("")
	referrers(0)
}
