package dns_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"redyn/backend/dns"
)

// The order of RFC 4034 section 6.1, with its own example first.
func TestCompare(t *testing.T) {
	f := func(texts ...string) {
		t.Helper()
		var names []dns.Name
		for _, text := range texts {
			names = append(names, dns.MustParseName(text))
		}
		for i, a := range names {
			for j, b := range names {
				if got := dns.Compare(a, b); sign(got) != sign(i-j) {
					t.Errorf("Compare(%q, %q) = %d, want the sign of %d", a, b, got, i-j)
				}
			}
		}
	}
	f("example.", "a.example.", "yljkjljk.a.example.", "Z.a.example.", "zABC.a.EXAMPLE.",
		"z.example.", `\001.z.example.`, "*.z.example.", `\200.z.example.`)
	f(".", "a.", "b.a.", "aa.", "b.", "a.b.")
	f("example.", "ab.example.", "b.example.", "a.b.example.")
	f("x.", `\001.x.`, "a.x.", `a\.b.x.`, `a\.c.x.`, "b.x.")
}

func sign(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}

// TestCompareAgainstWire compares with the order that comes from the octets themselves.
func TestCompareAgainstWire(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		a, b := randomLabels(rnd), randomLabels(rnd)
		want := compareLabels(a, b)
		got := dns.Compare(nameOf(t, a), nameOf(t, b))
		if sign(got) != sign(want) {
			t.Fatalf("Compare(%q, %q) = %d, want the sign of %d", a, b, got, want)
		}
	}
}

func randomLabels(rnd *rand.Rand) [][]byte {
	labels := make([][]byte, rnd.IntN(4))
	for i := range labels {
		labels[i] = make([]byte, 1+rnd.IntN(3))
		for j := range labels[i] {
			labels[i][j] = `ab.\*-`[rnd.IntN(6)]
		}
	}
	return labels
}

func nameOf(t *testing.T, labels [][]byte) dns.Name {
	t.Helper()
	if len(labels) == 0 {
		return dns.Root
	}
	var text strings.Builder
	for _, label := range labels {
		for _, c := range label {
			if c == '.' || c == '\\' {
				text.WriteByte('\\')
			}
			text.WriteByte(c)
		}
		text.WriteByte('.')
	}
	n, err := dns.ParseName(text.String())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func compareLabels(a, b [][]byte) int {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Reverse(a)
	slices.Reverse(b)
	return slices.CompareFunc(a, b, bytes.Compare)
}

func TestCompareAllocates(t *testing.T) {
	long := strings.Repeat("x", 60) + ".example."
	a, b := dns.MustParseName(`\200`+long), dns.MustParseName(`\201`+long)
	if n := testing.AllocsPerRun(10, func() { dns.Compare(a, b) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzCompare(f *testing.F) {
	f.Add("a.example.", "b.example.")
	f.Add(`a\.b.example.`, "b.example.")
	f.Fuzz(func(t *testing.T, x, y string) {
		a, err := dns.ParseName(x)
		if err != nil {
			return
		}
		b, err := dns.ParseName(y)
		if err != nil {
			return
		}
		ab, ba := dns.Compare(a, b), dns.Compare(b, a)
		if sign(ab) != -sign(ba) || (ab == 0) != (a == b) {
			t.Fatalf("Compare(%q, %q) = %d, the other way %d", a, b, ab, ba)
		}
		if a.Below(b) && ab <= 0 {
			t.Fatalf("%q is below %q and comes before it", a, b)
		}
	})
}

func BenchmarkCompare(b *testing.B) {
	b.ReportAllocs()
	x, y := dns.Name("host-123456.dyn.example.org."), dns.Name("host-123457.dyn.example.org.")
	for b.Loop() {
		dns.Compare(x, y)
	}
}

func TestAppendWire(t *testing.T) {
	f := func(name dns.Name, want string) {
		t.Helper()
		if got := name.AppendWire([]byte("x")); string(got) != "x"+want {
			t.Errorf("wire of %s is %q, want %q", name, got, want)
		}
	}
	f(".", "\x00")
	f("example.", "\x07example\x00")
	f(`a\.b.\200\\.example.`, "\x03a.b\x02\xc8\\\x07example\x00")
}
