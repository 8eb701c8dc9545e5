package zonedb_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"redyn/backend/dns"
	"redyn/backend/zonedb"
)

// load3 stages a zone with NSEC3 and shows it.
func load3(t testing.TB, db *zonedb.DB, param string, sets []dns.RRset) {
	t.Helper()
	data := dns.ZoneData{
		Zone:     dns.Zone{ID: 1, Name: "example."},
		Metadata: dns.Metadata{"NSEC3PARAM": {param}},
	}
	if err := db.Stage(data, yields(sets)); err != nil {
		t.Fatal(err)
	}
	db.Show(1)
}

func change(db *zonedb.DB, meta dns.Metadata, sets ...dns.RRset) {
	db.Apply(dns.Entry{Zones: []dns.ZoneEntry{{ID: 1, RRsets: sets, Metadata: meta}}})
}

// chain returns the names of the chain in its order, and checks that the hashes go in a circle.
func chain(t testing.TB, db *zonedb.DB) string {
	t.Helper()
	first := strings.Repeat("0", 32)
	_, _, first, ok := db.HashNeighbours(1, first)
	var names []string
	for hash := first; ok; {
		before, name, after, found := db.HashNeighbours(1, hash)
		if !found || before != hash || len(names) > 1000 {
			t.Fatalf("neighbours of %s are %s %s, %t", hash, before, after, found)
		}
		names = append(names, strings.TrimSuffix(string(name), ".example."))
		if hash = after; hash == first {
			break
		}
	}
	return strings.Join(names, " ")
}

// The zone of RFC 5155 appendix A, its chain, and the answers of appendix B.
func TestHashNeighbours(t *testing.T) {
	db := zonedb.New()
	load3(t, db, "1 1 12 aabbccdd", parse(t, `
		@       SOA `+soa+`
		@       NS  ns1.example.
		a       NS  ns1.a.example.
		a       DS  58470 5 1 3079F1593EBAD6DC121E202A8B766A6A4837206C
		ns1.a   A   192.0.2.5
		ai      A   192.0.2.9
		c       NS  ns1.c.example.
		ns1.c   A   192.0.2.7
		ns1     A   192.0.2.1
		ns2     A   192.0.2.2
		*.w     MX  1 ai.example.
		x.w     MX  1 xx.example.
		x.y.w   MX  1 xx.example.
		xx      A   192.0.2.10
		`))
	const inOrder = "example. ns1 x.y.w a x.w ai y.w w ns2 *.w xx"
	if got := chain(t, db); got != inOrder {
		t.Errorf("the chain is %s, want %s", got, inOrder)
	}
	f := func(hash, want string) {
		t.Helper()
		if got := hashNeighbours(db, 1, hash); got != want {
			t.Errorf("neighbours of %s are %s, want %s", hash, got, want)
		}
	}
	// B.1: the closest encloser, what covers the next closer name, and the wildcard.
	f("b4um86eghhds6nea196smvmlo4ors995", "b4um86eghhds6nea196smvmlo4ors995 x.w.example. gjeqe526plbf1g8mklp59enfd789njgi")
	f("02cf82ts2fp8t2vp8fqgi0hnn4kgm3p4", "t644ebqk9bibcna874givr6joj62mlhv xx.example. 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom")
	f("92pqneegtaue7pjatc3l3qnk738c6v5m", "35mthgpgcu1qg68fab165klnsnk3dpvl a.example. b4um86eghhds6nea196smvmlo4ors995")
	// B.2.1: an empty non-terminal.
	f("ji6neoaepv8b5o6k4ev33abha8ht9fgc", "ji6neoaepv8b5o6k4ev33abha8ht9fgc y.w.example. k8udemvp1j2f7eg6jebps17vp3n8i58h")
	// B.3: an opt-out referral.
	f("4g6p9u5gvfshp30pqecj98b3maqbn1ck", "35mthgpgcu1qg68fab165klnsnk3dpvl a.example. b4um86eghhds6nea196smvmlo4ors995")
	f("JI6NEOAEPV8B5O6K4EV33ABHA8HT9FGC", "ji6neoaepv8b5o6k4ev33abha8ht9fgc y.w.example. k8udemvp1j2f7eg6jebps17vp3n8i58h")
	f("zzzzeoaepv8b5o6k4ev33abha8ht9fgc", "none")
	f("ji6neoaepv8b5o6k4ev33abha8ht9fg", "none")
	if got := hashNeighbours(db, 2, "ji6neoaepv8b5o6k4ev33abha8ht9fgc"); got != "none" {
		t.Errorf("neighbours in no zone are %s", got)
	}

	// The settings take hold with the change that makes them.
	change(db, dns.Metadata{"NSEC3PARAM": {"1 0 12 aabbccdd"}})
	if got := chain(t, db); got != "example. ns1 x.y.w a c x.w ai y.w w ns2 *.w xx" {
		t.Errorf("without opt-out the chain is %s", got)
	}
	change(db, dns.Metadata{"NSEC3NARROW": {"1"}})
	f("b4um86eghhds6nea196smvmlo4ors995", "none")
	change(db, dns.Metadata{"NSEC3PARAM": {"1 1 12 aabbccdd"}, "NSEC3NARROW": nil})
	if got := chain(t, db); got != inOrder {
		t.Errorf("the chain is %s again, want %s", got, inOrder)
	}
	for _, wrong := range []string{"", "1 0 12", "1 256 0 -", "1 0 70000 -", "1 0 0 abc", "1 0 0 - -"} {
		change(db, dns.Metadata{"NSEC3PARAM": {wrong}})
		f("b4um86eghhds6nea196smvmlo4ors995", "none")
	}
	change(db, dns.Metadata{"NSEC3PARAM": nil})
	f("b4um86eghhds6nea196smvmlo4ors995", "none")
}

// PowerDNS does more iterations than max-nsec3-iterations only for pre-signed zones.
func TestNSEC3Iterations(t *testing.T) {
	db := zonedb.New()
	first := func(param string, presigned ...string) string {
		load3(t, db, param, parse(t, "@ SOA "+soa))
		change(db, dns.Metadata{"PRESIGNED": presigned})
		_, _, hash, _ := db.HashNeighbours(1, strings.Repeat("0", 32))
		return hash
	}
	most := first(fmt.Sprintf("1 0 %d -", zonedb.MaxNSEC3Iterations))
	if got := first("1 0 101 -"); got != most {
		t.Errorf("hash %s, want that of the most iterations, %s", got, most)
	}
	if got, want := first("1 0 101 -", "1"), (refParams{iterations: 101}).hash("example."); got != want {
		t.Errorf("hash %s in a pre-signed zone, want %s", got, want)
	}
}

// Only names that come into the chain or leave it are hashed.
func TestHashesAreKept(t *testing.T) {
	db := zonedb.New()
	load3(t, db, "1 0 5 ab", parse(t, "@ SOA "+soa+`
		a.b.c A 192.0.2.1
		a.d   A 192.0.2.1
		x.d   TXT text
		sub   NS ns.other.
		sub   DS 1 2 3 4
		`))
	last := db.Hashed(1)
	if last != 8 {
		t.Errorf("%d names hashed for a chain of 8", last)
	}
	f := func(lines string, want int) {
		t.Helper()
		change(db, nil, parse(t, lines)...)
		if got := db.Hashed(1) - last; got != want {
			t.Errorf("%d names hashed for %s, want %d", got, lines, want)
		}
		last = db.Hashed(1)
	}
	f("a.b.c A 192.0.2.2", 0)
	f("a.b.c A 192.0.2.3\n a.b.c AAAA 2001:db8::1\n a.d TXT text\n @ SOA a. b. 7 1 1 1 1", 0)
	f("a.b.c A", 0)
	f("b.c A 192.0.2.1", 0) // an empty non-terminal before
	f("sub DS", 0)          // no opt-out
	f("new.d A 192.0.2.1", 1)
	f("new.d A", 1)
	f("1.2.new A 192.0.2.1", 3)
	f("2.new A 192.0.2.1", 0)
	f("1.2.new A", 1)
	f("d NS ns.other.", 2) // a and x are hidden
	f("d NS", 2)
}

// What a change does to ten thousand names is done aside.
func TestNSEC3ManyAtOnce(t *testing.T) {
	db := zonedb.New()
	sets := parse(t, "@ SOA "+soa)
	for i := range 10_000 {
		sets = append(sets, dns.RRset{Name: dns.Name(fmt.Sprintf("h%d.sub.example.", i)), Type: dns.TypeA, Content: []string{"192.0.2.1"}})
	}
	load3(t, db, "1 0 0 -", sets)
	fresh := zonedb.New()
	load3(t, fresh, "1 0 0 -", sets)
	cut := dns.NewRRset("sub.example.", dns.TypeNS, 60, "ns.other.")
	change(db, nil, cut)
	if got := strings.Fields(chain(t, db)); !slices.Contains(got, "sub") || len(got) != 2 {
		t.Errorf("the chain is %v", got)
	}
	cut.Content = nil
	change(db, nil, cut)
	if db.Inside() != fresh.Inside() {
		t.Error("the chain is not what it was before")
	}
}

// Where another has signed with opt-out an empty non-terminal is authoritative if it is in the chain.
func TestOptOutENTs(t *testing.T) {
	db := zonedb.New()
	sets := parse(t, "@ SOA "+soa+`
		insecure.a.b    NS  ns.insecure.a.b
		insecure.a.b    A   192.0.2.1
		ns.insecure.a.b A   192.0.2.1
		secure.c.d      NS  ns.other.
		secure.c.d      DS  1 2 3 4
		e.f             NS  ns.other.
		g.f             A   192.0.2.1
		`)
	load3(t, db, "1 1 0 -", sets)
	ents := func(want string) {
		t.Helper()
		var listed, looked []string
		for _, a := range list(t, db, 1, "example.") {
			if a.Type == dns.TypeENT {
				listed = append(listed, fmt.Sprintf("%s %t", a.Name, a.Auth))
				a = look(db, a.Name, dns.TypeANY, 1)[0]
				looked = append(looked, fmt.Sprintf("%s %t", a.Name, a.Auth))
			}
		}
		if got := strings.Join(listed, ", "); got != want || !slices.Equal(listed, looked) {
			t.Errorf("listed %s, looked up %s, want %s", got, looked, want)
		}
	}
	ents("b.example. true, a.b.example. true, d.example. true, c.d.example. true, f.example. true")
	change(db, dns.Metadata{"PRESIGNED": {"1"}})
	ents("b.example. false, a.b.example. false, d.example. true, c.d.example. true, f.example. true")
	change(db, dns.Metadata{"NSEC3NARROW": {"1"}})
	ents("b.example. false, a.b.example. false, d.example. true, c.d.example. true, f.example. true")
	change(db, nil, parse(t, "insecure.a.b DS 1 2 3 4\n secure.c.d DS")...)
	ents("b.example. true, a.b.example. true, d.example. false, c.d.example. false, f.example. true")
	change(db, dns.Metadata{"NSEC3PARAM": {"1 0 0 -"}})
	ents("b.example. true, a.b.example. true, d.example. true, c.d.example. true, f.example. true")
}

// Who signed a pre-signed zone may have given insecure delegations an NSEC3 although the others opt out.
func TestPresignedOptOut(t *testing.T) {
	db := zonedb.New()
	load3(t, db, "1 1 0 -", parse(t, "@ SOA "+soa+"\n in NS ns.other.\n out NS ns.other."))
	rrsig := hashed(refParams{}.hash("in.example."), "example.")
	sign := func(content ...string) {
		change(db, nil, dns.RRset{Name: rrsig, Type: dns.TypeRRSIG, Content: content})
	}
	f := func(want string) {
		t.Helper()
		got := strings.Fields(chain(t, db))
		slices.Sort(got)
		if strings.Join(got, " ") != want {
			t.Errorf("the chain is %v, want %s", got, want)
		}
	}
	f("example.")
	sign("NSEC3 ...")
	f("example.")
	change(db, dns.Metadata{"PRESIGNED": {"1"}})
	f("example. in")
	sign()
	f("example.")
	sign("NSEC3 ...")
	f("example. in")
	if got := write(look(db, rrsig, dns.TypeANY, 1)); got != "1 "+string(rrsig)+" RRSIG auth NSEC3 ...\n" {
		t.Errorf("the signature is %s", got)
	}
}
