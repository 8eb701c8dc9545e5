package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"

	"redyn/backend"
)

// purgeFlags are the settings that say whose caches are purged.
var purgeFlags = []cli.Flag{
	setting(&cli.StringSliceFlag{Name: "pdns-control", Usage: "`PATH` of PowerDNS's control socket, to purge from its caches what changes; repeatable"}),
	setting(&cli.StringFlag{Name: "pdns-api-url", Usage: "`URL` of PowerDNS's HTTP API, such as http://127.0.0.1:8081: makes new zones known at once, and without --pdns-control purges too, one name a call"}),
	setting(&cli.StringFlag{Name: "pdns-api-key-file", Usage: "`FILE` of the key of that API"}),
	setting(&cli.BoolFlag{Name: "uncached-hosts", Usage: "keep the addresses of dynamic hosts out of PowerDNS's caches: for a PowerDNS that cannot be purged"}),
}

func newPurgeOptions(c *cli.Context) (o backend.PurgeOptions, err error) {
	for _, path := range c.StringSlice("pdns-control") {
		if path != "" {
			o.Control = append(o.Control, path)
		}
	}
	o.API = c.String("pdns-api-url")
	file := c.String("pdns-api-key-file")
	switch {
	case o.API == "" && file == "":
		return o, nil
	case o.API == "" || file == "":
		return o, usagef("--pdns-api-url and --pdns-api-key-file go together; one of them is missing")
	}
	key, err := os.ReadFile(file)
	if err != nil {
		return o, usagef("--pdns-api-key-file: %w", err)
	}
	if o.Key = string(bytes.TrimSpace(key)); o.Key == "" || strings.ContainsAny(o.Key, "\r\n") {
		return o, usagef("--pdns-api-key-file: %s does not hold one line with the key", file)
	}
	return o, nil
}

// purges reports whether there are caches to purge.
func (o nodeOptions) purges() bool { return len(o.purge.Control) > 0 || o.purge.API != "" }

// newPurger makes what purges the caches in front of the node; nil if there are none to purge.
func newPurger(n *node) *backend.Purger {
	if !n.purges() {
		return nil
	}
	o := n.purge
	o.Log, o.Metrics = n.log, n.registry
	return backend.NewPurger(o)
}

func checkURL(text string) error {
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return fmt.Errorf("%q is no URL of an API; expected something like http://127.0.0.1:8081", text)
	}
	return nil
}

// caches looks whether PowerDNS's caches can be purged.
func (f *findings) caches(o nodeOptions) {
	metrics, _ := askStatus(f.c.Context, o.statusListen, "/metrics")
	unpurged := unpurged(metrics)
	var apiErr error
	if o.purge.API != "" {
		apiErr = backend.CheckAPI(f.c.Context, o.purge.API, o.purge.Key)
	}
	// If there is but one PowerDNS, these tell that it runs.
	runs := len(o.purge.Control) == 1 && (o.purge.API != "" && apiErr == nil || asked(metrics))
	for _, path := range o.purge.Control {
		err := backend.CheckControl(f.c.Context, path)
		switch {
		case err == nil && slices.Contains(unpurged, path):
			f.bad("--pdns-control %s takes commands of %s, but not of the node at --status-listen %s; %s", path, userName(), o.statusListen, allowControl(path))
		case err == nil:
			f.ok("--pdns-control %s takes commands", path)
		case (errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED)) && runs:
			f.bad("--pdns-control %s: PowerDNS runs, and does not listen there; expected pdns.controlsocket in the socket-dir of its pdns.conf", path)
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
			f.note("--pdns-control %s: PowerDNS is not running there, or has another socket-dir", path)
		case errors.Is(err, fs.ErrPermission):
			f.bad("--pdns-control %s: %s may not use it; %s", path, userName(), allowControl(path))
		default:
			f.bad("--pdns-control %s: %v", path, err)
		}
	}
	if o.purge.API != "" {
		switch {
		case apiErr != nil:
			f.bad("--pdns-api-url %s: %v", o.purge.API, apiErr)
		case slices.Contains(unpurged, o.purge.API):
			f.bad("--pdns-api-url %s takes the key, but the node at --status-listen %s cannot purge by it; its log says why", o.purge.API, o.statusListen)
		default:
			f.ok("--pdns-api-url %s takes the key", o.purge.API)
		}
	}
	if !o.purges() && !o.uncached {
		f.note("nothing purges PowerDNS's caches; --pdns-control lets it keep them, without an old answer")
	}
}

// asked reports whether a PowerDNS is connected to the node whose metrics these are.
func asked(metrics string) bool {
	for line := range strings.SplitSeq(metrics, "\n") {
		if count, ok := strings.CutPrefix(line, `redyn_backend_connections{`); ok && !strings.HasSuffix(count, " 0") {
			return true
		}
	}
	return false
}

// unpurged returns the control sockets and APIs by which the node whose metrics these are cannot purge: it may be
// another user than who asks.
func unpurged(metrics string) (names []string) {
	for line := range strings.SplitSeq(metrics, "\n") {
		if name, ok := strings.CutPrefix(line, `redyn_purge_up{pdns="`); ok && strings.HasSuffix(name, `"} 0`) {
			names = append(names, strings.TrimSuffix(name, `"} 0`))
		}
	}
	return names
}

// allowControl says how to let redyn use a control socket: which group it is open to, if it is.
func allowControl(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Sprintf("it needs a socket-dir=%s that it may enter", filepath.Dir(path))
	}
	const groupMayWrite = 0o020
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && info.Mode()&groupMayWrite != 0 {
		return "run it in the group " + groupName(stat.Gid)
	}
	return "set setgid=pdns in pdns.conf, and run it in that group"
}

func groupName(id uint32) string {
	text := fmt.Sprint(id)
	if group, err := user.LookupGroupId(text); err == nil {
		return group.Name
	}
	return text
}

func userName() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return fmt.Sprint("user ", os.Getuid())
}
