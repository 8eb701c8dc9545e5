package main

import (
	"net/netip"
	"slices"
	"testing"
)

// Peers of IPv4 are compared as such, however a network of theirs is written.
func TestParseNetworks(t *testing.T) {
	got, err := parseNetworks([]string{"192.0.2.1/24", " 2001:db8::1", "::ffff:10.0.0.0/104", "::ffff:192.0.2.7", ""})
	want := []netip.Prefix{
		netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::1/128"),
		netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.7/32"),
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("networks are %v, %v; want %v", got, err, want)
	}
	for _, wrong := range []string{"private", "192.0.2.0/33", "::ffff:0:0/90", "fe80::1%eth0"} {
		if got, err := parseNetworks([]string{wrong}); err == nil {
			t.Errorf("%s is taken for %v", wrong, got)
		}
	}
}
