package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"redyn/backend"
)

// pdnsConfPaths are where distributions put PowerDNS's settings.
var pdnsConfPaths = []string{"/etc/powerdns/pdns.conf", "/etc/pdns/pdns.conf"}

// powerDNS looks at the PowerDNS of this machine, if there is one.
func (f *findings) powerDNS(o nodeOptions) {
	if path, err := exec.LookPath("pdns_server"); err == nil {
		f.ok("PowerDNS is installed: %s", path)
	}
	settings, path, err := readPDNS()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.note("no pdns.conf on this machine; redyn pdns-conf prints the lines for one")
		return
	case err != nil:
		f.note("cannot look at PowerDNS's settings: %v", err)
		return
	}
	remotes := remoteBackends(settings["launch"])
	if len(remotes) == 0 {
		f.note("%s does not launch the remote backend; redyn pdns-conf prints the lines for it", path)
		return
	}
	at := slices.IndexFunc(remotes, func(name string) bool { return f.asked(settings[name+"-connection-string"], o) })
	remote := remotes[max(0, at)]
	f.connection(path, remote+"-connection-string", settings, o)
	f.zoneCache(path, settings[remote+"-connection-string"], settings["zone-cache-refresh-interval"])
	switch keys := isYes(settings[remote+"-dnssec"]); {
	case keys && o.backend.Methods == backend.ReadMethods:
		f.bad("%s: with %s-dnssec PowerDNS asks for keys, which --backend-methods read refuses; expected %[2]s-dnssec=no, or read+keys", path, remote)
	case !keys && o.backend.Methods != backend.ReadMethods:
		f.note("%s: %s-dnssec is not yes: PowerDNS knows nothing of DNSSEC and TSIG here", path, remote)
	}
	for _, name := range []string{"cache-ttl", "query-cache-ttl", "negquery-cache-ttl"} {
		switch off := settings[name] == "0"; {
		case off && o.purges():
			f.note("%s: %s is 0: redyn purges, so PowerDNS could keep answers and be some times faster", path, name)
		case !off && !o.purges() && !o.uncached:
			f.note("%s: %s is not 0: a change may be unseen for that long", path, name)
		}
	}
}

// isYes reads a switch as PowerDNS does.
func isYes(text string) bool { return text == "yes" || text == "on" || text == "1" }

// remoteBackends returns what the settings of the remote backends begin with that are launched: remote, or
// remote-NAME for launch=remote:NAME.
func remoteBackends(launch string) (names []string) {
	for _, name := range strings.FieldsFunc(launch, func(r rune) bool { return r == ',' || r == ' ' }) {
		if name == "remote" || strings.HasPrefix(name, "remote:") {
			names = append(names, strings.Replace(name, ":", "-", 1))
		}
	}
	return names
}

// connection looks whether PowerDNS asks where these settings listen.
func (f *findings) connection(path, name string, settings map[string]string, o nodeOptions) {
	connection := settings[name]
	switch {
	case strings.HasPrefix(connection, "pipe:"):
		f.note("%s: %s=%s asks through a program; whether that comes to redyn is not known", path, name, connection)
		return
	case !f.asked(connection, o):
		f.bad("%s: %s=%s is not where redyn listens; redyn pdns-conf prints the right lines", path, name, connection)
		return
	}
	f.ok("%s asks %s", path, connection)
	if strings.HasPrefix(connection, "http:") && o.backendUnix != "" {
		f.note("%s: the unix socket %s would be some ten times as fast", path, o.backendUnix)
	}
}

// asked reports whether a connection string leads to a listener of these settings.
func (f *findings) asked(connection string, o nodeOptions) bool {
	kind, options, _ := strings.Cut(connection, ":")
	for option := range strings.SplitSeq(options, ",") {
		switch name, value, _ := strings.Cut(option, "="); {
		case kind == "unix" && name == "path":
			return o.backendUnix != "" && value == o.backendUnix
		case kind == "http" && name == "url":
			u, err := url.Parse(value)
			return err == nil && u.Scheme == "http" && u.Path == "/dns" && o.backendHTTP != "" &&
				reaches(f.c.Context, net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "80")), o.backendHTTP)
		}
	}
	return false
}

// reaches reports whether an address and port lead to a listener, which may be on all addresses of this machine.
func reaches(ctx context.Context, at, listen string) bool {
	host, port, _ := net.SplitHostPort(at)
	ownHost, ownPort, _ := net.SplitHostPort(listen)
	if port != ownPort {
		return false
	}
	own := addrsOf(ctx, cmp.Or(ownHost, "::"))
	return slices.ContainsFunc(addrsOf(ctx, host), func(a netip.Addr) bool {
		return slices.ContainsFunc(own, func(l netip.Addr) bool {
			return l == a || l.IsUnspecified() && (l.Is6() || a.Is4()) && ofThisMachine(a)
		})
	})
}

// addrsOf returns the addresses of a host; none if it is not known.
func addrsOf(ctx context.Context, host string) []netip.Addr {
	addrs, _ := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	for i := range addrs {
		addrs[i] = addrs[i].Unmap()
	}
	return addrs
}

func ofThisMachine(a netip.Addr) bool {
	addrs, _ := net.InterfaceAddrs()
	return a.IsLoopback() || slices.ContainsFunc(addrs, func(own net.Addr) bool {
		prefix, err := netip.ParsePrefix(own.String())
		return err == nil && prefix.Addr() == a
	})
}

// How long a list of all zones PowerDNS reads well: over a unix socket in a second or two, twice as much
// in four times that; over HTTP at all, from 4.9 on.
const (
	zoneListUnix = 512 << 10
	zoneListHTTP = 2 << 20
)

// zoneCache looks whether PowerDNS can read the list of all zones, without which it does not start.
func (f *findings) zoneCache(path, connection, interval string) {
	size := 0
	for _, z := range f.zones {
		size += len(`{"id":1066712472,"zone":"","serial":2026112600},`) + len(z.Name)
	}
	const right = "zone-cache-refresh-interval=0 does without"
	switch {
	case interval == "0":
	case strings.HasPrefix(connection, "unix:") && size > zoneListUnix:
		f.note("%s: PowerDNS reads the list of %s slowly over a unix socket, and does not start if that takes longer than its timeout; %s",
			path, plural(len(f.zones), "zone"), right)
	case strings.HasPrefix(connection, "http:") && size > zoneListHTTP:
		f.note("%s: the list of %s is longer than what PowerDNS takes over HTTP from 4.9 on, and then it does not start; %s",
			path, plural(len(f.zones), "zone"), right)
	}
}

// readPDNS reads pdns.conf and what it includes by include-dir.
func readPDNS() (settings map[string]string, path string, err error) {
	settings = make(map[string]string)
	for _, path = range pdnsConfPaths {
		if err = readPDNSFile(path, settings); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	if err != nil {
		return nil, path, err
	}
	if dir := settings["include-dir"]; dir != "" {
		more, _ := filepath.Glob(filepath.Join(dir, "*.conf"))
		for _, file := range more {
			if err := readPDNSFile(file, settings); err != nil {
				return nil, file, err
			}
		}
	}
	return settings, path, nil
}

// readPDNSFile adds the settings of a file; one with += goes on the list that is there.
func readPDNSFile(path string, settings map[string]string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		line, _, _ := strings.Cut(lines.Text(), "#")
		name, value, ok := strings.Cut(line, "=")
		if !ok {
			continue
		}
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if list, more := strings.CutSuffix(name, "+"); more {
			name, value = list, settings[list]+","+value
		}
		settings[name] = value
	}
	return lines.Err()
}
