package backend

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"redyn/backend/dns"
)

// client is one PowerDNS backend: a connection over which transactions go. Its methods return the
// bare result, or what went wrong.
type client struct {
	t    testing.TB
	name string
	ask  func(method, parameters string) string
	end  func()
}

// clients returns a connection of each kind but the RESTful one.
func clients(t testing.TB, s *server) []*client {
	t.Helper()
	unix, rest, form := dial(t, "unix", s.unix), dial(t, "tcp", s.http), dial(t, "tcp", s.http)
	return []*client{
		{t, "unix", func(method, parameters string) string {
			return unix.line(fmt.Sprintf(`{"method": %q, "parameters": %s}`, method, parameters))
		}, func() { _ = unix.Close() }},
		{t, "post_json", func(method, parameters string) string {
			body := fmt.Sprintf(`{"method": %q, "parameters": %s}`, method, parameters)
			_, got := rest.exchange("POST /dns", fmt.Sprintf("Content-Length: %d\r\n", len(body)), body)
			return got
		}, func() { _ = rest.Close() }},
		{t, "post", func(method, parameters string) string {
			body := "parameters=" + escape(parameters)
			_, got := form.exchange("POST /dns/"+method, fmt.Sprintf("Content-Length: %d\r\n", len(body)), body)
			return got
		}, func() { _ = form.Close() }},
	}
}

// escape escapes as PowerDNS does: all but letters and digits.
func escape(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		if '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02x", c)
		}
	}
	return b.String()
}

func (c *client) do(method, parameters string) {
	c.t.Helper()
	if got := c.ask(method, parameters); got != done {
		c.t.Fatalf("%s: %s %s = %s", c.name, method, parameters, got)
	}
}

func (c *client) fails(method, parameters, why string) {
	c.t.Helper()
	if got := c.ask(method, parameters); !strings.HasPrefix(got, `{"error":"`) || !strings.Contains(got, why) {
		c.t.Errorf("%s: %s %s = %s; want a fault with %s", c.name, method, parameters, got, why)
	}
}

func (c *client) start(trxid int, zone string, id int) {
	c.t.Helper()
	c.do("startTransaction", fmt.Sprintf(`{"domain": %q, "domain_id": %d, "trxid": %d}`, zone, id, trxid))
}

func (c *client) feed(trxid int, name, typ, content string) {
	c.t.Helper()
	c.do("feedRecord", fmt.Sprintf(`{"rr": {"auth": true, "content": %q, "ordername": null, "qclass": 1, "qname": %q, "qtype": %q, "ttl": 60}, "trxid": %d}`, content, name, typ, trxid))
}

func (c *client) replace(trxid int, name, typ string, contents ...string) {
	c.t.Helper()
	c.do("replaceRRSet", c.replacing(trxid, name, typ, contents...))
}

func (c *client) replacing(trxid int, name, typ string, contents ...string) string {
	var set []string
	for _, content := range contents {
		set = append(set, fmt.Sprintf(`{"auth": true, "content": %q, "qclass": 1, "qname": %q, "qtype": %q, "ttl": 60}`, content, name, typ))
	}
	return fmt.Sprintf(`{"domain_id": 1, "qname": %q, "qtype": %q, "rrset": [%s], "trxid": %d}`, name, typ, strings.Join(set, ", "), trxid)
}

func trx(trxid int) string { return fmt.Sprintf(`{"trxid": %d}`, trxid) }

// sees checks which records a lookup finds, each as "TYPE content".
func (c *client) sees(name, typ string, want ...string) {
	c.t.Helper()
	for _, id := range []int{1, -1} {
		got := c.ask("lookup", fmt.Sprintf(`{"qname": %q, "qtype": %q, "zone-id": %d}`, name, typ, id))
		rows := 0
		for _, w := range want {
			kind, content, _ := strings.Cut(w, " ")
			row := fmt.Sprintf(`{"qtype":%q,"qname":%q,"content":%q,`, kind, name, content)
			if strings.Contains(got, row) {
				rows++
			}
		}
		if rows != len(want) || strings.Count(got, "qtype") != rows {
			c.t.Errorf("%s: lookup %s %s in %d = %s; want %q", c.name, name, typ, id, got, want)
		}
	}
}

const soa1 = "SOA ns.example.org host.example.org 1 3600 600 86400 60"

// TestUpdate: a transaction with what add-record, DNS UPDATE and the API do in one.
func TestUpdate(t *testing.T) {
	m := newMemory(t)
	s := start(t, Options{Zones: m, Store: m})
	all := clients(t, s)
	for i, c := range all {
		other := all[(i+1)%len(all)]
		before := m.text("example.org.")
		c.start(7, "Example.org.", -1)
		c.feed(7, "www.example.org.", "A", "192.0.2.9")
		c.feed(7, "www.example.org.", "A", "192.0.2.1")
		c.feed(7, "new.example.org.", "MX", "10 mail.example.org")
		c.replace(7, "www.example.org.", "TXT")
		c.replace(7, "ns.example.org.", "AAAA", "2001:DB8::1")
		c.replace(7, "sub.example.org.", "NS", "ns.sub.example.org")
		c.feed(7, "ns.sub.example.org.", "A", "192.0.2.5")
		c.sees("www.example.org.", "ANY", "A 192.0.2.1", "A 192.0.2.9")
		c.sees("www.example.org.", "TXT")
		c.sees("new.example.org.", "MX", "MX 10 mail.example.org")
		c.sees("ns.example.org.", "ANY", "A 192.0.2.2", "AAAA 2001:db8::1")
		c.sees("example.org.", "SOA", soa1)
		if got := c.ask("lookup", `{"qname":"ns.sub.example.org.","qtype":"A","zone-id":1}`); !strings.Contains(got, `"auth":0`) {
			t.Errorf("glue is authoritative: %s", got)
		}
		c.replace(7, "www.example.org.", "ANY")
		c.sees("www.example.org.", "ANY")
		c.replace(7, "www.example.org.", "A", "192.0.2.10", "192.0.2.9")
		c.replace(7, "example.org.", "SOA", "ns.example.org host.example.org 5 3600 600 86400 60")
		if got := c.ask("getDomainInfo", `{"name":"example.org."}`); !strings.Contains(got, `"serial":5`) {
			t.Errorf("in a transaction the zone is %s", got)
		}
		list := c.ask("list", `{"zonename":"example.org.","domain_id":1}`)
		for _, want := range []string{`"192.0.2.10"`, `"2001:db8::1"`, `10 mail.example.org"`, `org 5 3600`, `"ns.sub.example.org"`} {
			if strings.Count(list, want) != 1 {
				t.Errorf("in a transaction the list is %s; want %s once", list, want)
			}
		}
		if strings.Contains(list, `"\"w\""`) || strings.Contains(list, `"192.0.2.1"`) {
			t.Errorf("in a transaction the list is %s", list)
		}
		if got := m.text("example.org."); got != before {
			t.Errorf("others see before the commit\n%s", got)
		}
		other.sees("www.example.org.", "ANY", "A 192.0.2.1", `TXT "w"`)
		other.fails("commitTransaction", trx(7), "not open")
		other.fails("feedRecord", `{"rr": {"content": "192.0.2.1", "qname": "www.example.org.", "qtype": "A", "ttl": 60}, "trxid": 7}`, "not open")
		other.fails("replaceRRSet", other.replacing(7, "www.example.org.", "A"), "not open")
		other.do("abortTransaction", trx(7))
		c.do("commitTransaction", trx(7))
		c.fails("commitTransaction", trx(7), "not open")
		const after = `example.org. 60 SOA [ns.example.org. host.example.org. 5 3600 600 86400 60]
example.org. 3600 NS [ns.example.org.]
new.example.org. 60 MX [10 mail.example.org.]
ns.example.org. 60 A [192.0.2.2]
ns.example.org. 60 AAAA [2001:db8::1]
sub.example.org. 60 NS [ns.sub.example.org.]
ns.sub.example.org. 60 A [192.0.2.5]
www.example.org. 60 A [192.0.2.10 192.0.2.9]
`
		if got := m.text("example.org."); got != after {
			t.Errorf("after the commit the zone has\n%swant\n%s", got, after)
		}
		if c := m.changes[len(m.changes)-1]; c.Who != "powerdns" || c.From == "" {
			t.Errorf("the change is by %q from %q", c.Who, c.From)
		}
		m.reset()
	}
}

// TestReplaceAll: DNS UPDATE takes all away from the apex but what it gives back in the same request.
func TestReplaceAll(t *testing.T) {
	m := newMemory(t)
	c := clients(t, start(t, Options{Zones: m, Store: m}))[0]
	c.start(1, "example.org.", -1)
	c.do("replaceRRSet", `{"domain_id": 1, "qname": "www.example.org.", "qtype": "ANY", "rrset": [`+
		`{"content": "192.0.2.7", "qname": "www.example.org.", "qtype": "A", "ttl": 7}, `+
		`{"content": "::7", "qname": "www.example.org.", "qtype": "AAAA", "ttl": 8}], "trxid": 1}`)
	c.sees("www.example.org.", "ANY", "A 192.0.2.7", "AAAA ::7")
	c.do("commitTransaction", trx(1))
	c.sees("www.example.org.", "ANY", "A 192.0.2.7", "AAAA ::7")
	c.sees("example.org.", "SOA", strings.Replace(soa1, " 1 ", " 2 ", 1))
}

// TestReplaceEmptyNonTerminal: PowerDNS's API replaces an empty non-terminal before it sets what is to be there.
func TestReplaceEmptyNonTerminal(t *testing.T) {
	m := newMemory(t)
	for _, c := range clients(t, start(t, Options{Zones: m, Store: m})) {
		c.start(1, "example.org.", -1)
		c.do("replaceRRSet", `{"domain_id": 1, "qname": "ent.example.org.", "qtype": "TYPE0", "rrset": [`+
			`{"content": "192.0.2.7", "qname": "ent.example.org.", "qtype": "A", "ttl": 7}], "trxid": 1}`)
		c.sees("ent.example.org.", "ANY")
		c.replace(1, "ent.example.org.", "A", "192.0.2.7")
		c.sees("ent.example.org.", "ANY", "A 192.0.2.7")
		c.do("abortTransaction", trx(1))
	}
}

// TestNothing: transactions without writes, of zones that are not there, with numbers that are not.
func TestNothing(t *testing.T) {
	m := newMemory(t)
	for _, c := range clients(t, start(t, Options{Zones: m, Store: m})) {
		if got := c.ask("startTransaction", `{"domain": "nope.example.", "domain_id": -1, "trxid": 7}`); got != `{"result":false}` {
			t.Errorf("a transaction of no zone starts with %s", got)
		}
		c.fails("commitTransaction", trx(7), "not open")
		c.start(7, "example.org.", -1)
		c.do("commitTransaction", trx(7))
		c.do("abortTransaction", trx(7))
		c.fails("commitTransaction", `{}`, "trxid")
		c.fails("startTransaction", `{"domain": "example.org.", "trxid": 7}`, "domain_id")
		c.fails("startTransaction", `{"domain": "example.org.", "domain_id": 1}`, "trxid")
		c.fails("startTransaction", `{"domain_id": 1, "trxid": 7}`, "domain")
		c.fails("feedEnts", `{"domain_id": 1, "trxid": 8, "nonterm": []}`, "not open")
	}
	if len(m.changes) > 0 {
		t.Errorf("%d changes of nothing", len(m.changes))
	}
}

// TestLoad: a transaction that replaces a zone.
func TestLoad(t *testing.T) {
	m := newMemory(t)
	all := clients(t, start(t, Options{Zones: m, Store: m}))
	for i, c := range all {
		c.start(7, "example.org.", 1)
		c.feed(7, "example.org.", "SOA", "ns.example.org host.example.org 9 3600 600 86400 60")
		c.feed(7, "example.org.", "NS", "ns.example.org")
		c.feed(7, "ns.example.org.", "A", "192.0.2.2")
		c.sees("ns.example.org.", "A", "A 192.0.2.2")
		c.feed(7, "ns.example.org.", "A", "192.0.2.1")
		c.feed(7, "sub.example.org.", "NS", "ns.sub.example.org")
		c.feed(7, "ns.sub.example.org.", "A", "192.0.2.5")
		c.feed(7, "sub.example.org.", "DS", "1 13 2 0c3df2739f9deed18664961805a7b9476076a892510dc18f29a2edc8c29099d3")
		c.do("feedEnts", `{"domain_id": 1, "trxid": 7, "nonterm": [{"nonterm": "a.example.org.", "auth": true}]}`)
		c.do("feedEnts3", `{"domain_id": 1, "domain": "example.org.", "times": 1, "salt": "`+"\xab\xcd"+`", "narrow": false, "trxid": 7, "nonterm": [{"nonterm": "a.", "auth": true}]}`)
		c.sees("ns.example.org.", "ANY", "A 192.0.2.1", "A 192.0.2.2")
		c.sees("www.example.org.", "ANY")
		c.replace(7, "example.org.", "SOA", "ns.example.org host.example.org 10 3600 600 86400 60")
		c.replace(7, "late.example.org.", "TXT", `"l"`)
		c.replace(7, "late.example.org.", "TXT", `"l"`, `"m"`)
		c.feed(7, "late.example.org.", "TXT", `"n"`)
		c.sees("late.example.org.", "TXT", `TXT "l"`, `TXT "m"`, `TXT "n"`)
		c.fails("replaceRRSet", c.replacing(7, "ns.example.org.", "A", "192.0.2.3"), "fed already")
		if got := c.ask("getDomainInfo", `{"name":"example.org."}`); !strings.Contains(got, `"serial":10`) {
			t.Errorf("in a transaction the zone is %s", got)
		}
		list := c.ask("list", `{"zonename":"example.org.","domain_id":1}`)
		if !strings.HasPrefix(list, `{"result":[{"qtype":"SOA","qname":"example.org.","content":"ns.example.org host.example.org 10 `) ||
			strings.Count(list, "qtype") != 10 || strings.Count(list, `"auth":0`) != 2 {
			t.Errorf("in a transaction the list is %s", list)
		}
		all[(i+1)%len(all)].sees("ns.sub.example.org.", "ANY")
		c.do("commitTransaction", trx(7))
		const after = `example.org. 60 SOA [ns.example.org. host.example.org. 10 3600 600 86400 60]
example.org. 60 NS [ns.example.org.]
late.example.org. 60 TXT ["l" "m" "n"]
ns.example.org. 60 A [192.0.2.1 192.0.2.2]
sub.example.org. 60 NS [ns.sub.example.org.]
sub.example.org. 60 DS [1 13 2 0C3DF2739F9DEED18664961805A7B9476076A892510DC18F29A2EDC8C29099D3]
ns.sub.example.org. 60 A [192.0.2.5]
`
		if got := m.text("example.org."); got != after {
			t.Errorf("after the commit the zone has\n%swant\n%s", got, after)
		}
		c.start(8, "example.org.", 1)
		c.do("commitTransaction", trx(8))
		if got := m.text("example.org."); got != "" {
			t.Errorf("a cleared zone has\n%s", got)
		}
	}
}

// TestSameSecond: four transfers with one number, each over its own connection.
func TestSameSecond(t *testing.T) {
	m := newMemory(t)
	s := start(t, Options{Zones: m, Store: m})
	all := append(clients(t, s), clients(t, s)...)
	for i, c := range all {
		zone := dns.Name(fmt.Sprintf("z%d.test.", i))
		m.show(dns.Zone{ID: dns.ZoneID(10 + i), Name: zone, Kind: dns.Slave}, nil)
		c.start(7, string(zone), 10+i)
	}
	for round := range 3 {
		for i, c := range all {
			zone := fmt.Sprintf("z%d.test.", i)
			c.feed(7, zone, "TXT", fmt.Sprintf(`"%d of %d"`, round, i))
			c.fails("feedRecord", fmt.Sprintf(`{"rr": {"content": "::1", "qname": "z%d.test.", "qtype": "AAAA", "ttl": 60}, "trxid": 7}`, i+1), "not in zone")
		}
	}
	for i, c := range all {
		c.do("commitTransaction", trx(7))
		zone := dns.Name(fmt.Sprintf("z%d.test.", i))
		want := fmt.Sprintf("%s 60 TXT [\"0 of %d\" \"1 of %[2]d\" \"2 of %[2]d\"]\n", zone, i)
		if got := m.text(zone); got != want {
			t.Errorf("%s has %s", zone, got)
		}
	}
}

// TestSeveralTransactions: several on one connection, and one with the number of one that was left.
func TestSeveralTransactions(t *testing.T) {
	m := newMemory(t)
	for _, c := range clients(t, start(t, Options{Zones: m, Store: m})) {
		c.start(1, "example.org.", -1)
		c.start(2, "empty.test.", 2)
		c.feed(1, "one.example.org.", "A", "192.0.2.11")
		c.feed(2, "two.empty.test.", "A", "192.0.2.12")
		c.sees("one.example.org.", "A", "A 192.0.2.11")
		c.start(2, "empty.test.", 2)
		c.feed(2, "three.empty.test.", "A", "192.0.2.13")
		c.do("commitTransaction", trx(2))
		c.do("abortTransaction", trx(1))
		c.sees("one.example.org.", "A")
		if got := m.text("empty.test."); got != "three.empty.test. 60 A [192.0.2.13]\n" {
			t.Errorf("empty.test has %s", got)
		}
		m.wait(t)
	}
	if m.loads != 0 {
		t.Errorf("%d replacements are left", m.loads)
	}
}

// TestDisconnected: what is open on a connection ends with it.
func TestDisconnected(t *testing.T) {
	for i := range 3 {
		m := newMemory(t)
		s := start(t, Options{Zones: m, Store: m})
		before := m.text("example.org.")
		c := clients(t, s)[i]
		c.start(1, "example.org.", 1)
		c.feed(1, "one.example.org.", "A", "192.0.2.11")
		c.end()
		m.wait(t)
		if got := m.text("example.org."); got != before || m.loads != 0 {
			t.Errorf("%s: what was left is in the zone:\n%s", c.name, got)
		}
	}
}

// TestSilent: a transaction ends that nothing is heard of, and not one that is used.
func TestSilent(t *testing.T) {
	m := newMemory(t)
	c := clients(t, start(t, Options{Zones: m, Store: m, TransactionTimeout: 200 * time.Millisecond}))[0]
	c.start(1, "example.org.", 1)
	c.start(2, "empty.test.", 2)
	for alone := false; !alone; {
		c.feed(2, "a.empty.test.", "A", "192.0.2.1")
		m.mu.Lock()
		alone = m.loads == 1
		m.mu.Unlock()
	}
	c.fails("commitTransaction", trx(1), "not open")
	c.do("commitTransaction", trx(2))
}

// TestStopped: a node that stops leaves nothing open.
func TestStopped(t *testing.T) {
	m := newMemory(t)
	s := start(t, Options{Zones: m, Store: m})
	for _, c := range clients(t, s) {
		c.start(1, "example.org.", 1)
	}
	s.stop()
	for range 3 {
		m.wait(t)
	}
}

// TestTransactionKeepsConnection: with keep-alive off a connection stays open for its transaction.
func TestTransactionKeepsConnection(t *testing.T) {
	m := newMemory(t)
	s := start(t, Options{Zones: m, Store: m, CloseAfterReply: true})
	p := dial(t, "tcp", s.http)
	f := func(request, body string, closes bool) {
		t.Helper()
		r, got := p.exchange(request, fmt.Sprintf("Content-Length: %d\r\n", len(body)), body)
		if got != done || r.Close != closes {
			t.Fatalf("%s = %s, closes %t", request, got, r.Close)
		}
	}
	f("POST /dns/startTransaction/1/example%2eorg%2e/7", "", false)
	f("PATCH /dns/feedRecord/7", "rr[content]=192%2e0%2e2%2e7&rr[qname]=a%2eexample%2eorg%2e&rr[qtype]=A&rr[ttl]=60", false)
	f("POST /dns/commitTransaction/7", "", true)
	p.ended()
}

// TestFailedWrites: what is not written is never answered with a result.
func TestFailedWrites(t *testing.T) {
	m := newMemory(t)
	s := start(t, Options{Zones: m, Store: m})
	for _, c := range clients(t, s) {
		c.start(1, "example.org.", -1)
		c.feed(1, "a.example.org.", "A", "192.0.2.1")
		c.start(2, "empty.test.", 2)
		m.fails = errors.New("no Redis")
		c.fails("commitTransaction", trx(1), "internal error")
		c.fails("commitTransaction", trx(1), "not open")
		c.fails("commitTransaction", trx(2), "internal error")
		c.fails("startTransaction", `{"domain": "example.org.", "domain_id": 1, "trxid": 7}`, "internal error")
		c.start(3, "example.org.", -1) // needs nothing yet
		c.do("abortTransaction", trx(3))
		m.fails = fmt.Errorf("apply: %w", dns.ErrLost)
		c.fails("setTSIGKey", `{"name":"a.","algorithm":"b.","content":"c"}`, "lost")
		m.fails = nil
	}
}

// TestFeedFails: a record that cannot be fed fails there and then.
func TestFeedFails(t *testing.T) {
	m := newMemory(t)
	c := clients(t, start(t, Options{Zones: m, Store: m}))[0]
	rr := func(name, typ, content, ttl, why string) {
		t.Helper()
		c.fails("feedRecord", fmt.Sprintf(`{"rr": {"content": %q, "qname": %q, "qtype": %q, "ttl": %s}, "trxid": 1}`, content, name, typ, ttl), why)
	}
	c.start(1, "example.org.", 1)
	rr("a.example.net.", "A", "192.0.2.1", "60", "not in zone")
	rr("a..example.org.", "A", "192.0.2.1", "60", "empty label")
	rr("a.example.org.", "NOPE", "192.0.2.1", "60", "NOPE")
	rr("a.example.org.", "A", "192.0.2", "60", "192.0.2")
	rr("a.example.org.", "ANY", "192.0.2.1", "60", "ANY")
	rr("a.example.org.", "A", "192.0.2.1", "2147483648", "TTL")
	rr("a.example.org.", "A", "192.0.2.1", `"x"`, "TTL")
	c.fails("feedRecord", trx(1), "0 records")
	c.fails("replaceRRSet", `{"domain_id": 1, "qname": "a.example.org.", "qtype": "A", "rrset": [{"content": "::1", "qname": "a.example.org.", "qtype": "AAAA", "ttl": 1}], "trxid": 1}`, "does not belong")
	c.fails("replaceRRSet", `{"domain_id": 1, "qname": "a.example.org.", "qtype": "A", "rrset": [{"content": "192.0.2.1", "qname": "b.example.org.", "qtype": "A", "ttl": 1}], "trxid": 1}`, "does not belong")
	c.fails("replaceRRSet", c.replacing(1, "example.net.", "A"), "not in zone")
	c.do("feedRecord", `{"rr": {"content": "", "qname": "ent.example.org.", "qtype": "", "ttl": 0}, "trxid": 1}`)
	m.mu.Lock()
	m.fails = errors.New("no Redis")
	m.mu.Unlock()
	rr("a.example.org.", "A", "192.0.2.1", "60", "internal error")
}

// TestConflict: a value that changed meanwhile fails the commit, but not the serial alone.
func TestConflict(t *testing.T) {
	m := newMemory(t)
	all := clients(t, start(t, Options{Zones: m, Store: m}))
	for i, c := range all {
		other := all[(i+1)%len(all)]
		both := func(name, otherName string) {
			c.start(1, "example.org.", -1)
			c.sees("www.example.org.", "TXT", `TXT "w"`)
			c.feed(1, name, "A", fmt.Sprintf("192.0.2.%d", 100+i))
			serial, _ := m.Zone("example.org.")
			c.replace(1, "example.org.", "SOA", fmt.Sprintf("ns.example.org host.example.org %d 3600 600 86400 60", serial.Serial+1))
			other.start(1, "example.org.", -1)
			other.feed(1, otherName, "A", fmt.Sprintf("192.0.2.%d", 200+i))
			other.do("commitTransaction", trx(1))
		}
		both("a.example.org.", "a.example.org.")
		c.fails("commitTransaction", trx(1), "changed meanwhile")
		both("b.example.org.", "c.example.org.")
		z, _ := m.Zone("example.org.")
		c.do("commitTransaction", trx(1))
		if after, _ := m.Zone("example.org."); after.Serial != z.Serial+1 {
			t.Errorf("two changes leave the serial at %d after %d", after.Serial, z.Serial)
		}
	}
}

// TestInterleaved: two transactions, in any order of their steps, leave the zone as one after the other
// would have, of those that were committed.
func TestInterleaved(t *testing.T) {
	type step struct {
		replace   bool
		name, typ string
		contents  []string
	}
	names := []string{"a.example.org.", "b.example.org.", "www.example.org."}
	run := func(c *client, s step) {
		if s.replace {
			c.replace(1, s.name, s.typ, s.contents...)
		} else {
			// As DNS UPDATE does, look and then add what depends on what was seen.
			seen := strings.Count(c.ask("lookup", fmt.Sprintf(`{"qname": %q, "qtype": "A", "zone-id": 1}`, s.name)), "qtype")
			c.feed(1, s.name, "A", fmt.Sprintf("192.0.2.%d", 100+seen))
		}
	}
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	m := newMemory(t)
	all := clients(t, start(t, Options{Zones: m, Store: m}))
	for range 500 {
		var plans [2][]step
		for i := range plans {
			for range 1 + random.IntN(4) {
				s := step{replace: random.IntN(2) == 0, name: names[random.IntN(len(names))], typ: "A"}
				for range random.IntN(3) {
					s.contents = append(s.contents, fmt.Sprintf("192.0.2.%d", 1+random.IntN(20)))
				}
				if s.replace && len(s.contents) == 0 && random.IntN(2) == 0 {
					s.typ = "ANY"
				}
				plans[i] = append(plans[i], s)
			}
		}
		serially := func(order ...int) string {
			m.reset()
			c := all[0]
			for _, i := range order {
				c.start(1, "example.org.", -1)
				for _, s := range plans[i] {
					run(c, s)
				}
				c.do("commitTransaction", trx(1))
			}
			return withoutSerial(m.text("example.org."))
		}
		m.reset()
		at := [2]int{-1, -1}
		var committed []int
		for at[0] <= len(plans[0]) || at[1] <= len(plans[1]) {
			i := random.IntN(2)
			c := all[i]
			switch {
			case at[i] > len(plans[i]):
				continue
			case at[i] < 0:
				c.start(1, "example.org.", -1)
			case at[i] == len(plans[i]):
				if got := c.ask("commitTransaction", trx(1)); got == done {
					committed = append(committed, i)
				} else if !strings.Contains(got, "changed meanwhile") {
					t.Fatalf("a commit fails: %s", got)
				}
			default:
				run(c, plans[i][at[i]])
			}
			at[i]++
		}
		got := withoutSerial(m.text("example.org."))
		want := serially(committed...)
		if len(committed) == 2 && got != want {
			want = serially(committed[1], committed[0])
		}
		if got != want {
			t.Fatalf("seed %d: %v, of which %v were committed, leave\n%s", seed, plans, committed, got)
		}
	}
}

func withoutSerial(text string) string {
	_, rest, _ := strings.Cut(text, "\n")
	return rest
}
