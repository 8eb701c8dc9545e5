package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"redyn/auth"
	"redyn/backend/dns"
	"redyn/redisstore"
)

func credentialImportCommand() *cli.Command {
	return &cli.Command{
		Name: "import", Usage: "import public keys and passwords from files named by the numbers of hosts: 12.pem, 12.password", ArgsUsage: "DIR",
		Flags: storeFlags(
			&cli.StringFlag{Name: "hosts", Usage: "`FILE` of lines NUMBER NAME: hosts to add if they are not there; - is the standard input"},
		),
		Description: "A .pem file holds a public key, a .password file a bcrypt or argon2id hash. Without --hosts the\n" +
			"hosts must be there: redyn host add NAME --id NUMBER. From a DynDns with PowerDNS on MySQL:\n" +
			"  mysql -BN -e 'SELECT id, name FROM domains' pdns | redyn credential import storage/keys --hosts -\n" +
			"All is checked before anything is written. What was imported before is left as it is.",
		Action: withStore("expected: redyn credential import DIR", 1, 1, credentialImport),
	}
}

// importer is an import of credentials, as far as it is read.
type importer struct {
	c     *cli.Context
	store *redisstore.Store

	names    map[auth.HostID]dns.Name // that --hosts gives
	hosts    map[auth.HostID]auth.Host
	missing  map[auth.HostID]bool // that are to be added
	all      []auth.Credential    // that are to be added
	there    int                  // that were imported before
	files    int
	problems int
}

func credentialImport(c *cli.Context, store *redisstore.Store) error {
	i := importer{c: c, store: store, hosts: make(map[auth.HostID]auth.Host), missing: make(map[auth.HostID]bool)}
	var err error
	if i.names, err = readHostNames(c); err != nil {
		return err
	}
	dir := c.Args().First()
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		kind := filepath.Ext(entry.Name())
		if kind != ".pem" && kind != ".password" {
			continue
		}
		i.files++
		if err := i.take(filepath.Join(dir, entry.Name())); err != nil {
			var fault *fileFault
			if !errors.As(err, &fault) {
				return err
			}
			fmt.Fprintln(c.App.ErrWriter, "error: "+err.Error())
			i.problems++
		}
	}
	if i.problems > 0 {
		return fmt.Errorf("%s: %d of %s cannot be imported; nothing is changed", dir, i.problems, plural(i.files, "file"))
	}
	return i.write()
}

// fileFault is what is wrong with a file, not with the store.
type fileFault struct{ err error }

func (f *fileFault) Error() string { return f.err.Error() }

// take reads a file and finds its host.
func (i *importer) take(path string) error {
	fault := func(err error) error { return &fileFault{fmt.Errorf("%s: %w", path, err)} }
	base := filepath.Base(path)
	kind := filepath.Ext(base)
	id, err := auth.ParseHostID(strings.TrimSuffix(base, kind))
	if err != nil {
		return fault(err)
	}
	text, err := readText(i.c, path)
	if err != nil {
		return fault(err)
	}
	var cred auth.Credential
	if kind == ".pem" {
		cred, err = auth.NewPublicKeyCredential(text)
	} else {
		cred, err = auth.NewPasswordCredential(strings.TrimSpace(text))
	}
	if err != nil {
		return fault(err)
	}
	h, err := i.host(id)
	if isNotFound(err) || errors.Is(err, errNoZone) || errors.Is(err, dns.ErrExists) {
		return fault(err)
	}
	if err != nil {
		return err
	}
	// The same file has the same id whenever it is imported.
	sum := sha256.Sum256([]byte(strings.TrimSpace(text)))
	cred.ID = fmt.Sprintf("%d-%s-%s", id, cred.Kind, hex.EncodeToString(sum[:4]))
	cred.Grant.Hosts = []auth.Area{{Host: h.ID, Name: h.Name}}
	switch _, err := i.store.Credential(i.c.Context, cred.ID); {
	case err == nil:
		i.there++
	case isNotFound(err):
		i.all = append(i.all, cred)
	default:
		return err
	}
	return nil
}

// host returns the host with that number, also if it is still to be added.
func (i *importer) host(id auth.HostID) (auth.Host, error) {
	if h, ok := i.hosts[id]; ok {
		return h, nil
	}
	name, given := i.names[id]
	h, err := i.store.Host(i.c.Context, id)
	switch {
	case isNotFound(err) && !given:
		return h, fmt.Errorf("%w; redyn host add NAME --id %d adds it, or --hosts names it", err, id)
	case isNotFound(err):
		h, err = i.newHost(auth.Host{ID: id, Name: name})
	case err == nil && given && h.Name != name:
		err = fmt.Errorf("host %d is %s, not %s: %w", id, h.Name, name, dns.ErrExists)
	}
	if err == nil {
		i.hosts[id] = h
	}
	return h, err
}

func (i *importer) newHost(h auth.Host) (auth.Host, error) {
	if _, err := zoneOf(i.c.Context, i.store, h.Name, dns.TypeA); err != nil {
		return h, err
	}
	other, err := i.store.HostNamed(i.c.Context, h.Name)
	switch {
	case err == nil:
		return h, fmt.Errorf("%s is host %d, not %d: %w", h.Name, other.ID, h.ID, dns.ErrExists)
	case isNotFound(err):
		i.missing[h.ID] = true
		err = nil
	}
	return h, err
}

// write adds what is missing, hosts first.
func (i *importer) write() error {
	for _, id := range slices.Sorted(maps.Keys(i.missing)) {
		if _, _, err := i.store.AddHost(i.c.Context, i.hosts[id], who, from()); err != nil {
			return err
		}
	}
	keys := 0
	for _, cred := range i.all {
		if _, err := i.store.AddCredential(i.c.Context, cred, who, from()); err != nil {
			return err
		}
		if cred.Kind == auth.PublicKey {
			keys++
		}
	}
	fmt.Fprintf(i.c.App.Writer, "%s and %s are imported, %s added", plural(keys, "public key"), plural(len(i.all)-keys, "password"), plural(len(i.missing), "host"))
	if i.there > 0 {
		fmt.Fprintf(i.c.App.Writer, "; %d were there", i.there)
	}
	fmt.Fprintln(i.c.App.Writer)
	return nil
}

// readHostNames reads the file of --hosts: a number and a name on each line.
func readHostNames(c *cli.Context) (map[auth.HostID]dns.Name, error) {
	path := c.String("hosts")
	if path == "" {
		return nil, nil
	}
	var in io.Reader = c.App.Reader
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, usagef("--hosts: %w", err)
		}
		defer f.Close()
		in = f
	}
	names, err := parseHostNames(in)
	if err != nil {
		return nil, fmt.Errorf("--hosts: %s:%w", path, err)
	}
	return names, nil
}

// parseHostNames reads lines of a number and a name. Its errors begin with the number of the line.
func parseHostNames(in io.Reader) (map[auth.HostID]dns.Name, error) {
	names := make(map[auth.HostID]dns.Name)
	ids := make(map[dns.Name]auth.HostID)
	lines, n := bufio.NewScanner(in), 0
	for lines.Scan() {
		n++
		words := strings.Fields(lines.Text())
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if len(words) != 2 {
			return nil, fmt.Errorf("%d: expected NUMBER NAME", n)
		}
		id, err := auth.ParseHostID(words[0])
		if err != nil {
			return nil, fmt.Errorf("%d: %w", n, err)
		}
		name, err := dns.ParseName(words[1])
		if err != nil {
			return nil, fmt.Errorf("%d: %w", n, err)
		}
		if _, twice := names[id]; twice {
			return nil, fmt.Errorf("%d: host %d is given twice", n, id)
		}
		if other, twice := ids[name]; twice {
			return nil, fmt.Errorf("%d: %s is host %d already", n, name, other)
		}
		names[id], ids[name] = name, id
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%d: %w", n+1, err)
	}
	return names, nil
}
