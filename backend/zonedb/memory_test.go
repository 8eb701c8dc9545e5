package zonedb

import (
	"fmt"
	"runtime"
	"testing"
	"weak"

	"redyn/backend/dns"
)

// Nothing keeps a zone in memory that was replaced or deleted, so that never more than one is there
// twice.
func TestOldZonesAreFreed(t *testing.T) {
	const zones = 500
	db := New()
	load := func(id int) {
		zone := dns.Zone{ID: dns.ZoneID(id), Name: dns.Name(fmt.Sprintf("zone%d.", id))}
		err := db.Stage(dns.ZoneData{Zone: zone}, func(yield func(dns.RRset, error) bool) {
			yield(dns.NewRRset(zone.Name, dns.TypeNS, 60, "ns.", "ns.other."), nil)
		})
		if err != nil {
			t.Fatal(err)
		}
		db.Show(zone.ID)
	}
	var old []weak.Pointer[zone]
	for id := range zones {
		load(id)
		old = append(old, weak.Make(db.byID[dns.ZoneID(id)]))
	}
	for id := range zones {
		if id%2 == 0 {
			load(id)
		} else {
			db.Apply(dns.Entry{Zones: []dns.ZoneEntry{{ID: dns.ZoneID(id), Deleted: true}}})
		}
	}
	left := len(old)
	for try := 0; try < 5 && left > 0; try++ {
		runtime.GC()
		left = 0
		for _, z := range old {
			if z.Value() != nil {
				left++
			}
		}
	}
	if left > 0 {
		t.Errorf("%d old zones are in memory", left)
	}
	runtime.KeepAlive(db)
}
