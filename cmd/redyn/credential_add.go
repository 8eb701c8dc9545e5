package main

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"redyn/auth"
	"redyn/backend/dns"
	"redyn/backend/dns/zonefile"
	"redyn/redisstore"
)

func credentialAddCommand() *cli.Command {
	return &cli.Command{
		Name: "add", Usage: "add a credential; print its id, and its secret if that is a new one",
		Flags: secretStoreFlags(
			&cli.StringSliceFlag{Name: "host", Usage: "`NAME|NUMBER` of a host that it may change; repeatable"},
			&cli.StringSliceFlag{Name: "zone", Usage: "`NAME` of a zone that it may change; repeatable"},
			&cli.BoolFlag{Name: "below", Usage: "and whatever lies below those"},
			&cli.StringFlag{Name: "kind", Value: string(auth.Token), Usage: "token, password, publickey or hmac"},
			&cli.StringFlag{Name: "pem", Usage: "`FILE` of the public key, in PEM; - is the standard input"},
			&cli.StringFlag{Name: "hash", Usage: "argon2id or bcrypt `HASH` of the password, instead of a new one; - reads it from the standard input"},
			&cli.StringFlag{Name: "secret", Usage: "`SECRET` of a token, password or hmac, instead of a new one; - reads it from the standard input"},
			&cli.StringFlag{Name: "id", DefaultText: "a new one", Usage: "`ID` of an hmac secret, such as clients know it by already"},
			&cli.StringSliceFlag{Name: "type", DefaultText: "A, AAAA of hosts, all of zones", Usage: "`TYPE` of records that it may change, ANY is all; TXT of a host is _acme-challenge below it; repeatable"},
			&cli.StringSliceFlag{Name: "allow", DefaultText: "everywhere", Usage: "network (`CIDR`) that it may be used from; repeatable"},
			&cli.StringFlag{Name: "expires", DefaultText: "never", Usage: "`WHEN` it ends: a date, as 2027-01-31, or a time from now, as 90d or 12h"},
			&cli.BoolFlag{Name: "read-only", Usage: "it may see what it grants, and change nothing"},
			jsonFlag,
		),
		Description: "The first line printed is the id. A new secret is the second line, told this once.\n" +
			"  redyn credential add --host home.example.org\n" +
			"  redyn credential add --host home.example.org --kind publickey --pem home.pem\n" +
			"  redyn credential add --zone example.org --kind hmac --allow 192.0.2.0/24 --expires 90d",
		Action: withStore("expected: redyn credential add --host NAME or --zone NAME", 0, 0, credentialAdd),
	}
}

func credentialAdd(c *cli.Context, store *redisstore.Store) error {
	if err := checkCredentialFlags(c); err != nil {
		return err
	}
	cred, secret, err := newCredential(c, store)
	if err != nil {
		return err
	}
	cred.ReadOnly = c.Bool("read-only")
	if cred.Expires, err = parseExpiry(c.String("expires"), time.Now()); err != nil {
		return usagef("--expires: %w", err)
	}
	if cred.Grant, err = newGrant(c, store); err != nil {
		return err
	}
	if _, err := store.AddCredential(c.Context, cred, who, from()); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, struct {
			ID     string `json:"id"`
			Secret string `json:"secret,omitempty"`
		}{cred.ID, secret.Reveal()})
	}
	fmt.Fprintln(c.App.Writer, cred.ID)
	if !secret.IsZero() {
		fmt.Fprintln(c.App.Writer, secret.Reveal())
	}
	return nil
}

// checkCredentialFlags finds flags that do not go together.
func checkCredentialFlags(c *cli.Context) error {
	kind := auth.Kind(c.String("kind"))
	for name, kinds := range map[string][]auth.Kind{
		"pem": {auth.PublicKey}, "hash": {auth.Password}, "secret": {auth.Token, auth.Password, auth.HMAC}, "id": {auth.HMAC},
	} {
		fits := false
		for _, k := range kinds {
			fits = fits || k == kind
		}
		if c.IsSet(name) && !fits {
			return usagef("--%s is not for --kind %s", name, kind)
		}
	}
	switch {
	case kind == auth.PublicKey && !c.IsSet("pem"):
		return usagef("--pem FILE is missing, the public key; openssl pkey -in PRIVATE -pubout writes it")
	case c.IsSet("hash") && c.IsSet("secret"):
		return usagef("--hash and --secret say the same; expected one of them")
	case len(c.StringSlice("host"))+len(c.StringSlice("zone")) == 0:
		return usagef("nothing is granted; expected --host NAME or --zone NAME")
	}
	return nil
}

// newCredential returns what the flags say of the secret, and the secret itself if it is a new one.
func newCredential(c *cli.Context, store *redisstore.Store) (cred auth.Credential, fresh auth.Secret, err error) {
	given, err := givenSecret(c)
	if err != nil {
		return cred, fresh, usagef("--secret: %w", err)
	}
	switch auth.Kind(c.String("kind")) {
	case auth.PublicKey:
		cred, err = newPublicKey(c)
	case auth.Password:
		cred, fresh, err = newPassword(c, given)
	case auth.HMAC:
		cred, fresh, err = newHMAC(c, store, given)
	default:
		var secret auth.Secret
		secret, fresh = orNew(given, auth.GenerateToken)
		if cred, err = auth.NewTokenCredential(secret); err != nil {
			err = usagef("--secret: %w", err)
		}
	}
	return cred, fresh, err
}

// orNew returns the secret that is given, or a new one, which is fresh then.
func orNew(given auth.Secret, generate func() auth.Secret) (secret, fresh auth.Secret) {
	if !given.IsZero() {
		return given, auth.Secret{}
	}
	secret = generate()
	return secret, secret
}

func newPublicKey(c *cli.Context) (auth.Credential, error) {
	pem, err := readText(c, c.String("pem"))
	if err != nil {
		return auth.Credential{}, usagef("--pem: %w", err)
	}
	cred, err := auth.NewPublicKeyCredential(pem)
	if err != nil {
		return cred, usagef("--pem: %s: %w", c.String("pem"), err)
	}
	return cred, nil
}

func newPassword(c *cli.Context, given auth.Secret) (cred auth.Credential, fresh auth.Secret, err error) {
	hash := c.String("hash")
	switch hash {
	case "":
		var secret auth.Secret
		secret, fresh = orNew(given, auth.GeneratePassword)
		hash = auth.HashPassword(secret, auth.DefaultCost)
	case "-":
		if hash, err = readText(c, hash); err != nil {
			return cred, fresh, err
		}
	}
	if cred, err = auth.NewPasswordCredential(strings.TrimSpace(hash)); err != nil {
		err = usagef("--hash: %w", err)
	}
	return cred, fresh, err
}

func newHMAC(c *cli.Context, store *redisstore.Store, given auth.Secret) (cred auth.Credential, fresh auth.Secret, err error) {
	if err := readsSecrets(c.Context, store); err != nil {
		return cred, fresh, err
	}
	sealer, err := readSealer(c)
	if err != nil {
		return cred, fresh, err
	}
	secret, fresh := orNew(given, auth.GenerateHMACSecret)
	if cred, err = auth.NewHMACCredential(c.String("id"), secret, sealer); err != nil {
		err = usagef("%w", err)
	}
	return cred, fresh, err
}

// givenSecret reads --secret; the zero Secret is none.
func givenSecret(c *cli.Context) (auth.Secret, error) {
	text := c.String("secret")
	if text == "-" {
		var err error
		if text, err = readText(c, text); err != nil {
			return auth.Secret{}, err
		}
		text = strings.TrimRight(text, "\r\n")
	}
	if c.IsSet("secret") && text == "" {
		return auth.Secret{}, errors.New("it is empty")
	}
	return auth.NewSecret(text), nil
}

// maxText bounds what is read as a key, a hash or a secret.
const maxText = 64 << 10

// readText reads a short file; - is the standard input.
func readText(c *cli.Context, path string) (string, error) {
	var in io.Reader = c.App.Reader
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return "", err
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, maxText))
	return string(text), err
}

// newGrant reads what is granted, and to whom. Hosts are granted as the hosts that they are now.
func newGrant(c *cli.Context, store *redisstore.Store) (g auth.Grant, err error) {
	below := c.Bool("below")
	for _, text := range c.StringSlice("host") {
		h, err := argHost(c, store, text)
		if err != nil {
			return g, err
		}
		g.Hosts = append(g.Hosts, auth.Area{Host: h.ID, Name: h.Name, Below: below})
	}
	for _, text := range c.StringSlice("zone") {
		name, err := argName(text)
		if err != nil {
			return g, err
		}
		zone, err := store.Zone(c.Context, name)
		if err != nil {
			return g, err
		}
		g.Zones = append(g.Zones, auth.Area{Name: zone.Name, Below: below})
	}
	if g.Types, err = parseTypes(c.StringSlice("type")); err != nil {
		return g, usagef("--type: %w", err)
	}
	if g.Networks, err = parseAllowed(c.StringSlice("allow")); err != nil {
		return g, usagef("--allow: %w", err)
	}
	return g, nil
}

func parseTypes(texts []string) (types []dns.Type, err error) {
	for _, text := range texts {
		typ := dns.TypeANY
		if !strings.EqualFold(text, typ.String()) {
			if typ, err = zonefile.ParseType(text); err != nil {
				return nil, err
			}
		}
		types = append(types, typ)
	}
	return types, nil
}

func parseAllowed(texts []string) (networks []netip.Prefix, err error) {
	for _, text := range texts {
		network, err := auth.ParseNetwork(text)
		if err != nil {
			return nil, err
		}
		networks = append(networks, network)
	}
	return networks, nil
}

// parseExpiry reads when something ends, from now on: a date, a time of RFC 3339, or how long it lasts.
func parseExpiry(text string, now time.Time) (at time.Time, err error) {
	const day = 24 * time.Hour
	if text == "" {
		return at, nil
	}
	var lasts time.Duration
	days, inDays := strings.CutSuffix(text, "d")
	n, notNumber := strconv.Atoi(days)
	switch {
	case inDays && notNumber == nil && n > 0 && n <= 36500:
		at = now.Add(time.Duration(n) * day)
	default:
		if lasts, err = time.ParseDuration(text); err == nil {
			at = now.Add(lasts)
		} else if at, err = time.Parse(time.DateOnly, text); err != nil {
			at, err = time.Parse(time.RFC3339, text)
		}
	}
	if err != nil {
		return at, fmt.Errorf("%q is no time; expected something like 90d, 12h, 2027-01-31 or 2027-01-31T12:00:00Z", text)
	}
	if !at.After(now) {
		return at, fmt.Errorf("%q is past", text)
	}
	return at.UTC().Truncate(time.Second), nil
}
