package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"redyn/backend/dns"
	"redyn/redisstore"
)

// sameAsStore waits until the copy shows exactly what is loaded fresh from the store.
func sameAsStore(t testing.TB, s *redisstore.Store, m *memory) {
	t.Helper()
	eventually(t, "copy is as the store", func() error {
		fresh := newMemory()
		f := s.NewFollower(redisstore.NodeOptions{Name: "fresh", Copy: fresh})
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			f.Run(ctx)
		}()
		<-f.Loaded()
		cancel()
		<-ended
		if want, got := fresh.dump(), m.dump(); !maps.Equal(got, want) {
			return fmt.Errorf("copy shows %v, store has %v", got, want)
		}
		return nil
	})
}

func lost(f *redisstore.Follower) func() error {
	return func() error {
		st := f.Status()
		return holds(st.Lost, "status is %+v", st)
	}
}

func TestEmptyStore(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		s := open(t, redisstore.Options{URL: srv.url})
		f, m := follow(t, s, "node")
		if st := f.Status(); !st.Empty || st.Lost || st.Losses > 0 || st.Epoch != "" || len(m.dump()) > 0 {
			t.Errorf("status is %+v", st)
		}
		eventually(t, "the lease tells", func() error {
			nodes, err := s.Nodes(t.Context())
			return holds(err == nil && len(nodes) == 1 && nodes[0].Empty && !nodes[0].Lost, "%+v, %v", nodes, err)
		})
		// The node holds nothing, so a data set may be begun.
		_, r, err := s.CreateZone(context.Background(), dns.Zone{Name: org}, orgSets(), redisstore.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if late, err := s.WaitNodes(context.Background(), r); err != nil || len(late) > 0 {
			t.Errorf("late: %v, %v", late, err)
		}
		if st := f.Status(); st.Empty || st.Lost || st.Epoch == "" || st.Zones != 1 {
			t.Errorf("status is %+v", st)
		}
	})
}

func TestFlushAll(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		s := open(t, redisstore.Options{URL: srv.url})
		create(t, s, org, orgSets()...)
		f, m := follow(t, s, "ns1")
		before := m.dump()
		if err := srv.rdb.FlushAll(ctx).Err(); err != nil {
			t.Fatal(err)
		}
		// At once, before the node has noticed: it is given the time to.
		_, _, err := s.CreateZone(ctx, dns.Zone{Name: "new.example."}, nil, redisstore.CreateOptions{})
		if !errors.Is(err, dns.ErrLost) || !strings.Contains(fmt.Sprint(err), "ns1") {
			t.Errorf("a data set is begun: %v", err)
		}
		eventually(t, "loss is noticed", lost(f))
		if _, err := s.Apply(ctx, dns.Change{Zones: []dns.ZoneChange{{Zone: org}}}); !errors.Is(err, dns.ErrLost) {
			t.Errorf("a change to a lost store: %v", err)
		}
		eventually(t, "lease tells", func() error {
			nodes, err := s.Nodes(ctx)
			return holds(err == nil && len(nodes) == 1 && nodes[0].Lost && nodes[0].Zones == 1, "nodes are %+v, %v", nodes, err)
		})
		if !maps.Equal(m.dump(), before) {
			t.Errorf("the copy shows %v", m.dump())
		}
		create(t, s, "new.example.", dns.NewRRset("new.example.", dns.TypeA, 60, "192.0.2.3"))
		eventually(t, "new data set is shown", func() error { return holds(!f.Status().Lost, "lost") })
		sameAsStore(t, s, m)
		if m.get(org, "www.example.org.", dns.TypeA) != nil {
			t.Error("the old zone is still there")
		}
	})
}

func TestRestartEmptyThenOlder(t *testing.T) {
	srv := startRedis(t)
	s := open(t, redisstore.Options{URL: srv.url()})
	rdb := newServer(t, srv.url(), srv).rdb
	create(t, s, org, orgSets()...)
	f, m := follow(t, s, "node")
	ctx := context.Background()
	if err := rdb.Save(ctx).Err(); err != nil {
		t.Fatal(err)
	}
	dump := filepath.Join(srv.dir, "dump.rdb")
	older, err := os.ReadFile(dump)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Wait(ctx, apply(t, s, org, www("192.0.2.77"))); err != nil {
		t.Fatal(err)
	}
	newest := m.dump()

	srv.kill()
	eventually(t, "outage is noticed", func() error { return holds(f.Status().LastError != "", "%+v", f.Status()) })
	if err := os.Remove(dump); err != nil {
		t.Fatal(err)
	}
	srv.start()
	eventually(t, "loss is noticed", lost(f))
	if !maps.Equal(m.dump(), newest) {
		t.Errorf("over an outage the copy became %v", m.dump())
	}

	srv.kill()
	if err := os.WriteFile(dump, older, 0o600); err != nil {
		t.Fatal(err)
	}
	srv.start()
	eventually(t, "older data are the truth", func() error {
		got := m.get(org, "www.example.org.", dns.TypeA)
		return holds(len(got) == 1 && got[0] == "192.0.2.1", "www is %v", got)
	})
	sameAsStore(t, s, m)
	if st := f.Status(); st.Lost || st.LastError != "" {
		t.Errorf("status is %+v", st)
	}
	r := apply(t, s, org, www("192.0.2.88"))
	if err := f.Wait(ctx, r); err != nil {
		t.Fatal(err)
	}
}

func TestStoppedRedis(t *testing.T) {
	srv := startRedis(t)
	s := open(t, redisstore.Options{URL: srv.url(), Timeout: 200 * time.Millisecond})
	create(t, s, org, orgSets()...)
	f, m := follow(t, s, "node")
	before := m.dump()
	ctx := context.Background()
	apply(t, s, org, www("192.0.2.1")) // so that the zone has been looked up
	if err := srv.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	_, err := s.Apply(ctx, dns.Change{Zones: []dns.ZoneChange{{Zone: org, RRsets: []dns.RRset{www("192.0.2.5")}}}})
	if err == nil || !strings.Contains(err.Error(), "not known") {
		t.Errorf("a change that is not answered: %v", err)
	}
	eventually(t, "outage is noticed", func() error { return holds(f.Status().LastError != "", "%+v", f.Status()) })
	if !maps.Equal(m.dump(), before) {
		t.Errorf("over an outage the copy became %v", m.dump())
	}
	if err := srv.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	// The change had reached the server's buffers: it is done now.
	eventually(t, "change is seen", func() error {
		got := m.get(org, "www.example.org.", dns.TypeA)
		return holds(len(got) == 1 && got[0] == "192.0.2.5", "www is %v", got)
	})
	eventually(t, "all is well", func() error { return holds(f.Status().LastError == "", "%+v", f.Status()) })
	if st := f.Status(); st.Reloads != 1 {
		t.Errorf("an outage without loss makes %d loads", st.Reloads)
	}
}

func TestLostReply(t *testing.T) {
	srv := startRedis(t)
	p := newProxy(t, srv.addr())
	s := open(t, redisstore.Options{URL: p.url()})
	ctx := context.Background()
	create(t, s, "other.example.")
	if _, err := s.DeleteZone(ctx, "other.example.", "", ""); err != nil {
		t.Fatal(err)
	}
	create(t, s, org, orgSets()...)
	apply(t, s, org, www("192.0.2.4")) // now zones have been looked up, scripts loaded
	look := newServer(t, srv.url(), srv)
	for i := range 10 {
		before := logLength(t, look)
		p.cutReplies(1)
		r := apply(t, s, org, www(fmt.Sprintf("192.0.2.%d", 100+i)))
		if logLength(t, look) != before+1 || r.ID == "" || r.Serials[org] != serial(t, s, org) {
			t.Errorf("reply lost, %d entries written, result %+v", logLength(t, look)-before, r)
		}
	}
	p.cutReplies(1)
	if _, err := s.DeleteZone(ctx, org, "", ""); err != nil {
		t.Errorf("reply lost: %v", err)
	}
	create(t, s, org, orgSets()...)
	apply(t, s, org, www("192.0.2.4"))
	p.cutReplies(1000)
	_, err := s.Apply(ctx, dns.Change{Zones: []dns.ZoneChange{{Zone: org, RRsets: []dns.RRset{www("192.0.2.99")}}}})
	if err == nil || !strings.Contains(err.Error(), "not known") {
		t.Errorf("without a look into the log: %v", err)
	}
	p.cutReplies(0)
	if set, err := s.RRset(ctx, org, "www.example.org.", dns.TypeA); err != nil || set.Content[0] != "192.0.2.99" {
		t.Errorf("www is %v, %v", set, err)
	}
}

func TestTrimmedLog(t *testing.T) {
	srv := startRedis(t)
	p := newProxy(t, srv.addr())
	s := open(t, redisstore.Options{URL: srv.url(), ReadURL: p.url(), LogLength: 10})
	create(t, s, org, orgSets()...)
	f, m := follow(t, s, "node")
	p.redirect("127.0.0.1:1") // nobody is there
	var r redisstore.Result
	for i := range 1000 {
		r = apply(t, s, org, dns.NewRRset(dns.Name(fmt.Sprintf("h%d.example.org.", i)), dns.TypeA, 60, "192.0.2.1"))
	}
	if n := logLength(t, newServer(t, srv.url(), srv)); n > 500 {
		t.Fatalf("the log has %d entries and was not trimmed", n)
	}
	p.redirect(srv.addr())
	if err := f.Wait(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	sameAsStore(t, s, m)
	if st := f.Status(); st.Reloads != 2 {
		t.Errorf("%d loads", st.Reloads)
	}
}

func TestCutConnections(t *testing.T) {
	srv := startRedis(t)
	p := newProxy(t, srv.addr())
	s := open(t, redisstore.Options{URL: srv.url(), ReadURL: p.url()})
	create(t, s, org, orgSets()...)
	f, m := follow(t, s, "node")
	var r redisstore.Result
	for i := range 200 {
		if i%20 == 0 {
			p.cutAll()
		}
		r = apply(t, s, org, www(fmt.Sprintf("192.0.2.%d", i)))
	}
	if err := f.Wait(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	sameAsStore(t, s, m)
	if st := f.Status(); st.Reloads != 1 {
		t.Errorf("%d loads where the log went on", st.Reloads)
	}
}

func TestReplica(t *testing.T) {
	primary := startRedis(t)
	replica := startRedis(t, "--replicaof", "127.0.0.1 "+fmt.Sprint(primary.port))
	s := open(t, redisstore.Options{URL: primary.url(), ReadURL: replica.url()})
	ctx := context.Background()
	create(t, s, org, orgSets()...)
	f, m := follow(t, s, "node")
	r := apply(t, s, org, www("192.0.2.50"))
	if err := f.Wait(ctx, r); err != nil {
		t.Fatal(err)
	}
	if got := m.get(org, "www.example.org.", dns.TypeA); len(got) != 1 || got[0] != "192.0.2.50" {
		t.Errorf("www is %v", got)
	}
	if late, err := s.WaitNodes(ctx, r); err != nil || len(late) > 0 {
		t.Errorf("late: %v, %v", late, err)
	}
	wrong := open(t, redisstore.Options{URL: replica.url()})
	_, err := wrong.Apply(ctx, dns.Change{Zones: []dns.ZoneChange{{Zone: org, RRsets: []dns.RRset{www("192.0.2.51")}}}})
	if err == nil || !strings.Contains(err.Error(), "must name the primary") {
		t.Errorf("writing to a replica: %v", err)
	}
	_, _, err = wrong.CreateZone(ctx, dns.Zone{Name: "new.example."}, nil, redisstore.CreateOptions{})
	if err == nil || !strings.Contains(err.Error(), "must name the primary") {
		t.Errorf("creating a zone on a replica: %v", err)
	}
	// FLUSHALL reaches the replica, and the node, which goes on answering.
	if err := newServer(t, primary.url(), primary).rdb.FlushAll(ctx).Err(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "loss is noticed", lost(f))
	if got := m.get(org, "www.example.org.", dns.TypeA); len(got) != 1 {
		t.Errorf("www is %v", got)
	}
}

// A replica that has not got the last changes becomes the primary: what it has is the truth.
func TestPromotedReplica(t *testing.T) {
	primary := startRedis(t)
	replica := startRedis(t, "--replicaof", "127.0.0.1 "+fmt.Sprint(primary.port))
	p := newProxy(t, primary.addr())
	s := open(t, redisstore.Options{URL: p.url()})
	ctx := context.Background()
	create(t, s, org, orgSets()...)
	f, m := follow(t, s, "node")
	both := apply(t, s, org, www("192.0.2.60"))
	there := newServer(t, replica.url(), replica)
	eventually(t, "replica has it", func() error {
		last, err := there.rdb.HGet(ctx, "{redyn}:epoch", "log").Result()
		return holds(last == both.ID, "%s, %v", last, err)
	})
	if err := there.rdb.Do(ctx, "replicaof", "no", "one").Err(); err != nil {
		t.Fatal(err)
	}
	lostOne := apply(t, s, org, www("192.0.2.61"), dns.NewRRset("lost.example.org.", dns.TypeA, 60, "192.0.2.1"))
	if err := f.Wait(ctx, lostOne); err != nil {
		t.Fatal(err)
	}
	p.redirect(replica.addr())
	eventually(t, "lost changes are gone", func() error {
		got := m.get(org, "www.example.org.", dns.TypeA)
		return holds(len(got) == 1 && got[0] == "192.0.2.60", "www is %v", got)
	})
	sameAsStore(t, s, m)
	// The same once more, with a change on the new primary before the node looks.
	primary.kill()
	var r redisstore.Result
	eventually(t, "new primary takes changes", func() (err error) {
		r, err = s.Apply(ctx, dns.Change{Zones: []dns.ZoneChange{{Zone: org, RRsets: []dns.RRset{www("192.0.2.62")}}}})
		return err
	})
	if err := f.Wait(ctx, r); err != nil {
		t.Fatal(err)
	}
	sameAsStore(t, s, m)
}

func TestForeignEntryInLog(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		s := open(t, redisstore.Options{URL: srv.url})
		create(t, s, org, orgSets()...)
		f, m := follow(t, s, "node")
		if err := srv.rdb.Do(ctx, "xadd", "{redyn}:log", "*", "note", "by hand").Err(); err != nil {
			t.Fatal(err)
		}
		r := apply(t, s, org, www("192.0.2.50"))
		if err := f.Wait(ctx, r); err != nil {
			t.Fatal(err)
		}
		f.Reload()
		eventually(t, "everything is loaded anew", func() error { return holds(f.Status().Reloads == 2, "%+v", f.Status()) })
		r = apply(t, s, org, www("192.0.2.51"))
		if err := f.Wait(ctx, r); err != nil {
			t.Fatal(err)
		}
		sameAsStore(t, s, m)
		// An entry that claims to be ours and is not in the chain.
		err := srv.rdb.Do(ctx, "xadd", "{redyn}:log", "*", "epoch", f.Status().Epoch, "prev", "0-1", "zone 1", "x.").Err()
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "everything is loaded anew", func() error { return holds(f.Status().Reloads > 2, "%+v", f.Status()) })
		sameAsStore(t, s, m)
	})
}

func TestDeletedLog(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		s := open(t, redisstore.Options{URL: srv.url})
		create(t, s, org, orgSets()...)
		f, m := follow(t, s, "node")
		if err := srv.rdb.Del(ctx, "{redyn}:log").Err(); err != nil {
			t.Fatal(err)
		}
		r := apply(t, s, org, www("192.0.2.50"))
		if err := f.Wait(ctx, r); err != nil {
			t.Fatal(err)
		}
		sameAsStore(t, s, m)
	})
}

// What goes wrong is logged once, and again when it is something else.
func TestLoggedErrors(t *testing.T) {
	t.Parallel()
	errorsIn := func(log string) (all []string) {
		for line := range strings.Lines(log) {
			if strings.Contains(line, "from the store yet") || strings.Contains(line, "cannot follow") || strings.Contains(line, "answers again") {
				all = append(all, line)
			}
		}
		return all
	}
	t.Run("password", func(t *testing.T) {
		var log logged
		srv := startRedis(t)
		s := open(t, redisstore.Options{URL: srv.url(), Timeout: time.Second, Log: slog.New(slog.NewTextHandler(&log, nil))})
		create(t, s, org, orgSets()...)
		f, _ := follow(t, s, "node")
		srv.kill()
		eventually(t, "outage is noticed", func() error { return holds(f.Status().Errors > 5, "%+v", f.Status()) })
		srv.args = append(srv.args, "--requirepass", "secret")
		srv.start()
		eventually(t, "the log tells of the password", func() error { return holds(strings.Contains(log.String(), "NOAUTH"), "%s", log.String()) })
		before := f.Status().Errors
		eventually(t, "it goes on", func() error { return holds(f.Status().Errors > before+5, "%+v", f.Status()) })
		if all := errorsIn(log.String()); len(all) != 2 {
			t.Errorf("logged is\n%s", strings.Join(all, ""))
		}
	})
	t.Run("replica", func(t *testing.T) {
		var log logged
		primary, replica := startRedis(t), startRedis(t)
		s := open(t, redisstore.Options{URL: primary.url(), ReadURL: replica.url(), Log: slog.New(slog.NewTextHandler(&log, nil))})
		create(t, s, org, orgSets()...)
		f, _ := running(t, s, "node")
		unlooked(t, f)
		if all := errorsIn(log.String()); len(all) != 1 {
			t.Errorf("logged is\n%s", strings.Join(all, ""))
		}
	})
}
