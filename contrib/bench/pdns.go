package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// ready is how long a server may take until it answers.
const ready = 20 * time.Second

// The contestants, by what PowerDNS reads.
const (
	redynUnix      = "redyn unix"
	redynHTTP      = "redyn HTTP"
	redynHTTPClose = "redyn HTTP --backend-keepalive=false"
	cannedUnix     = "canned unix"
	cannedHTTP     = "canned fasthttp"
	cannedClose    = "canned fasthttp closing"
	redisUnix      = "one Redis read per lookup unix"
	bareRedisUnix  = "the same without go-redis unix"
	bindBackend    = "bind backend"
	sqliteBackend  = "gsqlite3 backend"
)

// order brings those together that are compared, to be measured one after the other.
var order = []string{
	cannedUnix, redynUnix, redisUnix, bareRedisUnix, sqliteBackend, bindBackend,
	redynHTTP, cannedHTTP, redynHTTPClose, cannedClose,
}

// dnsGoals are the goals for questions through PowerDNS with its caches off.
var dnsGoals = []goal{
	{"1", redynUnix, cannedUnix, 1, atLeast},
	{"1", redynUnix, redisUnix, 1.8, atLeast},
	{"", redynUnix, bareRedisUnix, 0, atLeast},
	{"2", redynHTTP, cannedHTTP, 0.97, atLeast},
	{"2", redynHTTPClose, cannedHTTP, 2.1, atLeast},
	{"", redynHTTPClose, cannedClose, 0, atLeast},
	{"", redynUnix, bindBackend, 0, atLeast},
	{"", redynUnix, sqliteBackend, 0, atLeast},
}

// commonSettings are the settings of every pdns_server here. The zone cache keeps its default of 300
// seconds: it holds the list of zones, not data, and is filled before the first question.
const commonSettings = `local-address=127.0.0.1
socket-dir=%[1]s
daemon=no
guardian=no
setuid=
setgid=
security-poll-suffix=
version-string=anonymous
loglevel=3
disable-syslog=yes
cache-ttl=0
query-cache-ttl=0
negquery-cache-ttl=0
zone-cache-refresh-interval=300
consistent-backends=yes
receiver-threads=%[2]d
distributor-threads=%[3]d
`

// common returns the settings of every pdns_server.
func (b *bench) common() string {
	return fmt.Sprintf(commonSettings, b.dir, b.opts.receivers, b.opts.threads)
}

// contestant is one pdns_server and the address it answers on.
type contestant struct {
	name     string
	settings string
	port     int
	dir      string // of its settings and its control socket; "": some
	host     string // the second host, to ask for at first; "": hostName(1)
	process  *process
}

// measureDNS asks each contestant's pdns_server in turn with dnsperf.
func measureDNS(b *bench) error {
	contestants, err := b.startContestants()
	if err != nil {
		return err
	}
	questions, err := b.file("questions", oneZone(b.opts.hosts).writeQuestions)
	if err != nil {
		return err
	}
	results := make([]series, len(contestants))
	for i, c := range contestants {
		results[i].name = c.name
	}
	err = b.rounds(len(contestants), b.opts.rounds, b.seconds(), func(round, i int, d time.Duration) error {
		qps, faults, err := b.dnsperf(contestants[i].port, questions, d, perfGood)
		if err != nil {
			return fmt.Errorf("%s: %w", contestants[i].name, err)
		}
		if b.opts.verbose {
			fmt.Printf("round %d: %-45s %8.0f %4d faults\n", round, contestants[i].name, qps, faults)
		}
		if round >= 0 {
			results[i].values = append(results[i].values, qps)
			results[i].faults += faults
		}
		return nil
	})
	if err != nil {
		return err
	}
	printTable(fmt.Sprintf("Questions/s through pdns_server %s with cache-ttl=0 query-cache-ttl=0 negquery-cache-ttl=0\n"+
		"(zone cache on, receiver-threads=%d, distributor-threads=%d; dnsperf -c %d -q %d; %d hosts; %d rounds of %v)",
		pdnsVersion(), b.opts.receivers, b.opts.threads, b.opts.clients, b.opts.outstanding, b.opts.hosts, b.opts.rounds, b.seconds()),
		results, dnsGoals)
	return nil
}

// startContestants starts every backend and a pdns_server for each.
func (b *bench) startContestants() ([]contestant, error) {
	zone, err := b.file(origin+"zone", func(w io.Writer) error { return writeZone(w, b.opts.hosts) })
	if err != nil {
		return nil, err
	}
	makers := []struct {
		names []string
		start func(zone string) ([]string, error)
	}{
		{[]string{redynUnix, redynHTTP, redynHTTPClose}, b.startRedyns},
		{[]string{cannedUnix, cannedHTTP, cannedClose}, b.startCanned},
		{[]string{redisUnix, bareRedisUnix}, b.startRedisResponders},
		{[]string{bindBackend}, b.prepareBind},
		{[]string{sqliteBackend}, b.prepareSQLite},
	}
	var all []contestant
	for _, m := range makers {
		settings, err := m.start(zone)
		if err != nil {
			return nil, err
		}
		for i, name := range m.names {
			if !b.chosen(name) {
				continue
			}
			c := contestant{name: name, settings: b.common() + settings[i]}
			if err := b.startPDNS(&c); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			all = append(all, c)
		}
	}
	slices.SortStableFunc(all, func(a, b contestant) int {
		return slices.Index(order, a.name) - slices.Index(order, b.name)
	})
	return all, nil
}

// startPDNS starts the contestant's pdns_server and waits until it gives the right answer.
func (b *bench) startPDNS(c *contestant) error {
	var err error
	if c.port, err = freePort(); err != nil {
		return err
	}
	settings := c.settings + fmt.Sprintf("local-port=%d\n", c.port)
	dir, err := b.confDir(c.dir, settings)
	if err != nil {
		return err
	}
	if b.opts.verbose {
		fmt.Printf("--- pdns.conf for %s\n%s", c.name, settings)
	}
	c.process, err = b.start("pdns_server for "+c.name, "pdns_server", "--config-dir="+dir, "--socket-dir="+dir)
	if err != nil {
		return err
	}
	question := new(dns.Msg)
	question.SetQuestion(cmp.Or(c.host, hostName(1)), dns.TypeA)
	client := dns.Client{Timeout: time.Second}
	return b.await(c.process, ready, func() error {
		reply, _, err := client.Exchange(question, loopback(c.port))
		if err != nil {
			return err
		}
		if len(reply.Answer) != 1 || !strings.HasSuffix(reply.Answer[0].String(), hostAddr(1)) {
			return fmt.Errorf("wrong answer:\n%v", reply)
		}
		return nil
	})
}

// confDir puts a pdns.conf into a directory, one of its own if none is given.
func (b *bench) confDir(dir, settings string) (string, error) {
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp(b.dir, "pdns"); err != nil {
			return "", err
		}
	}
	return dir, os.WriteFile(filepath.Join(dir, "pdns.conf"), []byte(settings), 0o600)
}

func remote(connection string) string {
	return "launch=remote\nremote-connection-string=" + connection + "\n"
}

// startRedyns imports the zone and serves it: one redyn on unix and HTTP, and one that closes HTTP
// connections.
func (b *bench) startRedyns(zone string) ([]string, error) {
	if !b.chosen(redynUnix) && !b.chosen(redynHTTP) && !b.chosen(redynHTTPClose) {
		return make([]string, 3), nil
	}
	keep, closing, err := b.startRedynPair("redyn", zone)
	if err != nil {
		return nil, err
	}
	return []string{
		remote("unix:path=" + keep.unix),
		remote("http:url=http://" + keep.http + "/dns"),
		remote("http:url=http://" + closing.http + "/dns"),
	}, nil
}

// startRedynPair imports a zone and serves it by two redyn, of which the second closes HTTP connections.
func (b *bench) startRedynPair(name, zone string) (keep, closing redynServer, err error) {
	redis, err := b.startRedis()
	if err != nil {
		return keep, closing, err
	}
	if err := b.command(nil, b.redyn, "zone", "import", "--redis-url", "redis://"+redis+"/0", zone); err != nil {
		return keep, closing, err
	}
	if keep, err = b.startRedyn(name, redis); err != nil {
		return keep, closing, err
	}
	closing, err = b.startRedyn(name+"-closing", redis, "--backend-keepalive=false")
	return keep, closing, err
}

// startCanned starts the responders that set the floor.
func (b *bench) startCanned(string) ([]string, error) {
	var settings []string
	for _, kind := range []string{"unix", "http", "http-close"} {
		_, addr, err := b.startResponder(kind)
		if err != nil {
			return nil, err
		}
		if kind == "unix" {
			settings = append(settings, remote("unix:path="+addr))
		} else {
			settings = append(settings, remote("http:url=http://"+addr+"/dns"))
		}
	}
	return settings, nil
}

// startRedisResponders starts those that read Redis: as a service in Go would, and with the least code
// that does.
func (b *bench) startRedisResponders(string) ([]string, error) {
	if !b.chosen(redisUnix) && !b.chosen(bareRedisUnix) {
		return make([]string, 2), nil
	}
	redis, err := b.startRedis()
	if err != nil {
		return nil, err
	}
	if err := fillRedis(redis, b.opts.hosts); err != nil {
		return nil, err
	}
	var settings []string
	for _, kind := range []string{"redis", "bare-redis"} {
		_, addr, err := b.startResponder(kind, redis)
		if err != nil {
			return nil, err
		}
		settings = append(settings, remote("unix:path="+addr))
	}
	return settings, nil
}

// startResponder starts this program as a responder, on a socket or an address.
func (b *bench) startResponder(kind string, more ...string) (*process, string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, "", err
	}
	network, addr := "unix", b.socket()
	if strings.HasPrefix(kind, "http") {
		port, err := freePort()
		if err != nil {
			return nil, "", err
		}
		network, addr = "tcp", loopback(port)
	}
	p, err := b.start(kind+" responder", self, append([]string{"respond", kind, addr}, more...)...)
	if err != nil {
		return nil, "", err
	}
	return p, addr, b.await(p, ready, accepts(network, addr))
}

func (b *bench) prepareBind(zone string) ([]string, error) {
	path, err := b.file("named.conf", func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "zone %q { type master; file %q; };\n", strings.TrimSuffix(origin, "."), zone)
		return err
	})
	return []string{"launch=bind\nbind-config=" + path + "\n"}, err
}

// pdnsVersion is what pdns_server says of itself.
func pdnsVersion() string {
	out, err := exec.Command("pdns_server", "--version").CombinedOutput()
	if m := regexp.MustCompile(`Server ([0-9.]+\S*)`).FindSubmatch(out); m != nil {
		return string(m[1])
	}
	return fmt.Sprint("of unknown version ", err)
}
