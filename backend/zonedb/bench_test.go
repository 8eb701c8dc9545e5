package zonedb_test

import (
	"flag"
	"fmt"
	"iter"
	"math/rand/v2"
	"runtime"
	"strconv"
	"testing"
	"unsafe"

	"redyn/backend/dns"
	"redyn/backend/zonedb"
)

var hosts = flag.Int("hosts", 100_000, "hosts in the big zone of the benchmarks")

func host(i int) dns.Name {
	return dns.Name("host" + strconv.Itoa(100_000+i) + ".dyn.example.")
}

func address(i int) string { return fmt.Sprintf("198.%d.%d.%d", i>>16&255, i>>8&255, i&255) }

// manyHosts yields a zone of n hosts with an address each, in random order, with texts that have no
// memory in common, as a store does.
func manyHosts(n int) iter.Seq2[dns.RRset, error] {
	return func(yield func(dns.RRset, error) bool) {
		for _, set := range []dns.RRset{
			dns.NewRRset("dyn.example.", dns.TypeSOA, 60, soa),
			dns.NewRRset("dyn.example.", dns.TypeNS, 60, "ns1.example."),
			dns.NewRRset("sub.dyn.example.", dns.TypeNS, 60, "ns.sub.dyn.example."),
			dns.NewRRset("ns.sub.dyn.example.", dns.TypeA, 60, "192.0.2.1"),
		} {
			yield(set, nil)
		}
		for _, i := range rand.New(rand.NewPCG(1, 2)).Perm(n) {
			yield(dns.RRset{Name: host(i), Type: dns.TypeA, TTL: 60, Content: []string{address(i)}}, nil)
		}
	}
}

func withHosts(b testing.TB, n int) *zonedb.DB {
	b.Helper()
	db := zonedb.New()
	if err := db.Stage(dns.ZoneData{Zone: dns.Zone{ID: 1, Name: "dyn.example."}}, manyHosts(n)); err != nil {
		b.Fatal(err)
	}
	db.Show(1)
	return db
}

func BenchmarkLookup(b *testing.B) {
	for _, n := range []int{10_000, *hosts} {
		db := withHosts(b, n)
		// A question's name comes out of a packet: it is in the processor's cache.
		text := make([]byte, 0, 64)
		f := func(what string, id dns.ZoneID, prefix, suffix string, most int) {
			b.Run(fmt.Sprintf("%s/%d", what, n), func(b *testing.B) {
				b.ReportAllocs()
				dst := make([]dns.Answer, 0, 8)
				for b.Loop() {
					text = append(text[:0], prefix...)
					text = strconv.AppendInt(text, int64(100_000+rand.IntN(most)), 10)
					text = append(text, suffix...)
					name := dns.Name(unsafe.String(&text[0], len(text)))
					dst, _ = db.Lookup(dst[:0], name, dns.TypeANY, id)
				}
			})
		}
		f("hit", 1, "host", ".dyn.example.", n)
		f("any zone", dns.AnyZone, "host", ".dyn.example.", n)
		f("hot", 1, "host", ".dyn.example.", min(n, 1000))
		f("miss", 1, "none", ".dyn.example.", n)
		f("below a cut", 1, "host", ".sub.dyn.example.", n)
	}
}

// BenchmarkLookupTogether shows what lookups on several processors cost each other.
func BenchmarkLookupTogether(b *testing.B) {
	const hosts = 10_000
	db := withHosts(b, hosts)
	names := make([]dns.Name, hosts)
	for i := range names {
		names[i] = dns.Name(fmt.Sprintf("host%d.dyn.example.", 100_000+rand.IntN(hosts)))
	}
	b.RunParallel(func(pb *testing.PB) {
		dst := make([]dns.Answer, 0, 8)
		for i := 0; pb.Next(); i++ {
			if dst, _ = db.Lookup(dst[:0], names[i%hosts], dns.TypeANY, 1); len(dst) == 0 {
				b.Error("no answer")
			}
		}
	})
}

func BenchmarkNeighbours(b *testing.B) {
	for _, n := range []int{10_000, *hosts} {
		db := withHosts(b, n)
		change(db, dns.Metadata{"NSEC3PARAM": {"1 0 0 -"}})
		names, hashes := make([]dns.Name, 1000), make([]string, 1000)
		for i := range names {
			names[i] = "x" + host(i*7919%n)
			hashes[i] = refParams{}.hash(names[i])
		}
		b.Run(fmt.Sprintf("nsec/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				db.Neighbours(1, names[i%len(names)])
			}
		})
		b.Run(fmt.Sprintf("nsec3/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				db.HashNeighbours(1, hashes[i%len(hashes)])
			}
		})
	}
}

// What a cut hides is jumped over, however much it is, and delegations are no slower than hosts.
func BenchmarkNeighboursAtCuts(b *testing.B) {
	sets := func(yield func(dns.RRset, error) bool) {
		yield(dns.NewRRset("example.", dns.TypeSOA, 60, soa), nil)
		yield(dns.NewRRset("cut.example.", dns.TypeNS, 60, "ns.other."), nil)
		for i := range *hosts {
			yield(dns.NewRRset(dns.Name("h"+strconv.Itoa(i)+".cut.example."), dns.TypeA, 60, "192.0.2.1"), nil)
			cut := dns.Name("cut" + strconv.Itoa(i) + ".example.")
			yield(dns.NewRRset(cut, dns.TypeNS, 60, "ns.a.b."+string(cut)), nil)
			yield(dns.NewRRset("ns.a.b."+cut, dns.TypeA, 60, "192.0.2.1"), nil)
		}
	}
	db := zonedb.New()
	if err := db.Stage(dns.ZoneData{Zone: dns.Zone{ID: 1, Name: "example."}}, sets); err != nil {
		b.Fatal(err)
	}
	db.Show(1)
	for _, name := range []dns.Name{"h5.cut.example.", "x.ns.a.b.cut5.example.", "cut5.example.", "cut5x.example."} {
		b.Run(string(name), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				db.Neighbours(1, name)
			}
		})
	}
}

func BenchmarkSetNSEC3(b *testing.B) {
	db := withHosts(b, *hosts)
	for b.Loop() {
		change(db, dns.Metadata{"NSEC3PARAM": nil})
		change(db, dns.Metadata{"NSEC3PARAM": {"1 0 0 -"}})
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(*hosts), "ns/host")
}

func BenchmarkApply(b *testing.B) {
	for _, n := range []int{10_000, *hosts} {
		db := withHosts(b, n)
		for what, param := range map[string][]string{"": nil, " with NSEC3": {"1 0 0 -"}} {
			change(db, dns.Metadata{"NSEC3PARAM": param})
			sets := []dns.RRset{{Type: dns.TypeA, TTL: 60, Content: []string{"192.0.2.7"}}}
			e := dns.Entry{Zones: []dns.ZoneEntry{{ID: 1, RRsets: sets}}}
			f := func(how string, name func(i int) (dns.Name, []string)) {
				b.Run(fmt.Sprintf("%s%s/%d", how, what, n), func(b *testing.B) {
					b.ReportAllocs()
					for i := 0; b.Loop(); i++ {
						sets[0].Name, sets[0].Content = name(i)
						db.Apply(e)
					}
				})
			}
			content := []string{"192.0.2.7"}
			f("address", func(i int) (dns.Name, []string) { return host(i * 7919 % n), content })
			f("new and gone", func(i int) (dns.Name, []string) {
				return "new-" + host(i/2*7919%n), content[:1-i%2]
			})
		}
	}
}

// BenchmarkApplyStale is BenchmarkApply where what a change makes stale is worked out: with the serial
// that rises, and with a CNAME that leads to the host.
func BenchmarkApplyStale(b *testing.B) {
	for _, told := range []bool{false, true} {
		db := zonedb.New()
		names := 0
		if told {
			db.TellStale(func(s dns.Stale) { names += len(s.Names) + len(s.Serials) })
		}
		if err := db.Stage(dns.ZoneData{Zone: dns.Zone{ID: 1, Name: "dyn.example."}}, manyHosts(10_000)); err != nil {
			b.Fatal(err)
		}
		db.Show(1)
		db.Apply(dns.Entry{Zones: []dns.ZoneEntry{{ID: 1, RRsets: []dns.RRset{dns.NewRRset("www.dyn.example.", dns.TypeCNAME, 60, string(host(1)))}}}})
		sets := []dns.RRset{
			{Name: host(1), Type: dns.TypeA, TTL: 60, Content: []string{""}},
			{Name: "dyn.example.", Type: dns.TypeSOA, TTL: 60, Content: []string{""}},
		}
		e := dns.Entry{Zones: []dns.ZoneEntry{{ID: 1, RRsets: sets}}}
		b.Run(fmt.Sprint("told ", told), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				sets[0].Content[0], sets[1].Content[0] = address(i), fmt.Sprintf("ns1. host. %d 1 1 1 60", i)
				db.Apply(e)
			}
		})
		if told && names < b.N {
			b.Errorf("%d names", names)
		}
	}
}

func BenchmarkStage(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		withHosts(b, *hosts)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(*hosts), "ns/host")
}

func BenchmarkList(b *testing.B) {
	db := withHosts(b, *hosts)
	b.ReportAllocs()
	for b.Loop() {
		answers, _ := db.List(1, "dyn.example.")
		for range answers {
		}
	}
}

// heap returns the live heap after a collection.
func heap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

func BenchmarkMemory(b *testing.B) {
	f := func(what string, n int, build func() *zonedb.DB) {
		b.Run(what, func(b *testing.B) {
			for b.Loop() {
				before := heap()
				db := build()
				b.ReportMetric(float64(heap()-before)/float64(n), "bytes/name")
				runtime.KeepAlive(db)
			}
		})
	}
	f("one zone", *hosts, func() *zonedb.DB { return withHosts(b, *hosts) })
	f("one zone with NSEC3", *hosts, func() *zonedb.DB {
		db := withHosts(b, *hosts)
		change(db, dns.Metadata{"NSEC3PARAM": {"1 0 0 -"}})
		return db
	})
	f("zones of ten", *hosts, func() *zonedb.DB { return zonesOfTen(b, *hosts/10) })
}

func smallZone(i int) dns.Name { return dns.Name("zone" + strconv.Itoa(100_000+i) + ".example.") }

func zonesOfTen(b testing.TB, n int) *zonedb.DB {
	b.Helper()
	db := zonedb.New()
	for i := range n {
		zone := smallZone(i)
		sets := []dns.RRset{
			dns.NewRRset(zone, dns.TypeSOA, 60, soa),
			dns.NewRRset(zone, dns.TypeNS, 60, "ns1.provider.", "ns2.provider."),
			dns.NewRRset(zone, dns.TypeMX, 60, "10 mail."+string(zone)),
		}
		for j := range 9 {
			sets = append(sets, dns.RRset{Name: dns.Name("h"+strconv.Itoa(j)+".") + zone, Type: dns.TypeA, TTL: 60, Content: []string{address(j)}})
		}
		stage(b, db, dns.ZoneID(i+1), zone, sets)
	}
	db.ShowAll()
	return db
}

// BenchmarkZonesOfTen does with many small zones what is done with big ones elsewhere.
func BenchmarkZonesOfTen(b *testing.B) {
	for _, n := range []int{100, *hosts / 10} {
		db := zonesOfTen(b, n)
		text := make([]byte, 0, 64)
		b.Run(fmt.Sprintf("lookup/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			dst := make([]dns.Answer, 0, 8)
			for b.Loop() {
				i := rand.IntN(n)
				text = append(text[:0], "h5.zone"...)
				text = strconv.AppendInt(text, int64(100_000+i), 10)
				text = append(text, ".example."...)
				name := dns.Name(unsafe.String(&text[0], len(text)))
				dst, _ = db.Lookup(dst[:0], name, dns.TypeANY, dns.ZoneID(i+1))
			}
		})
		b.Run(fmt.Sprintf("all zones/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for range db.Zones() {
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/zone")
		})
		b.Run(fmt.Sprintf("stage/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				zonesOfTen(b, n)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/zone")
		})
	}
}
