package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/sync/errgroup"

	"redyn/backend"
	"redyn/redisstore"
)

func serveCommand() *cli.Command {
	return &cli.Command{
		Name:  "serve",
		Usage: "answer PowerDNS, and hosts that update their addresses",
		Flags: serveFlags(),
		Description: "Loads all zones from Redis, follows its change log, answers PowerDNS from memory, and lets hosts\n" +
			"change their own addresses.\n" +
			"SIGHUP loads everything anew; SIGTERM ends what runs and stops, a second one stops at once.",
		Action: serve,
	}
}

func serve(c *cli.Context) error {
	if err := needArguments(c, "expected: redyn serve", 0, 0); err != nil {
		return err
	}
	o, err := newNodeOptions(c)
	if err != nil {
		return err
	}
	lines := &logWriter{w: c.App.ErrWriter}
	defer func() { _ = lines.Flush() }()
	log, err := newLogger(c, lines)
	if err != nil {
		return err
	}
	store, err := openStore(c, log)
	if err != nil {
		return err
	}
	defer store.Close()
	log.InfoContext(c.Context, "zones come from Redis", "url", redisstore.RedactURL(c.String("redis-url")),
		"read", redisstore.RedactURL(cmp.Or(c.String("redis-read-url"), c.String("redis-url"))), "prefix", c.String("redis-prefix"))
	n, err := newNode(c.Context, store, o, log)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(c.Context)
	group.Go(func() error { return n.run(ctx) })
	if c.String("secrets-key-file") == "" {
		group.Go(func() error { warnOfPlain(ctx, n.follower.Loaded(), n.db, store, log); return nil })
	}
	return group.Wait()
}

// nodeOptions are the settings of a serving node, read and checked.
type nodeOptions struct {
	name         string
	backend      backend.Options
	backendHTTP  string
	backendUnix  string
	unixMode     os.FileMode
	unixGroup    int // -1: as it comes
	statusListen string
	purge        backend.PurgeOptions
	uncached     bool // hosts are kept in no cache
	updates      updaterOptions
}

func newNodeOptions(c *cli.Context) (nodeOptions, error) {
	o := nodeOptions{
		name: c.String("node-name"), backendHTTP: c.String("backend-listen"), backendUnix: c.String("backend-unix"),
		statusListen: c.String("status-listen"), unixGroup: -1,
	}
	o.uncached = c.Bool("uncached-hosts")
	o.backend.CloseAfterReply = !c.Bool("backend-keepalive")
	o.backend.TransactionTimeout = c.Duration("backend-transaction-timeout")
	var err error
	if o.name == "" {
		if o.name, err = os.Hostname(); err != nil {
			return o, usagef("--node-name is needed: %w", err)
		}
	}
	if o.backendHTTP == "" && o.backendUnix == "" {
		return o, usagef("--backend-listen and --backend-unix are empty: PowerDNS has nobody to ask")
	}
	if o.backend.Methods, err = backend.ParseMethods(c.String("backend-methods")); err != nil {
		return o, usagef("--backend-methods: %w", err)
	}
	if o.backend.Allow, err = parseNetworks(c.StringSlice("backend-allow")); err != nil {
		return o, usagef("--backend-allow: %w", err)
	}
	if len(o.backend.Allow) == 0 && o.backendHTTP != "" && !isLoopback(o.backendHTTP) {
		return o, usagef("--backend-listen %s is open to others, and the protocol knows no passwords: "+
			"name the networks that may ask by --backend-allow, or listen on 127.0.0.1", o.backendHTTP)
	}
	if o.unixMode, err = parseMode(c.String("backend-unix-mode")); err != nil {
		return o, usagef("--backend-unix-mode: %w", err)
	}
	if group := c.String("backend-unix-group"); group != "" {
		if o.unixGroup, err = groupID(group); err != nil {
			return o, usagef("--backend-unix-group: %w", err)
		}
	}
	if o.purge, err = newPurgeOptions(c); err != nil {
		return o, err
	}
	o.updates, err = newUpdaterOptions(c)
	return o, err
}

// isLoopback reports whether only this machine reaches a listener there.
func isLoopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return host == "localhost"
	}
	return addr.Unmap().IsLoopback()
}

func newLogger(c *cli.Context, w io.Writer) (*slog.Logger, error) {
	level, err := parseLevel(c.String("log-level"))
	if err != nil {
		return nil, usagef("--log-level: %w", err)
	}
	o := &slog.HandlerOptions{Level: level}
	if c.String("log-format") == "json" {
		return slog.New(slog.NewJSONHandler(w, o)), nil
	}
	return slog.New(slog.NewTextHandler(w, o)), nil
}

// reloadPoll is how often a reload that systemd waits for is looked at.
const reloadPoll = 100 * time.Millisecond

// reloadOn loads everything anew for each signal.
func (n *node) reloadOn(ctx context.Context, signals <-chan os.Signal) {
	for {
		select {
		case <-signals:
		case <-ctx.Done():
			return
		}
		n.log.InfoContext(ctx, "reloading everything")
		before := n.follower.Status().Reloads
		notify(notifyReloading)
		n.follower.Reload()
		for n.follower.Status().Reloads == before || n.follower.Status().Loading {
			select {
			case <-time.After(reloadPoll):
			case <-ctx.Done():
				return
			}
		}
		notify(notifyReady)
	}
}

// figures is one line about the data, for PowerDNS's operator.
func (n *node) figures() string {
	s, stats := n.follower.Status(), n.db.Stats()
	return fmt.Sprintf("zones %d names %d records %d position %s lag %s lost %t uptime %s version %s",
		stats.Zones, stats.Names, stats.Records, s.Position, s.Lag(time.Now()).Round(time.Millisecond), s.Lost,
		time.Since(n.started).Round(time.Second), programVersion())
}
