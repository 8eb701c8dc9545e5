package updater

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"

	"github.com/goccy/go-json"
	"github.com/valyala/fasthttp"

	"redyn/auth"
	"redyn/backend/dns"
)

// Registrar takes in the credentials that /register makes.
type Registrar interface {
	// AddCredential stores a new credential.
	AddCredential(ctx context.Context, c auth.Credential, from string) error
}

// registration is what acme-dns answers. Its clients read it line by line, so it is one line.
type registration struct {
	Username   string   `json:"username"`
	Password   string   `json:"password"`
	FullDomain string   `json:"fulldomain"`
	Subdomain  string   `json:"subdomain"`
	AllowFrom  []string `json:"allowfrom"`
}

// register makes a subdomain for somebody's challenges, and a credential for it.
func (u *Updater) register(ctx context.Context, r *request) reply {
	if u.RegisterZone == "" {
		return plain(&fault{outcome: nohostOutcome, text: "nobody can register here"})
	}
	networks, texts, word := allowFrom(r.body)
	if word != "" {
		return acmeError(fasthttp.StatusBadRequest, word)
	}
	if _, err := u.find(ctx, r, auth.Query{}); err != nil {
		return acmeFault(u.unavailable(ctx, r, err))
	}
	subdomain := newUUID()
	name, err := dns.ParseName(subdomain + "." + string(u.RegisterZone))
	if err != nil || u.zoneName(name) == "" {
		u.log.ErrorContext(ctx, "nobody can register: no zone has the names", "name", name)
		return acmeFault(errFailed)
	}
	secret := auth.GenerateSecret(registeredLen)
	c, err := auth.NewTokenCredential(secret)
	if err != nil {
		return acmeFault(errFailed)
	}
	c.ID = subdomain
	c.Grant = auth.Grant{Hosts: []auth.Area{{Name: name}}, Types: []dns.Type{dns.TypeTXT}, Networks: networks}
	if err := u.Registrar.AddCredential(ctx, c, r.from.String()); err != nil {
		return acmeFault(u.unavailable(ctx, r, err))
	}
	u.log.InfoContext(ctx, "subdomain registered", "host", name, "key", c.ID, "remote", r.from, "protocol", "acme-dns", "agent", r.headers.agent)
	p := sayJSON(registration{subdomain, secret.Reveal(), strings.TrimSuffix(challengeLabel+string(name), "."), subdomain, texts})
	p.status, p.outcome = fasthttp.StatusCreated, goodOutcome
	return p
}

// registeredLen is the length of acme-dns's passwords.
const registeredLen = 40

// allowFrom reads the networks that a new credential can be used from. If it cannot, word says why.
func allowFrom(body string) (networks []netip.Prefix, texts []string, word string) {
	var wanted struct {
		AllowFrom []string `json:"allowfrom"`
	}
	if body != "" {
		d := json.NewDecoder(strings.NewReader(body))
		if err := d.Decode(&wanted); err != nil {
			return nil, nil, "malformed_json_payload"
		}
		if _, err := d.Token(); !errors.Is(err, io.EOF) {
			return nil, nil, "malformed_json_payload"
		}
	}
	texts = []string{}
	for _, text := range wanted.AllowFrom {
		p, err := auth.ParseNetwork(text)
		if err != nil {
			return nil, nil, "invalid_allowfrom_cidr"
		}
		networks, texts = append(networks, p), append(texts, p.String())
	}
	return networks, texts, ""
}

// newUUID returns a random UUID (RFC 9562, version 4).
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
