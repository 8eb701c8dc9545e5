package main

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
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
		{{redynUnix, "unix", redyn.unix, redyn.process}, {cannedUnix, "unix", socket, unix}},
		{{redynHTTP, "tcp", redyn.http, redyn.process}, {cannedHTTP, "tcp", addr, http}},
	}
	var all []alone
	var goals []goal
	for _, conns := range connections {
		for _, pair := range pairs {
			for i := range pair {
				pair[i].name = fmt.Sprintf("%s x%d", pair[i].name, conns)
				all = append(all, alone{pair[i], conns})
			}
			goals = append(goals,
				goal{"3", pair[0].name, pair[1].name, 0.95, atLeast},
				goal{"", pair[0].name + cpuTime, pair[1].name + cpuTime, 0, atMost})
		}
	}
	all = slices.DeleteFunc(all, func(a alone) bool { return !b.chosen(a.name) })
	rates, costs := make([]series, len(all)), make([]series, len(all))
	for i := range all {
		rates[i].name, costs[i].name = all[i].name, all[i].name+cpuTime
	}
	err = b.rounds(len(all), slicesOfRound*b.opts.rounds, b.seconds()/slicesOfRound, func(round, i int, d time.Duration) error {
		r, err := b.ask(all[i].target, all[i].conns, b.opts.hosts, d)
		if err != nil {
			return fmt.Errorf("%s: %w", all[i].name, err)
		}
		if round >= 0 {
			rates[i].values = append(rates[i].values, r.perSecond)
			costs[i].values = append(costs[i].values, float64(r.cpu.Nanoseconds())/1000)
		}
		return nil
	})
	if err != nil {
		return err
	}
	printTable(fmt.Sprintf("Lookups/s of the backend alone, and the processor time that each takes it\n(%d hosts; %d rounds of %v)",
		b.opts.hosts, slicesOfRound*b.opts.rounds, b.seconds()/slicesOfRound), append(rates, costs...), goals)
	return nil
}

// cpuTime tells a series of costs from one of rates.
const cpuTime = " CPU us"

// slicesOfRound are short rounds, in which the contestants to compare stand close together: what
// starts in no time needs no more.
const slicesOfRound = 4

// alone is a backend and the number of connections to ask it over.
type alone struct {
	target
	conns int
}

// target is a backend to ask.
type target struct {
	name, network, addr string
	process             *process
}

// load is what one backend reached.
type load struct {
	perSecond float64
	latency   time.Duration // median
	cpu       time.Duration // of the backend, for each
}

// ask sends lookups of random hosts for d over a number of connections, each waiting for its reply
// as PowerDNS's threads do. Its reads and writes block in the kernel, so that its own cost is the
// least a Go program can have, and the same for all.
func (b *bench) ask(t target, conns, hosts int, d time.Duration) (load, error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(conns + runtime.NumCPU()))
	requests := make([][]byte, min(hosts, 1<<16))
	for i := range requests {
		name := hostName(rand.IntN(hosts))
		if t.network == "unix" {
			requests[i] = fmt.Appendf(nil, `{"method": "lookup", "parameters": {"local": "127.0.0.1", "qname": %q, "qtype": "ANY", "real-remote": "127.0.0.1/32", "remote": "127.0.0.1", "zone-id": 1}}`+"\n", name)
		} else {
			requests[i] = fmt.Appendf(nil, "GET /dns/lookup/%s/ANY HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\nConnection: Keep-Alive\r\nUser-Agent: YaHTTP v1.0\r\n"+
				"X-RemoteBackend-local: 127.0.0.1\r\nX-RemoteBackend-real-remote: 127.0.0.1/32\r\nX-RemoteBackend-remote: 127.0.0.1\r\nX-RemoteBackend-zone-id: 1\r\n\r\n",
				strings.ReplaceAll(name, ".", "%2e"))
		}
	}
	var files []*os.File
	defer func() {
		for _, f := range files {
			f.Close()
		}
	}()
	for range conns {
		f, err := dialBlocking(t)
		if err != nil {
			return load{}, err
		}
		files = append(files, f)
	}
	var wg sync.WaitGroup
	latencies := make([][]time.Duration, conns)
	errs := make([]error, conns)
	before, err := t.process.cpu()
	if err != nil {
		return load{}, err
	}
	begin := time.Now()
	for i, f := range files {
		wg.Go(func() {
			latencies[i], errs[i] = askOne(int(f.Fd()), t.network, requests, rand.IntN(len(requests)), begin.Add(d))
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
	all := slices.Concat(latencies...)
	slices.Sort(all)
	return load{
		perSecond: float64(len(all)) / took.Seconds(),
		latency:   all[len(all)/2],
		cpu:       (after - before) / time.Duration(len(all)),
	}, b.ctx.Err()
}

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

func askOne(fd int, network string, requests [][]byte, at int, end time.Time) ([]time.Duration, error) {
	latencies := make([]time.Duration, 0, 1<<20)
	buf := make([]byte, 64<<10)
	if network == "unix" {
		if _, err := exchange(fd, []byte(`{"method": "initialize", "parameters": {"path": "bench"}}`+"\n"), buf); err != nil {
			return nil, err
		}
	}
	for start := time.Now(); start.Before(end); at++ {
		reply, err := exchange(fd, requests[at%len(requests)], buf)
		if err != nil {
			return nil, err
		}
		if !bytes.Contains(reply, []byte(`"10.`)) {
			return nil, fmt.Errorf("wrong reply %q to %q", reply, requests[at%len(requests)])
		}
		now := time.Now()
		latencies = append(latencies, now.Sub(start))
		start = now
	}
	return latencies, nil
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
