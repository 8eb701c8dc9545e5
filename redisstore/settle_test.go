package redisstore_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"redyn/backend/dns"
	"redyn/redisstore"
)

// caches are in front of a copy, and a test says when they are settled.
type caches chan func()

func (c caches) settle(done func()) bool {
	c <- done
	return true
}

func (c caches) next(t *testing.T) (done func()) {
	t.Helper()
	select {
	case done = <-c:
	case <-time.After(10 * time.Second):
		t.Fatal("nothing to settle")
	}
	return done
}

// behind runs a follower behind caches for the rest of the test.
func behind(t *testing.T, s *redisstore.Store) (*redisstore.Follower, caches) {
	c := make(caches, 100)
	f := followAs(t, s, redisstore.NodeOptions{Name: "node", Copy: newMemory(), Settle: c.settle})
	<-f.Loaded()
	return f, c
}

// waits reports whether Wait for r does not return.
func waits(t *testing.T, f *redisstore.Follower, r redisstore.Result) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	err := f.Wait(ctx, r)
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	return err != nil
}

func wait(t *testing.T, f *redisstore.Follower, r redisstore.Result) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := f.Wait(ctx, r); err != nil {
		t.Errorf("wait for %+v: %v", r, err)
	}
}

// What the copy shows is told to nobody before it is settled, and no change waits for another.
func TestSettle(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		s := open(t, redisstore.Options{URL: srv.url})
		create(t, s, org, orgSets()...)
		f, caches := behind(t, s)
		first := apply(t, s, org) // as it was before
		if !waits(t, f, first) {
			t.Error("the load is not settled, and not waited for")
		}
		caches.next(t)()
		wait(t, f, first)

		one := apply(t, s, org, www("192.0.2.1"), dns.NewRRset("a.example.org.", dns.TypeA, 60, "192.0.2.1"))
		two := apply(t, s, org, www("192.0.2.2"))
		three := apply(t, s, org, www("192.0.2.2")) // changes nothing, which is so because of two
		doneOne, doneTwo := caches.next(t), caches.next(t)
		lease := func() string {
			nodes, err := s.Nodes(context.Background())
			if err != nil || len(nodes) != 1 {
				t.Fatalf("nodes %+v, %v", nodes, err)
			}
			return nodes[0].Position
		}
		if !waits(t, f, one) || !waits(t, f, two) || !waits(t, f, three) || f.Status().Position != two.ID {
			t.Errorf("what is not settled is not waited for; the copy is at %s of %s", f.Status().Position, two.ID)
		}
		time.Sleep(100 * time.Millisecond) // for a lease to be written
		if at := lease(); at == one.ID || at == two.ID {
			t.Errorf("the lease tells of %s, which is not settled", at)
		}
		doneTwo()
		wait(t, f, two)
		if !waits(t, f, one) || !waits(t, f, three) {
			t.Error("the first change is not waited for once the second is settled")
		}
		doneOne()
		wait(t, f, one)
		wait(t, f, three)
		eventually(t, "the lease tells of the second change", func() error {
			return holds(lease() == two.ID, "at %s", lease())
		})
	})
}

// A zone that is read anew is not told of before that is settled.
func TestSettleZone(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		s := open(t, redisstore.Options{URL: srv.url})
		create(t, s, org, orgSets()...)
		f, caches := behind(t, s)
		caches.next(t)()
		_, r, err := s.CreateZone(ctx, dns.Zone{Name: "new.example."}, nil, redisstore.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		doneEntry := caches.next(t)
		doneZone := caches.next(t)
		doneEntry()
		if !waits(t, f, r) {
			t.Error("the zone is not settled, and not waited for")
		}
		short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
		defer cancel()
		if late, err := s.WaitNodes(short, r); err != nil || len(late) != 1 {
			t.Errorf("late are %+v, %v; want the node", late, err)
		}
		doneZone()
		wait(t, f, r)
		if late, err := s.WaitNodes(ctx, r); err != nil || len(late) > 0 {
			t.Errorf("late: %+v, %v", late, err)
		}
	})
}
