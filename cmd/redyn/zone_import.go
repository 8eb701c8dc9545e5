package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v2"

	"redyn/backend/dns"
	"redyn/backend/dns/zonefile"
	"redyn/redisstore"
)

func zoneImportCommand() *cli.Command {
	return &cli.Command{
		Name: "import", Usage: "import a zone from a master file (RFC 1035); - is the standard input", ArgsUsage: "FILE",
		Flags: storeFlags(
			&cli.StringFlag{Name: "zone", Usage: "`NAME` of the zone, and origin of the file; default is the SOA's owner"},
			&cli.BoolFlag{Name: "replace", Usage: "put the file in the place of the zone that is there, in one step"},
			beginAnewFlag,
		),
		Action: withStore("right is: redyn zone import FILE", 1, 1, zoneImport),
	}
}

func zoneImport(c *cli.Context, store *redisstore.Store) error {
	z, err := readZone(c, c.Args().First(), c.String("zone"))
	if err != nil {
		return err
	}
	problems := z.Check()
	for _, p := range problems {
		fmt.Fprintln(c.App.ErrWriter, severity(p)+": "+p.String())
	}
	if fatal := zonefile.Fatal(problems); len(fatal) > 0 {
		return fmt.Errorf("%s: %s in the zone; nothing is changed", c.Args().First(), plural(len(fatal), "error"))
	}
	before, err := store.Zone(c.Context, z.Name)
	if err != nil && !isNotFound(err) && !errors.Is(err, dns.ErrLost) {
		return err
	}
	if before.Kind == dns.Slave {
		return fmt.Errorf("zone %s is a slave: its records come from its primary; redyn zone delete %s makes room", z.Name, z.Name)
	}
	p := newProgress(c.App.ErrWriter, "import "+string(z.Name))
	o := redisstore.ReplaceOptions{
		Create: &dns.Zone{Name: z.Name}, New: !c.Bool("replace"),
		BeginAnew: c.Bool("begin-anew"), Who: who, From: from(), Progress: p.at,
	}
	zone, r, err := store.ReplaceZone(c.Context, z.Name, withoutErrors(z.RRsets()), o)
	p.done()
	if errors.Is(err, dns.ErrExists) {
		return fmt.Errorf("zone %s exists already; --replace puts the file in its place", z.Name)
	}
	if err != nil {
		return err
	}
	awaitNodes(c, store, r)
	if before.Serial != 0 && !before.Serial.Less(zone.Serial) && r.ID != "" {
		fmt.Fprintf(c.App.ErrWriter, "warning: serial %d does not follow %d, the one before: secondaries will not fetch the zone\n", zone.Serial, before.Serial)
	}
	fmt.Fprintf(c.App.Writer, "zone %s is imported: %s, serial %d\n", zone.Name, plural(z.Records, "record"), zone.Serial)
	return nil
}

// readZone reads a master file, and makes sure that it is of the zone named if one is.
func readZone(c *cli.Context, path, zone string) (*zonefile.Zone, error) {
	o := zonefile.Options{File: path, Open: zonefile.OpenFile}
	var want dns.Name
	if zone != "" {
		var err error
		if want, err = argName(zone); err != nil {
			return nil, err
		}
		o.Origin = want
	}
	var in io.Reader = c.App.Reader
	if path == "-" {
		o.File = "stdin"
	} else {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	p := newProgress(c.App.ErrWriter, "read "+o.File)
	defer p.done()
	z, err := zonefile.Read(in, o, p.at)
	if err != nil {
		return nil, err
	}
	if want != "" && z.Name != "" && z.Name != want {
		return nil, fmt.Errorf("%s: the SOA is of %s, not of %s", o.File, z.Name, want)
	}
	return z, nil
}

func severity(p zonefile.Problem) string {
	if p.Fatal {
		return "error"
	}
	return "warning"
}
