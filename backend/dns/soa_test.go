package dns_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"redyn/backend/dns"
)

func TestSerialLess(t *testing.T) {
	f := func(a, b dns.Serial, want bool) {
		t.Helper()
		if got := a.Less(b); got != want {
			t.Errorf("%d.Less(%d) = %v", a, b, got)
		}
	}
	f(0, 1, true)
	f(1, 0, false)
	f(7, 7, false)
	f(4294967295, 0, true)
	f(0, 4294967295, false)
	f(0, 1<<31-1, true)
	f(0, 1<<31, false)
	f(1<<31, 0, false)
	f(3000000000, 1000000000, false)
	f(4000000000, 1000000000, true)
}

func TestSerialPolicyNext(t *testing.T) {
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	f := func(p dns.SerialPolicy, old, want dns.Serial) {
		t.Helper()
		if got := p.Next(old, noon); got != want {
			t.Errorf("%s: after %d comes %d, want %d", p, old, got, want)
		}
	}
	unix := dns.Serial(noon.Unix())
	f(dns.SerialUnixTime, 1, unix)
	f(dns.SerialUnixTime, unix, unix+1)
	f(dns.SerialUnixTime, unix+5, unix+6)
	f(dns.SerialUnixTime, unix+1<<31, unix+1<<31+1)
	f(dns.SerialUnixTime, 4294967295, unix)
	f(dns.SerialIncrement, 5, 6)
	f(dns.SerialIncrement, 4294967295, 0)
	f(dns.SerialDate, 2026112100, 2026112200)
	f(dns.SerialDate, 2026112200, 2026112201)
	f(dns.SerialDate, 2026112299, 2026112300)
}

func TestNextSerialFollows(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 10_000 {
		old, now := dns.Serial(rnd.Uint32()), time.Unix(rnd.Int64N(1<<32), 0)
		for _, p := range []dns.SerialPolicy{dns.SerialUnixTime, dns.SerialIncrement, dns.SerialDate} {
			if next := p.Next(old, now); !old.Less(next) {
				t.Fatalf("%s at %v: %d does not follow %d", p, now, next, old)
			}
		}
	}
}

func TestParseSerialPolicy(t *testing.T) {
	if p, err := dns.ParseSerialPolicy(""); err != nil || p != dns.SerialUnixTime {
		t.Errorf("default is %q, %v", p, err)
	}
	if _, err := dns.ParseSerialPolicy("yearly"); err == nil {
		t.Error("yearly is taken")
	}
}

func TestParseSOA(t *testing.T) {
	text := "ns1.example.org. host.example.org. 4294967295 3600 600 86400 60"
	soa, err := dns.ParseSOA(text)
	if err != nil || soa.Serial != 4294967295 || soa.Minimum != 60 || soa.String() != text {
		t.Errorf("ParseSOA(%q) = %+v, %v", text, soa, err)
	}
	for _, bad := range []string{"", "a. b. 1 2 3 4", "a. b. 1 2 3 4 5 6", "a. b. -1 2 3 4 5", "a. b. 4294967296 2 3 4 5"} {
		if _, err := dns.ParseSOA(bad); err == nil {
			t.Errorf("ParseSOA(%q) makes no error", bad)
		}
	}
}

func FuzzParseSOA(f *testing.F) {
	f.Add("ns1.example.org. host.example.org. 1 3600 600 86400 60")
	f.Fuzz(func(t *testing.T, text string) {
		soa, err := dns.ParseSOA(text)
		if err != nil {
			return
		}
		if again, err := dns.ParseSOA(soa.String()); err != nil || again != soa {
			t.Fatalf("%q is read as %+v, written and read again as %+v, %v", text, soa, again, err)
		}
	})
}
