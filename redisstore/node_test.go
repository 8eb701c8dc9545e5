package redisstore_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	"redyn/backend/dns"
	"redyn/redisstore"
)

func TestNodes(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		s := open(t, redisstore.Options{URL: srv.url})
		create(t, s, org, orgSets()...)
		f, _ := follow(t, s, "ns1")
		follow(t, s, "ns2")
		r := apply(t, s, org, www("192.0.2.8"))
		if late, err := s.WaitNodes(ctx, r); err != nil || len(late) > 0 {
			t.Fatalf("late: %+v, %v", late, err)
		}
		nodes, err := s.Nodes(ctx)
		if err != nil || len(nodes) != 2 {
			t.Fatalf("nodes are %+v, %v", nodes, err)
		}
		n := nodes[0]
		if n.Name != "ns1" || n.Version != "test" || n.Epoch != f.Status().Epoch || n.Position != r.ID || n.Zones != 1 || n.Lost || n.Loading || time.Since(n.Time) > time.Minute {
			t.Errorf("node is %+v", n)
		}
		if ttl, err := srv.rdb.PTTL(ctx, "{redyn}:node:ns1").Result(); err != nil || ttl <= 0 {
			t.Errorf("the lease expires in %v, %v", ttl, err)
		}
	})
}

func TestNodeLeaves(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		s := open(t, redisstore.Options{URL: srv.url})
		create(t, s, org, orgSets()...)
		t.Run("serves", func(t *testing.T) {
			follow(t, s, "ns1")
			eventually(t, "lease", func() error {
				nodes, err := s.Nodes(context.Background())
				return holds(err == nil && len(nodes) == 1, "%+v, %v", nodes, err)
			})
		})
		if nodes, err := s.Nodes(context.Background()); err != nil || len(nodes) > 0 {
			t.Errorf("nodes are %+v, %v", nodes, err)
		}
	})
}

// A node that is stuck is named when the time is over.
func TestWaitNodesNamesTheLate(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		s := open(t, redisstore.Options{URL: srv.url})
		create(t, s, org, orgSets()...)
		follow(t, s, "ns1")
		if err := srv.rdb.SAdd(ctx, "{redyn}:nodes", "ns2", "dead").Err(); err != nil {
			t.Fatal(err)
		}
		if err := srv.rdb.HSet(ctx, "{redyn}:node:ns2", "epoch", "x", "position", "1-1", "zones", "1").Err(); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		late, err := s.WaitNodes(ctx, apply(t, s, org, www("192.0.2.8")))
		named := func(name string) bool {
			return slices.ContainsFunc(late, func(n redisstore.Node) bool { return n.Name == name })
		}
		if err != nil || !named("ns2") || named("dead") {
			t.Errorf("late: %+v, %v", late, err)
		}
		if names := srv.rdb.SMembers(t.Context(), "{redyn}:nodes").Val(); slices.Contains(names, "dead") || !slices.Contains(names, "ns2") {
			t.Errorf("nodes are %v", names)
		}
	})
}

// Of several changes the order does not matter, and a node that loads one of their zones is late.
func TestWaitNodesForSeveral(t *testing.T) {
	const com = dns.Name("example.com.")
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		s := open(t, redisstore.Options{URL: srv.url})
		create(t, s, org, orgSets()...)
		create(t, s, com, dns.NewRRset(com, dns.TypeSOA, 60, "ns. host. 1 1 1 1 1"))
		first, second := apply(t, s, org, www("192.0.2.8")), apply(t, s, com, dns.NewRRset("www."+com, dns.TypeA, 60, "192.0.2.9"))
		if err := srv.rdb.SAdd(ctx, "{redyn}:nodes", "ns1").Err(); err != nil {
			t.Fatal(err)
		}
		zone, err := s.Zone(ctx, org)
		if err != nil {
			t.Fatal(err)
		}
		f := func(position, reloading string, want int) {
			t.Helper()
			if err := srv.rdb.HSet(ctx, "{redyn}:node:ns1", "position", position, "reloading", reloading).Err(); err != nil {
				t.Fatal(err)
			}
			for _, results := range [][]redisstore.Result{{first, second}, {second, first}} {
				short, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
				late, err := s.WaitNodes(short, results...)
				cancel()
				if err != nil || len(late) != want {
					t.Errorf("at %q, reloading %q: late are %+v, %v; want %d", position, reloading, late, err, want)
				}
			}
		}
		f(first.ID, "", 1)
		f(second.ID, "", 0)
		f(second.ID, strconv.Itoa(int(zone.ID)), 1)
		f(second.ID, "1", 0)
	})
}

func TestFollowerWaitEnds(t *testing.T) {
	s := open(t, redisstore.Options{URL: "redis://127.0.0.1:1"})
	f := s.NewFollower(redisstore.NodeOptions{Name: "n", Copy: newMemory()})
	if err := f.Wait(context.Background(), redisstore.Result{}); err != nil {
		t.Errorf("nothing to wait for: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := f.Run(ctx); err != nil {
		t.Errorf("run ends with %v", err)
	}
}

func TestNoRedis(t *testing.T) {
	ctx := context.Background()
	s := open(t, redisstore.Options{URL: "redis://user:secret@127.0.0.1:1/0"})
	_, err := s.Apply(ctx, dns.Change{Zones: []dns.ZoneChange{{Zone: org}}})
	for _, err := range []error{err, s.Ping(ctx)} {
		if err == nil || errors.Is(err, dns.ErrLost) || errors.Is(err, dns.ErrNotFound) {
			t.Errorf("without redis: %v", err)
		}
	}
	if _, err := s.Zone(ctx, org); err == nil || errors.Is(err, dns.ErrNotFound) {
		t.Errorf("without redis: %v", err)
	}
}
