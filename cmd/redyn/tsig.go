package main

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"redyn/backend/dns"
	"redyn/redisstore"
)

func tsigCommand() *cli.Command {
	return &cli.Command{
		Name:  "tsig",
		Usage: "add, list and delete TSIG keys: secrets that two servers share",
		Subcommands: []*cli.Command{
			{
				Name: "add", Usage: "add a TSIG key", ArgsUsage: "NAME",
				Flags: secretStoreFlags(
					&cli.StringFlag{Name: "algorithm", Value: "hmac-sha256", Usage: tsigAlgorithmNames()},
					&cli.StringFlag{Name: "secret", DefaultText: "a new one, printed once", Usage: "`BASE64` of the secret; - reads it from the standard input"},
					jsonFlag,
				),
				Description: "A new secret is printed, and never again: dig -y ALGORITHM:NAME:SECRET uses it. Which zone uses\n" +
					"which key is said by pdnsutil activate-tsig-key.",
				Action: withStore("expected: redyn tsig add NAME", 1, 1, tsigAdd),
			},
			{
				Name: "list", Usage: "list all TSIG keys, without their secrets", Flags: storeFlags(jsonFlag),
				Action: withStore("expected: redyn tsig list", 0, 0, tsigList),
			},
			{
				Name: "delete", Usage: "delete a TSIG key", ArgsUsage: "NAME", Flags: storeFlags(),
				Action: withStore("expected: redyn tsig delete NAME", 1, 1, tsigDelete),
			},
		},
	}
}

// tsigAlgorithms are those that PowerDNS knows, by its names for them, and how many octets a new
// secret has: as many as the digest, which is the least that RFC 8945 section 8 wants, and no fewer
// than 32.
var tsigAlgorithms = []struct {
	name string
	size int
}{
	{"hmac-md5", 32},
	{"hmac-sha1", 32},
	{"hmac-sha224", 32},
	{"hmac-sha256", 32},
	{"hmac-sha384", 48},
	{"hmac-sha512", 64},
}

func tsigAlgorithmNames() string {
	var names []string
	for _, a := range tsigAlgorithms {
		names = append(names, a.name)
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// parseTSIGAlgorithm returns the name that PowerDNS has for an algorithm, and the size of a new secret.
func parseTSIGAlgorithm(text string) (dns.Name, int, error) {
	name := strings.TrimSuffix(strings.ToLower(text), ".")
	name = strings.TrimSuffix(name, ".sig-alg.reg.int") // the name of hmac-md5 in full (RFC 8945 section 6)
	for _, a := range tsigAlgorithms {
		if a.name == name {
			return dns.Name(name + "."), a.size, nil
		}
	}
	return "", 0, fmt.Errorf("%q is no algorithm; expected %s", text, tsigAlgorithmNames())
}

// tsigInfo is a TSIG key as it is printed; its secret only if it is new.
type tsigInfo struct {
	Name      dns.Name `json:"name"`
	Algorithm string   `json:"algorithm"`
	Secret    string   `json:"secret,omitempty"`
}

func newTSIGInfo(name, algorithm dns.Name) tsigInfo {
	return tsigInfo{Name: name, Algorithm: strings.TrimSuffix(string(algorithm), ".")}
}

func tsigAdd(c *cli.Context, store *redisstore.Store) error {
	name, err := argName(c.Args().First())
	if err != nil {
		return err
	}
	algorithm, size, err := parseTSIGAlgorithm(c.String("algorithm"))
	if err != nil {
		return usagef("--algorithm: %w", err)
	}
	key := dns.TSIGKey{Name: name, Algorithm: algorithm}
	info := newTSIGInfo(name, algorithm)
	if c.IsSet("secret") {
		if key.Secret, err = givenTSIGSecret(c); err != nil {
			return usagef("--secret: %w", err)
		}
	} else {
		key.Secret = newTSIGSecret(size)
		info.Secret = key.Secret
	}
	there, err := store.TSIGAlgorithms(c.Context)
	if err != nil {
		return err
	}
	if _, ok := there[name]; ok {
		return fmt.Errorf("TSIG key %s exists already; redyn tsig delete %s makes room", name, name)
	}
	if err := readsSecrets(c.Context, store); err != nil {
		return err
	}
	if _, err := applyTSIG(c, store, name, &key); err != nil {
		return err
	}
	switch {
	case c.Bool("json"):
		return printJSON(c.App.Writer, info)
	case info.Secret != "":
		fmt.Fprintf(c.App.Writer, "TSIG key %s, %s, is added; its secret is told this once:\n%s\n", name, info.Algorithm, info.Secret)
	default:
		fmt.Fprintf(c.App.Writer, "TSIG key %s, %s, is added\n", name, info.Algorithm)
	}
	return nil
}

func applyTSIG(c *cli.Context, store *redisstore.Store, name dns.Name, key *dns.TSIGKey) (redisstore.Result, error) {
	r, err := store.Apply(c.Context, dns.Change{
		Who: who, From: from(),
		Server: dns.ServerChange{TSIG: map[dns.Name]*dns.TSIGKey{name: key}},
	})
	if err == nil {
		awaitNodes(c, store, r)
	}
	return r, err
}

func newTSIGSecret(size int) string {
	secret := make([]byte, size)
	_, _ = rand.Read(secret) // it never fails
	return base64.StdEncoding.EncodeToString(secret)
}

// maxTSIGSecret bounds what is read as a secret.
const maxTSIGSecret = 4096

func givenTSIGSecret(c *cli.Context) (string, error) {
	text := c.String("secret")
	if text == "-" {
		read, err := io.ReadAll(io.LimitReader(c.App.Reader, maxTSIGSecret))
		if err != nil {
			return "", err
		}
		text = string(read)
	}
	text = strings.TrimSpace(text)
	secret, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(secret) == 0 || strings.ContainsAny(text, "\r\n") {
		return "", errors.New("it is no base64; expected something like the output of: openssl rand -base64 32")
	}
	return text, nil
}

func tsigList(c *cli.Context, store *redisstore.Store) error {
	keys, err := store.TSIGAlgorithms(c.Context)
	if err != nil {
		return err
	}
	infos := make([]tsigInfo, 0, len(keys))
	rows := make([][]string, 0, len(keys))
	for name, algorithm := range sortedMap(keys) {
		info := newTSIGInfo(name, algorithm)
		infos = append(infos, info)
		rows = append(rows, []string{string(name), info.Algorithm})
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, infos)
	}
	return printTable(c.App.Writer, []string{"NAME", "ALGORITHM"}, rows)
}

func tsigDelete(c *cli.Context, store *redisstore.Store) error {
	name, err := argName(c.Args().First())
	if err != nil {
		return err
	}
	r, err := applyTSIG(c, store, name, nil)
	if err != nil {
		return err
	}
	if r.ID == "" {
		return fmt.Errorf("TSIG key %s: %w", name, dns.ErrNotFound)
	}
	fmt.Fprintf(c.App.Writer, "TSIG key %s is deleted\n", name)
	return nil
}
