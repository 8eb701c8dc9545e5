package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"redyn/backend"
	"redyn/backend/zonedb"
	"redyn/redisstore"
	"redyn/updater"
)

// node is a serving node: a copy of all zones, what keeps it, and the listeners that answer from it.
type node struct {
	nodeOptions
	log      *slog.Logger
	started  time.Time
	db       *zonedb.DB
	follower *redisstore.Follower
	purger   *backend.Purger // nil: nothing to purge
	writes   *backendStore
	backend  *backend.Backend
	updater  *updater.Updater
	registry *prometheus.Registry
	stopping atomic.Bool

	status, http, unix net.Listener // nil: not wanted
	hosts              []hostListener
}

// newNode opens the listeners, so that a wrong setting is told before anything else happens.
func newNode(ctx context.Context, store *redisstore.Store, o nodeOptions, log *slog.Logger) (_ *node, err error) {
	n := &node{nodeOptions: o, log: log, started: time.Now(), db: zonedb.New(), registry: prometheus.NewRegistry()}
	f := redisstore.NodeOptions{Name: o.name, Version: programVersion(), Copy: n.db, Hosts: o.uncached, Log: log}
	if n.purger = newPurger(n); n.purger != nil {
		n.db.TellStale(n.purger.Stale)
		f.Settle = n.purger.Settle
	}
	n.follower = store.NewFollower(f)
	n.writes = &backendStore{Store: store, follower: n.follower, log: log}
	b := o.backend
	b.Store = n.writes
	b.Zones, b.Loaded, b.New = n.db, n.follower.Loaded(), n.follower.Looked()
	b.Reload, b.Stats = n.follower.Reload, n.figures
	b.Log, b.Metrics, b.Purger = log, n.registry, n.purger
	if o.uncached {
		b.IsHost = n.db.IsHost
	}
	n.backend = backend.New(b)
	n.updater = newUpdater(n, log)
	registerMetrics(n)
	defer func() {
		if err != nil {
			n.close()
		}
	}()
	if n.status, err = listenTCP(ctx, "status-listen", o.statusListen); err != nil {
		return nil, err
	}
	if n.http, err = listenTCP(ctx, "backend-listen", o.backendHTTP); err != nil {
		return nil, err
	}
	if n.unix, err = listenUnix(o.backendUnix, o.unixMode, o.unixGroup); err != nil {
		return nil, fmt.Errorf("--backend-unix: %w", err)
	}
	if err = n.listenUpdater(ctx); err != nil {
		return nil, err
	}
	return n, nil
}

func (n *node) close() {
	for _, ln := range []net.Listener{n.status, n.http, n.unix} {
		if ln != nil {
			_ = ln.Close()
		}
	}
	for _, ln := range n.hosts {
		_ = ln.Close()
	}
}

// run serves until ctx ends: then it is not ready any more, answers what was asked, and stops, the
// status listener last.
func (n *node) run(ctx context.Context) error {
	n.log.InfoContext(ctx, "redyn starts", "version", programVersion(), "node", n.name,
		"status", n.statusListen, "http", n.backendHTTP, "unix", n.backendUnix,
		"updater", n.updates.listen)
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)

	// Three groups, each ended after the one before it: listeners, follower, status.
	listeners, ctx := errgroup.WithContext(ctx)
	followCtx, stopFollowing := context.WithCancel(context.WithoutCancel(ctx))
	statusCtx, stopStatus := context.WithCancel(context.WithoutCancel(ctx))
	defer stopFollowing()
	defer stopStatus()
	var follower, status errgroup.Group
	if n.status != nil {
		status.Go(func() error { return serveStatus(statusCtx, n.status, n) })
	}
	follower.Go(func() error { return n.follower.Run(followCtx) })
	if n.purger != nil {
		follower.Go(func() error { return n.purger.Run(followCtx) })
	}
	follower.Go(func() error { n.writes.WriteUses(followCtx); return nil })
	follower.Go(func() error { n.reloadOn(followCtx, hangups); return nil })
	follower.Go(func() error { keepWatchdog(followCtx); return nil })
	if n.http != nil {
		listeners.Go(func() error { return n.backend.ServeHTTP(ctx, n.http) })
	}
	if n.unix != nil {
		listeners.Go(func() error { return n.backend.ServeUnix(ctx, n.unix) })
	}
	for _, ln := range n.hosts {
		listeners.Go(func() error { return n.updater.Serve(ctx, ln.Listener, ln.secure) })
	}
	listeners.Go(func() error { n.announce(ctx); return nil })

	<-ctx.Done()
	n.stopping.Store(true)
	notify(notifyStopping)
	n.log.InfoContext(ctx, "redyn stops")
	errs := []error{listeners.Wait()}
	stopFollowing()
	errs = append(errs, follower.Wait())
	stopStatus()
	return errors.Join(append(errs, status.Wait())...)
}

// announce says when the node is ready.
func (n *node) announce(ctx context.Context) {
	select {
	case <-n.follower.Looked():
	case <-ctx.Done():
		return
	}
	stats := n.db.Stats()
	n.log.InfoContext(ctx, "redyn is ready", "zones", stats.Zones, "names", stats.Names, "records", stats.Records,
		"dur", time.Since(n.started).Round(time.Millisecond))
	notify(notifyReady)
}

// ready says whether the node answers from data; why tells if it does not. An outage of Redis later
// changes nothing.
func (n *node) ready() (ok bool, why string) {
	if n.stopping.Load() {
		return false, "stopping"
	}
	select {
	case <-n.follower.Looked():
		return true, ""
	default:
	}
	why = "loading"
	if text := n.follower.Status().LastError; text != "" {
		why += ": " + text
	}
	return false, why
}
