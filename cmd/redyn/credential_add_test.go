package main

import (
	"testing"
	"time"
)

func TestParseExpiry(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 500, time.FixedZone("", 3600))
	f := func(text, want string) {
		t.Helper()
		got, err := parseExpiry(text, now)
		if err != nil || got.Format(time.RFC3339) != want {
			t.Errorf("%q is %v, %v; want %s", text, got, err, want)
		}
	}
	f("90d", "2027-02-20T11:00:00Z")
	f("12h", "2026-11-22T23:00:00Z")
	f("2027-01-31", "2027-01-31T00:00:00Z")
	f("2027-01-31T12:00:00+02:00", "2027-01-31T10:00:00Z")
	if at, err := parseExpiry("", now); err != nil || !at.IsZero() {
		t.Errorf("none is %v, %v", at, err)
	}
	for _, text := range []string{"soon", "0d", "-1d", "1.5d", "999999d", "-1h", "2026-11-22", "2026-02-30", "d"} {
		if at, err := parseExpiry(text, now); err == nil {
			t.Errorf("%q is taken for %v", text, at)
		}
	}
}
