package updater

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"redyn/auth"
	"redyn/backend/dns"
)

// apiCredentials are credentials in JSON, without what verifies them.
type apiCredentials struct {
	Credentials []auth.Credential `json:"credentials"`
}

// listCredentials shows those for a host or a zone that grant nothing that the caller has not.
func (c *apiCall) listCredentials(ctx context.Context) (any, error) {
	host, byHost := c.r.params.get("host")
	zone, byZone := c.r.params.get("zone")
	var q auth.Query
	switch {
	case byHost == byZone:
		c.doubt(bad("expected host=NAME, or zone=NAME"))
	case byHost:
		c.askHost(&q, host)
		q.ForHosts = true
	default:
		q.ForZones = append(q.ForZones, c.name("zone", zone))
	}
	if err := c.admit(ctx); err != nil {
		return nil, err
	}
	found, err := c.u.Store.Find(ctx, q)
	if err != nil {
		return nil, err
	}
	list := apiCredentials{Credentials: []auth.Credential{}}
	for _, one := range found.Credentials {
		if c.handsOut(one) {
			list.Credentials = append(list.Credentials, one)
		}
	}
	return list, nil
}

// askHost asks for a host by its name or its number.
func (c *apiCall) askHost(q *auth.Query, text string) {
	if id, err := auth.ParseHostID(text); err == nil {
		q.Hosts = append(q.Hosts, id)
		return
	}
	q.HostNames = append(q.HostNames, c.name("host", text))
}

// handsOut reports whether a credential is one that the caller could have handed out himself.
func (c *apiCall) handsOut(one auth.Credential) bool {
	return c.verified.Credential.Covers(one, c.u.zoneName)
}

// manages reports whether the caller may hand out a credential and take it away again: whoever has a zone
// may for all in it. A host may not even for itself, or a token stolen from a router would outlive its own
// end, and end those of the owner.
func (c *apiCall) manages(one auth.Credential) bool {
	own := c.verified.Credential
	own.Grant.Hosts = nil
	return own.Covers(one, c.u.zoneName)
}

// managed is credential for one that is to be changed.
func (c *apiCall) managed(ctx context.Context) (auth.Credential, error) {
	one, err := c.credential(ctx)
	if err == nil && !c.manages(one) {
		err = errMore
	}
	return one, err
}

// credential returns the one in the path.
func (c *apiCall) credential(ctx context.Context) (auth.Credential, error) {
	if err := c.admit(ctx); err != nil {
		return auth.Credential{}, err
	}
	found, err := c.u.Store.Find(ctx, auth.Query{IDs: []string{c.args[0]}})
	if err != nil {
		return auth.Credential{}, err
	}
	if len(found.Credentials) == 0 || !c.handsOut(found.Credentials[0]) {
		return auth.Credential{}, errNoSuch
	}
	return found.Credentials[0], nil
}

func (c *apiCall) showCredential(ctx context.Context) (any, error) {
	one, err := c.credential(ctx)
	if err != nil {
		return nil, err
	}
	return one, nil
}

// newCredential is a credential that is to be created, in JSON.
type newCredential struct {
	Kind         string     `json:"kind"`
	Hosts        commaList  `json:"hosts"`
	Zones        commaList  `json:"zones"`
	Below        bool       `json:"below"`
	Types        commaList  `json:"types"`
	Networks     commaList  `json:"networks"`
	Expires      *time.Time `json:"expires"`
	ReadOnly     bool       `json:"read_only"`
	PublicKey    string     `json:"public_key"`
	PasswordHash string     `json:"password_hash"`
}

// created is a credential that was created, and its secret if that is a new one.
type created struct {
	ID     string `json:"id"`
	Secret string `json:"secret,omitempty"`
}

// createCredential hands out a part of what the caller has.
func (c *apiCall) createCredential(ctx context.Context) (any, error) {
	var body newCredential
	c.decode(&body)
	grant, q := c.newGrant(&body)
	kind, err := auth.ParseKind(body.Kind)
	if err != nil {
		c.doubt(bad("%v", err))
	}
	c.doubt(body.fits(kind, c.r.now))
	if err := c.admit(ctx); err != nil {
		return nil, err
	}
	if grant.Hosts, err = c.grantedHosts(ctx, q, body.Below); err != nil {
		return nil, err
	}
	wanted := auth.Credential{Kind: kind, Grant: grant, ReadOnly: body.ReadOnly}
	if body.Expires != nil {
		wanted.Expires = body.Expires.UTC().Truncate(time.Second)
	}
	if err := c.mayCreate(ctx, wanted); err != nil {
		return nil, err
	}
	one, secret, err := c.newSecret(ctx, kind, &body)
	if err != nil {
		return nil, err
	}
	one.Grant, one.ReadOnly, one.Expires = wanted.Grant, wanted.ReadOnly, wanted.Expires
	if err := c.spend(ctx); err != nil {
		return nil, err
	}
	if err := c.u.Manager.CreateCredential(ctx, one, c.who(), c.from()); err != nil {
		return nil, err
	}
	c.tell(ctx, "credential created", "credential", one.ID)
	return created{one.ID, secret.Reveal()}, nil
}

// newGrant reads what is to be granted, and asks for its hosts.
func (c *apiCall) newGrant(body *newCredential) (g auth.Grant, q auth.Query) {
	if len(body.Hosts)+len(body.Zones) == 0 {
		c.doubt(bad("nothing is granted; expected hosts or zones"))
	}
	for _, text := range body.Hosts {
		c.askHost(&q, text)
	}
	for _, text := range body.Zones {
		g.Zones = append(g.Zones, auth.Area{Name: c.name("zones", text), Below: body.Below})
	}
	for _, text := range body.Types {
		typ := dns.TypeANY
		if !strings.EqualFold(text, typ.String()) {
			typ = c.rrtype(text)
		}
		g.Types = append(g.Types, typ)
	}
	for _, text := range body.Networks {
		network, err := auth.ParseNetwork(text)
		if err != nil {
			c.doubt(bad("%v", err))
		}
		g.Networks = append(g.Networks, network)
	}
	return g, q
}

// fits reports what does not go together.
func (b *newCredential) fits(kind auth.Kind, now time.Time) error {
	switch {
	case (kind == auth.PublicKey) != (b.PublicKey != ""):
		return bad("public_key is for the kind publickey, and for no other")
	case kind != auth.Password && b.PasswordHash != "":
		return bad("password_hash is for the kind password alone")
	case b.Expires != nil && !b.Expires.After(now):
		return bad("expires is past")
	case b.Expires != nil && b.Expires.UTC().Year() > 9999:
		return bad("expires is beyond the year 9999")
	}
	return nil
}

// grantedHosts returns the hosts that are asked for: they are granted as the hosts that they are now.
func (c *apiCall) grantedHosts(ctx context.Context, q auth.Query, below bool) ([]auth.Area, error) {
	n := len(q.Hosts) + len(q.HostNames)
	if n == 0 {
		return nil, nil
	}
	found, err := c.u.Store.Find(ctx, q)
	if err != nil {
		return nil, err
	}
	if len(found.Hosts) != n || slices.ContainsFunc(found.Hosts, func(h auth.Host) bool { return !c.sees(h) }) {
		return nil, errNoSuch
	}
	var areas []auth.Area
	for _, h := range found.Hosts {
		areas = append(areas, auth.Area{Host: h.ID, Name: h.Name, Below: below})
	}
	return areas, nil
}

// newSecret returns a credential with what proves it, and its secret if that is a new one.
func (c *apiCall) newSecret(ctx context.Context, kind auth.Kind, body *newCredential) (one auth.Credential, secret auth.Secret, err error) {
	switch kind {
	case auth.PublicKey:
		one, err = auth.NewPublicKeyCredential(body.PublicKey)
	case auth.HMAC:
		secret = auth.GenerateHMACSecret()
		if one, err = auth.NewHMACCredential("", secret, c.u.Sealer); err != nil {
			return one, secret, fmt.Errorf("make a secret: %w", err)
		}
	case auth.Password:
		hash := body.PasswordHash
		if hash == "" {
			secret = auth.GeneratePassword()
			if hash, err = c.u.Verifier.Hash(ctx, secret); err != nil {
				return one, secret, err
			}
		} else if err = auth.CheckModestHash(hash); err != nil {
			return one, secret, bad("password_hash: %v", err)
		}
		one, err = auth.NewPasswordCredential(hash)
	default:
		secret = auth.GenerateToken()
		one, err = auth.NewTokenCredential(secret)
	}
	if err != nil {
		err = bad("%v", err)
	}
	return one, secret, err
}

// mayCreate makes sure that nobody hands out more than he manages, nor so much for one name that what others
// have for it is not looked at any more.
func (c *apiCall) mayCreate(ctx context.Context, one auth.Credential) error {
	if !c.manages(one) {
		return errMore
	}
	for _, a := range one.Grant.Zones {
		if _, ok := c.u.Zones.Zone(a.Name); !ok {
			return errNoSuch
		}
	}
	for _, a := range slices.Concat(one.Grant.Hosts, one.Grant.Zones) {
		n, err := c.count(ctx, one.Kind, a.Name)
		if err != nil {
			return err
		}
		if n >= auth.MaxCandidates {
			return refused("%s has %d credentials of kind %s already; delete one first", a.Name, n, one.Kind)
		}
	}
	return nil
}

// count returns how many credentials of a kind there are for a name.
func (c *apiCall) count(ctx context.Context, kind auth.Kind, name dns.Name) (n int, err error) {
	found, err := c.u.Store.Find(ctx, auth.Query{ForZones: []dns.Name{name}})
	for _, other := range found.Credentials {
		areas := slices.Concat(other.Grant.Hosts, other.Grant.Zones)
		if other.Kind == kind && slices.ContainsFunc(areas, func(a auth.Area) bool { return a.Name == name }) {
			n++
		}
	}
	return n, err
}

// credentialChange is what can be changed of a credential, in JSON.
type credentialChange struct {
	Revoked bool `json:"revoked"`
}

func (c *apiCall) changeCredential(ctx context.Context) (any, error) {
	var body credentialChange
	c.decode(&body)
	if !body.Revoked {
		c.doubt(bad(`expected {"revoked": true}; nothing else of a credential can be changed`))
	}
	one, err := c.managed(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.spend(ctx); err != nil {
		return nil, err
	}
	if err := c.u.Manager.RevokeCredential(ctx, one.ID, c.who(), c.from()); err != nil {
		return nil, err
	}
	one.Revoked = true
	c.tell(ctx, "credential revoked", "credential", one.ID)
	return one, nil
}

func (c *apiCall) deleteCredential(ctx context.Context) (any, error) {
	one, err := c.managed(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.spend(ctx); err != nil {
		return nil, err
	}
	if err := c.u.Manager.DeleteCredential(ctx, one.ID, c.who(), c.from()); err != nil {
		return nil, err
	}
	c.tell(ctx, "credential deleted", "credential", one.ID)
	return nil, nil
}
