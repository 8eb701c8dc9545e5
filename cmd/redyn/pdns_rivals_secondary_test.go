package main_test

import (
	"os"
	"testing"
	"time"
)

// As secondaries of a server that signs both answer alike too.
func testPowerDNSRivalSecondaries(t *testing.T) {
	t.Parallel()
	r := startRivalSecondaries(t)
	for _, c := range contexts {
		if c.name == "narrow" { // has no chain that could be transferred
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			r.enter(t, c.set)
			for zone, text := range r.zones {
				r.compare(t, zone, text)
			}
		})
	}
}

func startRivalSecondaries(t *testing.T) *rivals {
	t.Helper()
	r := &rivals{redis: startRedis(t), zones: rivalZones(t)}
	if os.Getenv("TEST_ZONES") == "" {
		r.asked = 150
	}
	r.redis.importZone(t, "$ORIGIN first.example.\n"+signedChild) // begins the data set
	r.primary = startPDNS(t, sqlite(t)+rivalSettings+"primary=yes\n")
	r.sqlite = startPDNS(t, sqlite(t)+rivalSettings+transferring)
	r.redyn = startPDNS(t, remote(startNode(t, r.redis).overUnix())+"remote-dnssec=yes\n"+rivalSettings+transferring)
	for zone, text := range r.zones {
		r.primary.util(t, "load-zone", zone, writeFile(t, "zone", text))
		r.sqlite.util(t, "create-secondary-zone", zone, r.primary.addr)
		r.redis.redyn(t, "zone", "create", zone, "--kind", "slave", "--primary", r.primary.addr)
	}
	return r
}

// transfer has both secondaries transfer what the primary has now.
func (r *rivals) transfer(t *testing.T, zone string) {
	t.Helper()
	r.primary.util(t, "increase-serial", zone)
	want := r.primary.serial(t, zone)
	for _, p := range []*powerDNS{r.redyn, r.sqlite} {
		var asked time.Time
		eventually(t, func() error {
			if time.Since(asked) > time.Second { // what is asked while the zone is being transferred is forgotten
				p.control(t, "retrieve", zone)
				asked = time.Now()
			}
			return p.isAt(zone, want)
		})
	}
}
