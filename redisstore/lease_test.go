package redisstore_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"redyn/redisstore"
)

// logged is a log that tests read while it is written.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// Two nodes of one name would acknowledge for each other, so they say so.
func TestTwoNodesOfOneName(t *testing.T) {
	var log logged
	s := open(t, redisstore.Options{URL: startRedis(t).url(), Log: slog.New(slog.NewTextHandler(&log, nil))})
	create(t, s, org, orgSets()...)
	running(t, s, "node")
	running(t, s, "node")
	eventually(t, "one tells of the other", func() error {
		return holds(strings.Contains(log.String(), "another node has this node's name"), "%s", log.String())
	})
}

// A node that is started again after it was killed finds its own lease, and no other node.
func TestLeaseOfKilledNode(t *testing.T) {
	var log logged
	srv := startRedis(t)
	s := open(t, redisstore.Options{URL: srv.url(), Log: slog.New(slog.NewTextHandler(&log, nil))})
	create(t, s, org, orgSets()...)
	rdb := newServer(t, srv.url(), srv).rdb
	if err := rdb.HSet(context.Background(), "{redyn}:node:node", "instance", "killed").Err(); err != nil {
		t.Fatal(err)
	}
	f, _ := running(t, s, "node")
	<-f.Loaded()
	for range 3 {
		apply(t, s, org, www("192.0.2.61"))
		r := apply(t, s, org, www("192.0.2.62"))
		if late, err := s.WaitNodes(t.Context(), r); err != nil || len(late) > 0 {
			t.Fatalf("late are %v, %v", late, err)
		}
	}
	if strings.Contains(log.String(), "another node") {
		t.Errorf("the log is %s", log.String())
	}
}
