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
	cannedSocket, err := b.startResponder("unix")
	if err != nil {
		return err
	}
	cannedAddr, err := b.startResponder("http")
	if err != nil {
		return err
	}
	type alone struct {
		target target
		conns  int
	}
	var all []alone
	var results []series
	var goals []goal
	for _, conns := range connections {
		pairs := [][2]target{
			{{redynUnix, "unix", redyn.unix}, {cannedUnix, "unix", cannedSocket}},
			{{redynHTTP, "tcp", redyn.http}, {cannedHTTP, "tcp", cannedAddr}},
		}
		for _, pair := range pairs {
			g := goal{row: "3", want: 0.95, how: atLeast}
			for i, t := range pair {
				t.name = fmt.Sprintf("%s, %d connections", t.name, conns)
				*[]*string{&g.this, &g.over}[i] = t.name
				all = append(all, alone{t, conns})
				results = append(results, series{name: t.name})
			}
			goals = append(goals, g)
		}
	}
	err = b.rounds(len(all), func(round, i int, d time.Duration) error {
		r, err := b.ask(all[i].target, all[i].conns, b.opts.hosts, d)
		if err != nil {
			return fmt.Errorf("%s: %w", all[i].target.name, err)
		}
		if round >= 0 {
			results[i].values = append(results[i].values, r.perSecond)
		}
		return nil
	})
	if err != nil {
		return err
	}
	printTable(fmt.Sprintf("Lookups/s of the backend alone (%d hosts; %d rounds of %d s)", b.opts.hosts, b.opts.rounds, b.opts.seconds), results, goals)
	return nil
}

// target is a backend to ask.
type target struct{ name, network, addr string }

// load is what one backend reached.
type load struct {
	perSecond float64
	latency   time.Duration // median
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
	all := slices.Concat(latencies...)
	slices.Sort(all)
	return load{float64(len(all)) / took.Seconds(), all[len(all)/2]}, b.ctx.Err()
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
