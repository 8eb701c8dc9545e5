package zonedb_test

import (
	"errors"
	"maps"
	"net/netip"
	"slices"
	"testing"

	"redyn/backend/dns"
	"redyn/backend/zonedb"
)

func TestTSIGKeys(t *testing.T) {
	db := zonedb.New()
	is := func(want ...dns.TSIGKey) {
		t.Helper()
		if got, err := db.TSIGKeys(); err != nil || !slices.Equal(got, want) {
			t.Errorf("TSIG keys %v, %v; want %v", got, err, want)
		}
		for _, key := range want {
			if got, err := db.TSIGKey(key.Name); err != nil || got != key {
				t.Errorf("TSIG key %v, %v; want %v", got, err, key)
			}
		}
		if _, err := db.TSIGKey("m."); !errors.Is(err, dns.ErrNotFound) {
			t.Errorf("error %v of a key that is not there", err)
		}
	}
	apply := func(keys map[dns.Name]*dns.TSIGKey) { db.Apply(dns.Entry{Server: dns.ServerChange{TSIG: keys}}) }
	a := dns.TSIGKey{Name: "a.", Algorithm: "hmac-sha256.", Secret: "AAAA"}
	b := dns.TSIGKey{Name: "b.", Algorithm: "hmac-md5.", Secret: "BBBB"}
	z := dns.TSIGKey{Name: "z.", Algorithm: "hmac-sha512.", Secret: "CCCC"}
	is()
	apply(map[dns.Name]*dns.TSIGKey{"z.": &z, "a.": &a})
	is(a, z)

	// What is staged gets the changes, and is seen when all is shown.
	db.StageServer(dns.ServerData{TSIG: []dns.TSIGKey{z, b}})
	apply(map[dns.Name]*dns.TSIGKey{"b.": nil, "a.": nil})
	is(a, z)
	db.ShowAll()
	is(z)
	db.ShowAll()
	is(z)
	db.StageServer(dns.ServerData{TSIG: []dns.TSIGKey{b}})
	db.Forget()
	db.ShowAll()
	is(z)
	before, _ := db.TSIGKeys()
	apply(map[dns.Name]*dns.TSIGKey{"z.": nil, "b.": &b})
	is(b)
	if !slices.Equal(before, []dns.TSIGKey{z}) {
		t.Errorf("keys got before became %v", before)
	}

	db.StageServer(dns.ServerData{TSIG: []dns.TSIGKey{b}, TSIGUnknown: true})
	db.ShowAll()
	if got, err := db.TSIGKey("b."); err != nil || got != b {
		t.Errorf("TSIG key %v, %v", got, err)
	}
	if _, err := db.TSIGKey("a."); !errors.Is(err, dns.ErrUnknown) {
		t.Errorf("error %v of a key that may be there", err)
	}
	if _, err := db.TSIGKeys(); !errors.Is(err, dns.ErrUnknown) {
		t.Errorf("error %v", err)
	}

	db.StageServer(dns.ServerData{})
	db.ShowAll()
	is()
	db.Apply(dns.Entry{TSIGUnknown: true, Server: dns.ServerChange{TSIG: map[dns.Name]*dns.TSIGKey{"a.": nil}}})
	if _, err := db.TSIGKey("a."); !errors.Is(err, dns.ErrUnknown) {
		t.Errorf("error %v of a key that changed and could not be read", err)
	}
}

func TestAutoprimaries(t *testing.T) {
	db := zonedb.New()
	first := dns.Autoprimary{IP: netip.MustParseAddr("192.0.2.1"), Nameserver: "ns.example."}
	second := dns.Autoprimary{IP: netip.MustParseAddr("2001:db8::1"), Nameserver: "ns.example."}
	account := func(text string) *string { return &text }
	is := func(want map[dns.Autoprimary]string) {
		t.Helper()
		if got := db.Autoprimaries(); !maps.Equal(got, want) {
			t.Errorf("autoprimaries %v, want %v", got, want)
		}
	}
	apply := func(changes map[dns.Autoprimary]*string) {
		db.Apply(dns.Entry{Server: dns.ServerChange{Autoprimaries: changes}})
	}
	is(nil)
	apply(map[dns.Autoprimary]*string{first: account("me"), second: nil})
	is(map[dns.Autoprimary]string{first: "me"})
	before := db.Autoprimaries()
	apply(map[dns.Autoprimary]*string{first: nil, second: account("")})
	is(map[dns.Autoprimary]string{second: ""})
	if len(before) != 1 || before[first] != "me" {
		t.Errorf("autoprimaries got before became %v", before)
	}
	db.StageServer(dns.ServerData{Autoprimaries: map[dns.Autoprimary]string{first: "you"}})
	db.ShowAll()
	is(map[dns.Autoprimary]string{first: "you"})
}
