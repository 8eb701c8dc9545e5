package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// outageZone has a host to change, a name that others hang from, and names that must stay missing.
const outageZone = `$ORIGIN example.org.
$TTL 300
@       SOA ns1 hostmaster 1 3600 600 86400 60
@       NS  ns1
ns1     A   192.0.2.53
host    A   192.0.2.1
stays   A   192.0.2.200
a.ent   A   192.0.2.201
*.wild  A   192.0.2.202
`

// asker asks PowerDNS a hundred questions a second until it is stopped, and fails the test for
// each wrong answer.
type asker struct {
	t       *testing.T
	p       *powerDNS
	end     chan struct{}
	running sync.WaitGroup

	mu   sync.Mutex
	host []string // what host.example.org. may have: more than one while it changes
	away bool     // redyn is: SERVFAIL is right
	n    int      // questions answered
	bad  int
}

func startAsker(t *testing.T, p *powerDNS) *asker {
	a := &asker{t: t, p: p, host: []string{"192.0.2.1"}, end: make(chan struct{})}
	a.running.Go(func() {
		every := time.NewTicker(10 * time.Millisecond)
		defer every.Stop()
		for i := 0; ; i++ {
			select {
			case <-a.end:
				return
			case <-every.C:
				a.askOne(i)
			}
		}
	})
	return a
}

// stop ends the questions. It comes before the servers end, and they end with the test.
func (a *asker) stop() {
	close(a.end)
	a.running.Wait()
}

// askOne asks one of the questions. What may come back is what may before or after it was asked.
func (a *asker) askOne(i int) {
	always := []question{
		found("stays.example.org.", "A", "stays.example.org. A 192.0.2.200"),
		found("any.wild.example.org.", "A", "any.wild.example.org. A 192.0.2.202"),
		absent("ent.example.org.", "A", nil),
		missing("nope.example.org.", "A", nil),
	}
	var q question
	changing := i%2 == 0
	if changing {
		q = found("host.example.org.", "A")
	} else {
		q = always[i/2%len(always)]
	}
	before, awayBefore := a.may()
	reply, err := a.p.exchange(q.name, dns.StringToType[q.typ])
	after, awayAfter := a.may()

	a.mu.Lock()
	defer a.mu.Unlock()
	if err != nil {
		a.wrong("%s %s: %v", q.name, q.typ, err)
		return
	}
	a.n++
	got := texts(reply.Answer)
	if reply.Rcode == dns.RcodeServerFailure && (awayBefore || awayAfter) {
		return
	}
	if !changing {
		if reply.Rcode != q.rcode || strings.Join(got, "\n") != strings.Join(q.answer, "\n") {
			a.wrong("%s %s: got %s %q, want %+v", q.name, q.typ, dns.RcodeToString[reply.Rcode], got, q)
		}
		return
	}
	for _, addr := range append(before, after...) {
		if len(got) == 1 && got[0] == "host.example.org. A "+addr {
			return
		}
	}
	a.wrong("host: got %s %q, expected %q or %q", dns.RcodeToString[reply.Rcode], got, before, after)
}

func (a *asker) may() (host []string, away bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.host, a.away
}

func (a *asker) wrong(format string, args ...any) {
	if a.bad++; a.bad <= 10 {
		a.t.Errorf(format, args...)
	}
}

// allow says what host may be from now on.
func (a *asker) allow(host ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.host = host
}

func (a *asker) setAway(away bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.away = away
}

// more waits until n more questions have been answered.
func (a *asker) more(n int) {
	a.t.Helper()
	a.mu.Lock()
	until := a.n + n
	a.mu.Unlock()
	eventually(a.t, func() error {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.n < until {
			return fmt.Errorf("%d questions to go", until-a.n)
		}
		return nil
	})
}

// set changes host by redyn and asks at once.
func (a *asker) set(r *redisServer, from, to string) {
	a.t.Helper()
	a.allow(from, to)
	r.redyn(a.t, "record", "set", "host.example.org", "A", to)
	found("host.example.org.", "A", "host.example.org. A "+to).check(a.t, a.p)
	a.allow(to)
}

// becomes waits until host is what it must become.
func (a *asker) becomes(to string) {
	a.t.Helper()
	eventually(a.t, func() error {
		reply, err := a.p.exchange("host.example.org.", dns.TypeA)
		if err == nil && (len(reply.Answer) != 1 || texts(reply.Answer)[0] != "host.example.org. A "+to) {
			err = fmt.Errorf("host is not %s but %v", to, reply.Answer)
		}
		return err
	})
	a.allow(to)
}

// outage starts everything and asks questions.
func outage(t *testing.T) (*redisServer, *node, *asker) {
	redis := startRedis(t)
	redis.importZone(t, outageZone)
	node := startNode(t, redis)
	return redis, node, startAsker(t, startPDNS(t, remote(node.overUnix())))
}

// Redis hangs, and then dies: every answer is right, and a change made when it is back is seen.
func testPowerDNSRedisAway(t *testing.T) {
	t.Parallel()
	redis, _, asker := outage(t)
	defer asker.stop()
	asker.more(20)

	redis.signal(syscall.SIGSTOP)
	asker.more(300)
	redis.signal(syscall.SIGCONT)
	asker.set(redis, "192.0.2.1", "192.0.2.2")

	redis.do(t, "SAVE")
	redis.end(syscall.SIGKILL)
	asker.more(200)
	redis.start(t)
	asker.set(redis, "192.0.2.2", "192.0.2.3")
	asker.more(50)
}

// Redis comes back with nothing: that is a loss and no order to forget. Then with older data: that
// is the truth. Then it is emptied and begun anew: exactly what is there then counts.
func testPowerDNSRedisLost(t *testing.T) {
	t.Parallel()
	redis, node, asker := outage(t)
	defer asker.stop()
	asker.set(redis, "192.0.2.1", "192.0.2.2")
	redis.do(t, "SAVE")
	dump := filepath.Join(redis.dir, "dump.rdb")
	older, err := os.ReadFile(dump)
	if err != nil {
		t.Fatal(err)
	}
	asker.set(redis, "192.0.2.2", "192.0.2.3")

	redis.end(syscall.SIGKILL)
	if err := os.Remove(dump); err != nil {
		t.Fatal(err)
	}
	redis.start(t)
	asker.more(300)
	if _, err := node.get("/readyz"); err != nil {
		t.Errorf("a node that answers is ready: %v", err)
	}
	if out, err := redis.run(t, "record", "set", "host.example.org", "A", "192.0.2.4"); err == nil {
		t.Errorf("a lost store took a change: %s", out)
	}
	file := filepath.Join(t.TempDir(), "zone")
	if err := os.WriteFile(file, []byte(strings.Replace(outageZone, "192.0.2.1\n", "192.0.2.9\n", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		if out := redis.redyn(t, "node", "list"); !strings.Contains(out, "node") {
			return fmt.Errorf("no node in the list: %s", out)
		}
		return nil
	})
	if out, err := redis.run(t, "zone", "import", file); err == nil || !strings.Contains(out, "node") {
		t.Errorf("an import began an epoch under a node that still holds one: %v, %s", err, out)
	}

	redis.end(syscall.SIGKILL)
	if err := os.WriteFile(dump, older, 0o600); err != nil {
		t.Fatal(err)
	}
	asker.allow("192.0.2.3", "192.0.2.2")
	redis.start(t)
	asker.becomes("192.0.2.2")
	asker.set(redis, "192.0.2.2", "192.0.2.5")

	redis.do(t, "FLUSHALL")
	asker.more(200)
	asker.allow("192.0.2.5", "192.0.2.9")
	redis.redyn(t, "zone", "import", "--begin-anew", file)
	asker.becomes("192.0.2.9")
	asker.more(50)
	asker.set(redis, "192.0.2.9", "192.0.2.10")
}

// redyn dies: until it is back PowerDNS can only say that it does not know.
func testPowerDNSRedynAway(t *testing.T) {
	t.Parallel()
	redis, node, asker := outage(t)
	defer asker.stop()
	asker.more(20)
	asker.setAway(true)
	node.end(syscall.SIGKILL)
	asker.more(50)
	asker.allow("192.0.2.1", "192.0.2.2")
	redis.redyn(t, "record", "set", "host.example.org", "A", "192.0.2.2")
	node.start(t)
	asker.becomes("192.0.2.2")
	asker.more(20) // each of PowerDNS's threads has connected again
	asker.setAway(false)
	asker.set(redis, "192.0.2.2", "192.0.2.3")
	asker.more(100)

	// Ended in order, it finishes what runs.
	asker.setAway(true)
	node.end(syscall.SIGTERM)
	node.start(t)
	asker.becomes("192.0.2.3")
	asker.more(20)
	asker.setAway(false)
	asker.more(100)
}
