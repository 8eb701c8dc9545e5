package main_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// purgedZone has what PowerDNS answers from more than one name.
const purgedZone = `$ORIGIN example.org.
$TTL 300
@       SOA   ns1 hostmaster 1 3600 600 86400 60
@       NS    ns1
@       MX    10 mail
ns1     A     192.0.2.53
mail    A     192.0.2.25
host    A     192.0.2.1
www     CNAME host
*.wild  CNAME host
_s._tcp SRV   1 2 3 host
sub     NS    ns.sub
ns.sub  A     192.0.2.99
tree    DNAME t.example.net.
`

const purgedOther = `$ORIGIN example.net.
$TTL 300
@       SOA   ns1 hostmaster 1 3600 600 86400 60
@       NS    ns1.example.org.
far     CNAME www.example.org.
a.t     A     192.0.2.7
`

// startPurged starts a redyn and a PowerDNS in front of it that keeps what it answers, and is purged.
func startPurged(t *testing.T, redis *redisServer, connection func(*node) string, settings string, args ...string) (*node, *powerDNS) {
	t.Helper()
	p := newPDNS(t, loopback(freePort(t)))
	n := startNode(t, redis, append([]string{"--pdns-control", p.socket()}, args...)...)
	p.configure(t, stock(connection(n))+settings)
	p.start(t)
	// It is purged of all once it is there, as nobody knows what it answered before.
	n.await(t, func() error { return n.counts(`redyn_purges_total{pdns="` + p.socket() + `",result="done"}`) })
	return n, p
}

// counts returns an error while a metric is not there, or 0.
func (n *node) counts(metric string) error {
	text, err := n.get("/metrics")
	if err == nil && (!strings.Contains(text, metric+" ") || strings.Contains(text, metric+" 0\n")) {
		err = fmt.Errorf("no %s in\n%s", metric, text)
	}
	return err
}

// changes are changes and the questions that they concern: each is asked before the change, so that the
// answer is kept, and at once after it.
var changes = []struct {
	command       string
	before, after []question
}{
	{
		command: "record set host.example.org A 192.0.2.2",
		before: []question{
			found("host.example.org.", "A", "host.example.org. A 192.0.2.1"),
			found("www.example.org.", "A", "www.example.org. CNAME host.example.org.", "host.example.org. A 192.0.2.1"),
			found("far.example.net.", "A", "far.example.net. CNAME www.example.org.", "www.example.org. CNAME host.example.org.", "host.example.org. A 192.0.2.1"),
			found("x.wild.example.org.", "A", "x.wild.example.org. CNAME host.example.org.", "host.example.org. A 192.0.2.1"),
			{name: "_s._tcp.example.org.", typ: "SRV", aa: true, additional: []string{"host.example.org. A 192.0.2.1"}},
		},
		after: []question{
			found("host.example.org.", "A", "host.example.org. A 192.0.2.2"),
			found("www.example.org.", "A", "www.example.org. CNAME host.example.org.", "host.example.org. A 192.0.2.2"),
			found("far.example.net.", "A", "far.example.net. CNAME www.example.org.", "www.example.org. CNAME host.example.org.", "host.example.org. A 192.0.2.2"),
			found("x.wild.example.org.", "A", "x.wild.example.org. CNAME host.example.org.", "host.example.org. A 192.0.2.2"),
			{name: "_s._tcp.example.org.", typ: "SRV", aa: true, additional: []string{"host.example.org. A 192.0.2.2"}},
		},
	},
	{
		command: "record set *.new.example.org A 192.0.2.3",
		before: []question{
			missing("a.new.example.org.", "A", nil), missing("b.c.new.example.org.", "A", nil), missing("new.example.org.", "A", nil),
		},
		after: []question{
			found("a.new.example.org.", "A", "a.new.example.org. A 192.0.2.3"),
			found("b.c.new.example.org.", "A", "b.c.new.example.org. A 192.0.2.3"),
			absent("new.example.org.", "A", nil),
		},
	},
	{
		command: "record set x.y.wild.example.org A 192.0.2.4",
		before:  []question{found("z.y.wild.example.org.", "CNAME", "z.y.wild.example.org. CNAME host.example.org.")},
		after: []question{
			missing("z.y.wild.example.org.", "CNAME", nil), absent("y.wild.example.org.", "A", nil),
			found("z.wild.example.org.", "CNAME", "z.wild.example.org. CNAME host.example.org."),
		},
	},
	{
		command: "record set ns.sub.example.org A 192.0.2.98",
		before:  []question{{name: "h.sub.example.org.", typ: "A", additional: []string{"ns.sub.example.org. A 192.0.2.99"}}},
		after:   []question{{name: "h.sub.example.org.", typ: "A", additional: []string{"ns.sub.example.org. A 192.0.2.98"}}},
	},
	{
		command: "record set sub.example.org NS ns1.example.org",
		after:   []question{{name: "h.sub.example.org.", typ: "A", authority: []string{"sub.example.org. NS ns1.example.org."}}},
	},
	{
		command: "record set mail.example.org A 192.0.2.26",
		before:  []question{{name: "example.org.", typ: "MX", aa: true, additional: []string{"mail.example.org. A 192.0.2.25"}}},
		after:   []question{{name: "example.org.", typ: "MX", aa: true, additional: []string{"mail.example.org. A 192.0.2.26"}}},
	},
	{
		command: "record set a.t.example.net A 192.0.2.8",
		before: []question{found("a.tree.example.org.", "A", "tree.example.org. DNAME t.example.net.",
			"a.tree.example.org. CNAME a.t.example.net.", "a.t.example.net. A 192.0.2.7")},
		after: []question{found("a.tree.example.org.", "A", "tree.example.org. DNAME t.example.net.",
			"a.tree.example.org. CNAME a.t.example.net.", "a.t.example.net. A 192.0.2.8")},
	},
	{
		command: "record delete host.example.org",
		after: []question{
			missing("host.example.org.", "A", nil),
			{name: "www.example.org.", typ: "A", aa: true, rcode: dns.RcodeNameError, answer: []string{"www.example.org. CNAME host.example.org."}},
		},
	},
}

// With the caches that it has by itself, PowerDNS gives no old answer after a change, whatever it was.
func testPowerDNSPurged(t *testing.T) {
	t.Parallel()
	for name, connection := range map[string]func(*node) string{
		"unix": (*node).overUnix,
		"HTTP": func(n *node) string { return n.overHTTP(",post=1,post_json=1") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			redis := startRedis(t)
			redis.importZone(t, purgedZone)
			redis.importZone(t, purgedOther)
			redis.importZone(t, octets("192.0.2.1"))
			node, p := startPurged(t, redis, connection, "dname-processing=yes\n8bit-dns=yes\n")
			checkChanges(t, redis, p)
			checkReplaced(t, redis, p)
			checkSigned(t, p)
			checkOctets(t, redis, p)
			metrics, err := node.get("/metrics")
			if err != nil || strings.Contains(metrics, `result="failed"} 1`) {
				t.Errorf("a purge failed, %v:\n%s", err, metrics)
			}
		})
	}
}

func checkChanges(t *testing.T, redis *redisServer, p *powerDNS) {
	t.Helper()
	for _, c := range changes {
		serial := p.ask(t, "example.org.", "SOA").Answer[0].(*dns.SOA).Serial
		for _, q := range c.before {
			q.check(t, p)
			q.check(t, p)
		}
		redis.redyn(t, strings.Fields(c.command)...)
		for _, q := range c.after {
			q.check(t, p)
		}
		if now := p.ask(t, "example.org.", "SOA").Answer[0].(*dns.SOA).Serial; now == serial && strings.Contains(c.command, "example.org ") {
			t.Errorf("%s: the serial is still %d", c.command, now)
		}
	}
}

// checkReplaced replaces a whole zone.
func checkReplaced(t *testing.T, redis *redisServer, p *powerDNS) {
	t.Helper()
	missing("host.example.org.", "A", nil).check(t, p)
	found("a.new.example.org.", "A", "a.new.example.org. A 192.0.2.3").check(t, p)
	redis.importZone(t, purgedZone, "--replace")
	found("host.example.org.", "A", "host.example.org. A 192.0.2.1").check(t, p)
	missing("a.new.example.org.", "A", nil).check(t, p)
}

// checkSigned signs the zone and sees that at the next question, though PowerDNS remembers for half a minute
// that there are no keys.
func checkSigned(t *testing.T, p *powerDNS) {
	t.Helper()
	signed := func(name string) bool {
		m := new(dns.Msg)
		m.SetQuestion(name, dns.TypeA)
		m.SetEdns0(4096, true)
		reply, err := dns.Exchange(m, p.addr)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Contains(fmt.Sprint(reply.Answer, reply.Ns), "RRSIG")
	}
	if signed("host.example.org.") || signed("nope.example.org.") {
		t.Error("answers are signed before the zone is")
	}
	p.util(t, "secure-zone", "example.org.")
	if !signed("host.example.org.") || !signed("nope.example.org.") {
		t.Error("answers are not signed")
	}
}

// octets is a zone that has a name with each octet that there is.
func octets(addr string) string {
	var b strings.Builder
	b.WriteString("$ORIGIN octets.example.\n$TTL 60\n@ SOA ns host 1 1 1 1 60\n@ NS ns\n")
	for octet := range 256 {
		if octet < 'A' || 'Z' < octet {
			fmt.Fprintf(&b, "a\\%03d A %s\n", octet, addr)
		}
	}
	return b.String()
}

// checkOctets changes a name for each octet: none is too odd for PowerDNS to purge.
func checkOctets(t *testing.T, redis *redisServer, p *powerDNS) {
	t.Helper()
	ask := func(addr string) {
		t.Helper()
		for octet := range 256 {
			name := fmt.Sprintf(`a\%03d.octets.example.`, octet)
			reply, err := p.exchange(name, dns.TypeA)
			if err != nil || len(reply.Answer) != 1 || reply.Answer[0].(*dns.A).A.String() != addr {
				t.Fatalf("%s is %v, %v; want %s", name, reply, err, addr)
			}
		}
	}
	ask("192.0.2.1")
	redis.importZone(t, octets("192.0.2.2"), "--replace")
	ask("192.0.2.2")
}

// By its API alone PowerDNS is purged too, and knows a new zone at once.
func testPowerDNSPurgedByAPI(t *testing.T) {
	t.Parallel()
	redis := startRedis(t)
	redis.importZone(t, purgedZone)
	redis.importZone(t, purgedOther)
	api := newAPI(t)
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte(apiKey+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	n := startNode(t, redis, "--pdns-api-url", "http://"+api.addr, "--pdns-api-key-file", key)
	p := startPDNS(t, stock(n.overUnix())+api.settings+"dname-processing=yes\n")
	n.await(t, func() error { return n.counts(`redyn_purges_total{pdns="http://` + api.addr + `",result="done"}`) })
	checkChanges(t, redis, p)
	checkReplaced(t, redis, p)
	question{name: "www.example.com.", typ: "A", rcode: dns.RcodeRefused}.check(t, p)
	redis.redyn(t, "zone", "create", "example.com", "--ns", "ns1.example.org")
	missing("www.example.com.", "A", nil).check(t, p)
	redis.redyn(t, "zone", "create", "sub.example.com", "--ns", "ns1.example.org")
	found("sub.example.com.", "NS", "sub.example.com. NS ns1.example.org.").check(t, p)
	if out, err := redis.run(t, "check", "--pdns-api-url", "http://"+api.addr, "--pdns-api-key-file", key); !strings.Contains(out, "ok     --pdns-api-url") {
		t.Errorf("check says %v\n%s", err, out)
	}
}

// Of two PowerDNS, each with a redyn of its own, neither gives an old answer after a change was made
// through the other.
func testPowerDNSPurgedPair(t *testing.T) {
	t.Parallel()
	redis, replica := startRedis(t), startRedis(t)
	redis.importZone(t, purgedZone)
	replica.replicate(t, redis)
	_, one := startPurged(t, redis, (*node).overUnix, "", "--node-name", "one")
	_, two := startPurged(t, redis, (*node).overUnix, "", "--node-name", "two", "--redis-read-url", replica.url())
	for i := range 10 {
		addr := fmt.Sprintf("192.0.2.1%d", i)
		redis.redyn(t, "record", "set", "host.example.org", "A", addr)
		for _, p := range []*powerDNS{one, two} {
			found("www.example.org.", "A", "www.example.org. CNAME host.example.org.", "host.example.org. A "+addr).check(t, p)
		}
	}
	one.utilRRset(t, "replace-rrset", "example.org", "host", "A", "60", "192.0.2.200")
	found("host.example.org.", "A", "host.example.org. A 192.0.2.200").check(t, one)
	eventually(t, func() error { // that was acknowledged by one alone
		if got := texts(two.ask(t, "host.example.org.", "A").Answer); got[0] != "host.example.org. A 192.0.2.200" {
			return fmt.Errorf("the other still says %v", got)
		}
		return nil
	})
}

// PowerDNS hangs, is stopped, or somebody else keeps its control socket busy: changes go on, and its
// answers are right when it is back.
func testPowerDNSNotPurged(t *testing.T) {
	t.Parallel()
	redis := startRedis(t)
	redis.importZone(t, purgedZone)
	node, p := startPurged(t, redis, (*node).overUnix, keeping)
	is := func(addr string) question { return found("host.example.org.", "A", "host.example.org. A "+addr) }
	set := func(addr string, within time.Duration) {
		t.Helper()
		start := time.Now()
		redis.redyn(t, "record", "set", "host.example.org", "A", addr)
		if took := time.Since(start); took > within {
			t.Errorf("a change took %v", took)
		}
	}
	becomes := func(addr string) {
		t.Helper()
		eventually(t, func() error {
			if got := texts(p.ask(t, "host.example.org.", "A").Answer); len(got) != 1 || got[0] != "host.example.org. A "+addr {
				return fmt.Errorf("host is %v", got)
			}
			return nil
		})
	}
	is("192.0.2.1").check(t, p)

	p.signal(syscall.SIGSTOP)
	set("192.0.2.2", 5*time.Second)
	set("192.0.2.3", 5*time.Second)
	p.signal(syscall.SIGCONT)
	becomes("192.0.2.3")
	set("192.0.2.4", 5*time.Second)
	is("192.0.2.4").check(t, p)

	silent, err := net.Dial("unix", p.socket())
	if err != nil {
		t.Fatal(err)
	}
	set("192.0.2.5", 5*time.Second)
	silent.Close()
	becomes("192.0.2.5")

	p.end(syscall.SIGKILL)
	set("192.0.2.6", 5*time.Second)
	p.start(t)
	becomes("192.0.2.6")
	n := 0
	for line := range strings.Lines(node.log.String()) {
		if strings.Contains(line, "cannot purge") {
			n++
		}
	}
	if n != 2 {
		t.Errorf("it was logged %d times that PowerDNS does not answer; want once each time", n)
	}
	eventually(t, func() error { return node.counts("redyn_purge_up{pdns=\"" + p.socket() + "\"}") })
	set("192.0.2.7", 5*time.Second)
	is("192.0.2.7").check(t, p)
}
