package dns_test

import (
	"testing"

	"redyn/backend/dns"
)

func TestParseType(t *testing.T) {
	f := func(in string, want dns.Type, text string) {
		t.Helper()
		got, err := dns.ParseType(in)
		if err != nil || got != want || got.String() != text {
			t.Errorf("ParseType(%q) = %d (%s), %v; want %d (%s)", in, got, got, err, want, text)
		}
	}
	f("A", dns.TypeA, "A")
	f("aaaa", dns.TypeAAAA, "AAAA")
	f("TYPE1", dns.TypeA, "A")
	f("type65280", 65280, "TYPE65280")
	f("ALIAS", dns.TypeALIAS, "ALIAS")
	f("ANY", dns.TypeANY, "ANY")
	f("ADDR", 65400, "TYPE65400")
}

func TestParseTypeRefuses(t *testing.T) {
	for _, in := range []string{"", "TYPE", "TYPE0", "TYPE65536", "TYPE-1", "AAAAA", "TYPE 1"} {
		if got, err := dns.ParseType(in); err == nil {
			t.Errorf("ParseType(%q) = %v; want an error", in, got)
		}
	}
}

func TestEveryTypeIsReadAsWritten(t *testing.T) {
	for n := 1; n < 1<<16; n++ {
		if got, err := dns.ParseType(dns.Type(n).String()); err != nil || got != dns.Type(n) {
			t.Fatalf("type %d is written %s and read as %d, %v", n, dns.Type(n), got, err)
		}
	}
}

func FuzzParseType(f *testing.F) {
	f.Add("A")
	f.Add("TYPE65535")
	f.Fuzz(func(t *testing.T, text string) {
		if got, err := dns.ParseType(text); err == nil && got == dns.TypeENT {
			t.Fatalf("%q is read as no type", text)
		}
	})
}
