package main

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"redyn/auth"
	"redyn/backend"
	"redyn/backend/dns"
	"redyn/redisstore"
	"redyn/updater"
)

// A setting is a flag that the environment and the config file may give too. The groups say which
// commands have which.
var (
	configFlags = []cli.Flag{
		setting(&cli.StringFlag{Name: "config", Usage: "read settings from this YAML `FILE`, one a line: \"redis-url: redis://127.0.0.1:6379/0\""}),
	}
	redisFlags = []cli.Flag{
		setting(&cli.StringFlag{Name: "redis-url", Value: "redis://127.0.0.1:6379/0", Usage: "`URL` of the primary: redis://, rediss:// or unix://[USER:PASSWORD@]..., Sentinel with ?master_name=, Cluster with ?addr="}),
		setting(&cli.StringFlag{Name: "redis-read-url", DefaultText: "redis-url", Usage: "`URL` of the server to load and follow from, such as a replica on this machine"}),
		setting(&cli.StringFlag{Name: "redis-prefix", Value: redisstore.DefaultPrefix, Usage: "beginning of all keys; the braces keep them in one slot of a Cluster"}),
		setting(&cli.DurationFlag{Name: "redis-timeout", Value: time.Second, Usage: "longest wait for one Redis command"}),
		setting(&cli.Int64Flag{Name: "redis-log-length", Value: 100_000, Usage: "about how many changes Redis keeps for nodes to catch up with"}),
		setting(&cli.StringFlag{Name: "redis-tls-ca", Usage: "`FILE` of PEM certificates to trust with rediss:// instead of the system's"}),
		setting(&cli.StringFlag{Name: "redis-tls-cert", Usage: "PEM `FILE` of the certificate to show to Redis"}),
		setting(&cli.StringFlag{Name: "redis-tls-key", Usage: "PEM `FILE` of that certificate's key"}),
	}
	secretsFlags = []cli.Flag{
		setting(&cli.StringFlag{Name: "secrets-key-file", Usage: "`FILE` of the key that DNSSEC's private keys, TSIG and HMAC secrets are sealed under in Redis; redyn secrets key makes one"}),
	}
	backendFlags = []cli.Flag{
		setting(&cli.StringFlag{Name: "backend-listen", Value: "127.0.0.1:8053", Usage: "`ADDRESS:PORT` to answer PowerDNS over HTTP; empty for none"}),
		setting(&cli.StringFlag{Name: "backend-unix", Usage: "`PATH` of a unix socket to answer PowerDNS on: the fast road on one machine"}),
		setting(&cli.StringFlag{Name: "backend-unix-mode", Value: "0660", Usage: "file mode of that socket"}),
		setting(&cli.StringFlag{Name: "backend-unix-group", Usage: "group of that socket, such as pdns; empty leaves it"}),
		setting(&cli.BoolFlag{Name: "backend-keepalive", Value: true, Usage: "keep HTTP connections open; false closes each after its reply, and PowerDNS then answers some four times faster"}),
		setting(&cli.StringSliceFlag{Name: "backend-allow", Usage: "network (`CIDR`) that may ask over HTTP besides this machine; repeatable"}),
		setting(&cli.StringFlag{Name: "backend-methods", Value: string(backend.AllMethods), Usage: "what PowerDNS may do: read, read+keys (DNSSEC and TSIG keys too) or all"}),
		setting(&cli.DurationFlag{Name: "backend-transaction-timeout", Value: backend.DefaultTransactionTimeout, Usage: "how long a zone transfer or another transaction of PowerDNS may be silent before it is dropped"}),
	}
	statusFlags = []cli.Flag{
		setting(&cli.StringFlag{Name: "status-listen", Value: "127.0.0.1:8054", Usage: "`ADDRESS:PORT` of /metrics, /healthz, /readyz and /debug/pprof; empty for none"}),
	}
	nodeFlags = []cli.Flag{
		setting(&cli.StringFlag{Name: "node-name", DefaultText: "name of the host", Usage: "name of this node in Redis; no two nodes may share one"}),
	}
	logFlags = []cli.Flag{
		setting(&cli.StringFlag{Name: "log-level", Value: "info", Usage: "least level to log: debug, info, warn or error"}),
		setting(&cli.StringFlag{Name: "log-format", Value: "text", Usage: "form of the log: text or json"}),
	}
)

// setting gives a flag its environment variable.
func setting(f cli.Flag) cli.Flag {
	switch f := f.(type) {
	case *cli.StringFlag:
		f.EnvVars = []string{envName(f.Name)}
	case *cli.StringSliceFlag:
		f.EnvVars = []string{envName(f.Name)}
	case *cli.BoolFlag:
		f.EnvVars = []string{envName(f.Name)}
	case *cli.DurationFlag:
		f.EnvVars = []string{envName(f.Name)}
	case *cli.Int64Flag:
		f.EnvVars = []string{envName(f.Name)}
	}
	return f
}

func envName(name string) string {
	return "REDYN_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// serveFlags are the settings of a serving node.
func serveFlags() []cli.Flag {
	return slices.Concat(redisFlags, secretsFlags, backendFlags, purgeFlags, updaterFlags, statusFlags, nodeFlags, logFlags, configFlags)
}

// storeFlags are the settings of a command that works on Redis.
func storeFlags(own ...cli.Flag) []cli.Flag { return slices.Concat(own, redisFlags, configFlags) }

// secretStoreFlags are those of one that reads or writes secrets there.
func secretStoreFlags(own ...cli.Flag) []cli.Flag {
	return slices.Concat(own, redisFlags, secretsFlags, configFlags)
}

// settingNames are the names of all settings.
func settingNames() []string {
	var names []string
	for _, f := range slices.Concat(serveFlags(), updateFlags()) {
		names = append(names, f.Names()[0])
	}
	return names
}

// checks say what is wrong with the text of a flag's value, and what would be right. One that begins
// with the words of a command is for its flag alone.
var checks = map[string]func(string) error{
	"redis-timeout":               checkDuration,
	"redis-log-length":            checkCount,
	"backend-listen":              checkListen,
	"backend-unix-mode":           checkMode,
	"backend-unix-group":          checkGroup,
	"backend-keepalive":           checkBool,
	"backend-allow":               checkNetworks,
	"backend-transaction-timeout": checkDuration,
	"backend-methods":             func(text string) error { _, err := backend.ParseMethods(text); return err },
	"pdns-api-url":                checkURL,
	"uncached-hosts":              checkBool,
	"updater-listen":              checkListens,
	"trusted-proxy":               checkNetworks,
	"trusted-proxy-header":        checkHeader,
	"limit-source":                checkLimit,
	"limit-failures":              checkLimit,
	"limit-host":                  checkLimit,
	"missing-family":              checkMissingFamily,
	"refuse-addresses":            checkRefused,
	"reply-style":                 func(text string) error { _, err := updater.ParseStyle(text); return err },
	"dynamic-ttl":                 checkDynamicTTL,
	"public-domain-view":          checkBool,
	"onetime-life":                checkDuration,
	"hmac-hex-digest":             checkBool,
	"acme-dns-register":           checkRegister,
	"signed-path-prefix":          checkPathPrefix,
	"status-listen":               checkListen,
	"log-level":                   func(text string) error { _, err := parseLevel(text); return err },
	"log-format":                  checkLogFormat,
	"json":                        checkBool,
	"replace":                     checkBool,
	"begin-anew":                  checkBool,
	"ttl":                         checkTTL,
	"kind":                        func(text string) error { _, err := dns.ParseKind(text); return err },
	"serial":                      func(text string) error { _, err := dns.ParseSerialPolicy(text); return err },
	"primary":                     checkPrimaries,
	"update-url":                  func(text string) error { _, err := parseUpdateURL(text); return err },
	"update-address":              func(text string) error { _, err := parseAddrs(strings.Split(text, ",")); return err },
	"update-family":               func(text string) error { _, err := parseFamilies(text); return err },
	"update-every":                checkDuration,
	"update-timeout":              checkDuration,
	"algorithm":                   func(text string) error { _, _, err := parseTSIGAlgorithm(text); return err },
	"policy":                      func(text string) error { _, err := auth.ParseHostPolicy(text); return err },
	"addresses":                   checkBool,
	"host add id":                 func(text string) error { _, err := auth.ParseHostID(text); return err },
	"credential add kind":         func(text string) error { _, err := auth.ParseKind(text); return err },
	"below":                       checkBool,
	"read-only":                   checkBool,
	"type":                        func(text string) error { _, err := parseTypes(strings.Split(text, ",")); return err },
	"allow":                       func(text string) error { _, err := parseAllowed(strings.Split(text, ",")); return err },
	"expires":                     func(text string) error { _, err := parseExpiry(text, time.Now()); return err },
}

func checkValue(command, name, value string) error {
	check := checks[command+" "+name]
	if check == nil {
		check = checks[name]
	}
	if check == nil {
		return nil
	}
	return check(value)
}

func checkDuration(text string) error {
	if d, err := time.ParseDuration(text); err != nil || d <= 0 {
		return fmt.Errorf("%q is no time; expected something like 500ms or 2s", text)
	}
	return nil
}

func checkCount(text string) error {
	if n, err := strconv.ParseInt(text, 10, 64); err != nil || n < 1 {
		return fmt.Errorf("%q is no number from 1 on", text)
	}
	return nil
}

func checkBool(text string) error {
	if _, err := strconv.ParseBool(text); err != nil {
		return fmt.Errorf("%q is neither true nor false", text)
	}
	return nil
}

func checkListen(text string) error {
	if text == "" {
		return nil
	}
	_, port, err := net.SplitHostPort(text)
	if _, number := strconv.ParseUint(port, 10, 16); err != nil || number != nil {
		return fmt.Errorf("%q is no address and port; expected something like 127.0.0.1:8053 or [::1]:8053", text)
	}
	return nil
}

func checkMode(text string) error {
	_, err := parseMode(text)
	return err
}

func parseMode(text string) (os.FileMode, error) {
	mode, err := strconv.ParseUint(text, 8, 32)
	if err != nil || mode > 0o777 {
		return 0, fmt.Errorf("%q is no file mode; expected something like 0660", text)
	}
	return os.FileMode(mode), nil
}

func checkGroup(text string) error {
	if text == "" {
		return nil
	}
	_, err := groupID(text)
	return err
}

func groupID(text string) (int, error) {
	if id, err := strconv.Atoi(text); err == nil && id >= 0 {
		return id, nil
	}
	group, err := user.LookupGroup(text)
	if err != nil {
		return 0, fmt.Errorf("%q is no group of this machine", text)
	}
	return strconv.Atoi(group.Gid)
}

func checkNetworks(text string) error {
	_, err := parseNetworks(strings.Split(text, ","))
	return err
}

func parseNetworks(texts []string) ([]netip.Prefix, error) {
	var networks []netip.Prefix
	for _, text := range texts {
		text = strings.TrimSpace(text)
		if text == "" {
			continue
		}
		network, err := auth.ParseNetwork(text)
		if err != nil {
			return nil, fmt.Errorf("%q is no network; expected something like 192.0.2.0/24 or 2001:db8::/32", text)
		}
		networks = append(networks, network)
	}
	return networks, nil
}

func parseLevel(text string) (slog.Level, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(text)); err != nil {
		return 0, fmt.Errorf("%q is no level; expected debug, info, warn or error", text)
	}
	return level, nil
}

func checkLogFormat(text string) error {
	if text != "text" && text != "json" {
		return fmt.Errorf("%q is no form; expected text or json", text)
	}
	return nil
}

func checkTTL(text string) error {
	_, err := parseTTL(text)
	return err
}

func parseTTL(text string) (uint32, error) {
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n > dns.MaxTTL {
		return 0, fmt.Errorf("%q is no TTL; expected 0 to %d seconds", text, dns.MaxTTL)
	}
	return uint32(n), nil
}

func checkPrimaries(text string) error {
	for item := range strings.SplitSeq(text, ",") {
		_, addr := netip.ParseAddr(item)
		_, port := netip.ParseAddrPort(item)
		if addr != nil && port != nil {
			return fmt.Errorf("%q is no address; expected something like 192.0.2.1 or 192.0.2.1:5353 or [2001:db8::1]:53", item)
		}
	}
	return nil
}
