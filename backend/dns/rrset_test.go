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
