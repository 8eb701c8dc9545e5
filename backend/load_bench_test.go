package backend

import (
	"context"
	"fmt"
	"iter"
	"testing"

	"redyn/backend/dns"
	"redyn/backend/socket"
)

// BenchmarkFeedRecord is what redyn itself adds to each record of a transfer.
func BenchmarkFeedRecord(b *testing.B) {
	backend := New(Options{Zones: newFake(), Store: &memory{}})
	nobody := &conn{Socket: socket.Socket{Conn: discard{}}, fd: -1}
	zone, _ := newFake().Zone("example.org.")
	backend.begin(&nobody.session, "1795302769", zone, newLoad(zone, sink{}))
	lines := make([][]byte, 256)
	for i := range lines {
		lines[i] = fmt.Appendf(nil, `{"method": "feedRecord", "parameters": {"rr": {"auth": true, "content": "192.0.2.%d", "ordername": null, "qclass": 1, "qname": "host%[1]d.example.org.", "qtype": "A", "ttl": 60}, "trxid": 1795302769}}`, i)
	}
	line := make([]byte, 0, 1024)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		line = append(line[:0], lines[i%len(lines)]...)
		if !backend.answer(context.Background(), nobody, line) {
			b.Fatal("no answer")
		}
	}
	backend.end(&nobody.session)
}

// sink takes records and keeps none.
type sink struct{}

func (sink) Add(context.Context, ...dns.RRset) error               { return nil }
func (sink) Lookup(context.Context, dns.Name) ([]dns.RRset, error) { return nil, nil }
func (sink) RRsets(context.Context) iter.Seq2[dns.RRset, error]    { return nil }
func (sink) Commit(context.Context) error                          { return nil }
func (sink) Abandon(context.Context)                               {}
