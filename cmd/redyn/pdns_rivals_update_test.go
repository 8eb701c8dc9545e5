package main_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// DNS UPDATE (RFC 2136) does in redyn what it does in gsqlite3: the same outcome of each message, and the
// same zone after it. Each message has several updates, and a prerequisite at times.
func testPowerDNSRivalUpdates(t *testing.T) {
	t.Parallel()
	r := &rivals{redis: startRedis(t)}
	const zone = "example.org."
	const settings = rivalSettings + "dnsupdate=yes\nallow-dnsupdate-from=127.0.0.0/8\n"
	file := writeFile(t, "zone", "$ORIGIN "+zone+"\n"+signedChild)
	r.redis.redyn(t, "zone", "import", file)
	r.redyn = startPDNS(t, remote(startNode(t, r.redis).overUnix())+"remote-dnssec=yes\n"+settings)
	r.sqlite = startPDNS(t, sqlite(t)+settings)
	r.sqlite.util(t, "load-zone", zone, file)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	for i := range 100 {
		m := randomUpdate(rnd, zone)
		var outcome [2]string
		for at, p := range []*powerDNS{r.redyn, r.sqlite} {
			client := dns.Client{Timeout: patience, Net: "tcp"}
			reply, _, err := client.Exchange(m, p.addr)
			if err != nil {
				t.Fatal(err)
			}
			outcome[at] = dns.RcodeToString[reply.Rcode] + "\n" + p.content(t, zone)
		}
		if outcome[0] != outcome[1] {
			t.Fatalf("after %d updates, of which the last is\n%v\nredyn has\n%s\nand gsqlite3\n%s", i+1, m, outcome[0], outcome[1])
		}
	}
}

// content is what a zone has, but for its serial.
func (p *powerDNS) content(t *testing.T, zone string) string {
	t.Helper()
	rrs, err := p.transfer(zone)
	if err != nil || len(rrs) == 0 {
		t.Fatalf("AXFR of %s: %d records, %v", zone, len(rrs), err)
	}
	var lines []string
	for _, rr := range rrs[1:] {
		if soa, ok := rr.(*dns.SOA); ok {
			soa.Serial = 0
		}
		lines = append(lines, rr.String())
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// randomUpdate is a message with a few updates.
func randomUpdate(rnd *rand.Rand, zone string) *dns.Msg {
	m := new(dns.Msg)
	m.SetUpdate(zone)
	switch rnd.IntN(8) {
	case 0:
		m.NameUsed([]dns.RR{randomRR(rnd, zone)})
	case 1:
		m.RRsetNotUsed([]dns.RR{randomRR(rnd, zone)})
	}
	for range 1 + rnd.IntN(3) {
		rr := randomRR(rnd, zone)
		switch rnd.IntN(8) {
		case 0:
			m.Remove([]dns.RR{rr})
		case 1:
			m.RemoveRRset([]dns.RR{rr})
		case 2:
			m.RemoveName([]dns.RR{rr})
		default:
			m.Insert([]dns.RR{rr})
		}
	}
	return m
}

// randomRR is a record at one of a few names.
func randomRR(rnd *rand.Rand, zone string) dns.RR {
	names := []string{"", "a.", "b.a.", "c.b.a.", "d.", "*.d.", "e.d."}
	name, other := names[rnd.IntN(len(names))]+zone, names[rnd.IntN(len(names))]+zone
	data := []string{
		fmt.Sprintf("A 192.0.2.%d", rnd.IntN(4)),
		fmt.Sprintf("AAAA 2001:db8::%d", rnd.IntN(4)),
		fmt.Sprintf("TXT \"text %d\"", rnd.IntN(4)),
		fmt.Sprintf("MX %d %s", rnd.IntN(2), other),
		fmt.Sprintf("SRV 0 0 %d %s", rnd.IntN(2), other),
		"CNAME " + other, "NS " + other,
		fmt.Sprintf("DS %d 13 2 %064d", rnd.IntN(2), 0),
	}
	rr, err := dns.NewRR(fmt.Sprintf("%s %d IN %s", name, 60*(1+rnd.IntN(2)), data[rnd.IntN(len(data))]))
	if err != nil {
		panic(err)
	}
	return rr
}
