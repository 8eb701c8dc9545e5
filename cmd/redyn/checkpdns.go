package main

import (
	"bufio"
	"errors"
	"io/fs"
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
	if !slices.Contains(strings.FieldsFunc(settings["launch"], func(r rune) bool { return r == ',' || r == ' ' }), "remote") {
		f.note("%s does not launch the remote backend; redyn pdns-conf prints the lines for it", path)
		return
	}
	f.connection(path, settings["remote-connection-string"], o)
	f.zoneCache(path, settings)
	switch keys := isYes(settings["remote-dnssec"]); {
	case keys && o.backend.Methods == backend.ReadMethods:
		f.bad("%s: with remote-dnssec PowerDNS asks for keys, which --backend-methods read refuses; right is remote-dnssec=no, or read+keys", path)
	case !keys && o.backend.Methods != backend.ReadMethods:
		f.note("%s: remote-dnssec is not yes: PowerDNS knows nothing of DNSSEC and TSIG here", path)
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

// connection looks whether PowerDNS asks where these settings listen.
func (f *findings) connection(path, connection string, o nodeOptions) {
	want := ""
	switch {
	case o.backendUnix != "" && strings.HasPrefix(connection, "unix:"):
		want = "path=" + o.backendUnix
	case o.backendHTTP != "" && strings.HasPrefix(connection, "http:"):
		want = "url=http://" + reachable(o.backendHTTP) + "/dns"
	}
	_, options, _ := strings.Cut(connection, ":")
	if want == "" || !slices.Contains(strings.Split(options, ","), want) {
		f.bad("%s: remote-connection-string=%s is not where redyn listens; redyn pdns-conf prints the right lines", path, connection)
		return
	}
	f.ok("%s asks %s", path, connection)
	if strings.HasPrefix(connection, "http:") && o.backendUnix != "" {
		f.note("%s: the unix socket %s would be some ten times as fast", path, o.backendUnix)
	}
}

// How long a list of all zones PowerDNS reads well: over a unix socket in a second or two, twice as much
// in four times that; over HTTP at all, from 4.9 on.
const (
	zoneListUnix = 512 << 10
	zoneListHTTP = 2 << 20
)

// zoneCache looks whether PowerDNS can read the list of all zones, without which it does not start.
func (f *findings) zoneCache(path string, settings map[string]string) {
	size := 0
	for _, z := range f.zones {
		size += len(`{"id":1066712472,"zone":"","serial":2026112600},`) + len(z.Name)
	}
	const right = "zone-cache-refresh-interval=0 does without"
	connection := settings["remote-connection-string"]
	switch {
	case settings["zone-cache-refresh-interval"] == "0":
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
	settings, err = nil, fs.ErrNotExist
	for _, path = range pdnsConfPaths {
		if settings, err = readPDNSFile(path); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	if err != nil {
		return nil, path, err
	}
	if dir := settings["include-dir"]; dir != "" {
		more, _ := filepath.Glob(filepath.Join(dir, "*.conf"))
		for _, file := range more {
			included, err := readPDNSFile(file)
			if err != nil {
				return nil, file, err
			}
			for name, value := range included {
				settings[name] = value
			}
		}
	}
	return settings, path, nil
}

func readPDNSFile(path string) (map[string]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	settings := make(map[string]string)
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		line, _, _ := strings.Cut(lines.Text(), "#")
		if name, value, ok := strings.Cut(line, "="); ok {
			settings[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
	}
	return settings, lines.Err()
}
