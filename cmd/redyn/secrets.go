package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/urfave/cli/v2"

	"redyn/auth"
	"redyn/backend/zonedb"
	"redyn/redisstore"
)

func secretsCommand() *cli.Command {
	return &cli.Command{
		Name:  "secrets",
		Usage: "make the key that DNSSEC keys, TSIG and HMAC secrets are sealed under in Redis, and seal them",
		Subcommands: []*cli.Command{
			{
				Name: "key", Usage: "make a new key file, or print its line", ArgsUsage: "[FILE]", Action: secretsKey,
				Description: "Every node, redyn tsig add and redyn credential add need the same file by --secrets-key-file.\n" +
					"Nobody but who made it may read it; for redyn.service of contrib/systemd: chown root:pdns FILE; chmod 640 FILE.\n" +
					"Keep a copy of it elsewhere than the copies of Redis: without it what is sealed is lost. To change the key, put a\n" +
					"new line in front of the old one everywhere, then run redyn secrets seal.",
			},
			{
				Name: "seal", Usage: "seal all of them that are in the clear, or under an older key", Flags: secretStoreFlags(),
				Action: withStore("expected: redyn secrets seal --secrets-key-file FILE", 0, 0, secretsSeal),
			},
		},
	}
}

func secretsKey(c *cli.Context) error {
	if err := needArguments(c, "expected: redyn secrets key [FILE]", 0, 1); err != nil {
		return err
	}
	line := auth.GenerateSealKey().Reveal() + "\n"
	path := c.Args().First()
	if path == "" {
		_, err := fmt.Fprint(c.App.Writer, line)
		return err
	}
	// One that is there already is never overwritten: what is sealed under it would be lost.
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.WriteString(line)
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(c.App.Writer, "%s is written, for --secrets-key-file; keep a copy: without it what is sealed is lost\n", path)
	return nil
}

func secretsSeal(c *cli.Context, store *redisstore.Store) error {
	if c.String("secrets-key-file") == "" {
		return usagef("--secrets-key-file is missing; redyn secrets key FILE makes one")
	}
	if err := readsSecrets(c.Context, store); err != nil {
		return err
	}
	n, err := store.SealSecrets(c.Context)
	if err != nil {
		return err
	}
	if n == 0 {
		fmt.Fprintln(c.App.Writer, "all are sealed already")
		return nil
	}
	fmt.Fprintf(c.App.Writer, "%s sealed\n", plural(n, "secret"))
	return nil
}

// readSealer reads the key file of the settings; nil if there is none.
func readSealer(c *cli.Context) (*auth.Sealer, error) {
	path := c.String("secrets-key-file")
	if path == "" {
		return nil, nil
	}
	text, err := readPrivate("secrets-key-file", path)
	if err != nil {
		return nil, err
	}
	sealer, err := auth.ParseSealer(text)
	if err != nil {
		return nil, usagef("--secrets-key-file: %s: %w", path, err)
	}
	return sealer, nil
}

// readPrivate reads the file of a setting that nobody else may read.
func readPrivate(flag, path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, usagef("--%s: %w", flag, err)
	}
	// The group may read it: so a service gets a file that is root's.
	if mode := info.Mode().Perm(); mode&0o027 != 0 {
		return nil, usagef("--%s: %s has mode %04o, and others than its user and group may use it; expected chmod 600 or 640", flag, path, mode)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, usagef("--%s: %w", flag, err)
	}
	return text, nil
}

// readsSecrets makes sure that what is sealed in Redis can be read, so that nothing is added that the
// nodes cannot read, or in the clear beside what is sealed.
func readsSecrets(ctx context.Context, store *redisstore.Store) error {
	found, err := store.Secrets(ctx)
	if err != nil {
		return err
	}
	if found.Unreadable > 0 {
		return fmt.Errorf("%s in Redis cannot be read; is --secrets-key-file right? (%w)", plural(found.Unreadable, "secret"), found.Err)
	}
	return nil
}

// warnOfPlain warns once loaded if there are secrets, and no key to seal them under.
func warnOfPlain(ctx context.Context, loaded <-chan struct{}, db *zonedb.DB, store *redisstore.Store, log *slog.Logger) {
	select {
	case <-loaded:
	case <-ctx.Done():
		return
	}
	keys := 0
	for z := range db.Zones() {
		if list, err := db.Keys(z.Name); err == nil {
			keys += len(list)
		}
	}
	tsig, _ := db.TSIGKeys()
	hmac, _ := store.CountHMAC(context.WithoutCancel(ctx))
	if keys+len(tsig)+hmac > 0 {
		log.WarnContext(ctx, "DNSSEC's private keys, TSIG and HMAC secrets lie in Redis in the clear: there is no --secrets-key-file",
			"keys", keys, "tsig", len(tsig), "hmac", hmac)
	}
}

// secrets tells how DNSSEC keys, TSIG and HMAC secrets lie in Redis.
func (f *findings) secrets(store *redisstore.Store) {
	found, err := store.Secrets(f.c.Context)
	if err != nil {
		f.bad("%v", err)
		return
	}
	file := f.c.String("secrets-key-file")
	all := found.Keys + found.TSIG + found.HMAC
	what := secretsText(found)
	if file != "" {
		f.ok("--secrets-key-file %s holds a key", file)
	}
	open := found.Plain + found.Old - found.Unreadable
	switch {
	case found.Unreadable > 0:
		f.bad("%s of %d in Redis cannot be read; is --secrets-key-file right? (%v)", plural(found.Unreadable, "secret"), all, found.Err)
	case file == "" && all > 0:
		f.note("%s lie in Redis in the clear; redyn secrets key makes a file for --secrets-key-file", what)
	case open > 0:
		f.note("%s of %d in Redis are not sealed under the key; redyn secrets seal does so", plural(open, "secret"), all)
	case all > 0:
		f.ok("%s are sealed", what)
	}
}

func secretsText(found redisstore.Secrets) string {
	keys, tsig := plural(found.Keys, "DNSSEC key"), plural(found.TSIG, "TSIG key")
	if found.HMAC == 0 {
		return keys + " and " + tsig
	}
	return keys + ", " + tsig + " and " + plural(found.HMAC, "HMAC secret")
}
