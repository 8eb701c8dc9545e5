package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/urfave/cli/v2"
	"golang.org/x/sync/errgroup"

	"redyn/backend/dns"
	"redyn/backend/dns/zonefile"
	"redyn/redisstore"
)

// demoZone has records of most types.
//
//go:embed demo.zone
var demoZone string

func demoCommand() *cli.Command {
	return &cli.Command{
		Name:  "demo",
		Usage: "serve an example zone from a Redis of its own, and say what to try",
		Flags: slices.Concat(backendFlags, updaterFlags, statusFlags, logFlags, configFlags),
		Description: "Nothing is needed and nothing is left behind. Where pdns_server is installed, one is started too.\n" +
			"Listeners take other ports if theirs are in use.",
		Action: demo,
	}
}

func demo(c *cli.Context) error {
	if err := needArguments(c, "expected: redyn demo", 0, 0); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "redyn-demo")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	o, err := demoOptions(c, dir)
	if err != nil {
		return err
	}
	log, err := demoLogger(c)
	if err != nil {
		return err
	}
	redis, err := miniredis.Run()
	if err != nil {
		return fmt.Errorf("start the demo's Redis: %w", err)
	}
	defer redis.Close()
	url := "redis://" + redis.Addr() + "/0"
	store, err := redisstore.Open(redisstore.Options{URL: url, Log: log})
	if err != nil {
		return err
	}
	defer store.Close()
	if err := importDemo(c.Context, store); err != nil {
		return err
	}
	hosts, err := addDemoHosts(c.Context, store, dir)
	if err != nil {
		return err
	}
	n, err := newNode(c.Context, store, o, log)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(c.Context)
	group.Go(func() error { return n.run(ctx) })
	group.Go(func() error { expireKeys(ctx, redis); return nil })
	group.Go(func() error { return explainDemo(ctx, c.App.Writer, n, hosts, dir, url) })
	return group.Wait()
}

// demoLogger logs warnings only, so that what to try is not lost, unless another level is set.
func demoLogger(c *cli.Context) (*slog.Logger, error) {
	if !c.IsSet("log-level") {
		if err := c.Set("log-level", "warn"); err != nil {
			return nil, err
		}
	}
	return newLogger(c, c.App.ErrWriter)
}

// demoOptions are the settings, with free ports where theirs are in use, and a unix socket for
// PowerDNS.
func demoOptions(c *cli.Context, dir string) (nodeOptions, error) {
	o, err := newNodeOptions(c)
	if err != nil {
		return o, err
	}
	o.name = "demo"
	if o.backendUnix == "" {
		o.backendUnix = filepath.Join(dir, "pdns.sock")
	}
	o.purge.Control = []string{demoControl(dir)}
	o.backendHTTP = freeOr(o.backendHTTP)
	o.statusListen = freeOr(o.statusListen)
	for i, listen := range o.updates.listen {
		address, plain := plainListen(listen)
		o.updates.listen[i] = freeOr(address)
		if plain {
			o.updates.listen[i] = "http://" + o.updates.listen[i]
		}
	}
	return o, nil
}

// freeOr returns the address, with another port if that one is in use.
func freeOr(listen string) string {
	if listen == "" {
		return ""
	}
	ln, err := net.Listen("tcp", listen)
	if err != nil {
		host, _, _ := net.SplitHostPort(listen)
		if ln, err = net.Listen("tcp", net.JoinHostPort(host, "0")); err != nil {
			return listen
		}
	}
	defer ln.Close()
	return ln.Addr().String()
}

func importDemo(ctx context.Context, store *redisstore.Store) error {
	z, err := zonefile.Read(strings.NewReader(demoZone), zonefile.Options{File: "demo.zone"}, nil)
	if err != nil {
		return err
	}
	o := redisstore.ReplaceOptions{Create: &dns.Zone{Name: z.Name}, New: true, BeginAnew: true, Who: "demo"}
	_, _, err = store.ReplaceZone(ctx, z.Name, withoutErrors(z.RRsets()), o)
	return err
}

// expireKeys makes time pass for miniredis, which does not do so by itself.
func expireKeys(ctx context.Context, redis *miniredis.Miniredis) {
	const step = 250 * time.Millisecond
	every := time.NewTicker(step)
	defer every.Stop()
	for {
		select {
		case <-every.C:
			redis.FastForward(step)
		case <-ctx.Done():
			return
		}
	}
}

// explainDemo starts PowerDNS if it can, and says what to try once the node is ready. It ends with
// PowerDNS, or with ctx.
func explainDemo(ctx context.Context, w io.Writer, n *node, hosts *demoHosts, dir, url string) error {
	select {
	case <-n.follower.Loaded():
	case <-ctx.Done():
		return nil
	}
	pdns, err := startDemoPDNS(ctx, dir, n.nodeOptions)
	if err != nil && ctx.Err() == nil {
		fmt.Fprintf(w, "PowerDNS is not started: %v\n\n", err)
	}
	fmt.Fprint(w, demoText(n, hosts, url, pdns))
	if pdns == nil {
		<-ctx.Done()
		return nil
	}
	err = pdns.wait()
	if ctx.Err() != nil {
		return nil
	}
	return errors.Join(errors.New("PowerDNS has ended"), err)
}
