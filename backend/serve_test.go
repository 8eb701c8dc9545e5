package backend

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// server is a Backend on both listeners.
type server struct {
	*Backend
	http, unix string // addresses
	stop       func() // ends both, and waits
}

func start(t testing.TB, o Options) *server {
	t.Helper()
	if o.Zones == nil {
		o.Zones = newFake()
	}
	hl, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ul, err := net.Listen("unix", filepath.Join(t.TempDir(), "sock"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	b := New(o)
	done := make(chan error, 2)
	go func() { done <- b.ServeHTTP(ctx, hl) }()
	go func() { done <- b.ServeUnix(ctx, ul) }()
	stopped := false
	stop := func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
	t.Cleanup(stop)
	return &server{b, hl.Addr().String(), ul.Addr().String(), stop}
}

// peer is a connection to a server, as a PowerDNS has it.
type peer struct {
	t testing.TB
	net.Conn
	in *bufio.Reader
}

func dial(t testing.TB, network, addr string) *peer {
	t.Helper()
	c, err := net.Dial(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return &peer{t, c, bufio.NewReader(c)}
}

func (p *peer) send(octets string) {
	p.t.Helper()
	if _, err := io.WriteString(p, octets); err != nil {
		p.t.Fatal(err)
	}
}

// line asks over a unix connection.
func (p *peer) line(request string) string {
	p.t.Helper()
	p.send(request + "\n")
	return p.readLine()
}

func (p *peer) readLine() string {
	p.t.Helper()
	reply, err := p.in.ReadString('\n')
	if err != nil {
		p.t.Fatalf("no reply: %v (after %q)", err, reply)
	}
	return strings.TrimSuffix(reply, "\n")
}

// exchange asks over an HTTP connection; header has lines that end in CRLF.
func (p *peer) exchange(request, header, body string) (*http.Response, string) {
	p.t.Helper()
	p.send(request + " HTTP/1.1\r\nAccept: application/json\r\nConnection: Keep-Alive\r\nHost: 127.0.0.1\r\nUser-Agent: YaHTTP v1.0\r\n" +
		header + "\r\n" + body)
	return p.readResponse()
}

func (p *peer) readResponse() (*http.Response, string) {
	p.t.Helper()
	r, err := http.ReadResponse(p.in, nil)
	if err != nil {
		p.t.Fatalf("no response: %v", err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		p.t.Fatalf("broken response: %v", err)
	}
	return r, strings.TrimSuffix(string(text), "\n")
}

// ended fails unless the server closed the connection and sent nothing more.
func (p *peer) ended() {
	p.t.Helper()
	if rest, err := io.ReadAll(p.in); len(rest) > 0 || err != nil {
		p.t.Fatalf("instead of its end the connection has %q, %v", rest, err)
	}
}

// discard is a connection to nobody.
type discard struct{ net.Conn }

func (discard) Write(p []byte) (int, error)      { return len(p), nil }
func (discard) SetWriteDeadline(time.Time) error { return nil }
