package dns_test

import (
	"strings"
	"testing"

	"redyn/backend/dns"
)

func TestParseName(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		got, err := dns.ParseName(in)
		if err != nil || string(got) != want {
			t.Errorf("ParseName(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
	f(".", ".")
	f("example.org", "example.org.")
	f("WWW.Example.ORG.", "www.example.org.")
	f("*.Wild.example.", "*.wild.example.")
	f("_sip._udp.example.", "_sip._udp.example.")
	f("0/25.2.0.192.in-addr.arpa", "0/25.2.0.192.in-addr.arpa.")
	f(`a\.b.example.`, `a\.b.example.`)
	f(`a\046b.example.`, `a\.b.example.`)
	f(`back\\slash.example.`, `back\\slash.example.`)
	f(`back\092slash.example.`, `back\\slash.example.`)
	f(`sp\032ace.example.`, `sp\032ace.example.`)
	f(`sp\ ace.example.`, `sp\032ace.example.`)
	f("sp ace.example.", `sp\032ace.example.`)
	f(`\065\a.example.`, "aa.example.")
	f(`a@b.example.`, `a\@b.example.`)
	f(`"q";(p)$.example.`, `\"q\"\;\(p\)\$.example.`)
	f("\xff\x00.example.", `\255\000.example.`)
	f(strings.Repeat("a", 63)+".", strings.Repeat("a", 63)+".")
	f(longName(255), longName(255))
}

func TestParseNameRefuses(t *testing.T) {
	f := func(in, reason string) {
		t.Helper()
		got, err := dns.ParseName(in)
		if err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("ParseName(%q) = %q, %v; want an error with %q", in, got, err, reason)
		}
	}
	f("", "is empty")
	f("..", "empty label")
	f(".example.", "empty label")
	f("a..b.", "empty label")
	f(`a\`, "broken escape")
	f(`a\1`, "broken escape")
	f(`a\25.`, "broken escape")
	f(`a\256.`, "broken escape")
	f(strings.Repeat("a", 64), "more than 63")
	f(strings.Repeat(`\001`, 64), "more than 63")
	f(longName(256), "longer than 255")
	f(strings.Repeat("a.", 5_000_000), "longer than 255")
}

// longName returns a name of so many octets on the wire.
func longName(octets int) string {
	label := strings.Repeat("a", 63) + "."
	name := strings.Repeat(label, (octets-1)/64)
	if rest := octets - 1 - len(name); rest > 1 {
		name += strings.Repeat("b", rest-1) + "."
	}
	return name
}

func TestAppendNameAllocatesNothing(t *testing.T) {
	dst := make([]byte, 0, dns.MaxNameText)
	text := []byte(`WwW.Sp\032ace.Example.ORG`)
	n := testing.AllocsPerRun(100, func() {
		if _, err := dns.AppendName(dst, text); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 {
		t.Errorf("AppendName makes %v allocations; want none", n)
	}
}

func TestLongestNameFitsMaxNameText(t *testing.T) {
	octet := `\001`
	label := strings.Repeat(octet, 63) + "."
	text := label + label + label + strings.Repeat(octet, 61) + "."
	name, err := dns.ParseName(text)
	if err != nil || len(name) != dns.MaxNameText {
		t.Errorf("longest name has %d bytes, %v; MaxNameText is %d", len(name), err, dns.MaxNameText)
	}
}

func TestParent(t *testing.T) {
	f := func(in, want dns.Name) {
		t.Helper()
		if got := in.Parent(); got != want {
			t.Errorf("%q.Parent() = %q, want %q", in, got, want)
		}
	}
	f(".", ".")
	f("org.", ".")
	f("www.example.org.", "example.org.")
	f(`a\.b.org.`, "org.")
	f(`a\\.org.`, "org.")
	f(`a\\\..org.`, "org.")
	f(`\255\..org.`, "org.")
}

func TestBelow(t *testing.T) {
	f := func(n, ancestor dns.Name, want bool) {
		t.Helper()
		if got := n.Below(ancestor); got != want {
			t.Errorf("%q.Below(%q) = %v", n, ancestor, got)
		}
		if got := n.Under(ancestor); got != (want || n == ancestor) {
			t.Errorf("%q.Under(%q) = %v", n, ancestor, got)
		}
	}
	f("www.example.org.", "example.org.", true)
	f("www.example.org.", "org.", true)
	f("www.example.org.", ".", true)
	f("example.org.", "example.org.", false)
	f(".", ".", false)
	f("org.", ".", true)
	f("badexample.org.", "example.org.", false)
	f("example.org.", "www.example.org.", false)
	f(`a\.example.org.`, "example.org.", false)
	f(`a\\.example.org.`, "example.org.", true)
	f(`a\\\.example.org.`, "example.org.", false)
}

func TestLabels(t *testing.T) {
	f := func(n dns.Name, want int) {
		t.Helper()
		if got := n.Labels(); got != want {
			t.Errorf("%q.Labels() = %d, want %d", n, got, want)
		}
	}
	f(".", 0)
	f("org.", 1)
	f(`a\.b.c.org.`, 3)
}

func FuzzParseName(f *testing.F) {
	for _, seed := range []string{".", "www.Example.org", `a\.b\032c\255.x.`, `"$@;()`, "..", `\`, `\00`, "*.x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		name, err := dns.ParseName(text)
		if err != nil {
			return
		}
		if again, err := dns.ParseName(string(name)); err != nil || again != name {
			t.Fatalf("%q is not canonical: it parses as %q, %v", name, again, err)
		}
		if len(name) > dns.MaxNameText {
			t.Fatalf("%q has %d bytes", name, len(name))
		}
		if dns.Compare(name, name) != 0 || name != dns.Root && dns.Compare(name.Parent(), name) >= 0 {
			t.Fatalf("%q does not follow its parent %q", name, name.Parent())
		}
		if !name.Under(name.Parent()) || name != dns.Root && !name.Below(name.Parent()) {
			t.Fatalf("%q is not below its parent %q", name, name.Parent())
		}
	})
}

func BenchmarkParseName(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := dns.ParseName("host-123456.dyn.example.org."); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendName(b *testing.B) {
	b.ReportAllocs()
	dst, text := make([]byte, 0, dns.MaxNameText), []byte("Host-123456.dyn.example.org.")
	for b.Loop() {
		if _, err := dns.AppendName(dst, text); err != nil {
			b.Fatal(err)
		}
	}
}

func TestWildcard(t *testing.T) {
	f := func(parent, want dns.Name) {
		t.Helper()
		if got := dns.Wildcard(parent); got != want || !got.IsWildcard() || got.Parent() != parent {
			t.Errorf("wildcard of %s is %s; want %s", parent, got, want)
		}
	}
	f("example.", "*.example.")
	f("*.example.", "*.*.example.")
	f(dns.Root, "*.")
}
