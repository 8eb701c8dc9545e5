package zonedb_test

import (
	"errors"
	"slices"
	"testing"

	"redyn/backend/dns"
	"redyn/backend/zonedb"
)

func TestKeys(t *testing.T) {
	db := zonedb.New()
	is := func(want ...dns.Key) {
		t.Helper()
		if got, err := db.Keys("example."); err != nil || !slices.Equal(got, want) {
			t.Errorf("keys %v, %v; want %v", got, err, want)
		}
	}
	apply := func(part dns.ZoneEntry) {
		part.ID = 1
		db.Apply(dns.Entry{Zones: []dns.ZoneEntry{part}})
	}
	stage := func(data dns.ZoneData) {
		data.Zone = dns.Zone{ID: 1, Name: "example."}
		if err := db.Stage(data, yields(nil)); err != nil {
			t.Fatal(err)
		}
	}
	is()
	one := dns.Key{ID: 1, Flags: 257, Active: true, Published: true, Content: "secret 1"}
	two := dns.Key{ID: 2, Flags: 256, Published: true, Content: "secret 2"}
	stage(dns.ZoneData{Keys: []dns.Key{two, one}})
	is()
	db.Show(1)
	is(one, two)
	before, _ := db.Keys("example.")

	two.Active = true
	three := dns.Key{ID: 3, Flags: 257, Content: "secret 3"}
	apply(dns.ZoneEntry{Keys: map[dns.KeyID]*dns.Key{1: nil, 2: &two, 3: &three, 4: nil}})
	is(two, three)
	if len(before) != 2 || before[0] != one || before[1].Active {
		t.Errorf("keys got before became %v", before)
	}

	// A key that could not be read is not one that is not there, until all was read anew.
	apply(dns.ZoneEntry{KeysUnknown: true})
	apply(dns.ZoneEntry{Keys: map[dns.KeyID]*dns.Key{2: nil}})
	if got, err := db.Keys("example."); !errors.Is(err, dns.ErrUnknown) || got != nil {
		t.Errorf("keys %v, %v", got, err)
	}
	stage(dns.ZoneData{Keys: []dns.Key{three}})
	apply(dns.ZoneEntry{Keys: map[dns.KeyID]*dns.Key{4: &one}})
	db.Show(1)
	one.ID = 4
	is(three, one)
	stage(dns.ZoneData{KeysUnknown: true})
	db.Show(1)
	if _, err := db.Keys("example."); !errors.Is(err, dns.ErrUnknown) {
		t.Errorf("error %v", err)
	}
	db.ShowAll()
	is()
}
