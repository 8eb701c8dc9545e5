//go:build !race

// The race detector's pools drop some of what they are given, so nothing is counted under it.

package backend

import (
	"bufio"
	"fmt"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"redyn/backend/dns"
	"redyn/backend/socket"
)

// TestLookupAllocs: a lookup takes no memory, whatever asks for it.
func TestLookupAllocs(t *testing.T) {
	b := New(Options{Zones: newFake(), Purger: NewPurger(PurgeOptions{})})
	line := make([]byte, len(benchLine)-1)
	nobody := &conn{Socket: socket.Socket{Conn: discard{}}, fd: -1}
	nobody.session.trail = b.traffic.join()

	unix := testing.AllocsPerRun(1000, func() {
		copy(line, benchLine) // which answering spoils
		if !b.answer(t.Context(), nobody, line) {
			t.Fatal("no answer")
		}
	})
	if unix != 0 {
		t.Errorf("a lookup over unix allocates %v times", unix)
	}
	f := func(what, request string) {
		t.Helper()
		var fc fasthttp.RequestCtx
		fc.Init2(&conn{}, nil, true)
		if err := fc.Request.Read(bufio.NewReader(strings.NewReader(request))); err != nil {
			t.Fatal(err)
		}
		received := append([]byte(nil), fc.Request.Header.RequestURI()...)
		allocs := testing.AllocsPerRun(1000, func() {
			fc.Response.Reset()
			fc.Request.Header.SetRequestURIBytes(received)
			takeTarget(&fc.Request.Header)
			b.handle(t.Context(), &fc)
		})
		if string(fc.Response.Body()) != benchReply {
			t.Errorf("a lookup %s gets %s", what, fc.Response.Body())
		}
		if allocs != 0 {
			t.Errorf("a lookup %s allocates %v times", what, allocs)
		}
	}
	f("by path", benchGet)
	post := func(path, body string) string {
		return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", path, len(body), body)
	}
	f("by form", post("/dns/lookup", "parameters=%7b%22qname%22%3a%22www%2eexample%2eorg%22%2c%22qtype%22%3a%22ANY%22%7d"))
	f("by JSON", post("/dns", benchLine))
}

// TestListAllocs: what a list takes does not grow with the zone.
func TestListAllocs(t *testing.T) {
	list := func(records int) float64 {
		z := newFake()
		for len(z.answers) < records {
			set := dns.RRset{Name: "www.example.org.", Type: dns.TypeA, TTL: 60, Content: []string{"192.0.2.1"}}
			z.answers = append(z.answers, dns.Answer{RRset: set, Zone: 1, Auth: true})
		}
		b := New(Options{Zones: z})
		nobody := &conn{Socket: socket.Socket{Conn: discard{}}, fd: -1}
		line := make([]byte, 0, 100)
		return testing.AllocsPerRun(10, func() {
			line = append(line[:0], `{"method":"list","parameters":{"zonename":"example.org.","domain_id":1}}`...)
			if !b.answer(t.Context(), nobody, line) {
				t.Fatal("no answer")
			}
		})
	}
	if few, many := list(1000), list(100_000); many > few+1 {
		t.Errorf("a list of 1,000 records allocates %v times, one of 100,000 %v times", few, many)
	}
}
