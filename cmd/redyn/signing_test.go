package main

import (
	"testing"

	"redyn/backend/dns"
)

func TestSigning(t *testing.T) {
	f := func(want string, meta dns.Metadata, keys ...dns.Key) {
		t.Helper()
		if got := signing(dns.ZoneData{Metadata: meta, Keys: keys}); got != want {
			t.Errorf("with %v and %v it is %s; want %s", meta, keys, got, want)
		}
	}
	key := dns.Key{ID: 1, Flags: 257, Active: true}
	nsec3 := dns.Metadata{"NSEC3PARAM": {"1 0 0 -"}}
	f("unsigned", nil)
	f("unsigned", nsec3)
	f("unsigned", nil, dns.Key{ID: 1, Flags: 257, Published: true})
	f("NSEC", nil, key)
	f("NSEC", dns.Metadata{"PRESIGNED": {"0"}}, key)
	f("NSEC3", nsec3, key)
	f("NSEC3 opt-out", dns.Metadata{"NSEC3PARAM": {"1 1 0 ab"}}, key)
	f("NSEC3 narrow", dns.Metadata{"NSEC3PARAM": {"1 0 0 -"}, "NSEC3NARROW": {"1"}}, key)
	f("pre-signed NSEC", dns.Metadata{"PRESIGNED": {"1"}})
	f("pre-signed NSEC3", dns.Metadata{"PRESIGNED": {"1"}, "NSEC3PARAM": {"1 0 0 -"}}, key)

	for key, want := range map[keyInfo]string{
		{Flags: 257, Active: true, Published: true}: "KSK or CSK, active, published",
		{Flags: 256, Published: true}:               "ZSK, published",
	} {
		if got := key.String(); got != want {
			t.Errorf("key is %q; want %q", got, want)
		}
	}
}
