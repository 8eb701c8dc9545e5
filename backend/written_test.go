package backend

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"

	"redyn/backend/dns"
)

// TestReplayWrites sends what three versions of PowerDNS wrote over HTTP, each request over a
// connection of its own where theirs was, and compares the answers and what the zones hold at last.
func TestReplayWrites(t *testing.T) {
	want, err := os.ReadFile("testdata/written.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{"4.7.3", "4.9.17", "5.1.5"} {
		t.Run(version, func(t *testing.T) {
			m := newWritten(t)
			s := start(t, Options{Zones: m, Store: m})
			conns := make(map[string]*peer)
			text, err := os.ReadFile("testdata/writes-" + version + ".txt")
			if err != nil {
				t.Fatal(err)
			}
			section, count := "", 0
			for block := range bytes.SplitSeq(text, []byte("\n\n")) {
				var w written
				for line := range strings.Lines(string(block)) {
					line = strings.TrimSuffix(line, "\n")
					if name, ok := strings.CutPrefix(line, "=== "); ok {
						section = name
					}
					w.take(t, line)
				}
				if w.request == "" {
					continue
				}
				if conns[w.conn] == nil {
					conns[w.conn] = dial(t, "tcp", s.http)
				}
				count++
				_, got := conns[w.conn].exchange(w.request, w.header+fmt.Sprintf("Content-Length: %d\r\n", len(w.body)), w.body)
				if !w.same(got) {
					t.Errorf("%s: %s %s\nis answered %s\nwant %s", section, w.request, w.body, got, w.answer)
				}
			}
			var got strings.Builder
			for z := range m.Zones() {
				fmt.Fprintf(&got, "%s %s %d keys %d metadata %q\n%s\n", z.Name, z.Kind, z.Serial, len(must(m.Keys(z.Name))), must(m.Metadata(z.Name)), m.text(z.Name))
			}
			if count < 250 || got.String() != string(want) {
				t.Errorf("after %d requests the zones are\n%s", count, got.String())
			}
		})
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// written is one request that writes.
type written struct{ conn, request, header, body, answer string }

// take reads a line of it.
func (w *written) take(t *testing.T, line string) {
	switch {
	case strings.HasPrefix(line, "["):
		w.conn, w.request, _ = strings.Cut(line, " ")
	case strings.HasPrefix(line, "X-Remotebackend-"):
		w.header += line + "\r\n"
	case strings.HasPrefix(line, "body: "):
		w.body = raw(t, line[len("body: "):])
		if !strings.HasPrefix(w.body, "{") {
			w.header += "Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\n"
		}
	case strings.HasPrefix(line, "-> "):
		w.answer = line[len("-> "):]
	}
}

// same reports whether an answer means what the recorded one does: the trial server's autoprimary had
// no true nameserver.
func (w *written) same(got string) bool {
	return got == w.answer || strings.Contains(w.request, "superMasterBackend") && got == `{"result":{"account":"auto","nameserver":"ns1.auto.test."}}`
}

// newWritten returns the zones of the server that was recorded, in their order.
func newWritten(t *testing.T) *memory {
	t.Helper()
	m := newMemory(t)
	m.DB.ShowAll()
	for i, z := range []dns.Zone{
		{Name: "example.org.", Kind: dns.Native},
		{Name: dns.Root, Kind: dns.Native},
		{Name: "0/25.2.0.192.in-addr.arpa.", Kind: dns.Native},
		{Name: "plain.test.", Kind: dns.Master},
		{Name: "sec.test.", Kind: dns.Slave, Masters: []string{"127.0.0.1:55352"}},
	} {
		z.ID = dns.ZoneID(i + 1)
		m.show(z, nil)
	}
	account := "auto"
	m.DB.Apply(dns.Entry{Server: dns.ServerChange{Autoprimaries: map[dns.Autoprimary]*string{
		{IP: netip.MustParseAddr("127.0.0.9"), Nameserver: "ns1.auto.test."}: &account,
	}}})
	return m
}
