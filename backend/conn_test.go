package backend

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const wwwLine = `{"method":"lookup","parameters":{"qname":"www.example.org.","qtype":"A"}}`

func TestPipelined(t *testing.T) {
	s := start(t, Options{})
	unix := dial(t, "unix", s.unix)
	const count = 100
	unix.send(strings.Repeat(wwwLine+"\n", count) + wwwLine[:40])
	for range count {
		if got := unix.readLine(); got != wwwReply {
			t.Fatalf("one of many lines gets %s", got)
		}
	}
	unix.send(wwwLine[40:] + "\n")
	if got := unix.readLine(); got != wwwReply {
		t.Errorf("a line in two parts gets %s", got)
	}
	for _, octet := range []byte(wwwLine + "\n") {
		unix.send(string(octet))
	}
	if got := unix.readLine(); got != wwwReply {
		t.Errorf("a line in single octets gets %s", got)
	}
	long := `{"other":"` + strings.Repeat("x", 1<<20) + `",` + wwwLine[1:]
	if got := unix.line(long); got != wwwReply {
		t.Errorf("a long line gets %s", got)
	}
	if got := unix.line(wwwLine); got != wwwReply {
		t.Errorf("after a long line: %s", got)
	}
}

// TestHalfRequest: what is begun and not ended is cut off; what is not begun may wait.
func TestHalfRequest(t *testing.T) {
	s := start(t, Options{ReadTimeout: 50 * time.Millisecond})
	idleUnix, idleHTTP, freshHTTP := dial(t, "unix", s.unix), dial(t, "tcp", s.http), dial(t, "tcp", s.http)
	idleUnix.line(wwwLine)
	idleHTTP.exchange("GET /dns/lookup/www%2eexample%2eorg/A", "", "")

	unix := dial(t, "unix", s.unix)
	unix.send(wwwLine)
	unix.ended()

	for _, half := range []string{
		"GET /dns/lookup/a", "GET /dns/lookup/a/A HTTP/1.1\r\nHost: x\r\n",
		"POST /dns HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
	} {
		rest := dial(t, "tcp", s.http)
		rest.send(half)
		if r, got := rest.readResponse(); r.StatusCode != 408 {
			t.Errorf("%q = %d %s", half, r.StatusCode, got)
		}
		rest.ended()
	}

	// All of that took several times ReadTimeout.
	if got := idleUnix.line(wwwLine); got != wwwReply {
		t.Errorf("an idle unix connection gets %s", got)
	}
	for _, c := range []*peer{idleHTTP, freshHTTP} {
		if _, got := c.exchange("GET /dns/lookup/www%2eexample%2eorg/A", "", ""); got != wwwReply {
			t.Errorf("an idle HTTP connection gets %s", got)
		}
	}
}

func TestTooLarge(t *testing.T) {
	begun := epoch
	epoch = begun.Add(-time.Hour) // the process is not a young one
	t.Cleanup(func() { epoch = begun })
	s := start(t, Options{})
	rest := dial(t, "tcp", s.http)
	body := strings.Repeat("x", mostBody+2<<20)
	if r, got := rest.exchange("POST /dns", fmt.Sprintf("Content-Length: %d\r\n", len(body)), body); r.StatusCode != 413 || !strings.Contains(got, "33554432") {
		t.Errorf("34 MB = %d %s", r.StatusCode, got)
	}
	rest.ended()
	rest = dial(t, "tcp", s.http)
	if r, got := rest.exchange("GET /dns/lookup/"+strings.Repeat("a", 5000)+"/A", "", ""); r.StatusCode != 431 {
		t.Errorf("a long request line = %d %s", r.StatusCode, got)
	}
	rest = dial(t, "tcp", s.http)
	rest.send("this is no HTTP\r\n\r\n")
	if r, got := rest.readResponse(); r.StatusCode != 400 {
		t.Errorf("no HTTP = %d %s", r.StatusCode, got)
	}
	unix := dial(t, "unix", s.unix)
	go func() { _, _ = io.WriteString(unix, body) }()
	if got := unix.readLine(); !strings.Contains(got, "33554432") {
		t.Errorf("34 MB over unix = %s", got)
	}
	if n := s.metrics.sum(viaREST, unknownReads).count[badOutcome]; n != 3 {
		t.Errorf("%d bad HTTP requests are counted; want 3", n)
	}
	if n := s.metrics.sum(viaUnix, unknownReads).count[badOutcome]; n != 1 {
		t.Errorf("%d bad lines are counted; want 1", n)
	}
}

// TestCloseAfterReply: the reply and the end of the connection come together, so that PowerDNS never
// finds one without the other.
func TestCloseAfterReply(t *testing.T) {
	s := start(t, Options{CloseAfterReply: true})
	rest := dial(t, "tcp", s.http)
	r, got := rest.exchange("GET /dns/lookup/www%2eexample%2eorg/A", "", "")
	if got != wwwReply || !r.Close {
		t.Errorf("lookup = %s, closing %v", got, r.Close)
	}
	rest.ended()
	rest = dial(t, "tcp", s.http)
	if _, got := rest.exchange("GET /dns/list/1/example%2eorg%2e", "", ""); !strings.HasSuffix(got, "]}") {
		t.Errorf("list = %s", got)
	}
	rest.ended()
	if runtime.GOOS != "linux" {
		t.Skip("elsewhere the FIN follows a moment later")
	}
	for range 50 {
		rest := dial(t, "tcp", s.http)
		rest.send(benchGet)
		raw, err := rest.Conn.(*net.TCPConn).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 4096)
		err = raw.Read(func(fd uintptr) bool {
			n, err := syscall.Read(int(fd), buf)
			if err == syscall.EAGAIN {
				return false
			}
			if end, err := syscall.Read(int(fd), buf[n:]); n <= 0 || end != 0 || err != nil {
				t.Errorf("after a reply of %d octets come %d more, %v; want the end", n, end, err)
			}
			return true
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestAllowed(t *testing.T) {
	b := New(Options{Allow: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/32")}})
	f := func(addr string, want bool) {
		t.Helper()
		if got := b.allowed(net.TCPAddrFromAddrPort(netip.MustParseAddrPort(addr))); got != want {
			t.Errorf("allowed(%s) = %v", addr, got)
		}
	}
	f("127.0.0.1:1", true)
	f("[::1]:1", true)
	f("[::ffff:127.0.0.1]:1", true)
	f("192.0.2.9:1", true)
	f("[::ffff:192.0.2.9]:1", true)
	f("[2001:db8::1]:1", true)
	f("192.0.3.9:1", false)
	f("[fe80::1%eth0]:1", false)
	if !b.allowed(&net.UnixAddr{Net: "unix"}) {
		t.Error("a unix socket may not ask")
	}
}

// foreign is a listener whose peers seem to come from elsewhere.
type foreign struct{ net.Listener }

func (l foreign) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return foreignConn{c}, err
}

type foreignConn struct{ net.Conn }

func (foreignConn) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)} }

func TestForeignPeer(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	b := New(Options{Zones: newFake()})
	go func() { done <- b.ServeHTTP(t.Context(), foreign{ln}) }()
	rest := dial(t, "tcp", ln.Addr().String())
	if r, got := rest.exchange("GET /dns/lookup/www%2eexample%2eorg/A", "", ""); r.StatusCode != 403 || !strings.Contains(got, "--backend-allow") {
		t.Errorf("a foreign peer gets %d %s", r.StatusCode, got)
	}
	_ = ln.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestStop: idle connections do not hold up the end.
func TestStop(t *testing.T) {
	s := start(t, Options{})
	unix, rest := dial(t, "unix", s.unix), dial(t, "tcp", s.http)
	unix.line(wwwLine)
	rest.exchange("GET /dns/lookup/www%2eexample%2eorg/A", "", "")
	silentUnix, silentHTTP, half := dial(t, "unix", s.unix), dial(t, "tcp", s.http), dial(t, "unix", s.unix)
	half.send(wwwLine[:10])
	s.stop()
	for _, c := range []*peer{unix, rest, silentUnix, silentHTTP} {
		c.ended()
	}
	if rest, _ := io.ReadAll(half); len(rest) > 0 { // it may be reset, if its half was not read yet
		t.Errorf("half a line is answered %q", rest)
	}
	if n, m := s.metrics.unixConns.Load(), s.metrics.httpConns.Load(); n != 0 || m != 0 {
		t.Errorf("%d unix and %d HTTP connections are left", n, m)
	}
}

// TestIdle has a thousand connections ask once and stay.
func TestIdle(t *testing.T) {
	var limit syscall.Rlimit
	const count = 1000
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || limit.Cur < 2*count+100 {
		t.Skipf("needs %d file descriptors; the limit is %d", 2*count+100, limit.Cur)
	}
	s := start(t, Options{})
	f := func(network, addr string, most int, ask func(net.Conn)) {
		t.Helper()
		before := inUse()
		for range count {
			c, err := net.Dial(network, addr)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			ask(c)
		}
		if grown := (inUse() - before) / count; grown > most {
			t.Errorf("an idle %s connection takes %d octets; want at most %d", network, grown, most)
		}
	}
	buf := make([]byte, 1024)
	f("unix", s.unix, 12<<10, func(c net.Conn) {
		_, _ = io.WriteString(c, wwwLine+"\n")
		_, _ = c.Read(buf)
	})
	f("tcp", s.http, 24<<10, func(c net.Conn) {
		_, _ = io.WriteString(c, benchGet)
		_, _ = c.Read(buf)
	})
}

// inUse is the memory that live data and stacks take.
func inUse() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc + m.StackInuse)
}

// foreigners are connections from elsewhere.
type foreigners struct{ net.Listener }

type foreigner struct{ *net.TCPConn }

func (l foreigners) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return foreigner{c.(*net.TCPConn)}, nil
}

func (foreigner) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 4711} }

// Peers that may not ask are told so, and hold few connections, and not for long.
func TestDenied(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() {
		done <- New(Options{Zones: newFake(), ReadTimeout: 200 * time.Millisecond}).ServeHTTP(ctx, foreigners{ln})
	}()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	addr := ln.Addr().String()
	told := func() {
		t.Helper()
		if r, body := dial(t, "tcp", addr).exchange("GET /dns/lookup/www/A", "", ""); r.StatusCode != 403 || !strings.Contains(body, "--backend-allow") {
			t.Errorf("%d %s", r.StatusCode, body)
		}
	}
	told()
	idle := make([]net.Conn, 20*mostDenied)
	for i := range idle {
		if idle[i], err = net.Dial("tcp", addr); err != nil {
			t.Fatal(err)
		}
		defer idle[i].Close()
	}
	for _, c := range idle {
		_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
		if n, err := c.Read(make([]byte, 1)); n > 0 || err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("read %d, %v from a connection that may do nothing", n, err)
		}
	}
	told()
}

func TestBrowser(t *testing.T) {
	s := start(t, Options{})
	rest := dial(t, "tcp", s.http)
	f := func(header, form string, want int) {
		t.Helper()
		if r, body := rest.exchange("POST /dns", header+"Content-Length: "+strconv.Itoa(len(form))+"\r\n", form); r.StatusCode != want {
			t.Errorf("with %q %s gets %d %s; want %d", header, form, r.StatusCode, body, want)
		}
	}
	const write = `{"method":"setDomainMetadata","parameters":{"name":"example.org.","kind":"X","value":["1"]}}`
	const keys = `{"method":"getDomainKeys","parameters":{"name":"example.org."}}`
	for _, form := range []string{write, keys} {
		f("Origin: http://evil.example\r\n", form, 403)
		f("origin: null\r\n", form, 403)
		f("Sec-Fetch-Site: same-origin\r\n", form, 403)
	}
	f("", keys, 200)
}
