package zonefile_test

import (
	"bytes"
	"fmt"
	"iter"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"redyn/backend/dns"
	"redyn/backend/dns/zonefile"
)

func read(t testing.TB, text string) *zonefile.Zone {
	t.Helper()
	z, err := zonefile.Read(strings.NewReader(text), zonefile.Options{File: "zone.db"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestRead(t *testing.T) {
	z := read(t, `$ORIGIN Example.org.
$TTL 60
@ SOA ns1 host 1 2 3 4 5
@ NS ns2
www A 192.0.2.2
@ NS ns1
www 30 A 192.0.2.1
www A 192.0.2.2
`)
	if z.Name != "example.org." || z.Records != 6 {
		t.Errorf("zone %s with %d records; want example.org. with 6", z.Name, z.Records)
	}
	want := []dns.RRset{
		dns.NewRRset("example.org.", dns.TypeSOA, 60, "ns1.example.org. host.example.org. 1 2 3 4 5"),
		dns.NewRRset("example.org.", dns.TypeNS, 60, "ns1.example.org.", "ns2.example.org."),
		dns.NewRRset("www.example.org.", dns.TypeA, 60, "192.0.2.1", "192.0.2.2"),
	}
	if got := slices.Collect(z.RRsets()); !reflect.DeepEqual(got, want) {
		t.Errorf("RRsets are\n%v; want\n%v", got, want)
	}
	if len(z.Warnings) != 1 || z.Warnings[0].String() != "zone.db:7: www.example.org. A: TTL 30 differs from the first record's; all get 60" {
		t.Errorf("warnings: %v", z.Warnings)
	}
}

func TestCheck(t *testing.T) {
	const head = "$ORIGIN example.org.\n$TTL 60\n@ SOA ns.example.net. h 1 2 3 4 5\n@ NS ns.example.net.\n"
	f := func(text string, want ...string) {
		t.Helper()
		var got []string
		for _, p := range read(t, text).Check() {
			got = append(got, fmt.Sprint(map[bool]string{true: "fatal "}[p.Fatal], p))
		}
		if len(got) != len(want) {
			t.Fatalf("%s\nhas problems %q; want %d", text, got, len(want))
		}
		for i := range want {
			if !strings.Contains(got[i], want[i]) {
				t.Errorf("%s\nhas problem %q; want %q", text, got[i], want[i])
			}
		}
	}
	f(head)
	f("a.example. 1 A 192.0.2.1\n", "fatal the zone has no SOA")
	f("a. 1 SOA b. c. 1 2 3 4 5\n", "a. has no NS")
	f(head+"@ SOA ns h 2 2 3 4 5\n", "fatal zone.db:3: example.org. SOA: occurs more than once")
	f(head+"a SOA ns h 2 2 3 4 5\n", "fatal zone.db:5: a.example.org. SOA: is not at the apex example.org.")
	f(head+"a.example.net. A 192.0.2.1\n", "fatal zone.db:5: a.example.net. A: lies outside the zone example.org.")
	f(head+"a CNAME b\na A 192.0.2.1\n", "fatal zone.db:5: a.example.org. CNAME: stands beside A")
	f(head+"a CNAME b\na CNAME c\n", "fatal zone.db:5: a.example.org. CNAME: occurs more than once")
	f(head+"@ CNAME b\n", "fatal zone.db:5: example.org. CNAME: stands beside NS")
	f(head + "a CNAME b\na RRSIG CNAME 5 3 86400 20030322173103 20030220173103 2642 example.org. oJB1\n")
	f(head+"a DNAME b\na DNAME c\n", "fatal zone.db:5: a.example.org. DNAME: occurs more than once")
	f(head+"a DNAME b\nc.a A 192.0.2.1\n", "zone.db:6: c.a.example.org. A: is hidden by the DNAME at a.example.org.")
	f(head+"@ NS ns1\n", "zone.db:4: example.org. NS: names ns1.example.org., which has no address")
	f(head+"@ MX 10 mail\nmail CNAME x.example.\n", "zone.db:5: example.org. MX: names mail.example.org., which is a CNAME")
	f(head + "@ MX 10 mail\n*.example.org. A 192.0.2.1\n@ MX 0 .\n")
	f(head+"_sip._udp SRV 0 0 5060 sip\n", "names sip.example.org., which has no address")
	f(head+"@ MX 10 192.0.2.1.\n", "names the address 192.0.2.1.")
	f(head+"sub NS ns.sub\n", "names ns.sub.example.org., which has no address")
	f(head + "sub NS ns.sub\nns.sub A 192.0.2.1\nother NS ns.sub\n@ MX 10 m.sub\n")
	f(head+"*.w NS ns.example.net.\n", "delegates a wildcard")
	f(head+"a DS 1 13 2 AB\n", "zone.db:5: a.example.org. DS: stands where nothing is delegated")
	f(head+"sub NS ns.example.net.\nsub TXT x\nsub DS 1 13 2 AB\na.sub MX 0 .\nb.sub NS ns.example.net.\nc.b.sub A 192.0.2.1\n",
		"zone.db:6: sub.example.org. TXT: is hidden by the delegation of sub.example.org.",
		"zone.db:8: a.sub.example.org. MX: is hidden by the delegation of sub.example.org.",
		"zone.db:9: b.sub.example.org. NS: is hidden by the delegation of sub.example.org.")
	f(head + "@ DNSKEY 257 3 13 AAAA\n")
	f(head+"a DNSKEY 257 3 13 AAAA\n", "zone.db:5: a.example.org. DNSKEY: belongs to the apex")
	f(head + "_443._tcp.a TLSA 3 1 1 AB\na A 192.0.2.1\n_443._tcp TLSA 3 1 1 AB\n")
	f(head+"_443._tcp.a TLSA 3 1 1 AB\n", "zone.db:5: _443._tcp.a.example.org. TLSA: is of a.example.org., which has no records")
	f(head+"a WALLET BTC abc\n", "zone.db:5: a.example.org. TYPE262: is not read rightly by PowerDNS from 5.1 on, as it has the data of WALLET in another form")
	f(head+"a HTTPS 0 a\n", "zone.db:5: a.example.org. HTTPS: is an alias of itself")
	f(head+"a SVCB 0 b\na SVCB 1 c\n", "zone.db:5: a.example.org. SVCB: is an alias, and occurs more than once")
	f(head + "a HTTPS 1 .\na HTTPS 2 b\n")
	f(head+"a 1 A 192.0.2.1\na 2 A 192.0.2.2\n", "zone.db:6: a.example.org. A: TTL 2 differs")
	f("a. 1 NS ns.b.\na. 1 SOA n. x@y.org. 1 2 3 4 5\n", `expected x.y.org.`)
}

func TestCNAMEConflict(t *testing.T) {
	f := func(want bool, types ...dns.Type) {
		t.Helper()
		if got := zonefile.CNAMEConflict("a.example.", types); (got != "") != want {
			t.Errorf("CNAMEConflict(%v) = %q", types, got)
		}
	}
	f(false)
	f(false, dns.TypeA, dns.TypeAAAA)
	f(false, dns.TypeCNAME)
	f(false, dns.TypeCNAME, dns.TypeRRSIG, dns.TypeNSEC)
	f(true, dns.TypeA, dns.TypeCNAME)
}

// What Write writes, Read reads as the same zone, whatever is in it.
func TestWriteRead(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		zone, sets := randomZone(t, rnd)
		var file bytes.Buffer
		if err := zonefile.Write(&file, zone, withErrors(sets)); err != nil {
			t.Fatal(err)
		}
		z := read(t, file.String())
		got := slices.Collect(z.RRsets())
		if z.Name != zone || len(z.Warnings) > 0 || len(got) != len(sets) {
			t.Fatalf("seed %d: zone %s with %d RRsets, %v; want %s with %d:\n%s", seed, z.Name, len(got), z.Warnings, zone, len(sets), &file)
		}
		if got[0].Type != dns.TypeSOA {
			t.Errorf("seed %d: %s comes first; want SOA", seed, got[0].Type)
		}
		compare := func(a, b dns.RRset) int {
			if a.Name != b.Name {
				return dns.Compare(a.Name, b.Name)
			}
			return int(a.Type) - int(b.Type)
		}
		if !slices.IsSortedFunc(got[1:], compare) {
			t.Errorf("seed %d: the file is not in canonical order:\n%s", seed, &file)
		}
		slices.SortFunc(got, compare)
		slices.SortFunc(sets, compare)
		if !reflect.DeepEqual(got, sets) {
			t.Fatalf("seed %d: the zone\n%v\nis read as\n%v", seed, sets, got)
		}
	}
}

// A file has the gateway of IPSECKEY that PowerDNS does not want.
func TestAppendRecord(t *testing.T) {
	f := func(content, want string) {
		t.Helper()
		set := dns.NewRRset("a.", 45, 60, content)
		if got := string(zonefile.AppendRecord(nil, set, content)); got != "a.\t60\tIN\tIPSECKEY\t"+want+"\n" {
			t.Errorf("IPSECKEY %s is written as %q; want %s", content, got, want)
		}
	}
	f("10 0 2 AQNR", "10 0 2 . AQNR")
	f("10 0 0", "10 0 0 .")
	f("0 1 2 192.0.2.1 AQNR", "0 1 2 192.0.2.1 AQNR")
}

func withErrors(sets []dns.RRset) iter.Seq2[dns.RRset, error] {
	return func(yield func(dns.RRset, error) bool) {
		for _, set := range sets {
			if !yield(set, nil) {
				return
			}
		}
	}
}

// randomZone makes a zone with records of all types at names of all octets.
func randomZone(t *testing.T, rnd *rand.Rand) (dns.Name, []dns.RRset) {
	zone := randomName(rnd, dns.Root)
	if rnd.IntN(10) == 0 {
		zone = dns.Root
	}
	sets := map[string]dns.RRset{}
	add := func(name dns.Name, typ dns.Type, text string) {
		content, err := zonefile.ParseContent(typ, text, zone)
		if err != nil {
			t.Fatal(err)
		}
		key := string(name) + " " + typ.String()
		set, ok := sets[key]
		if !ok {
			set.TTL = rnd.Uint32N(dns.MaxTTL)
			set.Type = typ
			set.TTL = set.TTLOf(content)
		}
		sets[key] = dns.NewRRset(name, typ, set.TTL, append(set.Content, content)...)
	}
	for range 20 {
		s := samples[rnd.IntN(len(samples))]
		typ, err := zonefile.ParseType(s.typ)
		if err != nil {
			t.Fatal(err)
		}
		if s.want != "" && typ != dns.TypeSOA {
			add(randomName(rnd, zone), typ, s.in)
		}
		if text := randomText(rnd); len(text) > 0 {
			add(randomName(rnd, zone), dns.TypeTXT, text)
		}
		add(randomName(rnd, zone), dns.TypeMX, fmt.Sprintf("%d %s", rnd.IntN(65536), randomName(rnd, zone)))
	}
	add(zone, dns.TypeSOA, fmt.Sprintf("%s %s %d 1 2 3 4", randomName(rnd, zone), randomName(rnd, zone), rnd.Uint32()))
	out := []dns.RRset{}
	for _, set := range sets {
		out = append(out, set)
	}
	return zone, out
}

func randomName(rnd *rand.Rand, zone dns.Name) dns.Name {
	text := string(zone)
	if zone == dns.Root {
		text = ""
	}
	for range 1 + rnd.IntN(3) {
		label := ""
		for range 1 + rnd.IntN(8) {
			label += fmt.Sprintf(`\%03d`, rnd.IntN(256))
		}
		text = label + "." + text
	}
	return dns.MustParseName(text)
}

func randomText(rnd *rand.Rand) string {
	var b strings.Builder
	for range rnd.IntN(3) {
		b.WriteString(` "`)
		for range rnd.IntN(400) {
			fmt.Fprintf(&b, `\%03d`, rnd.IntN(256))
		}
		b.WriteString(`"`)
	}
	return b.String()
}

func BenchmarkRead(b *testing.B) {
	b.ReportAllocs()
	var text strings.Builder
	text.WriteString("$TTL 60\n$ORIGIN example.org.\n@ SOA ns h 1 2 3 4 5\n")
	for i := range b.N {
		fmt.Fprintf(&text, "h%d A 10.%d.%d.%d\n", i, i>>16&255, i>>8&255, i&255)
	}
	in := strings.NewReader(text.String())
	b.ResetTimer()
	if _, err := zonefile.Read(in, zonefile.Options{}, nil); err != nil {
		b.Fatal(err)
	}
}
