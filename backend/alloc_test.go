//go:build !race

// The race detector's pools drop some of what they are given, so nothing is counted under it.

package backend

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

// discard is a connection to nobody.
type discard struct{ net.Conn }

func (discard) Write(p []byte) (int, error)      { return len(p), nil }
func (discard) SetWriteDeadline(time.Time) error { return nil }

// TestLookupAllocs: a lookup takes no memory, whatever asks for it.
func TestLookupAllocs(t *testing.T) {
	b := New(Options{Zones: newFake()})
	line := make([]byte, len(benchLine)-1)
	nobody := &conn{Conn: discard{}}
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
		allocs := testing.AllocsPerRun(1000, func() {
			fc.Response.Reset()
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
