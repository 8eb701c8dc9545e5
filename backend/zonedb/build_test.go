package zonedb

import (
	"cmp"
	"testing"

	"redyn/backend/dns"
)

// Keys put names in the order of the names, or leave it open.
func TestKeyOf(t *testing.T) {
	const apex = "example."
	names := []dns.Name{
		"example.", "a.example.", "b.a.example.", "c.b.a.example.", "a-.example.", "aa.example.", "a.aa.example.",
		"12345678.example.", "12345678a.example.", "a.12345678.example.", "1234567812345678.example.",
		"1234567812345678a.example.", "1234567812345678b.example.", "b.1234567812345678a.example.",
		"123456781234567.example.", "a.123456781234567.example.", "*.example.", "~.example.",
	}
	key := func(n dns.Name) (high, low uint64) { return keyOf(string(n[:len(n)-len(apex)])) }
	for _, a := range names {
		for _, b := range names {
			ahigh, alow := key(a)
			bhigh, blow := key(b)
			got, want := cmp.Or(cmp.Compare(ahigh, bhigh), cmp.Compare(alow, blow)), dns.Compare(a, b)
			if got*want < 0 || got != 0 && want == 0 {
				t.Errorf("key of %s against %s is %d, want %d", a, b, got, want)
			}
		}
	}
	if high, low := key("a.b.example."); high != 0x62_00_61_00<<32 || low != 0 {
		t.Errorf("key %x %x", high, low)
	}
}
