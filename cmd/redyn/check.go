package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"redyn/backend/dns"
	"redyn/redisstore"
)

func checkCommand() *cli.Command {
	return &cli.Command{
		Name:  "check",
		Usage: "look at settings, Redis and PowerDNS: what redyn serve would do, and what is wrong",
		Flags: serveFlags(),
		Description: "Changes nothing, but for a key that is written to see that Redis takes it, and taken away.\n" +
			"Exit code 1 if anything is wrong.",
		Action: check,
	}
}

// findings are what check has to say, one a line.
type findings struct {
	c     *cli.Context
	wrong int
	zones []dns.Zone // of the data set
}

func (f *findings) ok(format string, args ...any) {
	fmt.Fprintf(f.c.App.Writer, "ok     "+format+"\n", args...)
}

func (f *findings) note(format string, args ...any) {
	fmt.Fprintf(f.c.App.Writer, "note   "+format+"\n", args...)
}

func (f *findings) bad(format string, args ...any) {
	f.wrong++
	fmt.Fprintf(f.c.App.Writer, "wrong  %s\n", oneLine(fmt.Sprintf(format, args...)))
}

func check(c *cli.Context) error {
	if err := needArguments(c, "expected: redyn check", 0, 0); err != nil {
		return err
	}
	o, err := newNodeOptions(c)
	if err != nil {
		return err
	}
	store, err := openStore(c, nil)
	if err != nil {
		return err
	}
	defer store.Close()
	f := &findings{c: c}
	f.settings(o)
	f.listeners(o)
	if f.redis(store) {
		f.data(store)
	}
	f.powerDNS(o)
	f.caches(o)
	if f.wrong > 0 {
		return reported{}
	}
	return nil
}

// settings tells what serve would run with.
func (f *findings) settings(o nodeOptions) {
	f.ok("node %s, version %s", o.name, programVersion())
	if path := f.c.String("config"); path != "" {
		f.ok("settings from %s", path)
	}
	if secret := f.c.String("redis-url"); strings.Contains(secret, "@") && !strings.HasPrefix(secret, "rediss:") && !onThisMachine(secret) {
		f.note("the password for Redis crosses the network in clear; rediss:// would hide it")
	}
	if len(o.backend.Allow) > 0 && o.backend.Methods == "all" {
		f.note("--backend-allow lets others in, and --backend-methods all lets them change and read everything, private keys too")
	}
	if o.statusListen != "" && !isLoopback(o.statusListen) {
		f.note("--status-listen %s is open to others: metrics and profiles, which load this machine, have no password", o.statusListen)
	}
	for _, listen := range o.updates.listen {
		if address, plain := plainListen(listen); (plain || o.updates.certificate == nil) && !isLoopback(address) {
			f.note("--updater-listen %s is open to others without TLS: tokens and passwords cross the network in clear", listen)
		}
	}
}

func onThisMachine(url string) bool {
	return strings.HasPrefix(url, "unix:") || strings.Contains(url, "@127.") || strings.Contains(url, "@localhost") || strings.Contains(url, "@[::1]")
}

// listeners looks whether serve could listen, or does so already.
func (f *findings) listeners(o nodeOptions) {
	running := o.statusListen != "" && askHealth(f.c.Context, o.statusListen) == nil
	if running {
		f.ok("a node is running at --status-listen %s", o.statusListen)
	}
	wanted := []struct{ flag, listen string }{{"backend-listen", o.backendHTTP}, {"status-listen", o.statusListen}}
	for _, listen := range o.updates.listen {
		address, _ := plainListen(listen)
		wanted = append(wanted, struct{ flag, listen string }{"updater-listen", address})
	}
	for _, l := range wanted {
		if l.listen == "" || running {
			continue
		}
		ln, err := listenTCP(f.c.Context, l.flag, l.listen)
		if err != nil {
			f.bad("%v", err)
			continue
		}
		_ = ln.Close()
		f.ok("--%s %s is free", l.flag, l.listen)
	}
	if o.backendUnix != "" && !running {
		f.unixSocket(o.backendUnix)
	}
}

func (f *findings) unixSocket(path string) {
	dir := filepath.Dir(path)
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		f.bad("--backend-unix %s: %s is no directory", path, dir)
		return
	}
	if conn, err := net.Dial("unix", path); err == nil {
		_ = conn.Close()
		f.bad("--backend-unix %s: another process listens on it", path)
		return
	}
	f.ok("--backend-unix %s is free", path)
}

// redis looks whether Redis is there and would take a change.
func (f *findings) redis(store *redisstore.Store) bool {
	url := redisstore.RedactURL(f.c.String("redis-url"))
	start := time.Now()
	if err := store.Ping(f.c.Context); err != nil {
		f.bad("redis at %s: %v", url, err)
		return false
	}
	f.ok("redis at %s answers in %s", url, time.Since(start).Round(10*time.Microsecond))
	primary, read, err := store.Probe(f.c.Context)
	if err != nil {
		f.bad("redis at %s does not take a change: %v", url, err)
		return false
	}
	f.ok("redis takes a change")
	f.server("--redis-url", primary)
	if text := f.c.String("redis-read-url"); text != "" {
		if err := store.PingRead(f.c.Context); err != nil {
			f.bad("--redis-read-url %s: %v", redisstore.RedactURL(text), err)
			return true
		}
		f.ok("zones are loaded and followed from %s", redisstore.RedactURL(text))
		f.server("--redis-read-url", read)
		if read.Role == "slave" && !read.LinkUp {
			f.bad("--redis-read-url: the replica has no link to its primary")
		}
	}
	return true
}

// The oldest servers that have all that is needed.
const (
	oldestRedis  = "6.2"
	oldestValkey = "7.2"
)

// server tells what a server is, and what of it will not do.
func (f *findings) server(flag string, s redisstore.Server) {
	if s.Version == "" {
		f.note("%s: the server does not tell what it is", flag)
		return
	}
	oldest := oldestRedis
	if s.Software == "valkey" {
		oldest = oldestValkey
	}
	if older(s.Version, oldest) {
		f.bad("%s: %s %s is too old; expected %s or newer", flag, s.Software, s.Version, oldest)
	} else {
		f.ok("%s: %s %s, %s", flag, s.Software, s.Version, cmp.Or(s.Role, "role unknown"))
	}
	if s.Bounded && s.Eviction != "" && s.Eviction != "noeviction" {
		f.bad("%s: maxmemory-policy is %s, so Redis drops zones when memory runs out; expected noeviction", flag, s.Eviction)
	}
	if s.Role == "master" && !s.Durable {
		f.note("%s: Redis keeps nothing on disk (appendonly no, save \"\"): a restart loses all zones", flag)
	}
}

// older compares versions such as 6.2 and 7.0.15.
func older(version, oldest string) bool {
	have, want := strings.Split(version, "."), strings.Split(oldest, ".")
	for i := range want {
		n := 0
		if i < len(have) {
			n, _ = strconv.Atoi(have[i])
		}
		if w, _ := strconv.Atoi(want[i]); n != w {
			return n < w
		}
	}
	return false
}

// data looks at the data set.
func (f *findings) data(store *redisstore.Store) {
	ctx, cancel := context.WithTimeout(f.c.Context, time.Minute)
	defer cancel()
	nodes, nodesErr := store.Nodes(ctx)
	zones, err := store.Zones(ctx)
	holding := slices.IndexFunc(nodes, func(n redisstore.Node) bool { return n.Zones > 0 })
	switch {
	case errors.Is(err, dns.ErrLost) && holding >= 0:
		f.bad("redis has lost the zones under %s, and node %s still answers from memory; put a dump of Redis back, or drop all with --begin-anew of zone import",
			f.c.String("redis-prefix"), nodes[holding].Name)
	case errors.Is(err, dns.ErrLost):
		f.note("redis has no zones under %s yet; zone create or zone import begins", f.c.String("redis-prefix"))
	case err != nil:
		f.bad("%v", err)
	default:
		epoch, _ := store.Epoch(ctx)
		f.ok("%s under %s, data set %s", plural(len(zones), "zone"), f.c.String("redis-prefix"), epoch)
		f.zones = zones
		f.secrets(store)
	}
	if nodesErr != nil {
		f.bad("%v", nodesErr)
	}
	for _, n := range nodes {
		f.ok("node %s serves %s, %s, version %s", n.Name, plural(n.Zones, "zone"), nodeState(n), n.Version)
	}
}
