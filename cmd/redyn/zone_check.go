package main

import (
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
		Flags:       storeFlags(&cli.StringFlag{Name: "file", Usage: "check this master `FILE` instead, of the zone NAME; - is the standard input"}),
		Description: "Errors, with which a zone would not be imported, make the exit code 1; warnings do not.",
		Action: func(c *cli.Context) error {
			if c.String("file") != "" {
				return checkFile(c)
			}
			return withStore("right is: redyn zone check [NAME]", 0, 1, checkZones)(c)
		},
	}
}

// checkFile checks a master file without Redis.
func checkFile(c *cli.Context) error {
	if err := needArguments(c, "right is: redyn zone check --file FILE [NAME]", 0, 1); err != nil {
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
	zones, err := store.Zones(c.Context)
	if err != nil {
		return err
	}
	wanted := zones
	if c.NArg() == 1 {
		name, err := argName(c.Args().First())
		if err != nil {
			return err
		}
		at := slices.IndexFunc(zones, func(z dns.Zone) bool { return z.Name == name })
		if at < 0 {
			return fmt.Errorf("zone %s: %w", name, dns.ErrNotFound)
		}
		wanted = zones[at : at+1]
	}
	children := childZones(zones)
	var failed error
	for _, z := range wanted {
		sets, err := collect(store.RRsets(c.Context, z.Name))
		if err != nil {
			return err
		}
		zonefile.Sort(z.Name, sets)
		records := 0
		for _, s := range sets {
			records += len(s.Content)
		}
		problems := checkStored(z, sets)
		problems = append(problems, checkOverlap(sets, children[z.Name])...)
		if err := reportProblems(c, string(z.Name), records, problems); err != nil {
			failed = err
		}
	}
	return failed
}

// checkStored checks a zone from the store. A slave without records waits for its primary.
func checkStored(z dns.Zone, sets []dns.RRset) []zonefile.Problem {
	if z.Kind == dns.Slave && len(sets) == 0 {
		return []zonefile.Problem{{Name: z.Name, Text: "is a slave and has no records yet"}}
	}
	return zonefile.Check(z.Name, sets)
}

// childZones tells for each zone which of the others lie right below it.
func childZones(zones []dns.Zone) map[dns.Name][]dns.Name {
	hosted := make(map[dns.Name]bool, len(zones))
	for _, z := range zones {
		hosted[z.Name] = true
	}
	children := make(map[dns.Name][]dns.Name)
	for _, z := range zones {
		if parent, ok := nearestAbove(z.Name, hosted); ok {
			children[parent] = append(children[parent], z.Name)
		}
	}
	return children
}

func nearestAbove(name dns.Name, hosted map[dns.Name]bool) (dns.Name, bool) {
	for name != dns.Root {
		name = name.Parent()
		if hosted[name] {
			return name, true
		}
	}
	return "", false
}

// checkOverlap finds what of a zone another hosted zone below it hides, and what is not delegated to
// those.
func checkOverlap(sets []dns.RRset, children []dns.Name) []zonefile.Problem {
	if len(children) == 0 {
		return nil
	}
	var problems []zonefile.Problem
	child := make(map[dns.Name]bool)
	for _, name := range children {
		child[name] = true
	}
	delegated := make(map[dns.Name]bool)
	for _, s := range sets {
		if child[s.Name] && s.Type == dns.TypeNS {
			delegated[s.Name] = true
		}
		if below, ok := within(s.Name, child); ok && !atCut(s, below) {
			problems = append(problems, zonefile.Problem{
				Name: s.Name, Type: s.Type, Text: "is hidden by the zone " + string(below) + ", which is hosted here too",
			})
		}
	}
	for _, name := range children {
		if !delegated[name] {
			problems = append(problems, zonefile.Problem{
				Name: name, Text: "is a zone of its own here and has no NS in the zone above it: resolvers that come from above do not find it",
			})
		}
	}
	return problems
}

// within returns the child zone that name is the apex of, or lies below.
func within(name dns.Name, child map[dns.Name]bool) (dns.Name, bool) {
	if child[name] {
		return name, true
	}
	return nearestAbove(name, child)
}

// atCut reports whether the parent side of a cut has such an RRset: NS, DS and their proof, glue.
func atCut(s dns.RRset, cut dns.Name) bool {
	switch s.Type {
	case dns.TypeNS, dns.TypeDS, dns.TypeRRSIG, dns.TypeNSEC:
		return s.Name == cut
	case dns.TypeA, dns.TypeAAAA:
		return true
	}
	return false
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
