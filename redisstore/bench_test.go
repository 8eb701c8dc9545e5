package redisstore_test

import (
	"context"
	"fmt"
	"iter"
	"testing"
	"time"

	"redyn/backend/dns"
	"redyn/redisstore"
)

// hosts yields n addresses of hosts, and the SOA.
func hosts(zone dns.Name, n int) iter.Seq2[dns.RRset, error] {
	return func(yield func(dns.RRset, error) bool) {
		if !yield(dns.NewRRset(zone, dns.TypeSOA, 3600, soaContent), nil) {
			return
		}
		for i := range n {
			set := dns.NewRRset(dns.Name(fmt.Sprintf("host-%06d.%s", i, zone)), dns.TypeA, 60, fmt.Sprintf("192.%d.%d.%d", i>>16, i>>8&255, i&255))
			if !yield(set, nil) {
				return
			}
		}
	}
}

func fill(t testing.TB, s *redisstore.Store, zone dns.Name, n int) {
	t.Helper()
	_, _, err := s.ReplaceZone(context.Background(), zone, hosts(zone, n), redisstore.ReplaceOptions{Create: &dns.Zone{}, BeginAnew: true})
	if err != nil {
		t.Fatal(err)
	}
}

// counter is a Copy that keeps nothing.
type counter struct {
	sets    int
	applied chan string
}

func (c *counter) Keep(dns.ZoneID) bool { return false }

func (c *counter) Stage(_ dns.ZoneData, sets iter.Seq2[dns.RRset, error]) error {
	for _, err := range sets {
		if err != nil {
			return err
		}
		c.sets++
	}
	return nil
}

func (c *counter) Apply(e dns.Entry) {
	if c.applied != nil {
		c.applied <- e.ID
	}
}
func (c *counter) StageServer(dns.ServerData) {}
func (c *counter) Show(dns.ZoneID)            {}
func (c *counter) ShowAll()                   {}
func (c *counter) Forget()                    {}

func run(t testing.TB, f *redisstore.Follower) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f.Run(ctx)
	}()
	<-f.Loaded()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
}

func BenchmarkLoad(b *testing.B) {
	const n = 1_000_000
	s := open(b, redisstore.Options{URL: startRedis(b).url()})
	begun := time.Now()
	fill(b, s, org, n)
	b.Logf("fed in %v", time.Since(begun))
	b.ReportAllocs()
	for b.Loop() {
		c := &counter{}
		ctx, cancel := context.WithCancel(context.Background())
		f := s.NewFollower(redisstore.NodeOptions{Name: "bench", Copy: c})
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			f.Run(ctx)
		}()
		<-f.Loaded()
		b.ReportMetric(time.Since(f.Status().Since).Seconds(), "s/load")
		cancel()
		<-ended
		if c.sets != n+1 {
			b.Fatalf("%d RRsets", c.sets)
		}
	}
}

func BenchmarkApply(b *testing.B) {
	s := open(b, redisstore.Options{URL: startRedis(b).url()})
	fill(b, s, org, 1000)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		apply(b, s, org, dns.NewRRset("host-000007.example.org.", dns.TypeA, 60, fmt.Sprintf("198.51.%d.%d", i>>8&255, i&255)))
	}
}

// BenchmarkFollow is the way of a change from Apply to the copy.
func BenchmarkFollow(b *testing.B) {
	s := open(b, redisstore.Options{URL: startRedis(b).url()})
	fill(b, s, org, 1000)
	c := &counter{applied: make(chan string, 1)}
	run(b, s.NewFollower(redisstore.NodeOptions{Name: "bench", Copy: c}))
	var behind time.Duration
	b.ReportAllocs()
	n := 0
	for ; b.Loop(); n++ {
		r := apply(b, s, org, dns.NewRRset("host-000007.example.org.", dns.TypeA, 60, fmt.Sprintf("198.51.%d.%d", n>>8&255, n&255)))
		done := time.Now()
		if id := <-c.applied; id != r.ID {
			b.Fatalf("%s came, not %s", id, r.ID)
		}
		behind += time.Since(done)
	}
	b.ReportMetric(float64(behind.Microseconds())/float64(n), "µs/behind")
}
