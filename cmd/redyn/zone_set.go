package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"redyn/backend/dns"
	"redyn/redisstore"
)

func zoneSetCommand() *cli.Command {
	return &cli.Command{
		Name: "set", Usage: "change a zone's kind, primaries, account or serial policy", ArgsUsage: "NAME",
		Flags: storeFlags(
			&cli.StringFlag{Name: "kind", Usage: "native, master or slave; one that is no slave any more keeps its records and drops its primaries"},
			&cli.StringSliceFlag{Name: "primary", Usage: "`IP[:PORT]` that a slave gets its records from, instead of those before; repeatable"},
			&cli.StringFlag{Name: "account", Usage: "account of the zone; empty for none"},
			&cli.StringFlag{Name: "serial", Usage: "how changes raise the serial: unixtime, increment or date"},
		),
		Description: "PowerDNS cannot do these with a remote backend: pdnsutil set-kind, set-account and the like fail.",
		Action:      withStore("expected: redyn zone set NAME and what to set", 1, 1, zoneSet),
	}
}

func zoneSet(c *cli.Context, store *redisstore.Store) error {
	name, err := argName(c.Args().First())
	if err != nil {
		return err
	}
	z, err := store.Zone(c.Context, name)
	if err != nil {
		return err
	}
	update, err := zoneUpdate(c, z)
	if err != nil {
		return err
	}
	r, err := store.Apply(c.Context, dns.Change{Who: who, From: from(), Zones: []dns.ZoneChange{{Zone: name, Update: update}}})
	if err != nil {
		return err
	}
	awaitNodes(c, store, r)
	if r.ID == "" {
		fmt.Fprintf(c.App.Writer, "zone %s is set so already; nothing is changed\n", name)
		return nil
	}
	fmt.Fprintf(c.App.Writer, "zone %s is set\n", name)
	if update.Kind != nil && *update.Kind != dns.Slave && z.Serial == 0 {
		fmt.Fprintf(c.App.ErrWriter, "warning: zone %s has no SOA: PowerDNS does not answer for it\n", name)
	}
	return nil
}

// zoneUpdate is what the flags change of z.
func zoneUpdate(c *cli.Context, z dns.Zone) (dns.ZoneUpdate, error) {
	var u dns.ZoneUpdate
	fail := func(format string, args ...any) (dns.ZoneUpdate, error) { return u, usagef(format, args...) }
	kind, primaries := z.Kind, z.Masters
	if c.IsSet("kind") {
		var err error
		if kind, err = dns.ParseKind(c.String("kind")); err != nil || c.String("kind") == "" {
			return fail("--kind: %q is no kind; expected native, master or slave", c.String("kind"))
		}
		u.Kind = &kind
		if kind != dns.Slave && len(z.Masters) > 0 {
			u.Masters = []string{}
		}
	}
	if c.IsSet("primary") {
		primaries = c.StringSlice("primary")
		u.Masters = primaries
	}
	if c.IsSet("account") {
		account := c.String("account")
		u.Account = &account
	}
	if c.IsSet("serial") {
		policy, err := dns.ParseSerialPolicy(c.String("serial"))
		if err != nil || c.String("serial") == "" {
			return fail("--serial: %q is no policy; expected unixtime, increment or date", c.String("serial"))
		}
		u.Policy = &policy
	}
	switch {
	case u.Kind == nil && u.Masters == nil && u.Account == nil && u.Policy == nil:
		return fail("nothing is to be set; expected one or more of --kind, --primary, --account and --serial")
	case c.IsSet("primary") && kind != dns.Slave:
		return fail("--primary is for slaves, and zone %s is %s; expected --kind slave too", z.Name, kind)
	case kind == dns.Slave && len(primaries) == 0:
		return fail("a slave needs --primary IP[:PORT]")
	}
	return u, nil
}
