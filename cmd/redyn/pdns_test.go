package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// Zones go into Redis by the program, and a real pdns_server answers questions from them.
func TestPowerDNS(t *testing.T) {
	t.Parallel()
	needPrograms(t, "redis-server", "redis-cli", "pdns_server", "pdnsutil", "pdns_control", "nsupdate",
		"setpriv", "sqlite3", "unbound", "delv", "ldns-verify-zone", "ldns-signzone", "ldns-keygen")
	buildProgram(t)
	t.Run("questions", testPowerDNSQuestions)
	t.Run("root zone", testPowerDNSRoot)
	t.Run("change", testPowerDNSChange)
	t.Run("samples", testPowerDNSSamples)
	t.Run("signed", testPowerDNSSigned)
	t.Run("Redis away", testPowerDNSRedisAway)
	t.Run("Redis lost", testPowerDNSRedisLost)
	t.Run("redyn away", testPowerDNSRedynAway)
	t.Run("replica", testPowerDNSReplica)
	t.Run("unreadable", testPowerDNSUnknown)
	t.Run("beside gsqlite3", testPowerDNSRivals)
	t.Run("beside gsqlite3 as secondary", testPowerDNSRivalSecondaries)
	t.Run("updates beside gsqlite3", testPowerDNSRivalUpdates)
	t.Run("transfers", testPowerDNSTransfers)
	t.Run("signed elsewhere", testPowerDNSPresigned)
	t.Run("moved", testPowerDNSMoved)
	t.Run("autoprimary", testPowerDNSAutoprimary)
	t.Run("two of each", testPowerDNSPair)
	t.Run("purged", testPowerDNSPurged)
	t.Run("purged at random", testPowerDNSPurgedRandom)
	t.Run("purged by its API", testPowerDNSPurgedByAPI)
	t.Run("purged, two of each", testPowerDNSPurgedPair)
	t.Run("not purged for a while", testPowerDNSNotPurged)
	t.Run("not purged under load", testPowerDNSNotPurgedUnderLoad)
	t.Run("uncached hosts", testPowerDNSUncachedHosts)
}

// zoneText has a case for everything that PowerDNS treats in a way of its own.
var zoneText = `$ORIGIN example.org.
$TTL 300
@            SOA   ns1 hostmaster 1 3600 600 86400 60
@            NS    ns1
@            NS    ns2.example.net.
@            MX    10 mail
@            MX    20 mail.example.net.
@            CAA   0 issue "ca.example.net; policy=ev"
@            TXT   "v=spf1 mx -all"
ns1          A     192.0.2.53
mail         A     192.0.2.25
mail         AAAA  2001:db8::25
www          CNAME mail
away         CNAME www.example.net.
_sip._tcp    SRV   10 60 5060 sip
sip          A     192.0.2.60
quoted       TXT   "say \"hi\" \\ ; done" "" "\000\255"
long         TXT   "` + long + `" "bbbb bbbb"
*.wild       A     192.0.2.77
*.wild       TXT   "wild"
exist.wild   A     192.0.2.78
below.ent.wild A   192.0.2.79
a.b.ent      A     192.0.2.80
tree         DNAME example.net.
sub          NS    ns.sub
ns.sub       A     192.0.2.99
bare         NS    ns.example.net.
child        NS    ns1.child
ns1.child    A     192.0.2.100
dot\.ted     A     192.0.2.101
sp\032ace    A     192.0.2.102
a/b          A     192.0.2.103
at\@sign     A     192.0.2.104
MiXed        A     192.0.2.105
new          TYPE65400 \# 3 010203
web          HTTPS 1 . alpn="h2" ipv4hint="192.0.2.106"
`

// long is the longest string that a TXT record can hold.
var long = strings.Repeat("a", 255)

// childText is a zone that is served beside its parent.
const childText = `$ORIGIN child.example.org.
$TTL 300
@            SOA   ns1 hostmaster 7 3600 600 86400 60
@            NS    ns1
ns1          A     192.0.2.100
www          A     192.0.2.110
`

// question is a question and what must come back: the rcode, whether the answer is authoritative,
// and the records of the sections, in any order, each as "name type data". Nil is not looked at.
type question struct {
	name, typ                     string
	rcode                         int
	aa                            bool
	answer, authority, additional []string
}

var (
	soa      = []string{"example.org. SOA ns1.example.org. hostmaster.example.org. 1 3600 600 86400 60"}
	childSOA = []string{"child.example.org. SOA ns1.child.example.org. hostmaster.child.example.org. 7 3600 600 86400 60"}
	none     = []string{}
)

// found, absent and missing are the plain cases: the data, no data of this type, no such name.
func found(name, typ string, answer ...string) question {
	return question{name: name, typ: typ, aa: true, answer: answer}
}

func absent(name, typ string, soa []string) question {
	return question{name: name, typ: typ, aa: true, answer: none, authority: soa}
}

func missing(name, typ string, soa []string) question {
	return question{name: name, typ: typ, aa: true, rcode: dns.RcodeNameError, answer: none, authority: soa}
}

var questions = []question{
	found("example.org.", "SOA", soa...),
	found("example.org.", "NS", "example.org. NS ns1.example.org.", "example.org. NS ns2.example.net."),
	{
		name: "example.org.", typ: "MX", aa: true,
		answer:     []string{"example.org. MX 10 mail.example.org.", "example.org. MX 20 mail.example.net."},
		additional: []string{"mail.example.org. A 192.0.2.25", "mail.example.org. AAAA 2001:db8::25"},
	},
	found("example.org.", "CAA", `example.org. CAA 0 issue "ca.example.net; policy=ev"`),
	found("example.org.", "TXT", `example.org. TXT "v=spf1 mx -all"`),
	found("mail.example.org.", "A", "mail.example.org. A 192.0.2.25"),
	found("mail.example.org.", "AAAA", "mail.example.org. AAAA 2001:db8::25"),
	absent("mail.example.org.", "TXT", soa),
	missing("nope.example.org.", "A", soa),
	missing("deep.below.nope.example.org.", "A", soa),
	{
		name: "_sip._tcp.example.org.", typ: "SRV", aa: true,
		answer:     []string{"_sip._tcp.example.org. SRV 10 60 5060 sip.example.org."},
		additional: []string{"sip.example.org. A 192.0.2.60"},
	},
	found("quoted.example.org.", "TXT", `quoted.example.org. TXT "say \"hi\" \\ ; done" "" "\000\255"`),
	found("long.example.org.", "TXT", `long.example.org. TXT "`+long+`" "bbbb bbbb"`),
	found("new.example.org.", "TYPE65400", `new.example.org. TYPE65400 \# 3 010203`),
	found("web.example.org.", "HTTPS", `web.example.org. HTTPS 1 . alpn="h2" ipv4hint="192.0.2.106"`),

	found("www.example.org.", "A", "www.example.org. CNAME mail.example.org.", "mail.example.org. A 192.0.2.25"),
	found("www.example.org.", "CNAME", "www.example.org. CNAME mail.example.org."),
	found("away.example.org.", "A", "away.example.org. CNAME www.example.net."),
	found("x.tree.example.org.", "A", "tree.example.org. DNAME example.net.", "x.tree.example.org. CNAME x.example.net."),
	found("tree.example.org.", "DNAME", "tree.example.org. DNAME example.net."),

	found("one.wild.example.org.", "A", "one.wild.example.org. A 192.0.2.77"),
	found("three.two.one.wild.example.org.", "A", "three.two.one.wild.example.org. A 192.0.2.77"),
	found("*.wild.example.org.", "TXT", `*.wild.example.org. TXT "wild"`),
	absent("one.wild.example.org.", "AAAA", soa),
	found("exist.wild.example.org.", "A", "exist.wild.example.org. A 192.0.2.78"),
	absent("exist.wild.example.org.", "TXT", soa),
	missing("x.exist.wild.example.org.", "A", soa),
	absent("ent.wild.example.org.", "A", soa),
	missing("x.ent.wild.example.org.", "A", soa),
	absent("wild.example.org.", "A", soa),

	absent("ent.example.org.", "A", soa),
	absent("b.ent.example.org.", "A", soa),
	missing("c.ent.example.org.", "A", soa),
	found("a.b.ent.example.org.", "A", "a.b.ent.example.org. A 192.0.2.80"),
	absent("_tcp.example.org.", "SRV", soa),

	{
		name: "host.sub.example.org.", typ: "A", answer: none,
		authority:  []string{"sub.example.org. NS ns.sub.example.org."},
		additional: []string{"ns.sub.example.org. A 192.0.2.99"},
	},
	{
		name: "ns.sub.example.org.", typ: "A", answer: none,
		authority:  []string{"sub.example.org. NS ns.sub.example.org."},
		additional: []string{"ns.sub.example.org. A 192.0.2.99"},
	},
	{
		name: "bare.example.org.", typ: "NS", answer: none,
		authority: []string{"bare.example.org. NS ns.example.net."}, additional: none,
	},
	absent("sub.example.org.", "DS", soa),

	found("www.child.example.org.", "A", "www.child.example.org. A 192.0.2.110"),
	found("child.example.org.", "SOA", childSOA...),
	found("child.example.org.", "NS", "child.example.org. NS ns1.child.example.org."),
	missing("nope.child.example.org.", "A", childSOA),
	absent("child.example.org.", "DS", soa),

	found(`dot\.ted.example.org.`, "A", `dot\.ted.example.org. A 192.0.2.101`),
	missing(`dot.ted.example.org.`, "A", soa),
	found(`sp\ ace.example.org.`, "A", `sp\ ace.example.org. A 192.0.2.102`),
	found(`a/b.example.org.`, "A", `a/b.example.org. A 192.0.2.103`),
	found(`at\@sign.example.org.`, "A", `at\@sign.example.org. A 192.0.2.104`),
	found("mixed.example.org.", "A", "mixed.example.org. A 192.0.2.105"),
	found("MaIl.ExAmPlE.oRg.", "A", "mail.example.org. A 192.0.2.25"),
	missing("NoPe.ExAmPlE.oRg.", "A", nil),

	{name: "www.example.net.", typ: "A", rcode: dns.RcodeRefused, answer: none, authority: none},
}

// check asks the question and compares.
func (q question) check(t *testing.T, p *powerDNS) {
	t.Helper()
	typ, ok := dns.StringToType[q.typ]
	if !ok {
		if _, err := fmt.Sscanf(q.typ, "TYPE%d", &typ); err != nil {
			t.Fatalf("type %q: %v", q.typ, err)
		}
	}
	reply, err := p.exchange(q.name, typ)
	if err != nil {
		t.Errorf("%s %s: %v", q.name, q.typ, err)
		return
	}
	if reply.Question[0].Name != q.name {
		t.Errorf("%s %s: the question came back as %s", q.name, q.typ, reply.Question[0].Name)
	}
	good := reply.Rcode == q.rcode && reply.Authoritative == q.aa
	for _, s := range []struct {
		got  []dns.RR
		want []string
	}{{reply.Answer, q.answer}, {reply.Ns, q.authority}, {reply.Extra, q.additional}} {
		good = good && (s.want == nil || slices.Equal(texts(s.got), slices.Sorted(slices.Values(s.want))))
	}
	if !good {
		t.Errorf("%s %s: got\n%v\nwant %+v", q.name, q.typ, reply, q)
	}
}

// texts writes records as "name type data", the name in lower case, sorted.
func texts(rrs []dns.RR) []string {
	all := []string{}
	for _, rr := range rrs {
		h := rr.Header()
		data := strings.TrimPrefix(rr.String(), h.String())
		if unknown, ok := rr.(*dns.RFC3597); ok {
			data = fmt.Sprintf(`\# %d %s`, len(unknown.Rdata)/2, unknown.Rdata)
		}
		name := strings.ReplaceAll(strings.ToLower(h.Name), `\032`, `\ `)
		all = append(all, name+" "+dns.Type(h.Rrtype).String()+" "+data)
	}
	slices.Sort(all)
	return all
}

// Every kind of question gets its answer over every way that PowerDNS can talk to redyn.
func testPowerDNSQuestions(t *testing.T) {
	t.Parallel()
	redis := startRedis(t)
	redis.importZone(t, zoneText)
	redis.importZone(t, childText)
	node := startNode(t, redis)
	closing := startNode(t, redis, "--backend-keepalive=false", "--node-name", "closing")
	for name, connection := range map[string]string{
		"unix":         node.overUnix(),
		"REST":         node.overHTTP(""),
		"post":         node.overHTTP(",post=1"),
		"post_json":    node.overHTTP(",post=1,post_json=1"),
		"closing":      closing.overHTTP(""),
		"closing post": closing.overHTTP(",post=1"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := startPDNS(t, remote(connection)+"dname-processing=yes\n")
			for _, q := range questions {
				q.check(t, p)
			}
			checkTransfer(t, p, "example.org.", zoneText)
			checkTransfer(t, p, "child.example.org.", childText)
		})
	}
}

// checkTransfer compares what AXFR gives with the zone file.
func checkTransfer(t *testing.T, p *powerDNS, zone, text string) {
	t.Helper()
	got, err := p.transfer(zone)
	if err != nil || len(got) == 0 {
		t.Errorf("AXFR of %s: %d records, %v", zone, len(got), err)
		return
	}
	var want []dns.RR
	z := dns.NewZoneParser(strings.NewReader(text), "", "")
	for rr, ok := z.Next(); ok; rr, ok = z.Next() {
		want = append(want, rr)
	}
	if z.Err() != nil {
		t.Fatal(z.Err())
	}
	// The SOA stands at both ends of a transfer (RFC 5936 section 2.2).
	want = append(want, want[0])
	if g, w := texts(got), texts(want); !slices.Equal(g, w) {
		t.Errorf("AXFR of %s: got\n%s\nwant\n%s", zone, strings.Join(g, "\n"), strings.Join(w, "\n"))
	}
}

// The root zone has the one name that most programs stumble over.
func testPowerDNSRoot(t *testing.T) {
	t.Parallel()
	const text = `$ORIGIN .
$TTL 300
@        SOA ns1 hostmaster 1 3600 600 86400 60
@        NS  ns1
ns1      A   192.0.2.53
org      NS  ns.org
ns.org   A   192.0.2.54
a.ent    A   192.0.2.55
*.wild   A   192.0.2.56
`
	rootSOA := []string{". SOA ns1. hostmaster. 1 3600 600 86400 60"}
	redis := startRedis(t)
	redis.importZone(t, text)
	node := startNode(t, redis)
	for name, connection := range map[string]string{
		"unix":      node.overUnix(),
		"REST":      node.overHTTP(""),
		"post":      node.overHTTP(",post=1"),
		"post_json": node.overHTTP(",post=1,post_json=1"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := startPDNS(t, remote(connection))
			for _, q := range []question{
				found(".", "SOA", rootSOA...),
				found(".", "NS", ". NS ns1."),
				found("ns1.", "A", "ns1. A 192.0.2.53"),
				absent("ent.", "A", rootSOA),
				missing("nope.", "A", rootSOA),
				missing("x.nope.", "A", rootSOA),
				found("b.a.wild.", "A", "b.a.wild. A 192.0.2.56"),
				{
					name: "www.example.org.", typ: "A", answer: none,
					authority: []string{"org. NS ns.org."}, additional: []string{"ns.org. A 192.0.2.54"},
				},
			} {
				q.check(t, p)
			}
			checkTransfer(t, p, ".", text)
		})
	}
}

// A change is acknowledged when the very next question gets the new answer.
func testPowerDNSChange(t *testing.T) {
	t.Parallel()
	redis := startRedis(t)
	redis.importZone(t, zoneText)
	node := startNode(t, redis)
	for name, connection := range map[string]string{"unix": node.overUnix(), "HTTP": node.overHTTP("")} {
		p := startPDNS(t, remote(connection))
		host := strings.ToLower(name) + ".example.org."
		missing(host, "A", nil).check(t, p)
		serial := p.ask(t, "example.org.", "SOA").Answer[0].(*dns.SOA).Serial
		for i := range 20 {
			addr := fmt.Sprintf("192.0.2.%d", i)
			redis.redyn(t, "record", "set", host, "A", addr, "--ttl", "60")
			found(host, "A", host+" A "+addr).check(t, p)
			now := p.ask(t, "example.org.", "SOA").Answer[0].(*dns.SOA).Serial
			if int32(now-serial) <= 0 {
				t.Errorf("the serial went from %d to %d", serial, now)
			}
			serial = now
		}
		redis.redyn(t, "record", "set", host, "A", "192.0.2.19", "--ttl", "60")
		if now := p.ask(t, "example.org.", "SOA").Answer[0].(*dns.SOA).Serial; now != serial {
			t.Errorf("a change of nothing raised the serial from %d to %d", serial, now)
		}
		redis.redyn(t, "record", "set", "x.ent2."+host, "TXT", `"below"`)
		absent("ent2."+host, "A", nil).check(t, p)
		redis.redyn(t, "record", "delete", "x.ent2."+host)
		missing("ent2."+host, "A", nil).check(t, p)
		redis.redyn(t, "record", "delete", host, "A")
		missing(host, "A", nil).check(t, p)
	}
}

// The samples are settings that PowerDNS takes, and with which it answers.
func testPowerDNSSamples(t *testing.T) {
	t.Parallel()
	redis := startRedis(t)
	redis.importZone(t, zoneText)
	node := startNode(t, redis)
	for file, place := range map[string][2]string{
		"pdns-unix.conf": {"/run/redyn/pdns.sock", node.unix},
		"pdns-http.conf": {"127.0.0.1:8053", loopback(node.http)},
	} {
		text, err := os.ReadFile(filepath.Join("..", "..", "contrib", "pdns", file))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Count(string(text), place[0]) == 0 {
			t.Fatalf("%s does not name %s", file, place[0])
		}
		p := startPDNS(t, strings.ReplaceAll(string(text), place[0], place[1]))
		found("mail.example.org.", "A", "mail.example.org. A 192.0.2.25").check(t, p)
	}
}
