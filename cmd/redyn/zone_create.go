package main

import (
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"redyn/backend/dns"
	"redyn/backend/dns/zonefile"
	"redyn/redisstore"
)

var beginAnewFlag = &cli.BoolFlag{Name: "begin-anew", Usage: "where Redis lost its data: begin anew, and let the nodes drop the zones that they still hold"}

func zoneCreateCommand() *cli.Command {
	return &cli.Command{
		Name: "create", Usage: "create a zone", ArgsUsage: "NAME",
		Flags: storeFlags(
			&cli.StringSliceFlag{Name: "ns", Usage: "`NAME` of a name server; repeatable; the first is the primary of the SOA"},
			&cli.StringFlag{Name: "soa-email", DefaultText: "hostmaster@NAME", Usage: "`MAILBOX` of who is responsible"},
			&cli.StringFlag{Name: "serial", Value: string(dns.SerialUnixTime), Usage: "how changes raise the serial: unixtime, increment or date"},
			&cli.StringFlag{Name: "kind", Value: string(dns.Native), Usage: "native, master or slave"},
			&cli.StringSliceFlag{Name: "primary", Usage: "`IP[:PORT]` that a slave gets its records from; repeatable"},
			beginAnewFlag, jsonFlag,
		),
		Action: withStore("expected: redyn zone create NAME --ns NAME", 1, 1, zoneCreate),
	}
}

func zoneCreate(c *cli.Context, store *redisstore.Store) error {
	z, sets, err := newZone(c)
	if err != nil {
		return err
	}
	o := redisstore.CreateOptions{BeginAnew: c.Bool("begin-anew"), Who: who, From: from()}
	z, r, err := store.CreateZone(c.Context, z, sets, o)
	if err != nil {
		return err
	}
	awaitNodes(c, store, r)
	for _, p := range zonefile.Check(z.Name, sets) {
		if z.Kind != dns.Slave {
			fmt.Fprintln(c.App.ErrWriter, "warning: "+p.String())
		}
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, newZoneInfo(dns.ZoneData{Zone: z}))
	}
	fmt.Fprintf(c.App.Writer, "zone %s is created, serial %d\n", z.Name, z.Serial)
	return nil
}

// newZone returns the zone that the flags describe, with its SOA and NS.
func newZone(c *cli.Context) (dns.Zone, []dns.RRset, error) {
	fail := func(format string, args ...any) (dns.Zone, []dns.RRset, error) {
		return dns.Zone{}, nil, usagef(format, args...)
	}
	name, err := argName(c.Args().First())
	if err != nil {
		return dns.Zone{}, nil, err
	}
	kind, err := dns.ParseKind(c.String("kind"))
	if err != nil {
		return fail("--kind: %w", err)
	}
	policy, err := dns.ParseSerialPolicy(c.String("serial"))
	if err != nil {
		return fail("--serial: %w", err)
	}
	z := dns.Zone{Name: name, Kind: kind, Policy: policy, Masters: c.StringSlice("primary")}
	servers, email := c.StringSlice("ns"), c.String("soa-email")
	switch {
	case kind == dns.Slave && len(z.Masters) == 0:
		return fail("a slave needs --primary IP[:PORT]")
	case kind == dns.Slave && len(servers)+len(email) > 0:
		return fail("a slave gets its records from its primary: --ns and --soa-email are not for it")
	case kind == dns.Slave:
		return z, nil, nil
	case len(z.Masters) > 0:
		return fail("--primary is for --kind slave")
	case len(servers) == 0:
		return fail("--ns is missing; expected something like --ns ns1.%s", name)
	}
	if servers, err = zonefile.ParseContents(dns.TypeNS, servers); err != nil {
		return fail("--ns: %w", err)
	}
	mailbox, err := zonefile.ParseMailbox(email, name)
	if err != nil {
		return fail("--soa-email: %w", err)
	}
	z.Serial = policy.Next(0, time.Now())
	return z, zonefile.NewZone(name, servers, mailbox, z.Serial), nil
}
