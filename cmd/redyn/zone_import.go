package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/urfave/cli/v2"
	"golang.org/x/sync/errgroup"

	"redyn/backend/dns"
	"redyn/backend/dns/zonefile"
	"redyn/redisstore"
)

func zoneImportCommand() *cli.Command {
	return &cli.Command{
		Name: "import", Usage: "import zones from master files (RFC 1035), one each; - is the standard input", ArgsUsage: "FILE...",
		Flags: storeFlags(
			&cli.StringFlag{Name: "zone", Usage: "`NAME` of the zone, and origin of the file; default is the SOA's owner"},
			&cli.BoolFlag{Name: "replace", Usage: "put the file in the place of the zone that is there, in one step"},
			beginAnewFlag,
		),
		Description: "All files are read and checked before the first zone is imported: a fault in one of them changes\n" +
			"nothing. Very many are best given by: find DIR -name '*.zone' -print0 | xargs -0 redyn zone import",
		Action: withStore("expected: redyn zone import FILE...", 1, -1, zoneImport),
	}
}

// zoneImport imports several zones at a time: for small ones the way to Redis is most of the time.
func zoneImport(c *cli.Context, store *redisstore.Store) error {
	if n := c.NArg(); n > 1 && c.String("zone") != "" {
		return usagef("--zone names the zone of one file; %d are given", n)
	}
	files, err := readFiles(c)
	if err != nil {
		return err
	}
	m := imports{c: c, store: store, files: files, from: from()}
	if err := m.inParallel(c.Context, files, m.lookUp); err != nil {
		return err
	}
	m.progress = newProgress(c.App.ErrWriter, m.what())
	// The first may have to begin the data set, which the others find then.
	err = m.inParallel(c.Context, files[:1], m.replace)
	if err == nil {
		err = m.inParallel(c.Context, files[1:], m.replace)
	}
	m.progress.done()
	if done := m.report(); err != nil && done > 0 {
		err = fmt.Errorf("%w; %d of %d zones are imported", err, done, len(files))
	}
	return err
}

// importFile is a file to be imported and what has become of that.
type importFile struct {
	zone   *zonefile.Zone
	before dns.Serial // of the zone that is there
	after  dns.Serial
	done   bool
	result redisstore.Result
}

// readFiles reads and checks all files that are named, and tells what is wrong with each, up to the
// first that cannot be read.
func readFiles(c *cli.Context) ([]*importFile, error) {
	var files []*importFile
	paths := make(map[dns.Name]string)
	var wrong []string
	errs := 0
	for _, path := range c.Args().Slice() {
		z, err := readZone(c, path, c.String("zone"))
		if err != nil {
			return nil, err
		}
		problems := z.Check()
		for _, p := range problems {
			text := p.String()
			if p.Pos == (zonefile.Pos{}) && c.NArg() > 1 {
				text = path + ": " + text
			}
			fmt.Fprintln(c.App.ErrWriter, severity(p)+": "+text)
		}
		if n := len(zonefile.Fatal(problems)); n > 0 {
			wrong = append(wrong, path)
			errs += n
			continue
		}
		if other, there := paths[z.Name]; there {
			return nil, fmt.Errorf("%s: is of the zone %s, and so is %s; nothing is changed", path, z.Name, other)
		}
		paths[z.Name] = path
		files = append(files, &importFile{zone: z})
	}
	switch len(wrong) {
	case 0:
		return files, nil
	case 1:
		return nil, fmt.Errorf("%s: %s in the zone; nothing is changed", wrong[0], plural(errs, "error"))
	}
	return nil, fmt.Errorf("%s and %s: %s in the zones; nothing is changed", wrong[0], plural(len(wrong)-1, "other file"), plural(errs, "error"))
}

// imports are the imports of one command.
type imports struct {
	c     *cli.Context
	store *redisstore.Store
	files []*importFile
	from  string

	mu       sync.Mutex // guards what follows
	records  int
	progress *progress
}

// importsAtOnce is how many zones are imported at a time.
const importsAtOnce = 8

func (m *imports) inParallel(ctx context.Context, files []*importFile, do func(context.Context, *importFile) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(importsAtOnce)
	for _, f := range files {
		if ctx.Err() != nil {
			break
		}
		g.Go(func() error { return do(ctx, f) })
	}
	return g.Wait()
}

func (m *imports) what() string {
	if len(m.files) == 1 {
		return "import " + string(m.files[0].zone.Name)
	}
	return "import " + plural(len(m.files), "zone")
}

// lookUp makes sure that the zone may be imported.
func (m *imports) lookUp(ctx context.Context, f *importFile) error {
	name := f.zone.Name
	before, err := m.store.Zone(ctx, name)
	switch {
	case isNotFound(err) || errors.Is(err, dns.ErrLost):
		return nil
	case err != nil:
		return err
	case before.Kind == dns.Slave:
		return fmt.Errorf("zone %s is a slave: its records come from its primary; redyn zone delete %s makes room", name, name)
	case !m.c.Bool("replace"):
		return existsAlready(name)
	}
	f.before = before.Serial
	return nil
}

func existsAlready(name dns.Name) error {
	return fmt.Errorf("zone %s exists already; --replace puts the file in its place", name)
}

func (m *imports) replace(ctx context.Context, f *importFile) error {
	before := 0
	o := redisstore.ReplaceOptions{
		Create: &dns.Zone{Name: f.zone.Name}, New: !m.c.Bool("replace"),
		BeginAnew: m.c.Bool("begin-anew"), Who: who, From: m.from,
		Progress: func(records int) {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.records += records - before
			before = records
			m.progress.at(m.records)
		},
	}
	zone, r, err := m.store.ReplaceZone(ctx, f.zone.Name, withoutErrors(f.zone.RRsets()), o)
	if errors.Is(err, dns.ErrExists) {
		return existsAlready(f.zone.Name)
	}
	f.done, f.after, f.result = err == nil, zone.Serial, r
	return err
}

// report waits for the nodes, tells what was imported and returns how many zones that are.
func (m *imports) report() int {
	var results []redisstore.Result
	for _, f := range m.files {
		if f.done {
			results = append(results, f.result)
		}
	}
	awaitNodes(m.c, m.store, results...)
	for _, f := range m.files {
		if !f.done {
			continue
		}
		if f.result.ID != "" {
			warnOfSerial(m.c, f.zone.Name, f.before, f.after)
		}
		fmt.Fprintf(m.c.App.Writer, "zone %s is imported: %s, serial %d\n", f.zone.Name, plural(f.zone.Records, "record"), f.after)
	}
	return len(results)
}

// warnOfSerial warns of a serial that does not follow the one before, if there was one.
func warnOfSerial(c *cli.Context, zone dns.Name, before, after dns.Serial) {
	if before != 0 && !before.Less(after) {
		fmt.Fprintf(c.App.ErrWriter, "warning: zone %s: serial %d does not follow %d, the one before: secondaries will not fetch the zone\n", zone, after, before)
	}
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
