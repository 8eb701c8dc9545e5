package main_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// A PowerDNS that keeps answers and is purged gives the answers of one that keeps none, at once after
// each of many random changes, in a plain zone as in a signed one.
func testPowerDNSPurgedRandom(t *testing.T) {
	t.Parallel()
	redis := startRedis(t)
	redis.importZone(t, purgedZone)
	redis.importZone(t, purgedOther)
	const settings = "dname-processing=yes\n"
	node, kept := startPurged(t, redis, (*node).overUnix, settings)
	fresh := startPDNS(t, remote(node.overUnix())+signing+settings+"dnsupdate=yes\nallow-dnsupdate-from=127.0.0.0/8\n")
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	w := &changer{Rand: rand.New(rand.NewPCG(seed, 0)), t: t, kept: kept, fresh: fresh}
	w.run(2 * time.Second)
	fresh.util(t, "secure-zone", "example.org")
	w.run(2 * time.Second)
	fresh.util(t, "set-nsec3", "example.org", "1 0 0 -")
	w.run(time.Second)
	t.Logf("%d changes, %d refused, %d comparisons", w.changes, w.refused, w.compared)
	if w.changes-w.refused < 10 {
		t.Errorf("only %d changes", w.changes-w.refused)
	}
}

// changer makes random changes through one PowerDNS and compares its answers with those of another.
type changer struct {
	*rand.Rand
	t                          *testing.T
	kept, fresh                *powerDNS
	changes, refused, compared int
}

func (w *changer) run(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end) && !w.t.Failed(); {
		var asked []dns.Question
		zone := w.zone()
		update := new(dns.Msg)
		update.SetUpdate(zone)
		var what []string
		for range 1 + w.IntN(2) {
			rr := w.record(zone)
			asked = append(asked, w.about(rr)...)
			update.RemoveName([]dns.RR{&dns.ANY{Hdr: dns.RR_Header{Name: rr.Header().Name}}})
			if w.IntN(3) > 0 {
				update.Insert([]dns.RR{rr})
			}
			what = append(what, rr.String())
		}
		for _, q := range asked { // so that it is kept
			w.ask(w.kept, q)
		}
		reply, _, err := (&dns.Client{Timeout: patience}).Exchange(update, w.fresh.addr)
		if err != nil {
			w.t.Fatal(err)
		}
		w.changes++
		if reply.Rcode != dns.RcodeSuccess {
			w.refused++
		}
		for _, q := range asked {
			w.compared++
			if got, want := w.ask(w.kept, q), w.ask(w.fresh, q); got != want {
				w.t.Errorf("change %d of %q (%s): %s %s is\n%s\nand should be\n%s", w.changes, what, dns.RcodeToString[reply.Rcode],
					q.Name, dns.TypeToString[q.Qtype], got, want)
			}
		}
	}
}

func (w *changer) zone() string {
	return []string{"example.org.", "example.org.", "example.net."}[w.IntN(3)]
}

func (w *changer) name(zone string) string {
	name := zone
	for range 1 + w.IntN(3) {
		name = []string{"a", "b", "c", "*", "t"}[w.IntN(5)] + "." + name
	}
	return name
}

// record is some record of a zone.
func (w *changer) record(zone string) dns.RR {
	target := w.name(w.zone())
	data := []string{
		"A 192.0.2." + fmt.Sprint(w.IntN(200)), "A 192.0.2." + fmt.Sprint(w.IntN(200)), "AAAA 2001:db8::1", "TXT x",
		"CNAME " + target, "CNAME " + target, "MX 10 " + target, "SRV 1 2 3 " + target, "NS " + target, "DNAME " + w.name("example.net."),
	}
	rr, err := dns.NewRR(w.name(zone) + " 60 IN " + data[w.IntN(len(data))])
	if err != nil {
		w.t.Fatal(err)
	}
	return rr
}

// about is what a change of a record may make another answer of: questions for its name, for those around
// it, and for others that may lead there.
func (w *changer) about(rr dns.RR) (list []dns.Question) {
	types := []uint16{dns.TypeA, dns.TypeA, dns.TypeMX, dns.TypeNS, dns.TypeCNAME, dns.TypeSRV, dns.TypeANY}
	name := rr.Header().Name
	_, parent, _ := strings.Cut(name, ".")
	for _, name := range []string{name, "a." + name, "b.a." + name, "a." + parent, parent, w.name(w.zone()), w.name(w.zone()), w.name(w.zone())} {
		list = append(list, dns.Question{Name: name, Qtype: types[w.IntN(len(types))], Qclass: dns.ClassINET})
	}
	return list
}

// ask returns the answer to a question without what may be old: the serial beside a denial, and its proof.
func (w *changer) ask(p *powerDNS, q dns.Question) string {
	m := new(dns.Msg)
	m.Id, m.Question = dns.Id(), []dns.Question{q}
	m.SetEdns0(4096, true)
	reply, _, err := (&dns.Client{Timeout: patience, UDPSize: 4096}).Exchange(m, p.addr)
	if err != nil {
		w.t.Fatal(err)
	}
	var plain []dns.RR
	for _, rr := range append(append(reply.Answer, reply.Ns...), reply.Extra...) {
		switch rr := rr.(type) {
		case *dns.OPT, *dns.RRSIG, *dns.NSEC, *dns.NSEC3:
		case *dns.SOA:
			rr.Serial = 0
			plain = append(plain, rr)
		default:
			plain = append(plain, rr)
		}
	}
	return dns.RcodeToString[reply.Rcode] + "\n" + strings.Join(texts(plain), "\n")
}
