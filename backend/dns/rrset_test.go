package dns_test

import (
	"slices"
	"testing"

	"redyn/backend/dns"
)

func TestNewRRset(t *testing.T) {
	set := dns.NewRRset("a.example.", dns.TypeA, 60, "192.0.2.2", "192.0.2.1", "192.0.2.2")
	if want := []string{"192.0.2.1", "192.0.2.2"}; !slices.Equal(set.Content, want) {
		t.Errorf("content is %q, want %q", set.Content, want)
	}
}

func TestRRsetEqual(t *testing.T) {
	set := dns.NewRRset("a.example.", dns.TypeA, 60, "192.0.2.1")
	f := func(name dns.Name, typ dns.Type, ttl uint32, want bool, content ...string) {
		t.Helper()
		other := dns.NewRRset(name, typ, ttl, content...)
		if set.Equal(other) != want || other.Equal(set) != want {
			t.Errorf("%v and %v: equal is not %v", set, other, want)
		}
	}
	f("a.example.", dns.TypeA, 60, true, "192.0.2.1")
	f("b.example.", dns.TypeA, 60, false, "192.0.2.1")
	f("a.example.", dns.TypeAAAA, 60, false, "192.0.2.1")
	f("a.example.", dns.TypeA, 61, false, "192.0.2.1")
	f("a.example.", dns.TypeA, 60, false, "192.0.2.2")
	f("a.example.", dns.TypeA, 60, false)
	none := dns.NewRRset("a.example.", dns.TypeA, 0)
	if !none.Equal(dns.NewRRset("a.example.", dns.TypeA, 60)) {
		t.Error("the TTL of an RRset without content counts")
	}
}

func TestTTLOf(t *testing.T) {
	f := func(typ dns.Type, content string, want uint32) {
		t.Helper()
		set := dns.NewRRset("a.example.", typ, 60, content)
		if got := set.TTLOf(content); got != want {
			t.Errorf("%s %s has TTL %d, want %d", typ, content, got, want)
		}
	}
	f(dns.TypeA, "192.0.2.1", 60)
	f(dns.TypeTXT, "a b c 300 d", 60)
	f(dns.TypeRRSIG, "NSEC 13 2 300 20300101000000 20200101000000 1 example. AAAA", 300)
	f(dns.TypeRRSIG, "NSEC 13 2 3000000000 20300101000000 20200101000000 1 example. AAAA", 60)
	f(dns.TypeRRSIG, `\# 2 0102`, 60)
}

func TestParseKind(t *testing.T) {
	f := func(in string, want dns.Kind) {
		t.Helper()
		if got, err := dns.ParseKind(in); err != nil || got != want {
			t.Errorf("ParseKind(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
	f("", dns.Native)
	f("primary", dns.Master)
	f("slave", dns.Slave)
	if _, err := dns.ParseKind("producer"); err == nil {
		t.Error("producer is taken")
	}
}
