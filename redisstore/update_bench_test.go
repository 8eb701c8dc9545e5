package redisstore_test

import (
	"context"
	"fmt"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"redyn/auth"
	"redyn/backend/dns"
	"redyn/redisstore"
)

// BenchmarkFind is what a request with a token asks before it is judged.
func BenchmarkFind(b *testing.B) {
	s := open(b, redisstore.Options{URL: startRedis(b).url()})
	create(b, s, org, orgSets()...)
	token := addToken(b, s, addHost(b, s, home))
	q := auth.Query{
		From: netip.MustParseAddr("192.0.2.1"), FromLimit: auth.Limit{Count: 1 << 40, Per: time.Minute}, FailureLimit: auth.Limit{Count: 10, Per: time.Minute},
		TokenHash: token.TokenHash(), HostNames: []dns.Name{home},
	}
	b.ReportAllocs()
	for b.Loop() {
		if found, err := s.Find(context.Background(), q); err != nil || len(found.Credentials) != 1 || len(found.Hosts) != 1 {
			b.Fatal(found, err)
		}
	}
}

// BenchmarkUpdates is what eight clients with tokens do to the store: each finds, then changes.
func BenchmarkUpdates(b *testing.B) {
	s := open(b, redisstore.Options{URL: startRedis(b).url()})
	create(b, s, org, orgSets()...)
	var clients atomic.Int32
	b.SetParallelism(4) // times two processors
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		name := dns.Name(fmt.Sprintf("h%d.example.org.", clients.Add(1)))
		token := addToken(b, s, addHost(b, s, name))
		ctx := context.Background()
		for i := 0; pb.Next(); i++ {
			found, err := s.Find(ctx, auth.Query{TokenHash: token.TokenHash(), HostNames: []dns.Name{name}})
			if err != nil || len(found.Credentials) != 1 {
				b.Error(found, err)
			}
			set := dns.NewRRset(name, dns.TypeA, 60, fmt.Sprintf("192.0.%d.%d", i>>8&255, i&255))
			gone := dns.NewRRset(name, dns.TypeAAAA, 60)
			if r, err := update(s, auth.Use{Hosts: []dns.Name{name}}, set, gone); err != nil || r.ID == "" {
				b.Error(r, err)
			}
		}
	})
}
