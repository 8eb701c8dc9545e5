package backend

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"redyn/backend/socket"
)

// The benchmarks come in pairs: redyn, and the least that a server in Go can do, which sends
// constant octets. The client is another process whose threads block as PowerDNS's do.

const (
	benchLine = `{"method": "lookup", "parameters": {"local": "127.0.0.1", "qname": "www.example.org.", "qtype": "ANY", "real-remote": "127.0.0.1/32", "remote": "127.0.0.1", "zone-id": 1}}` + "\n"
	benchGet  = "GET /dns/lookup/www%2eexample%2eorg%2e/ANY HTTP/1.1\r\nAccept: application/json\r\nConnection: Keep-Alive\r\nHost: 127.0.0.1\r\nUser-Agent: YaHTTP v1.0\r\n" +
		"X-Remotebackend-Local: 127.0.0.1\r\nX-Remotebackend-Real-Remote: 127.0.0.1/32\r\nX-Remotebackend-Remote: 127.0.0.1\r\nX-Remotebackend-Zone-Id: 1\r\n\r\n"
	benchReply = `{"result":[{"qtype":"A","qname":"www.example.org.","content":"192.0.2.1","ttl":60,"domain_id":1},{"qtype":"A","qname":"www.example.org.","content":"192.0.2.3","ttl":60,"domain_id":1}]}` + "\n"
)

func BenchmarkUnixLookup(b *testing.B) {
	benchmark(b, "unix", func(ctx context.Context, ln net.Listener) error {
		return New(Options{Zones: newFake()}).ServeUnix(ctx, ln)
	})
}

func BenchmarkUnixCanned(b *testing.B) {
	benchmark(b, "unix", func(_ context.Context, ln net.Listener) error {
		for {
			c, err := ln.Accept()
			if err != nil {
				return err
			}
			go func() {
				defer c.Close()
				in := bufio.NewReader(c)
				for {
					if _, err := in.ReadSlice('\n'); err != nil {
						return
					}
					if _, err := c.Write([]byte(benchReply)); err != nil {
						return
					}
				}
			}()
		}
	})
}

func BenchmarkHTTPLookup(b *testing.B) {
	benchmark(b, "tcp", func(ctx context.Context, ln net.Listener) error {
		return New(Options{Zones: newFake()}).ServeHTTP(ctx, ln)
	})
}

func BenchmarkHTTPCanned(b *testing.B) {
	benchmark(b, "tcp", func(_ context.Context, ln net.Listener) error {
		return fasthttp.Serve(ln, func(ctx *fasthttp.RequestCtx) { ctx.SetBodyString(benchReply) })
	})
}

// BenchmarkAnswer is what redyn itself adds to reading a line and writing its answer; purging is that with
// what a Purger wants to know noted.
func BenchmarkAnswer(b *testing.B) {
	b.Run("alone", func(b *testing.B) { benchmarkAnswer(b, nil) })
	b.Run("purging", func(b *testing.B) { benchmarkAnswer(b, NewPurger(PurgeOptions{})) })
}

func benchmarkAnswer(b *testing.B, p *Purger) {
	backend := New(Options{Zones: newFake(), Purger: p})
	nobody := &conn{Socket: socket.Socket{Conn: discard{}}, fd: -1}
	nobody.session.trail = backend.traffic.join()
	line := make([]byte, len(benchLine)-1)
	b.ReportAllocs()
	for b.Loop() {
		copy(line, benchLine)
		if !backend.answer(b.Context(), nobody, line) {
			b.Fatal("no answer")
		}
	}
}

func benchmark(b *testing.B, network string, serve func(context.Context, net.Listener) error) {
	for _, conns := range []int{1, 3, 16} {
		b.Run(fmt.Sprintf("conns=%d", conns), func(b *testing.B) {
			addr := "127.0.0.1:0"
			if network == "unix" {
				addr = filepath.Join(b.TempDir(), "sock")
			}
			ln, err := net.Listen(network, addr)
			if err != nil {
				b.Fatal(err)
			}
			ctx, cancel := context.WithCancel(b.Context())
			served := make(chan error, 1)
			go func() { served <- serve(ctx, ln) }()
			b.ReportAllocs()
			askMany(b, network, ln.Addr().String(), conns)
			cancel()
			_ = ln.Close()
			<-served
		})
	}
}

// askMany has b.N requests asked by a process of its own.
func askMany(b *testing.B, network, addr string, conns int) {
	exe, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.CommandContext(b.Context(), exe, "-test.run=^TestAsk$")
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %s %d %d", askEnv, network, addr, conns, b.N))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	lines.Scan() // it is connected
	before := cpuTime(b)
	b.ResetTimer()
	_, _ = io.WriteString(in, "go\n")
	lines.Scan() // it is done
	b.StopTimer()
	b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/op")
	_ = in.Close()
	if done := lines.Text(); done != "done" {
		b.Errorf("the client says %q", done)
	}
	if err := cmd.Wait(); err != nil {
		b.Error(err)
	}
}

// cpuTime is what this process has used of the processors: less of a guess than the time that
// passed, on a machine with other work.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// askEnv tells a process that it is the client of a benchmark.
const askEnv = "REDYN_BENCH_ASK"

// TestAsk is the client process of the benchmarks.
func TestAsk(t *testing.T) {
	spec := os.Getenv(askEnv)
	if spec == "" {
		return
	}
	var network, addr string
	var conns, requests int
	if _, err := fmt.Sscan(spec, &network, &addr, &conns, &requests); err != nil {
		t.Fatal(err)
	}
	runtime.GOMAXPROCS(conns + runtime.NumCPU())
	request := []byte(benchLine)
	if network == "tcp" {
		request = []byte(benchGet)
	}
	var files []*os.File
	for range conns {
		f, err := dialBlocking(network, addr)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files = append(files, f)
	}
	fmt.Println("connected")
	if _, err := os.Stdin.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i, f := range files {
		wg.Go(func() {
			count := requests / conns
			if i < requests%conns {
				count++
			}
			buf := make([]byte, 4096)
			for range count {
				if err := exchange(int(f.Fd()), request, buf); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	fmt.Println("done")
	_, _ = io.Copy(io.Discard, os.Stdin)
	if !t.Failed() {
		os.Exit(0)
	}
}

// dialBlocking connects and takes the connection out of Go's poller.
func dialBlocking(network, addr string) (*os.File, error) {
	c, err := net.Dial(network, addr)
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

// exchange sends a request and reads until the line that the reply ends with.
func exchange(fd int, request, buf []byte) error {
	if _, err := syscall.Write(fd, request); err != nil {
		return err
	}
	for have := 0; ; {
		n, err := syscall.Read(fd, buf[have:])
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil || n == 0 {
			return fmt.Errorf("the connection ended: %w", err)
		}
		have += n
		if bytes.HasSuffix(buf[:have], []byte("}\n")) {
			if !strings.Contains(string(buf[:have]), "192.0.2.1") {
				return fmt.Errorf("wrong reply %q", buf[:have])
			}
			return nil
		}
	}
}
