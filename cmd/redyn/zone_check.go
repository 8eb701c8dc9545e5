package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"

	"redyn/backend/dns"
	"redyn/backend/dns/zonefile"
	"redyn/redisstore"
)

func zoneCheckCommand() *cli.Command {
	return &cli.Command{
		Name: "check", Usage: "find what is wrong with a zone, or with all zones", ArgsUsage: "[NAME]",
		Flags: storeFlags(&cli.StringFlag{Name: "file", Usage: "check this master `FILE` instead, of the zone NAME; - is the standard input"}),
		Description: "Errors make the exit code 1; warnings do not. Zones in Redis are also held against the zones above\n" +
			"and below them that are hosted here, and against their DNSSEC keys and metadata.",
		Action: func(c *cli.Context) error {
			if c.String("file") != "" {
				return checkFile(c)
			}
			return withStore("expected: redyn zone check [NAME]", 0, 1, checkZones)(c)
		},
	}
}

// checkFile checks a master file without Redis.
func checkFile(c *cli.Context) error {
	if err := needArguments(c, "expected: redyn zone check --file FILE [NAME]", 0, 1); err != nil {
		return err
	}
	z, err := readZone(c, c.String("file"), c.Args().First())
	if err != nil {
		return err
	}
	return reportProblems(c, string(z.Name), z.Records, z.Check())
}

// checkZones checks the zone named, or all.
func checkZones(c *cli.Context, store *redisstore.Store) error {
	zones, err := store.AboutAll(c.Context)
	if err != nil {
		return err
	}
	slices.SortFunc(zones, func(a, b dns.ZoneData) int { return dns.Compare(a.Zone.Name, b.Zone.Name) })
	k := zoneCheck{store: store, family: newFamily(zones)}
	if k.tsig, err = store.TSIGAlgorithms(c.Context); err != nil {
		return err
	}
	if c.NArg() == 1 {
		name, err := argName(c.Args().First())
		if err != nil {
			return err
		}
		z, ok := k.zones[name]
		if !ok {
			return fmt.Errorf("zone %s: %w", name, dns.ErrNotFound)
		}
		zones, k.alone = []dns.ZoneData{z}, true
	}
	var failed error
	for _, z := range zones {
		records, problems, err := k.check(c.Context, z)
		if err != nil {
			return err
		}
		if err := reportProblems(c, string(z.Zone.Name), records, problems); err != nil {
			failed = err
		}
	}
	return failed
}

// zoneCheck is what zones in the store are checked against.
type zoneCheck struct {
	family
	store *redisstore.Store
	tsig  map[dns.Name]dns.Name
	alone bool // the zone above is not checked itself
}

func (k *zoneCheck) check(ctx context.Context, z dns.ZoneData) (records int, problems []zonefile.Problem, err error) {
	name := z.Zone.Name
	sets, err := collect(k.store.RRsets(ctx, name))
	if err != nil {
		return 0, nil, err
	}
	zonefile.Sort(name, sets)
	for _, s := range sets {
		records += len(s.Content)
	}
	problems = append(checkStored(z.Zone, sets), checkSigning(z, sets, k.tsig)...)
	hidden, get := checkHidden(sets, k.children[name])
	problems = append(problems, hidden...)
	for _, child := range k.children[name] {
		found, err := checkCut(z, k.zones[child], get, getFrom(ctx, k.store, child))
		if err != nil {
			return 0, nil, err
		}
		problems = append(problems, found...)
	}
	if parent, ok := k.parent(name); ok && k.alone {
		found, err := checkCut(k.zones[parent], z, getFrom(ctx, k.store, parent), getFrom(ctx, k.store, name))
		if err != nil {
			return 0, nil, err
		}
		problems = append(problems, found...)
	}
	return records, problems, nil
}

// checkStored checks a zone from the store. A slave without records waits for its primary.
func checkStored(z dns.Zone, sets []dns.RRset) []zonefile.Problem {
	if z.Kind == dns.Slave && len(sets) == 0 {
		return []zonefile.Problem{{Name: z.Name, Text: "is a slave and has no records yet"}}
	}
	return append(checkContents(sets), zonefile.Check(z.Name, sets)...)
}

// checkContents finds records that could not be stored as they are now: PowerDNS may answer SERVFAIL for
// all of their name.
func checkContents(sets []dns.RRset) (problems []zonefile.Problem) {
	for _, set := range sets {
		for _, content := range set.Content {
			right, err := zonefile.ParseContent(set.Type, content, dns.Root)
			switch {
			case err != nil:
				problems = append(problems, zonefile.Problem{Name: set.Name, Fatal: true, Text: "has a record that cannot be served: " + err.Error()})
			case right != content:
				problems = append(problems, zonefile.Problem{
					Name: set.Name, Type: set.Type,
					Text: "PowerDNS may not read " + content + "; expected " + right,
				})
			}
		}
	}
	return problems
}

// reportProblems prints what is wrong with a zone; errors among it fail the command.
func reportProblems(c *cli.Context, zone string, records int, problems []zonefile.Problem) error {
	for _, p := range problems {
		fmt.Fprintln(c.App.Writer, severity(p)+": "+p.String())
	}
	fatal := len(zonefile.Fatal(problems))
	if fatal > 0 || len(problems) > 0 {
		fmt.Fprintf(c.App.Writer, "zone %s: %s, %s, %s\n", zone, plural(records, "record"), plural(fatal, "error"), plural(len(problems)-fatal, "warning"))
	} else {
		fmt.Fprintf(c.App.Writer, "zone %s: %s, ok\n", zone, plural(records, "record"))
	}
	if fatal > 0 {
		return reported{}
	}
	return nil
}
