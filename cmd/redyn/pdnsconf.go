package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"redyn/backend"
)

func pdnsConfCommand() *cli.Command {
	return &cli.Command{
		Name:   "pdns-conf",
		Usage:  "print the pdns.conf lines for these settings",
		Flags:  slices.Concat(backendFlags, configFlags),
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
	lines, err := pdnsLines(c.String("backend-unix"), c.String("backend-listen"), backend.Methods(c.String("backend-methods")))
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(c.App.Writer, lines)
	return err
}

// pdnsLines are the settings of PowerDNS that belong to the backend's listeners: the unix socket at
// path, or else the address.
func pdnsLines(path, listen string, methods backend.Methods) (string, error) {
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
		"# Changes show when these seconds have run out. 0 in all three shows them with the next question.\n" +
		"cache-ttl=0\n" +
		"query-cache-ttl=0\n" +
		"negquery-cache-ttl=0\n" +
		"# A new zone shows when PowerDNS next asks for the list of zones, after so many seconds.\n" +
		"zone-cache-refresh-interval=300\n", nil
}
