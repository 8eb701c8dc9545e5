package zonedb_test

import (
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"redyn/backend/dns"
	"redyn/backend/zonedb"
)

func TestStageShowForget(t *testing.T) {
	db := zonedb.New()
	www := func(address string) []dns.RRset { return parse(t, "www A "+address) }
	shows := func(want string) {
		t.Helper()
		same(t, "www.example.", write(look(db, "www.example.", dns.TypeANY, dns.AnyZone)), want)
	}
	const one, two = "1 www.example. A auth 192.0.2.1", "1 www.example. A auth 192.0.2.2"

	stage(t, db, 1, "example.", www("192.0.2.1"))
	shows("")
	db.Show(1)
	shows(one)
	db.Show(1)
	shows(one)

	// What happens to a staged zone is not seen before it is shown.
	stage(t, db, 1, "example.", nil)
	db.Apply(dns.Entry{Zones: []dns.ZoneEntry{{ID: 1, RRsets: www("192.0.2.2")}}})
	shows(one)
	db.Show(1)
	shows(two)

	db.Show(2)
	stage(t, db, 1, "example.", www("192.0.2.1"))
	db.Forget()
	db.Show(1)
	shows(two)

	// A failed load leaves nothing, nor does it leave what was staged before.
	stage(t, db, 1, "example.", www("192.0.2.1"))
	broken := errors.New("broken")
	err := db.Stage(dns.ZoneData{Zone: dns.Zone{ID: 1, Name: "example."}}, func(yield func(dns.RRset, error) bool) {
		_ = yield(www("192.0.2.1")[0], nil) && yield(dns.RRset{}, broken)
	})
	if !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	db.Show(1)
	shows(two)

	// A zone created anew has another id.
	stage(t, db, 5, "example.", www("192.0.2.5"))
	db.Show(5)
	shows("5 www.example. A auth 192.0.2.5")
	if _, err := db.List(1, "example."); !errors.Is(err, dns.ErrNotFound) {
		t.Error("the old zone is there")
	}

	// Deleted while it was staged: gone once it would be shown.
	stage(t, db, 5, "example.", www("192.0.2.1"))
	gone := dns.Entry{Zones: []dns.ZoneEntry{{ID: 5, Deleted: true}}}
	db.Apply(gone)
	db.Apply(dns.Entry{Zones: []dns.ZoneEntry{{ID: 5, RRsets: www("192.0.2.1")}}})
	shows("5 www.example. A auth 192.0.2.5")
	db.Show(5)
	shows("")

	stage(t, db, 1, "example.", www("192.0.2.1"))
	stage(t, db, 2, "other.", nil)
	db.ShowAll()
	shows(one)
	stage(t, db, 1, "example.", www("192.0.2.2"))
	db.ShowAll()
	shows(two)
	for z := range db.Zones() {
		if z.ID != 1 || z.Name != "example." {
			t.Errorf("zone %v", z)
		}
		break
	}
	if got := db.Stats(); got != (zonedb.Stats{Zones: 1, Names: 1, Records: 1}) {
		t.Errorf("stats %+v", got)
	}
	db.Apply(dns.Entry{Zones: []dns.ZoneEntry{{ID: 1, Deleted: true}}})
	db.Apply(dns.Entry{Zones: []dns.ZoneEntry{{ID: 1, RRsets: www("192.0.2.1")}}})
	shows("")
	if got := slices.Collect(db.Zones()); len(got) > 0 {
		t.Errorf("zones %v", got)
	}
}

func TestZone(t *testing.T) {
	db := zonedb.New()
	about := dns.Zone{ID: 1, Name: "example.", Kind: dns.Master, Serial: 3, Account: "me"}
	if err := db.Stage(dns.ZoneData{Zone: about, Metadata: dns.Metadata{"X": {"1"}}}, yields(parse(t, "@ SOA "+soa))); err != nil {
		t.Fatal(err)
	}
	db.Show(1)
	f := func(want dns.Zone, meta dns.Metadata) {
		t.Helper()
		got, ok := db.Zone("example.")
		if !ok || got.Serial != want.Serial || got.Account != want.Account || got.Kind != want.Kind ||
			got.ID != 1 || got.Name != "example." || got.NotifiedSerial != want.NotifiedSerial || got.LastCheck != want.LastCheck {
			t.Errorf("zone %+v, want %+v", got, want)
		}
		if byID, ok := db.ZoneByID(1); !ok || byID.Name != got.Name || byID.Serial != got.Serial {
			t.Errorf("by id zone %+v, want %+v", byID, got)
		}
		if got, err := db.Metadata("example."); err != nil || !maps.EqualFunc(got, meta, slices.Equal) {
			t.Errorf("metadata %v, %v, want %v", got, err, meta)
		}
	}
	about.Serial = 7 // of the SOA
	f(about, dns.Metadata{"X": {"1"}})

	about.NotifiedSerial, about.LastCheck = 7, time.Unix(1, 0)
	db.Apply(dns.Entry{Zones: []dns.ZoneEntry{{ID: 1, Zone: &about}}})
	f(about, dns.Metadata{"X": {"1"}})

	before, _ := db.Metadata("example.")
	db.Apply(dns.Entry{Zones: []dns.ZoneEntry{{ID: 1, Metadata: dns.Metadata{"X": nil, "Y": {"2"}}}}})
	f(about, dns.Metadata{"Y": {"2"}})
	if len(before["X"]) != 1 || len(before) != 1 {
		t.Errorf("metadata got before became %v", before)
	}
	db.Apply(dns.Entry{Zones: []dns.ZoneEntry{{ID: 1, Metadata: dns.Metadata{"Y": nil}}}})
	f(about, nil)

	db.Apply(dns.Entry{Zones: []dns.ZoneEntry{{ID: 1, RRsets: parse(t, "@ SOA a. b. 4294967295 1 1 1 1")}}})
	about.Serial = 4294967295
	f(about, nil)
	db.Apply(dns.Entry{Zones: []dns.ZoneEntry{{ID: 1, RRsets: parse(t, "@ SOA a. b. many 1 1 1 1")}}})
	about.Serial = 0
	f(about, nil)

	if _, ok := db.ZoneByID(2); ok {
		t.Error("a zone of an id that there is not")
	}
	if meta, err := db.Metadata("no.example."); meta != nil || err != nil {
		t.Errorf("metadata %v, %v of a zone that there is not", meta, err)
	}
	if _, ok := db.Zone("no.example."); ok {
		t.Error("a zone that there is not")
	}
}
