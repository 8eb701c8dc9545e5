package main

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// connections are the numbers of connections that the backend alone is measured with.
var connections = []int{1, 3, 16}

// measureAlone asks redyn and the canned responder without PowerDNS between.
func measureAlone(b *bench) error {
	zone, err := b.file(origin+"zone", func(w io.Writer) error { return writeZone(w, b.opts.hosts) })
	if err != nil {
		return err
	}
	redis, err := b.startRedis()
	if err != nil {
		return err
	}
	if err := b.command(nil, b.redyn, "zone", "import", "--redis-url", "redis://"+redis+"/0", zone); err != nil {
		return err
	}
	redyn, err := b.startRedyn("redyn", redis)
	if err != nil {
		return err
	}
	unix, socket, err := b.startResponder("unix")
	if err != nil {
		return err
	}
	http, addr, err := b.startResponder("http")
	if err != nil {
		return err
	}
	pairs := [][2]target{
		{{redynUnix, "unix", redyn.unix, redyn.process, oneZone(b.opts.hosts), nil}, {cannedUnix, "unix", socket, unix, oneZone(b.opts.hosts), nil}},
		{{redynHTTP, "tcp", redyn.http, redyn.process, oneZone(b.opts.hosts), nil}, {cannedHTTP, "tcp", addr, http, oneZone(b.opts.hosts), nil}},
	}
	var all []alone
	var goals []goal
	for _, conns := range connections {
		for _, pair := range pairs {
			for i := range pair {
				pair[i].title = fmt.Sprintf("%s x%d", pair[i].title, conns)
				all = append(all, alone{pair[i], conns})
			}
			goals = append(goals,
				goal{"3", pair[0].title, pair[1].title, 0.95, atLeast},
				goal{"", pair[0].title + cpuTime, pair[1].title + cpuTime, 0, atMost})
		}
	}
	all = slices.DeleteFunc(all, func(a alone) bool { return !b.chosen(a.title) })
	written := b.profile(redyn, b.seconds()*time.Duration(b.opts.rounds*len(all)))
	sums, err := b.askInTurn(all)
	if err != nil {
		return err
	}
	if err := written(); err != nil {
		return err
	}
	rates, costs := make([]series, len(all)), make([]series, len(all))
	for i, a := range all {
		rates[i].name, costs[i].name = a.title, a.title+cpuTime
		for _, l := range sums[i] {
			rates[i].values = append(rates[i].values, l.perSecond())
			costs[i].values = append(costs[i].values, l.cpuEach())
		}
	}
	printTable(fmt.Sprintf("Lookups/s of the backend alone, and the processor time that each takes it\n(%d hosts; %d rounds, in each %v in %d slices)",
		b.opts.hosts, b.opts.rounds, b.seconds(), slicesOfRound), append(rates, costs...), goals)
	return nil
}

// askInTurn returns what each reached in each round.
func (b *bench) askInTurn(all []alone) ([][]load, error) {
	sums := make([][]load, len(all))
	for i := range sums {
		sums[i] = make([]load, b.opts.rounds)
	}
	err := b.rounds(len(all), slicesOfRound*b.opts.rounds, b.seconds()/slicesOfRound, func(slice, i int, d time.Duration) error {
		l, err := b.ask(&all[i].target, all[i].conns, d)
		if err != nil {
			return fmt.Errorf("%s: %w", all[i].title, err)
		}
		if slice >= 0 {
			sums[i][slice/slicesOfRound].add(l)
		}
		return nil
	})
	return sums, err
}

// cpuTime tells a series of costs from one of rates.
const cpuTime = " CPU us"

// slicesOfRound cut a round into turns so short that what else the machine does falls on all alike.
const slicesOfRound = 20

// alone is a backend and the number of connections to ask it over.
type alone struct {
	target
	conns int
}

// target is a backend to ask.
type target struct {
	title, network, addr string
	process              *process
	dataSet
	requests [][]byte // made when it is asked first
}

// load is what one backend did.
type load struct {
	lookups   int
	took, cpu time.Duration // cpu is the backend's processor time
}

func (l *load) add(o load) {
	l.lookups += o.lookups
	l.took += o.took
	l.cpu += o.cpu
}

func (l load) perSecond() float64 { return float64(l.lookups) / l.took.Seconds() }

// cpuEach is in microseconds.
func (l load) cpuEach() float64 { return float64(l.cpu.Nanoseconds()) / 1000 / float64(l.lookups) }

// ask sends lookups of random hosts for d over a number of connections, each waiting for its reply
// as PowerDNS's threads do. Its reads and writes block in the kernel, so that its own cost is the
// least a Go program can have, and the same for all.
func (b *bench) ask(t *target, conns int, d time.Duration) (load, error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(conns + runtime.NumCPU()))
	var files []*os.File
	defer func() {
		for _, f := range files {
			f.Close()
		}
	}()
	for range conns {
		f, err := dialBlocking(*t)
		if err != nil {
			return load{}, err
		}
		files = append(files, f)
	}
	if t.requests == nil {
		if err := t.prepare(int(files[0].Fd())); err != nil {
			return load{}, err
		}
	}
	var wg sync.WaitGroup
	counts := make([]int, conns)
	errs := make([]error, conns)
	before, err := t.process.cpu()
	if err != nil {
		return load{}, err
	}
	begin := time.Now()
	for i, f := range files {
		wg.Go(func() {
			counts[i], errs[i] = askOne(int(f.Fd()), t.requests, rand.IntN(len(t.requests)), begin.Add(d))
		})
	}
	wg.Wait()
	took := time.Since(begin)
	for _, err := range errs {
		if err != nil {
			return load{}, err
		}
	}
	after, err := t.process.cpu()
	if err != nil {
		return load{}, err
	}
	l := load{took: took, cpu: after - before}
	for _, n := range counts {
		l.lookups += n
	}
	return l, b.ctx.Err()
}

// prepare makes lookups of random hosts.
func (t *target) prepare(fd int) error {
	var id string
	t.requests = make([][]byte, min(t.hosts, 1<<17))
	for i := range t.requests {
		name := t.name(rand.IntN(t.hosts))
		if i == 0 || t.zones > 1 {
			var err error
			if id, err = findZone(fd, t.network, name); err != nil {
				return err
			}
		}
		t.requests[i] = lookup(t.network, name, id)
	}
	return nil
}

// lookup is a question as PowerDNS asks it.
func lookup(network, name, zoneID string) []byte {
	if network == "unix" {
		return fmt.Appendf(nil, `{"method": "lookup", "parameters": {"local": "127.0.0.1", "qname": %q, "qtype": "ANY", "real-remote": "127.0.0.1/32", "remote": "127.0.0.1", "zone-id": %s}}`+"\n", name, zoneID)
	}
	return fmt.Appendf(nil, "GET /dns/lookup/%s/ANY HTTP/1.1\r\nAccept: application/json\r\nConnection: Keep-Alive\r\nHost: 127.0.0.1\r\nUser-Agent: YaHTTP v1.0\r\n"+
		"X-Remotebackend-Local: 127.0.0.1\r\nX-Remotebackend-Real-Remote: 127.0.0.1/32\r\nX-Remotebackend-Remote: 127.0.0.1\r\nX-Remotebackend-Zone-Id: %s\r\n\r\n",
		strings.ReplaceAll(name, ".", "%2e"), zoneID)
}

// findZone asks for the number of a name's zone, by which PowerDNS asks for its names.
func findZone(fd int, network, name string) (string, error) {
	reply, err := exchange(fd, lookup(network, name, "-1"), make([]byte, 64<<10))
	m := domainID.FindSubmatch(reply)
	if err == nil && m == nil {
		err = fmt.Errorf("no domain_id in %q", reply)
	}
	if err != nil {
		return "", err
	}
	return string(m[1]), nil
}

var domainID = regexp.MustCompile(`"domain_id":([0-9]+)`)

// dialBlocking connects and takes the connection out of Go's poller.
func dialBlocking(t target) (*os.File, error) {
	c, err := net.Dial(t.network, t.addr)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	f, err := c.(interface{ File() (*os.File, error) }).File()
	if err != nil {
		return nil, err
	}
	return f, syscall.SetNonblock(int(f.Fd()), false)
}

// askOne asks over one connection until the time comes and returns how often.
func askOne(fd int, requests [][]byte, at int, end time.Time) (count int, err error) {
	buf := make([]byte, 64<<10)
	for ; time.Now().Before(end); at++ {
		reply, err := exchange(fd, requests[at%len(requests)], buf)
		if err != nil {
			return count, err
		}
		if !bytes.Contains(reply, []byte(`"10.`)) {
			return count, fmt.Errorf("wrong reply %q to %q", reply, requests[at%len(requests)])
		}
		count++
	}
	return count, nil
}

// exchange sends a request and reads until the end of a reply: a line, or for HTTP, whose replies
// here are all JSON objects, the brace that closes the body.
func exchange(fd int, request, buf []byte) ([]byte, error) {
	if _, err := syscall.Write(fd, request); err != nil {
		return nil, err
	}
	for n := 0; ; {
		m, err := syscall.Read(fd, buf[n:])
		if err == syscall.EINTR {
			continue
		}
		if err != nil || m == 0 {
			return nil, fmt.Errorf("connection ended after %q: %v", buf[:n], err)
		}
		n += m
		if bytes.HasSuffix(bytes.TrimRight(buf[:n], "\n"), []byte("}")) {
			return buf[:n], nil
		}
	}
}
