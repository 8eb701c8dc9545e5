package main

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"

	"github.com/goccy/go-json"
	"github.com/urfave/cli/v2"
)

func updateCommand() *cli.Command {
	return &cli.Command{
		Name:  "update",
		Usage: "set the addresses of hosts at a redyn elsewhere: the client of its updater",
		Flags: slices.Concat([]cli.Flag{jsonFlag}, updateFlags(), logFlags, configFlags),
		Description: "A token or a password is in --secret-file, or in the environment as REDYN_UPDATE_SECRET. With\n" +
			"--hmac-id it is the secret of that credential, and signs each request instead of going with it.\n" +
			"--key-file signs one-time tokens of the host. Addresses are those that the server sees, asked over\n" +
			"IPv4 and over IPv6; a family over which it is not reached is left as it is.\n\n" +
			"With --every it goes on until it is told to stop, and sends only what has changed, or what was last\n" +
			"sent a day ago. It waits longer and longer for a server that is out of order, and ends with exit\n" +
			"code 1 if it is refused: the credential or a host is wrong, and will be so the next time.",
		Action: update,
	}
}

func update(c *cli.Context) error {
	if err := needArguments(c, "expected: redyn update --url URL --host NAME --secret-file FILE", 0, 0); err != nil {
		return err
	}
	o, err := newUpdateOptions(c)
	if err != nil {
		return err
	}
	if o.inClear() {
		fmt.Fprintf(c.App.ErrWriter, "redyn: the secret goes to %s in the clear; expected https, or --hmac-id, or --key-file\n", o.url.Host)
	}
	client := newUpdateClient(o)
	report := func(results []updateResult) error { return printUpdate(c.App.Writer, results, c.Bool("json")) }
	if o.every > 0 {
		log, err := newLogger(c, c.App.ErrWriter)
		if err != nil {
			return err
		}
		return (&updateDaemon{client: client, every: o.every, log: log, report: report}).run(c.Context)
	}
	results, missed, err := updateOnce(c.Context, client)
	if err != nil {
		return err
	}
	for _, m := range missed {
		fmt.Fprintf(c.App.ErrWriter, "redyn: %s\n", oneLine(m.Error()))
	}
	return report(results)
}

// updateOnce finds the addresses and sends them. It returns why a family was left out, too.
func updateOnce(ctx context.Context, client *updateClient) (results []updateResult, missed []error, err error) {
	addrs, missed, err := client.find(ctx)
	if err != nil {
		return nil, nil, err
	}
	results, err = client.send(ctx, addrs)
	return results, missed, err
}

// updateResult is what has become of a host.
type updateResult struct {
	Host      string       `json:"host"`
	Outcome   string       `json:"outcome"` // good, nochg; ok: the server does not say which
	Addresses []netip.Addr `json:"addresses"`
}

// printUpdate prints a line for each host, or all as one line of JSON; nothing for none.
func printUpdate(w io.Writer, results []updateResult, asJSON bool) error {
	if asJSON && len(results) > 0 {
		return json.NewEncoder(w).Encode(results)
	}
	for _, r := range results {
		if _, err := fmt.Fprintf(w, "%s %s %s\n", r.Host, r.Outcome, strings.Join(addrTexts(r.Addresses), " ")); err != nil {
			return err
		}
	}
	return nil
}

func addrTexts(addrs []netip.Addr) []string {
	texts := make([]string, len(addrs))
	for i, a := range addrs {
		texts[i] = a.String()
	}
	return texts
}
