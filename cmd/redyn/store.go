package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/user"
	"time"

	"github.com/urfave/cli/v2"

	"redyn/backend/dns"
	"redyn/redisstore"
)

// ackBound is how long a command waits for nodes to show what it wrote.
const ackBound = time.Second

// openStore opens the store that the settings name.
func openStore(c *cli.Context, log *slog.Logger) (*redisstore.Store, error) {
	secure, err := tlsConfig(c)
	if err != nil {
		return nil, err
	}
	sealer, err := readSealer(c)
	if err != nil {
		return nil, err
	}
	store, err := redisstore.Open(redisstore.Options{
		URL: c.String("redis-url"), ReadURL: c.String("redis-read-url"), Prefix: c.String("redis-prefix"),
		Timeout: c.Duration("redis-timeout"), TLS: secure, LogLength: c.Int64("redis-log-length"), Log: log, Sealer: sealer,
	})
	var wrong *redisstore.URLError
	switch {
	case errors.As(err, &wrong) && wrong.Read:
		return nil, usagef("--redis-read-url: %w", err)
	case errors.As(err, &wrong):
		return nil, usagef("--redis-url: %w", err)
	}
	return store, err
}

// tlsConfig is nil if nothing is set.
func tlsConfig(c *cli.Context) (*tls.Config, error) {
	ca, cert, key := c.String("redis-tls-ca"), c.String("redis-tls-cert"), c.String("redis-tls-key")
	if ca == "" && cert == "" && key == "" {
		return nil, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if ca != "" {
		var err error
		if config.RootCAs, err = readCertificates(ca); err != nil {
			return nil, usagef("--redis-tls-ca: %w", err)
		}
	}
	if cert != "" || key != "" {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, usagef("--redis-tls-cert and --redis-tls-key: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// readCertificates reads certificates to trust.
func readCertificates(path string) (*x509.CertPool, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no PEM certificate", path)
	}
	return pool, nil
}

// withStore makes an action of a command that works on Redis. It takes between least and most
// arguments; usage names them.
func withStore(usage string, least, most int, do func(*cli.Context, *redisstore.Store) error) cli.ActionFunc {
	return func(c *cli.Context) error {
		if err := needArguments(c, usage, least, most); err != nil {
			return err
		}
		store, err := openStore(c, nil)
		if err != nil {
			return err
		}
		defer store.Close()
		return explain(c, do(c, store))
	}
}

func needArguments(c *cli.Context, usage string, least, most int) error {
	if n := c.NArg(); n < least || most >= 0 && n > most {
		return usagef("%s; %d arguments are given", usage, n)
	}
	return nil
}

// explain adds to an error what its reader may do about it.
func explain(c *cli.Context, err error) error {
	var op *net.OpError
	switch {
	case errors.As(err, &op) && op.Op != "dial" && op.Timeout():
		return fmt.Errorf("%w; redis at %s did not answer in time (--redis-timeout is %s)", err, redisstore.RedactURL(c.String("redis-url")), c.Duration("redis-timeout"))
	case errors.As(err, &op) && op.Op == "dial":
		return fmt.Errorf("%w; is --redis-url %s right?", err, redisstore.RedactURL(c.String("redis-url")))
	case errors.Is(err, redisstore.ErrHeld):
		return fmt.Errorf("%w; --begin-anew does so", err)
	case errors.Is(err, dns.ErrLost):
		return fmt.Errorf("redis has no zones under %s at %s: it is another server or database than is meant, is new (zone create or zone import begins), or has lost them (put a dump back)",
			c.String("redis-prefix"), redisstore.RedactURL(c.String("redis-url")))
	}
	return err
}

// who and from say in the change log who asked for a change, and from where.
const who = "cli"

func from() string {
	host, _ := os.Hostname()
	if u, err := user.Current(); err == nil {
		return u.Username + "@" + host
	}
	return host
}

// awaitNodes waits until the nodes show what was written, and names those that are late: the changes
// are made all the same.
func awaitNodes(c *cli.Context, store *redisstore.Store, all ...redisstore.Result) {
	ctx, cancel := context.WithTimeout(c.Context, ackBound)
	defer cancel()
	late, err := store.WaitNodes(ctx, all...)
	if err != nil {
		fmt.Fprintf(c.App.ErrWriter, "redyn: done; whether the nodes know is not known: %v\n", oneLine(err.Error()))
	}
	for _, n := range late {
		fmt.Fprintf(c.App.ErrWriter, "redyn: done; node %s does not show it yet\n", n.Name)
	}
}

// argName reads an argument that is a domain name.
func argName(text string) (dns.Name, error) {
	name, err := dns.ParseName(text)
	if err != nil {
		return "", usagef("%w", err)
	}
	return name, nil
}
