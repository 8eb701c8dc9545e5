package main

import (
	"cmp"
	"crypto"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"redyn/auth"
	"redyn/backend/dns"
)

// updateFlags are the settings of redyn update. Its flags have a short name too, as it knows no others.
func updateFlags() []cli.Flag {
	return []cli.Flag{
		updateSetting(&cli.StringFlag{Name: "update-url", Usage: "`URL` of the server's updater, such as https://dyn.example.org"}),
		updateSetting(&cli.StringSliceFlag{Name: "update-host", Usage: "`NAME` of a host to update; repeatable; with --key-file its number will do"}),
		updateSetting(&cli.StringFlag{Name: "update-secret-file", DefaultText: "REDYN_UPDATE_SECRET", Usage: "`FILE` of the token, the password or the HMAC secret"}),
		updateSetting(&cli.StringFlag{Name: "update-hmac-id", Usage: "`ID` of the credential whose secret that is; requests are signed with it"}),
		updateSetting(&cli.StringFlag{Name: "update-key-file", Usage: "PEM `FILE` of the host's private key: RSA, Ed25519, or ECDSA on P-256 or P-384"}),
		updateSetting(&cli.StringSliceFlag{Name: "update-address", DefaultText: "those that the server sees", Usage: "`ADDRESS` to set; repeatable"}),
		updateSetting(&cli.StringFlag{Name: "update-family", Value: "both", Usage: "what to set: ipv4, ipv6 or both; the other is left as it is"}),
		updateSetting(&cli.DurationFlag{Name: "update-every", DefaultText: "once", Usage: "go on, and look that often whether an address has changed"}),
		updateSetting(&cli.DurationFlag{Name: "update-timeout", Value: 10 * time.Second, Usage: "longest wait for an answer"}),
		updateSetting(&cli.StringFlag{Name: "update-tls-ca", Usage: "`FILE` of PEM certificates to trust instead of the system's"}),
	}
}

// updateSecretEnv has the secret, if no file has it. There is no such flag: others could see it.
const updateSecretEnv = "REDYN_UPDATE_SECRET"

// updateSetting is a setting whose flag may be given without the word update.
func updateSetting(f cli.Flag) cli.Flag {
	short := []string{strings.TrimPrefix(f.Names()[0], "update-")}
	switch f := f.(type) {
	case *cli.StringFlag:
		f.Aliases = short
	case *cli.StringSliceFlag:
		f.Aliases = short
	case *cli.DurationFlag:
		f.Aliases = short
	}
	return setting(f)
}

// updateOptions are the settings of redyn update, read and checked.
type updateOptions struct {
	url      *url.URL
	hosts    []updateHost
	proof    updateProof
	families []*ipFamily
	fixed    []netip.Addr // addresses that are given
	every    time.Duration
	timeout  time.Duration
	tls      *tls.Config
}

// updateHost is a host by its name or, if id is not zero, by its number.
type updateHost struct {
	id   auth.HostID
	name string
}

func (h updateHost) String() string {
	if h.id != 0 {
		return h.id.String()
	}
	return h.name
}

// updateProof is what shows who asks: a key, or a secret, which signs if it has an id.
type updateProof struct {
	key    crypto.Signer
	id     string
	secret auth.Secret
}

// inClear reports whether others on the way can read the secret.
func (o *updateOptions) inClear() bool {
	return o.url.Scheme == "http" && o.proof.key == nil && o.proof.id == "" && !isLoopback(net.JoinHostPort(o.url.Hostname(), ""))
}

func newUpdateOptions(c *cli.Context) (updateOptions, error) {
	o := updateOptions{every: c.Duration("update-every"), timeout: c.Duration("update-timeout")}
	var err error
	if o.url, err = parseUpdateURL(c.String("update-url")); err != nil {
		return o, usagef("--url: %w", err)
	}
	if o.families, err = parseFamilies(c.String("update-family")); err != nil {
		return o, usagef("--family: %w", err)
	}
	if o.tls, err = updateTLS(c.String("update-tls-ca")); err != nil {
		return o, usagef("--tls-ca: %w", err)
	}
	if o.proof, err = newUpdateProof(c); err != nil {
		return o, err
	}
	if o.hosts, err = parseUpdateHosts(c.StringSlice("update-host"), o.proof.key != nil); err != nil {
		return o, usagef("--host: %w", err)
	}
	if o.fixed, err = o.parseAddresses(c.StringSlice("update-address")); err != nil {
		return o, usagef("--address: %w", err)
	}
	return o, nil
}

func parseUpdateURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fmt.Errorf("%q is no URL; expected something like https://dyn.example.org", text)
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("a URL has no user, password or query here; expected something like https://dyn.example.org")
	}
	return u.JoinPath("/"), nil
}

func updateTLS(ca string) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	var err error
	if ca != "" {
		config.RootCAs, err = readCertificates(ca)
	}
	return config, err
}

// newUpdateProof reads the one thing that shows who asks.
func newUpdateProof(c *cli.Context) (updateProof, error) {
	keyFile, secretFile := c.String("update-key-file"), c.String("update-secret-file")
	p := updateProof{id: c.String("update-hmac-id"), secret: auth.NewSecret(os.Getenv(updateSecretEnv))}
	switch {
	case keyFile != "" && (secretFile != "" || p.id != ""):
		return p, usagef("--key-file is given, and --secret-file or --hmac-id; one way to show who asks is right")
	case keyFile != "":
		key, err := readSigner("key-file", keyFile)
		return updateProof{key: key}, err
	case secretFile != "":
		text, err := readPrivate("secret-file", secretFile)
		if err != nil {
			return p, err
		}
		p.secret = auth.NewSecret(strings.TrimRight(string(text), "\r\n"))
	}
	if p.secret.IsZero() {
		return p, usagef("there is no secret: --secret-file or --key-file names its file, or %s has it", updateSecretEnv)
	}
	if strings.ContainsAny(p.secret.Reveal(), "\r\n\x00") {
		return p, usagef("%s holds more than one line; expected the secret alone", cmp.Or(secretFile, updateSecretEnv))
	}
	return p, nil
}

// parseUpdateHosts reads the hosts. Only paths, which signed updates have, can have a number.
func parseUpdateHosts(texts []string, numbers bool) ([]updateHost, error) {
	var hosts []updateHost
	for _, text := range texts {
		if id, err := auth.ParseHostID(text); err == nil && numbers {
			hosts = append(hosts, updateHost{id: id})
			continue
		}
		name, err := dns.ParseName(text)
		if err == nil && name.Labels() < 2 {
			err = fmt.Errorf("%q is no full domain name; expected something like home.example.org", text)
		}
		if err != nil {
			return nil, err
		}
		hosts = append(hosts, updateHost{name: strings.TrimSuffix(string(name), ".")})
	}
	if len(hosts) == 0 {
		return nil, errors.New("there is none; expected something like home.example.org")
	}
	return hosts, nil
}

// parseAddresses reads the addresses, of which a signed update has one in each family.
func (o *updateOptions) parseAddresses(texts []string) ([]netip.Addr, error) {
	addrs, err := parseAddrs(texts)
	if err != nil {
		return nil, err
	}
	for _, f := range bothFamilies {
		n := len(f.of(addrs))
		switch {
		case n > 0 && !slices.Contains(o.families, f):
			return nil, fmt.Errorf("%s is no address of --family %s", f.of(addrs)[0], o.families[0].name)
		case n > 1 && o.proof.key != nil:
			return nil, fmt.Errorf("there are %d of %s; with --key-file one is right", n, f.title)
		}
	}
	return addrs, nil
}

func parseAddrs(texts []string) ([]netip.Addr, error) {
	var addrs []netip.Addr
	for _, text := range texts {
		a, err := netip.ParseAddr(strings.TrimSpace(text))
		if err != nil || a.Zone() != "" {
			return nil, fmt.Errorf("%q is no address; expected something like 192.0.2.1 or 2001:db8::1", text)
		}
		addrs = append(addrs, a.Unmap())
	}
	return addrs, nil
}
