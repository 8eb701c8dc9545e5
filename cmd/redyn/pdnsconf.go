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

// pdnsTimeout is how long PowerDNS is to wait for an answer, in milliseconds. Over HTTP it counts
// whole seconds.
const pdnsTimeout = 5000

func pdnsConf(c *cli.Context) error {
	if err := needArguments(c, "right is: redyn pdns-conf", 0, 0); err != nil {
		return err
	}
	purge, err := newPurgeOptions(c)
	if err != nil {
		return err
	}
	lines, err := pdnsLines(c.String("backend-unix"), c.String("backend-listen"), backend.Methods(c.String("backend-methods")), purge)
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(c.App.Writer, lines)
	return err
}

// pdnsLines are the settings of PowerDNS that belong to the backend's listeners, the unix socket at path
// or else the address, and to purging.
func pdnsLines(path, listen string, methods backend.Methods, purge backend.PurgeOptions) (string, error) {
	var connection string
	switch {
	case path != "":
		connection = fmt.Sprintf("unix:path=%s,timeout=%d", path, pdnsTimeout)
	case listen != "":
		connection = fmt.Sprintf("http:url=http://%s/dns,post=1,post_json=1,timeout=%d", reachable(listen), pdnsTimeout)
	default:
		return "", usagef("--backend-unix and --backend-listen are empty: PowerDNS has nobody to ask")
	}
	if strings.Contains(path, ",") {
		return "", usagef("--backend-unix: PowerDNS cannot read a path with a comma")
	}
	dnssec := "# DNSSEC, TSIG and metadata of zones.\nremote-dnssec=yes\n"
	if methods == backend.ReadMethods { // with yes, each question would ask for keys, and be refused
		dnssec = "remote-dnssec=no\n"
	}
	return "launch=remote\n" +
		"remote-connection-string=" + connection + "\n" +
		dnssec +
		"consistent-backends=yes\n" +
		cacheLines(purge) +
		zoneCacheLines(purge), nil
}

// cacheLines are the settings of PowerDNS's caches of answers: as they are by default if they are purged,
// else off.
func cacheLines(purge backend.PurgeOptions) string {
	if len(purge.Control) == 0 && purge.API == "" {
		return "# Changes show when these seconds have run out. 0 in all three shows them with the next question;\n" +
			"# so does --pdns-control, with the caches on.\n" +
			"cache-ttl=0\n" +
			"query-cache-ttl=0\n" +
			"negquery-cache-ttl=0\n"
	}
	lines := "# redyn purges from the caches what changes.\n" +
		"cache-ttl=20\n" +
		"query-cache-ttl=20\n" +
		"negquery-cache-ttl=60\n" +
		"# 4 and above log each purge.\n" +
		"loglevel=3\n"
	if len(purge.Control) == 1 {
		lines += "# Where redyn sends commands to. The group is redyn's, too; without it only PowerDNS's user may.\n" +
			"socket-dir=" + filepath.Dir(purge.Control[0]) + "\n" +
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
