package backend

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	"redyn/backend/dns"
)

// TestLongAnswer: a list has a length if it is short, and in a transaction, as PowerDNS may leave the
// connection after one in chunks.
func TestLongAnswer(t *testing.T) {
	m := newMemory(t)
	m.showLong(7)
	p := dial(t, "tcp", start(t, Options{Zones: m, Store: m}).http)
	f := func(request string, chunked bool) {
		t.Helper()
		r, got := p.exchange(request, "Content-Length: 0\r\n", "")
		if r.StatusCode != 200 || (r.ContentLength < 0) != chunked {
			t.Errorf("%s = %d %.80s, of length %d", request, r.StatusCode, got, r.ContentLength)
		}
	}
	f("GET /dns/list/1/example%2eorg%2e", false)
	f("GET /dns/list/7/long%2etest%2e", true)
	f("POST /dns/startTransaction/%2d1/example%2eorg%2e/7", false)
	f("GET /dns/list/1/example%2eorg%2e", false)
	f("GET /dns/list/7/long%2etest%2e", false)
	f("GET /dns/getAllDomains", false)
	f("POST /dns/commitTransaction/7", false)
	f("GET /dns/list/7/long%2etest%2e", true)
}

// showLong makes a zone long.test., the list of which is longer than is gathered.
func (m *memory) showLong(id dns.ZoneID) {
	sets := []dns.RRset{{Name: "long.test.", Type: dns.TypeSOA, TTL: 60, Content: []string{"ns. host. 1 1 1 1 60"}}}
	for i := range 2000 {
		sets = append(sets, dns.RRset{
			Name: dns.Name(fmt.Sprintf("host-%d.long.test.", i)), Type: dns.TypeA, TTL: 60, Content: []string{"192.0.2.1"},
		})
	}
	m.show(dns.Zone{ID: id, Name: "long.test.", Kind: dns.Native}, sets)
}

// scribe is a listener that keeps what is written to its connections, each write by itself.
type scribe struct {
	net.Listener
	mu  sync.Mutex
	all []string
}

type writtenConn struct {
	net.Conn
	by *scribe
}

func (s *scribe) Accept() (net.Conn, error) {
	c, err := s.Listener.Accept()
	return writtenConn{c, s}, err
}

func (c writtenConn) Write(p []byte) (int, error) {
	c.by.mu.Lock()
	c.by.all = append(c.by.all, string(p))
	c.by.mu.Unlock()
	return c.Conn.Write(p)
}

// PowerDNS takes what is left of an answer in chunks for the beginning of the next one, if it comes late.
func TestChunksEndAtOnce(t *testing.T) {
	m := newMemory(t)
	m.showLong(7)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	r := &scribe{Listener: ln}
	served := make(chan error, 1)
	go func() { served <- New(Options{Zones: m, Store: m}).ServeHTTP(ctx, r) }()
	p := dial(t, "tcp", ln.Addr().String())
	for range 2 {
		if got, body := p.exchange("GET /dns/list/7/long%2etest%2e", "", ""); got.ContentLength >= 0 || !strings.HasSuffix(body, "}]}") {
			t.Errorf("the list is of length %d and ends in %q", got.ContentLength, body[max(0, len(body)-10):])
		}
		p.exchange("GET /dns/getDomainInfo/long%2etest%2e", "", "")
	}
	cancel()
	if err := <-served; err != nil {
		t.Error(err)
	}
	ends := 0
	for _, w := range r.all {
		switch {
		case w == "0\r\n\r\n":
			ends++
		case strings.HasPrefix(w, "0\r\n"):
			t.Errorf("a write of %q", w)
		}
	}
	if ends != 2 {
		t.Errorf("%d answers end in chunks; want 2", ends)
	}
}
