package main

import (
	"cmp"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"redyn/backend"
)

func pdnsConfCommand() *cli.Command {
	return &cli.Command{
		Name:   "pdns-conf",
		Usage:  "print the pdns.conf lines for these settings",
		Flags:  slices.Concat(backendFlags, purgeFlags, configFlags),
		Action: pdnsConf,
	}
}

// How long PowerDNS is to wait for an answer, in milliseconds: over a unix socket for all of a long list,
// which it reads slowly. Over HTTP it counts whole seconds.
const (
	pdnsUnixTimeout = 60_000
	pdnsHTTPTimeout = 5000
)

func pdnsConf(c *cli.Context) error {
	if err := needArguments(c, "expected: redyn pdns-conf", 0, 0); err != nil {
		return err
	}
	purge, err := newPurgeOptions(c)
	if err != nil {
		return err
	}
	o := nodeOptions{
		backendUnix: c.String("backend-unix"), backendHTTP: c.String("backend-listen"),
		purge: purge, uncached: c.Bool("uncached-hosts"),
	}
	o.backend.Methods = backend.Methods(c.String("backend-methods"))
	lines, err := pdnsLines(o)
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(c.App.Writer, lines)
	return err
}

// pdnsLines are the settings of PowerDNS that belong to the backend's listeners, the unix socket or else
// the address, and to its caches.
func pdnsLines(o nodeOptions) (string, error) {
	path, listen := o.backendUnix, o.backendHTTP
	var connection string
	switch {
	case path != "":
		connection = fmt.Sprintf("unix:path=%s,timeout=%d", path, pdnsUnixTimeout)
	case listen != "":
		connection = fmt.Sprintf("http:url=http://%s/dns,post=1,post_json=1,timeout=%d", reachable(listen), pdnsHTTPTimeout)
	default:
		return "", usagef("--backend-unix and --backend-listen are empty: PowerDNS has nobody to ask")
	}
	if strings.Contains(path, ",") {
		return "", usagef("--backend-unix: PowerDNS cannot read a path with a comma")
	}
	dnssec := "# DNSSEC, TSIG and metadata of zones.\nremote-dnssec=yes\n"
	if o.backend.Methods == backend.ReadMethods { // with yes, each question would ask for keys, and be refused
		dnssec = "remote-dnssec=no\n"
	}
	return "# In a file of pdns.d write launch+=remote, lest other backends be dropped; pdns.conf must have a launch= line then.\n" +
		"launch=remote\n" +
		"remote-connection-string=" + connection + "\n" +
		dnssec +
		"consistent-backends=yes\n" +
		cacheLines(o) +
		zoneCacheLines(o.purge), nil
}

// cacheLines are the settings of PowerDNS's caches of answers: as they are by default if they are purged,
// or keep no hosts, else off.
func cacheLines(o nodeOptions) string {
	const stock = "cache-ttl=20\nquery-cache-ttl=20\nnegquery-cache-ttl=60\n"
	switch {
	case o.purges():
	case o.uncached:
		return "# The addresses of dynamic hosts are in no cache; other changes, and the first address of a host,\n" +
			"# show when these seconds have run out.\n" + stock
	default:
		return "# Changes show when these seconds have run out. 0 in all three shows them with the next question;\n" +
			"# so does --pdns-control, with the caches on.\n" +
			"cache-ttl=0\nquery-cache-ttl=0\nnegquery-cache-ttl=0\n"
	}
	lines := "# redyn purges from the caches what changes.\n" + stock +
		"# 4 and above log each purge.\n" +
		"loglevel=3\n"
	if len(o.purge.Control) == 1 {
		lines += "# Where redyn sends commands to. The group is redyn's, too; without it only PowerDNS's user may.\n" +
			"socket-dir=" + filepath.Dir(o.purge.Control[0]) + "\n" +
			"setgid=pdns\n"
	}
	return lines
}

// zoneCacheLines are the settings of PowerDNS's list of zones.
func zoneCacheLines(purge backend.PurgeOptions) string {
	const refresh = "zone-cache-refresh-interval=300\n"
	api, err := url.Parse(purge.API)
	if purge.API == "" || err != nil {
		return "# A new zone shows when PowerDNS next asks for the list of zones, after so many seconds.\n" + refresh
	}
	return "# redyn makes new zones known by the API, whose key is what --pdns-api-key-file holds. One that is\n" +
		"# deleted goes when PowerDNS next asks for the list of zones, after so many seconds.\n" + refresh +
		"api=yes\n" +
		"#api-key=...\n" +
		"webserver-address=" + api.Hostname() + "\n" +
		"webserver-port=" + cmp.Or(api.Port(), "80") + "\n"
}
