package main_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// rivals are two PowerDNS that hold the same zones, one in redyn and one in its own backend for
// databases. Both sign with the same keys, whose signatures depend on nothing but what is signed.
type rivals struct {
	redis         *redisServer
	redyn, sqlite *powerDNS
	primary       *powerDNS         // whose secondaries both are, if that is not nil
	zones         map[string]string // by name: the master file
	asked         int               // questions in each context; 0 for all that there are
}

// contexts are the ways to sign that the zones are taken through, as arguments of pdnsutil that
// come before and after the zone.
var contexts = []struct {
	name string
	set  [2][]string
}{
	{name: "unsigned"},
	{name: "NSEC", set: [2][]string{{"import-zone-key"}, {"KEY", "active", "ksk"}}},
	{name: "NSEC3", set: [2][]string{{"set-nsec3"}, {"1 0 1 abcd"}}},
	{name: "opt-out", set: [2][]string{{"set-nsec3"}, {"1 1 1 abcd"}}},
	{name: "narrow", set: [2][]string{{"set-nsec3"}, {"1 0 1 abcd", "narrow"}}},
}

// signingKey is an Ed25519 key as pdnsutil reads it.
const signingKey = `Private-key-format: v1.2
Algorithm: 15 (ED25519)
PrivateKey: 4znvW2AgH/7wXR1LxzQO/57LvPMxQudobb3+GSBexNY=
`

// PowerDNS answers from redyn what it answers from its own backend, the whole message, for random
// zones and random questions. TEST_ZONES=DIR has it ask every question there is for the zones in the
// files of a directory instead.
func testPowerDNSRivals(t *testing.T) {
	t.Parallel()
	for name, over := range map[string]struct {
		connection func(*node) string
		asked      int
	}{
		"unix": {(*node).overUnix, 250},
		"REST": {func(n *node) string { return n.overHTTP("") }, 25}, // which is slow
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := startRivals(t, over.connection)
			if os.Getenv("TEST_ZONES") == "" {
				r.asked = over.asked
			}
			for _, c := range contexts {
				t.Run(c.name, func(t *testing.T) {
					r.enter(t, c.set)
					for zone, text := range r.zones {
						r.compare(t, zone, text)
					}
				})
			}
		})
	}
}

const rivalSettings = forgetful + "dname-processing=yes\nzone-cache-refresh-interval=0\n"

func startRivals(t *testing.T, connection func(*node) string) *rivals {
	t.Helper()
	r := &rivals{redis: startRedis(t), zones: rivalZones(t)}
	r.sqlite = startPDNS(t, sqlite(t)+rivalSettings)
	for zone, text := range r.zones {
		file := writeFile(t, "zone", text)
		r.redis.redyn(t, "zone", "import", file)
		r.sqlite.util(t, "load-zone", zone, file)
	}
	r.redyn = startPDNS(t, remote(connection(startNode(t, r.redis)))+"remote-dnssec=yes\n"+rivalSettings)
	return r
}

// enter takes all zones on both sides into a context.
func (r *rivals) enter(t *testing.T, set [2][]string) {
	t.Helper()
	key := writeFile(t, "key", signingKey)
	servers := []*powerDNS{r.redyn, r.sqlite}
	if r.primary != nil {
		servers = []*powerDNS{r.primary}
	}
	for zone := range r.zones {
		args := slices.Concat(set[0], []string{zone}, set[1])
		if at := slices.Index(args, "KEY"); at >= 0 {
			args[at] = key
		}
		for _, p := range servers {
			if set[0] != nil {
				p.util(t, args...)
			}
			if p != r.redyn {
				p.util(t, "rectify-zone", zone)
			}
		}
		if r.primary != nil {
			r.transfer(t, zone)
		}
	}
}

// compare asks both and compares what they say.
func (r *rivals) compare(t *testing.T, zone, text string) {
	questions := questionsFor(t, zone, text)
	if r.asked > 0 {
		rand.Shuffle(len(questions), func(i, j int) { questions[i], questions[j] = questions[j], questions[i] })
		questions = questions[:min(r.asked, len(questions))]
	}
	differ := 0
	for _, q := range questions {
		got, want := q.ask(t, r.redyn), q.ask(t, r.sqlite)
		if got == want {
			continue
		}
		if differ++; differ <= 5 {
			t.Errorf("%s %s +dnssec=%v: from redyn\n%s\nfrom gsqlite3\n%s", q.name, dns.Type(q.typ), q.do, got, want)
		}
	}
	if differ > 0 {
		t.Errorf("%s: %d of %d answers differ\n%.8000s", zone, differ, len(questions), text)
	}
}

// rivalQuestion is a question, with or without DNSSEC.
type rivalQuestion struct {
	name string
	typ  uint16
	do   bool
}

// ask asks one server and writes what it said, in an order of our own.
func (q rivalQuestion) ask(t *testing.T, p *powerDNS) string {
	t.Helper()
	m := new(dns.Msg)
	m.SetQuestion(q.name, q.typ)
	m.SetEdns0(4096, q.do)
	client := dns.Client{Timeout: patience}
	reply, _, err := client.Exchange(m, p.addr)
	if err == nil && reply.Truncated {
		client.Net = "tcp"
		reply, _, err = client.Exchange(m, p.addr)
	}
	if err != nil {
		t.Fatalf("%s %s: %v", q.name, dns.Type(q.typ), err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s aa=%v\n", dns.RcodeToString[reply.Rcode], reply.Authoritative)
	for _, section := range [][]dns.RR{reply.Answer, reply.Ns, reply.Extra} {
		var lines []string
		for _, rr := range section {
			if rr.Header().Rrtype != dns.TypeOPT {
				rr.Header().Name = strings.ToLower(rr.Header().Name)
				lines = append(lines, rr.String())
			}
		}
		slices.Sort(lines)
		fmt.Fprintf(&b, "%s\n--\n", strings.Join(lines, "\n"))
	}
	return b.String()
}

// rivalTypes are asked of every name.
var rivalTypes = []uint16{
	dns.TypeA, dns.TypeAAAA, dns.TypeNS, dns.TypeSOA, dns.TypeCNAME, dns.TypeMX, dns.TypeTXT, dns.TypeSRV, dns.TypeDS,
	dns.TypeDNAME, dns.TypeDNSKEY, dns.TypeCDS, dns.TypeNSEC, dns.TypeNSEC3PARAM, dns.TypeRRSIG, dns.TypeHTTPS, dns.TypeANY,
}
