package redisstore_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"redyn/backend/dns"
	"redyn/redisstore"
)

const org = dns.Name("example.org.")

const soaContent = "ns1.example.org. host.example.org. 1 3600 600 86400 60"

func orgSets() []dns.RRset {
	return []dns.RRset{
		dns.NewRRset(org, dns.TypeSOA, 3600, soaContent),
		dns.NewRRset(org, dns.TypeNS, 3600, "ns1.example.org.", "ns2.example.org."),
		dns.NewRRset("www.example.org.", dns.TypeA, 60, "192.0.2.1"),
		dns.NewRRset("txt.example.org.", dns.TypeTXT, 60, `"say \"hello\"" "\\ \195\188"`),
	}
}

func create(t testing.TB, s *redisstore.Store, name dns.Name, sets ...dns.RRset) dns.Zone {
	t.Helper()
	z, _, err := s.CreateZone(context.Background(), dns.Zone{Name: name}, sets, redisstore.CreateOptions{BeginAnew: true, Who: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func apply(t testing.TB, s *redisstore.Store, zone dns.Name, sets ...dns.RRset) redisstore.Result {
	t.Helper()
	r, err := s.Apply(context.Background(), dns.Change{Who: "test", Zones: []dns.ZoneChange{{Zone: zone, RRsets: sets}}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestCreateAndRead(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		s := open(t, redisstore.Options{URL: srv.url})
		if _, err := s.Zone(ctx, org); !errors.Is(err, dns.ErrLost) {
			t.Errorf("zone of an empty store: %v", err)
		}
		z := create(t, s, org, orgSets()...)
		if z.ID <= 0 || z.Serial != 1 || z.Kind != dns.Native || z.Policy != dns.SerialUnixTime {
			t.Errorf("created zone is %+v", z)
		}
		create(t, s, "another.example.")
		zones, err := s.Zones(ctx)
		if err != nil || len(zones) != 2 || zones[0].Name != "another.example." || zones[1].ID != z.ID || zones[1].Serial != 1 || zones[0].ID == z.ID {
			t.Errorf("zones are %+v, %v", zones, err)
		}
		if _, _, err := s.CreateZone(ctx, dns.Zone{Name: org}, nil, redisstore.CreateOptions{}); !errors.Is(err, dns.ErrExists) {
			t.Errorf("created again: %v", err)
		}
		if _, err := s.Zone(ctx, "nowhere.example."); !errors.Is(err, dns.ErrNotFound) {
			t.Errorf("zone that is not there: %v", err)
		}
		n := 0
		for set, err := range s.RRsets(ctx, org) {
			if err != nil || !slices.ContainsFunc(orgSets(), set.Equal) {
				t.Errorf("RRset %+v, %v", set, err)
			}
			n++
		}
		if n != len(orgSets()) {
			t.Errorf("%d RRsets", n)
		}
		r := apply(t, s, org, dns.NewRRset("www.example.org.", dns.TypeA, 60, "192.0.2.2"))
		if set, err := s.RRset(ctx, org, "www.example.org.", dns.TypeA); err != nil || set.Content[0] != "192.0.2.2" {
			t.Errorf("www is %+v, %v", set, err)
		}
		if z, err := s.Zone(ctx, org); err != nil || z.Serial != r.Serials[org] || z.Serial < 1_000_000_000 {
			t.Errorf("after %+v the zone is %+v, %v", r, z, err)
		}
		if _, err := s.DeleteZone(ctx, org, "test", ""); err != nil {
			t.Error(err)
		}
		if _, err := s.Zone(ctx, org); !errors.Is(err, dns.ErrNotFound) {
			t.Errorf("deleted zone: %v", err)
		}
		left, _ := srv.rdb.Keys(ctx, "*").Result()
		if len(left) != 4 { // epoch, zones, log, zone:<another>
			t.Errorf("keys left: %q", left)
		}
	})
}

func TestFollow(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		s := open(t, redisstore.Options{URL: srv.url})
		create(t, s, org, orgSets()...)
		f, m := follow(t, s, "node1")
		if got := m.get(org, "www.example.org.", dns.TypeA); len(got) != 1 {
			t.Fatalf("after load www is %v", got)
		}
		r := apply(t, s, org, dns.NewRRset("www.example.org.", dns.TypeA, 60, "192.0.2.9"))
		if err := f.Wait(ctx, r); err != nil {
			t.Fatal(err)
		}
		if got := m.get(org, "www.example.org.", dns.TypeA); len(got) != 1 || got[0] != "192.0.2.9" {
			t.Errorf("www is %v", got)
		}
		if late, err := s.WaitNodes(ctx, r); err != nil || len(late) > 0 {
			t.Errorf("late: %+v, %v", late, err)
		}
		_, r, err := s.CreateZone(ctx, dns.Zone{Name: "new.example."}, []dns.RRset{dns.NewRRset("new.example.", dns.TypeA, 1, "192.0.2.3")}, redisstore.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if late, err := s.WaitNodes(ctx, r); err != nil || len(late) > 0 {
			t.Errorf("late: %+v, %v", late, err)
		}
		if got := m.get("new.example.", "new.example.", dns.TypeA); len(got) != 1 {
			t.Errorf("new zone's record is %v", got)
		}
		r, err = s.DeleteZone(ctx, "new.example.", "", "")
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Wait(ctx, r); err != nil {
			t.Fatal(err)
		}
		if st := f.Status(); st.Zones != 1 || st.Lost || st.Errors != 0 {
			t.Errorf("status is %+v", st)
		}
	})
}
