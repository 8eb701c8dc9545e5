package redisstore_test

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"redyn/backend/dns"
	"redyn/redisstore"
)

// running runs a follower until the test ends, without waiting for anything.
func running(t *testing.T, s *redisstore.Store, name string) (*redisstore.Follower, *memory) {
	t.Helper()
	m := newMemory()
	f := s.NewFollower(redisstore.NodeOptions{Name: name, Copy: m})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	return f, m
}

func unlooked(t *testing.T, f *redisstore.Follower) {
	t.Helper()
	eventually(t, "it finds nothing that it may take for all", func() error {
		return holds(f.Status().Errors > 2, "%+v", f.Status())
	})
	select {
	case <-f.Looked():
		t.Error("an empty read server is taken for a store without zones")
	default:
	}
}

// A node that begins on a new store has looked, and loads once there is something.
func TestBeginOnNewStore(t *testing.T) {
	s := open(t, redisstore.Options{URL: startRedis(t).url()})
	f, m := running(t, s, "node")
	<-f.Looked()
	select {
	case <-f.Loaded():
		t.Error("loaded without a data set")
	default:
	}
	create(t, s, org, orgSets()...)
	<-f.Loaded()
	sameAsStore(t, s, m)
}

// A node that begins on a replica that is still to be filled waits for it.
func TestBeginOnEmptyReplica(t *testing.T) {
	primary, replica := startRedis(t), startRedis(t)
	s := open(t, redisstore.Options{URL: primary.url(), ReadURL: replica.url()})
	create(t, s, org, orgSets()...)
	f, m := running(t, s, "node")
	unlooked(t, f)
	rdb := newServer(t, replica.url(), replica).rdb
	if err := rdb.Do(t.Context(), "replicaof", "127.0.0.1", primary.port).Err(); err != nil {
		t.Fatal(err)
	}
	<-f.Loaded()
	sameAsStore(t, s, m)
}

// A node that begins on a store that has lost its data set, while another still holds its zones, does
// not take it for a new one.
func TestBeginOnLostStore(t *testing.T) {
	srv := startRedis(t)
	s := open(t, redisstore.Options{URL: srv.url()})
	create(t, s, org, orgSets()...)
	other, _ := follow(t, s, "other")
	rdb := newServer(t, srv.url(), srv).rdb
	if err := rdb.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the other node tells of the loss", func() error {
		nodes, err := s.Nodes(t.Context())
		return holds(err == nil && len(nodes) == 1 && other.Status().Lost, "%v %v", nodes, err)
	})
	f, _ := running(t, s, "node")
	unlooked(t, f)
}

// lostBesideReplica is a store that has lost its data set just now, while a node reads a replica that
// still has it.
func lostBesideReplica(t *testing.T) *redisstore.Store {
	t.Helper()
	primary := startRedis(t)
	replica := startRedis(t, "--replicaof", "127.0.0.1 "+strconv.Itoa(primary.port))
	s := open(t, redisstore.Options{URL: primary.url()})
	create(t, s, org, orgSets()...)
	behind := open(t, redisstore.Options{URL: primary.url(), ReadURL: replica.url()})
	other, _ := running(t, behind, "other")
	<-other.Loaded()
	ctx := t.Context()
	told := func() time.Time {
		nodes, err := s.Nodes(ctx)
		if err != nil || len(nodes) != 1 || nodes[0].Zones != 1 {
			return time.Time{}
		}
		return nodes[0].Time
	}
	eventually(t, "the other node tells of its zone", func() error { return holds(!told().IsZero(), "it does not") })
	if err := newServer(t, replica.url(), replica).rdb.Do(ctx, "replicaof", "no", "one").Err(); err != nil {
		t.Fatal(err)
	}
	last := told()
	eventually(t, "the other node tells again", func() error { return holds(told().After(last), "it does not") })
	if err := newServer(t, primary.url(), primary).rdb.FlushAll(ctx).Err(); err != nil {
		t.Fatal(err)
	}
	return s
}

// A replica that was not filled anew yet hides a loss from the node that reads it, though from nobody
// who begins.
func TestBeginBesideReplica(t *testing.T) {
	t.Parallel()
	t.Run("zone", func(t *testing.T) {
		s := lostBesideReplica(t)
		if _, _, err := s.CreateZone(t.Context(), dns.Zone{Name: org}, orgSets(), redisstore.CreateOptions{}); !errors.Is(err, dns.ErrLost) {
			t.Errorf("a data set is begun: %v", err)
		}
	})
	t.Run("node", func(t *testing.T) {
		f, _ := running(t, lostBesideReplica(t), "node")
		unlooked(t, f)
	})
}
