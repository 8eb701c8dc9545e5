package main

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"github.com/urfave/cli/v2"

	"redyn/backend/dns"
	"redyn/redisstore"
)

func zoneAutoprimaryCommand() *cli.Command {
	return &cli.Command{
		Name:  "autoprimary",
		Usage: "say whose NOTIFY may create slave zones here",
		Subcommands: []*cli.Command{
			{
				Name: "add", Usage: "let a primary create slave zones, or give it another account", ArgsUsage: "IP NAMESERVER",
				Flags: storeFlags(&cli.StringFlag{Name: "account", Usage: "account of the zones that it creates"}),
				Description: "A NOTIFY from IP for a zone that is not here creates it, if one of its NS is NAMESERVER.\n" +
					"PowerDNS asks so with secondary=yes and autosecondary=yes in its settings.",
				Action: withStore("expected: redyn zone autoprimary add IP NAMESERVER", 2, 2, autoprimaryAdd),
			},
			{
				Name: "list", Usage: "list all autoprimaries", Flags: storeFlags(jsonFlag),
				Action: withStore("expected: redyn zone autoprimary list", 0, 0, autoprimaryList),
			},
			{
				Name: "delete", Usage: "take that right away; zones stay", ArgsUsage: "IP NAMESERVER", Flags: storeFlags(),
				Action: withStore("expected: redyn zone autoprimary delete IP NAMESERVER", 2, 2, autoprimaryDelete),
			},
		},
	}
}

// argAutoprimary reads the two arguments.
func argAutoprimary(c *cli.Context) (dns.Autoprimary, error) {
	ip, err := netip.ParseAddr(c.Args().Get(0))
	if err != nil || ip.Zone() != "" {
		return dns.Autoprimary{}, usagef("%q is no address; expected something like 192.0.2.1 or 2001:db8::1", c.Args().Get(0))
	}
	name, err := argName(c.Args().Get(1))
	return dns.Autoprimary{IP: ip.Unmap(), Nameserver: name}, err
}

func autoprimaryAdd(c *cli.Context, store *redisstore.Store) error {
	a, err := argAutoprimary(c)
	if err != nil {
		return err
	}
	account := c.String("account")
	r, err := applyAutoprimary(c, store, a, &account)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("autoprimary %s %s is added", a.IP, a.Nameserver)
	if r.ID == "" {
		what += " already; nothing is changed"
	}
	fmt.Fprintln(c.App.Writer, what)
	return nil
}

func autoprimaryDelete(c *cli.Context, store *redisstore.Store) error {
	a, err := argAutoprimary(c)
	if err != nil {
		return err
	}
	r, err := applyAutoprimary(c, store, a, nil)
	if err != nil {
		return err
	}
	if r.ID == "" {
		return fmt.Errorf("autoprimary %s %s: %w", a.IP, a.Nameserver, dns.ErrNotFound)
	}
	fmt.Fprintf(c.App.Writer, "autoprimary %s %s is deleted\n", a.IP, a.Nameserver)
	return nil
}

func applyAutoprimary(c *cli.Context, store *redisstore.Store, a dns.Autoprimary, account *string) (redisstore.Result, error) {
	r, err := store.Apply(c.Context, dns.Change{
		Who: who, From: from(),
		Server: dns.ServerChange{Autoprimaries: map[dns.Autoprimary]*string{a: account}},
	})
	if err == nil {
		awaitNodes(c, store, r)
	}
	return r, err
}

// autoprimaryInfo is an autoprimary as it is printed.
type autoprimaryInfo struct {
	IP         netip.Addr `json:"ip"`
	Nameserver dns.Name   `json:"nameserver"`
	Account    string     `json:"account,omitempty"`
}

func autoprimaryList(c *cli.Context, store *redisstore.Store) error {
	all, err := store.Autoprimaries(c.Context)
	if err != nil {
		return err
	}
	infos := make([]autoprimaryInfo, 0, len(all))
	for a, account := range all {
		infos = append(infos, autoprimaryInfo{a.IP, a.Nameserver, account})
	}
	slices.SortFunc(infos, func(a, b autoprimaryInfo) int {
		return cmp.Or(a.IP.Compare(b.IP), dns.Compare(a.Nameserver, b.Nameserver))
	})
	if c.Bool("json") {
		return printJSON(c.App.Writer, infos)
	}
	rows := make([][]string, len(infos))
	for i, a := range infos {
		rows[i] = []string{a.IP.String(), string(a.Nameserver), a.Account}
	}
	return printTable(c.App.Writer, []string{"IP", "NAMESERVER", "ACCOUNT"}, rows)
}
