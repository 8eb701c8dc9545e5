package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"redyn/auth"
	"redyn/backend/dns"
	"redyn/updater"
)

// updaterFlags are the settings of the listener that hosts update their addresses at.
var updaterFlags = []cli.Flag{
	setting(&cli.StringSliceFlag{Name: "updater-listen", Value: cli.NewStringSlice("127.0.0.1:8080"), Usage: "`ADDRESS:PORT` to answer hosts that update their addresses; repeatable; http:// in front keeps one without TLS; empty for none"}),
	setting(&cli.StringFlag{Name: "updater-tls-cert", Usage: "PEM `FILE` of the certificate to show to hosts, read again when it changes; they are answered under TLS then"}),
	setting(&cli.StringFlag{Name: "updater-tls-key", Usage: "PEM `FILE` of that certificate's key"}),
	setting(&cli.StringSliceFlag{Name: "trusted-proxy", Usage: "network (`CIDR`) of proxies that say where a request comes from; repeatable"}),
	setting(&cli.StringFlag{Name: "trusted-proxy-header", DefaultText: "X-Forwarded-For or Forwarded", Usage: "the one header that these proxies say it in; PROXY is the PROXY protocol, before all of HTTP and TLS"}),
	setting(&cli.StringFlag{Name: "limit-source", Value: "30/1m", Usage: "most requests of one address (of IPv6, of one /64) in a time, on all nodes together; 0 is no limit"}),
	setting(&cli.StringFlag{Name: "limit-failures", Value: "10/15m", Usage: "most failed authentications of one address in a time; 0 is no limit"}),
	setting(&cli.StringFlag{Name: "limit-host", Value: "4/2m", Usage: "most changes of one host's addresses in a time; 0 is no limit"}),
	setting(&cli.StringFlag{Name: "missing-family", Value: string(auth.PolicyDelete), Usage: "what becomes of IPv4 or IPv6 addresses that an update does not mention: delete or preserve; a host's own policy goes before it"}),
	setting(&cli.StringSliceFlag{Name: "refuse-addresses", Usage: "network (`CIDR`) of addresses that no host may have, or special: loopback, link-local, multicast and the like; repeatable"}),
	setting(&cli.StringFlag{Name: "reply-style", Value: string(updater.AutoStyle), Usage: "words to answer updates in: desec, dyndns2 or auto (by the path)"}),
	setting(&cli.StringFlag{Name: "dynamic-ttl", Value: strconv.Itoa(updater.DefaultTTL), Usage: "TTL of records that updates write, in seconds"}),
	setting(&cli.BoolFlag{Name: "public-domain-view", Value: true, Usage: "show the records of a host at /domain/ to everybody; false wants a credential"}),
	setting(&cli.DurationFlag{Name: "onetime-life", Value: updater.DefaultTokenLife, Usage: "how long a one-time token can be used"}),
	setting(&cli.BoolFlag{Name: "hmac-hex-digest", Value: true, Usage: "take HMAC signatures of the digest in hex, as PHP makes them, too"}),
	setting(&cli.StringFlag{Name: "acme-dns-register", Usage: "`NAME` below which acme-dns clients may register subdomains for their challenges; empty: nobody may"}),
	setting(&cli.StringFlag{Name: "signed-path-prefix", Usage: "`PATH` that a proxy takes away, and that HMAC clients sign before the rest"}),
}

// updaterOptions are the settings of the updater, read and checked.
type updaterOptions struct {
	listen      []string
	certificate *updater.Certificate // nil: no TLS
	updater     updater.Options
	verifier    auth.Options
}

func newUpdaterOptions(c *cli.Context) (updaterOptions, error) {
	o := updaterOptions{updater: updater.Options{
		ProxyHeader: c.String("trusted-proxy-header"), MissingFamily: auth.HostPolicy(c.String("missing-family")),
		Style: updater.Style(c.String("reply-style")), PrivateDomainView: !c.Bool("public-domain-view"),
		TokenLife: c.Duration("onetime-life"), SignedPathPrefix: c.String("signed-path-prefix"),
	}}
	for _, listen := range c.StringSlice("updater-listen") {
		if listen != "" {
			o.listen = append(o.listen, listen)
		}
	}
	var err error
	if o.updater.TrustedProxies, err = parseNetworks(c.StringSlice("trusted-proxy")); err != nil {
		return o, usagef("--trusted-proxy: %w", err)
	}
	if o.updater.RefusedAddresses, err = parseRefused(c.StringSlice("refuse-addresses")); err != nil {
		return o, usagef("--refuse-addresses: %w", err)
	}
	for name, limit := range map[string]*auth.Limit{
		"limit-source": &o.updater.SourceLimit, "limit-failures": &o.updater.FailureLimit, "limit-host": &o.updater.HostLimit,
	} {
		if *limit, err = parseLimit(c.String(name)); err != nil {
			return o, usagef("--%s: %w", name, err)
		}
	}
	if o.updater.TTL, err = parseTTL(c.String("dynamic-ttl")); err != nil {
		return o, usagef("--dynamic-ttl: %w", err)
	}
	if name := c.String("acme-dns-register"); name != "" {
		if o.updater.RegisterZone, err = dns.ParseName(name); err != nil {
			return o, usagef("--acme-dns-register: %w", err)
		}
	}
	o.verifier.RawDigestOnly = !c.Bool("hmac-hex-digest")
	if o.verifier.Sealer, err = readSealer(c); err != nil {
		return o, err
	}
	return o, o.readCertificate(c)
}

// readCertificate reads the certificate, if one is set.
func (o *updaterOptions) readCertificate(c *cli.Context) error {
	cert, key := c.String("updater-tls-cert"), c.String("updater-tls-key")
	if cert == "" && key == "" {
		return nil
	}
	if cert == "" || key == "" {
		return usagef("--updater-tls-cert and --updater-tls-key go together; one of them is missing")
	}
	log, err := newLogger(c, c.App.ErrWriter)
	if err != nil {
		return err
	}
	if o.certificate, err = updater.LoadCertificate(cert, key, log); err != nil {
		return usagef("--updater-tls-cert and --updater-tls-key: %w", err)
	}
	return nil
}

// special stands for updater.SpecialAddresses.
const special = "special"

// parseRefused reads networks, and what stands for several.
func parseRefused(texts []string) ([]netip.Prefix, error) {
	var networks []netip.Prefix
	for _, text := range texts {
		if strings.TrimSpace(text) == special {
			networks = append(networks, updater.SpecialAddresses()...)
			continue
		}
		more, err := parseNetworks([]string{text})
		if err != nil {
			return nil, fmt.Errorf("%w, or %s", err, special)
		}
		networks = append(networks, more...)
	}
	return networks, nil
}

// parseLimit reads how many of something may happen in a time: 30/1m.
func parseLimit(text string) (auth.Limit, error) {
	if text == "0" {
		return auth.Limit{}, nil
	}
	count, per, _ := strings.Cut(text, "/")
	n, err := strconv.ParseUint(count, 10, 31)
	d, wrong := time.ParseDuration(per)
	if err != nil || wrong != nil || n == 0 || d < time.Second {
		return auth.Limit{}, fmt.Errorf("%q is no limit; expected something like 30/1m, or 0 for none", text)
	}
	return auth.Limit{Count: int(n), Per: d}, nil
}

// plainListen takes off what keeps an address of --updater-listen without TLS.
func plainListen(listen string) (address string, plain bool) {
	return strings.CutPrefix(listen, "http://")
}

// updaterStore is where updates go. One returns once this node's own copy shows it.
type updaterStore struct{ *backendStore }

func (s updaterStore) Update(ctx context.Context, c dns.Change, use auth.Use) error {
	r, err := s.Store.Update(ctx, c, use)
	if err != nil {
		return err
	}
	s.shown(ctx, r)
	return nil
}

// AddCredential takes in a credential of somebody who registers, for names that no host has.
func (s updaterStore) AddCredential(ctx context.Context, c auth.Credential, from string) error {
	_, err := s.Store.AddCredential(ctx, c, "acme-dns", from)
	return err
}

// hostListener is a listener for hosts, and whether it is under TLS.
type hostListener struct {
	net.Listener
	secure *tls.Config
}

// listenUpdater opens the listeners of the updater.
func (n *node) listenUpdater(ctx context.Context) error {
	for _, listen := range n.updates.listen {
		address, plain := plainListen(listen)
		ln, err := listenTCP(ctx, "updater-listen", address)
		if err != nil {
			return err
		}
		one := hostListener{Listener: ln}
		if n.updates.certificate != nil && !plain {
			one.secure = n.updates.certificate.Config()
		}
		n.hosts = append(n.hosts, one)
	}
	return nil
}

// newUpdater makes what answers hosts.
func newUpdater(n *node, log *slog.Logger) *updater.Updater {
	o := n.updates.updater
	store := updaterStore{n.writes}
	o.Zones, o.Store, o.Registrar = n.db, store, store
	o.Manager, o.Sealer = apiStore{n.writes}, n.updates.verifier.Sealer
	o.Verifier = auth.NewVerifier(n.updates.verifier)
	o.Loaded = n.follower.Loaded()
	o.Log, o.Metrics = log, n.registry
	return updater.New(o)
}

func checkListens(text string) error {
	for listen := range strings.SplitSeq(text, ",") {
		address, plain := plainListen(listen)
		if plain && address == "" {
			return fmt.Errorf("%q has no address and port; expected something like http://127.0.0.1:8080", listen)
		}
		if err := checkListen(address); err != nil {
			return err
		}
	}
	return nil
}

func checkRegister(text string) error {
	if text == "" {
		return nil
	}
	_, err := dns.ParseName(text)
	return err
}

func checkLimit(text string) error {
	_, err := parseLimit(text)
	return err
}

// checkDynamicTTL wants more than 0, which resolvers keep for no time, or for as long as they like.
func checkDynamicTTL(text string) error {
	if ttl, err := parseTTL(text); err != nil || ttl == 0 {
		return fmt.Errorf("%q is no TTL for hosts; expected 1 to %d seconds", text, dns.MaxTTL)
	}
	return nil
}

func checkRefused(text string) error {
	_, err := parseRefused(strings.Split(text, ","))
	return err
}

func checkMissingFamily(text string) error {
	if p, err := auth.ParseHostPolicy(text); err != nil || p == auth.PolicyDefault {
		return fmt.Errorf("%q is neither delete nor preserve", text)
	}
	return nil
}

// checkHeader wants the name of a header (RFC 9110 section 5.1), as far as proxies have such names.
func checkHeader(text string) error {
	if strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return fmt.Errorf("%q is no header; expected something like X-Forwarded-For", text)
	}
	return nil
}

func checkPathPrefix(text string) error {
	if text != "" && (!strings.HasPrefix(text, "/") || strings.HasSuffix(text, "/")) {
		return fmt.Errorf("%q is no beginning of a path; expected something like /dns", text)
	}
	return nil
}
