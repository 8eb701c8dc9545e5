package main_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
)

const (
	busyHosts = 20
	busyPause = 100 * time.Millisecond // between two updates of a host, which makes 200 a second of all
	// keeping has PowerDNS keep its answers for longer than a test waits for right ones.
	keeping = "cache-ttl=600\nquery-cache-ttl=600\nnegquery-cache-ttl=600\n"
)

// busyZone has names that are answered with hosts' addresses.
const busyZone = `$ORIGIN example.org.
$TTL 600
@       SOA   ns1 hostmaster 1 3600 600 86400 600
@       NS    ns1
ns1     A     192.0.2.53
www     CNAME h0
*.wild  CNAME h1
`

func busyHost(i int) string { return fmt.Sprintf("h%d.example.org", i) }

// busy is a node whose hosts update their addresses all the time, while others ask PowerDNS for them.
type busy struct {
	t      *testing.T
	redis  *redisServer
	n      *node
	url    string
	token  string
	client http.Client
	kept   *powerDNS // that is purged
	fresh  *powerDNS // that keeps nothing

	version [busyHosts]uint32 // of each host's address; belongs to who updates that
	end     context.CancelFunc
	running sync.WaitGroup

	mu      sync.Mutex
	good    int           // updates acknowledged
	slowest time.Duration // that one took since that was told last
}

// startBusy starts all, without updates.
func startBusy(t *testing.T) *busy {
	t.Helper()
	b := &busy{t: t, redis: startRedis(t), kept: newPDNS(t, loopback(freePort(t))), end: func() {}}
	b.redis.importZone(t, busyZone)
	grants := []string{"--kind", "token"}
	for i := range busyHosts {
		b.redis.redyn(t, "host", "add", busyHost(i))
		grants = append(grants, "--host", busyHost(i))
	}
	_, b.token = b.redis.credential(t, grants...)
	updater := loopback(freePort(t))
	b.url = "http://" + updater + "/nic/update"
	b.client = http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: busyHosts}}
	t.Cleanup(b.client.CloseIdleConnections)
	b.n = newNode(t, b.redis, append(unlimited, "--updater-listen", updater, "--dynamic-ttl", "600", "--pdns-control", b.kept.socket())...)
	if os.Geteuid() == 0 { // the rights of files bind root too
		b.n.under = []string{"setpriv", "--bounding-set=-dac_override,-dac_read_search"}
	}
	b.n.start(t)
	b.kept.configure(t, stock(b.n.overUnix())+keeping)
	b.kept.start(t)
	b.fresh = startPDNS(t, remote(b.n.overUnix()))
	b.n.await(t, func() error { return b.n.counts(`redyn_purges_total{pdns="` + b.kept.socket() + `",result="done"}`) })
	t.Cleanup(b.stop)
	return b
}

// addr is the address that a host has.
func (b *busy) addr(host int) string {
	return fmt.Sprintf("10.%d.%d.%d", host, b.version[host]>>8&0xff, b.version[host]&0xff)
}

// update has a host update its address, which must be acknowledged.
func (b *busy) update(host int) error {
	b.version[host]++
	addr := b.addr(host)
	request, err := http.NewRequest(http.MethodGet, b.url+"?hostname="+busyHost(host)+"&myip="+addr, nil)
	if err != nil {
		return err
	}
	request.SetBasicAuth("", b.token)
	start := time.Now()
	response, err := b.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && string(text) != "good "+addr {
		err = fmt.Errorf("an update to %s is answered %s %q", addr, response.Status, text)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.good++
	b.slowest = max(b.slowest, time.Since(start))
	return err
}

// start starts updates and questions.
func (b *busy) start() {
	ctx, end := context.WithCancel(context.Background())
	b.end = end
	for host := range busyHosts {
		b.running.Go(func() {
			b.each(ctx, busyPause, func(int) error { return b.update(host) })
		})
	}
	for range 2 {
		b.running.Go(func() { // what comes back counts when it must be right
			b.each(ctx, time.Millisecond, func(i int) error {
				names := b.names()
				b.ask(names[i%len(names)])
				return nil
			})
		})
	}
}

// each does something again and again, with a pause, until ctx ends.
func (b *busy) each(ctx context.Context, pause time.Duration, do func(int) error) {
	every := time.NewTicker(pause)
	defer every.Stop()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
		if err := do(i); err != nil {
			b.t.Error(err)
			return
		}
	}
}

// stop ends updates and questions.
func (b *busy) stop() {
	b.end()
	b.running.Wait()
}

// ask asks the PowerDNS that is purged, for not long.
func (b *busy) ask(name string) {
	m := new(dns.Msg)
	m.SetQuestion(name, dns.TypeA)
	_, _, _ = (&dns.Client{Timeout: 50 * time.Millisecond}).Exchange(m, b.kept.addr)
}

// names are all that are ever asked for.
func (b *busy) names() []string {
	names := []string{"www.example.org.", "x.wild.example.org.", "comes.example.org."}
	for i := range busyHosts {
		names = append(names, busyHost(i)+".")
	}
	return names
}

// more waits until n more updates are acknowledged.
func (b *busy) more(n int) {
	b.t.Helper()
	until := b.acknowledged() + n
	eventually(b.t, func() error {
		if left := until - b.acknowledged(); left > 0 {
			return fmt.Errorf("%d updates to go", left)
		}
		return nil
	})
}

func (b *busy) acknowledged() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.good
}

// tell logs how long the slowest update took since it was told last.
func (b *busy) tell(what string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.t.Logf("%s: the slowest of %d updates took %v", what, b.good, b.slowest)
	b.good, b.slowest = 0, 0
}

// same returns an error unless the PowerDNS that is purged answers as the other.
func (b *busy) same() error {
	for _, name := range b.names() {
		got, err := b.kept.exchange(name, dns.TypeA)
		if err != nil {
			return err
		}
		want, err := b.fresh.exchange(name, dns.TypeA)
		if err != nil {
			return err
		}
		if g, w := texts(got.Answer), texts(want.Answer); got.Rcode != want.Rcode || strings.Join(g, "\n") != strings.Join(w, "\n") {
			return fmt.Errorf("%s is %s %q and should be %s %q", name, dns.RcodeToString[got.Rcode], g, dns.RcodeToString[want.Rcode], w)
		}
	}
	return nil
}

// isDown returns an error unless redyn knows whether PowerDNS can be purged.
func (b *busy) isDown(down bool) error {
	metric := `redyn_purge_up{pdns="` + b.kept.socket() + `"}`
	text, err := b.n.get("/metrics")
	if err == nil && strings.Contains(text, metric+" 0\n") != down {
		err = fmt.Errorf("%s should be %t", metric, !down)
	}
	return err
}

// trouble is what happens to a PowerDNS, how many updates go on meanwhile, and how it ends.
type trouble struct {
	name    string
	begin   func()
	updates int
	end     func()
}

func (b *busy) troubles() []trouble {
	socket, p := b.kept.socket(), b.kept
	must := func(err error) {
		b.t.Helper()
		if err != nil {
			b.t.Fatal(err)
		}
	}
	var mode os.FileMode
	return []trouble{
		{"killed", func() { p.end(syscall.SIGKILL) }, 3 * busyHosts, func() { p.start(b.t) }},
		// So many that each host would have to wait for it again and again longer than a test waits.
		{"hanging", func() { p.signal(syscall.SIGSTOP) }, 25 * busyHosts, func() { p.signal(syscall.SIGCONT) }},
		{"socket away", func() { must(os.Rename(socket, socket+".away")) }, 3 * busyHosts, func() { must(os.Rename(socket+".away", socket)) }},
		{"socket closed to redyn", func() {
			info, err := os.Stat(socket)
			must(err)
			mode = info.Mode()
			must(os.Chmod(socket, 0))
		}, 3 * busyHosts, func() { must(os.Chmod(socket, mode)) }},
	}
}

// While hosts update their addresses all the time, PowerDNS goes away, hangs, or does not let redyn purge:
// updates go on, and all answers are right when it is back, as they are after it was started again.
func testPowerDNSNotPurgedUnderLoad(t *testing.T) {
	t.Parallel()
	b := startBusy(t)
	comes := false
	comeOrGo := func() {
		t.Helper()
		if comes = !comes; comes {
			b.redis.redyn(t, "record", "set", "comes.example.org", "A", "192.0.2.1", "--ttl", "600")
		} else {
			b.redis.redyn(t, "record", "delete", "comes.example.org")
		}
	}
	isRight := func(after string) {
		t.Helper()
		b.stop()
		eventually(t, func() error {
			if err := b.same(); err != nil {
				return fmt.Errorf("%s: %w", after, err)
			}
			return nil
		})
		for host := range busyHosts {
			if err := b.update(host); err != nil {
				t.Error(err)
			}
			name := busyHost(host) + "."
			found(name, "A", name+" A "+b.addr(host)).check(t, b.kept)
		}
		b.tell(after)
	}

	for _, trouble := range b.troubles() {
		b.start()
		b.more(50)
		trouble.begin()
		b.more(trouble.updates)
		comeOrGo()
		eventually(t, func() error { return b.isDown(true) })
		trouble.end()
		eventually(t, func() error { return b.isDown(false) })
		isRight(trouble.name)
	}

	b.start()
	b.more(50)
	b.kept.end(syscall.SIGTERM)
	b.kept.start(t)
	comeOrGo()
	b.more(50)
	isRight("started again")
}
