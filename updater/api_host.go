package updater

import (
	"context"
	"fmt"
	"slices"
	"time"

	"redyn/auth"
	"redyn/backend/dns"
)

// apiHost is a dynamic host in JSON.
type apiHost struct {
	ID      auth.HostID `json:"id"`
	Name    dns.Name    `json:"name"`
	Zone    dns.Name    `json:"zone,omitempty"`
	Policy  string      `json:"policy"`
	Created *time.Time  `json:"created,omitempty"`
	Changed *time.Time  `json:"changed,omitempty"`
}

// defaultPolicy is how JSON has auth.PolicyDefault.
const defaultPolicy = "default"

func (c *apiCall) newAPIHost(h auth.Host) apiHost {
	policy := string(h.Policy)
	if h.Policy == auth.PolicyDefault {
		policy = defaultPolicy
	}
	return apiHost{h.ID, h.Name, c.u.zoneName(h.Name), policy, timeOrNil(h.Created), timeOrNil(h.Changed)}
}

// apiHosts is a part of the hosts that there are.
type apiHosts struct {
	Hosts []apiHost `json:"hosts"`
	Next  dns.Name  `json:"next,omitempty"`
}

// sees reports whether the credential grants anything of a host.
func (c *apiCall) sees(h auth.Host) bool {
	grant := &c.verified.Credential.Grant
	types := grant.Types
	if len(types) == 0 {
		types = []dns.Type{dns.TypeA, dns.TypeAAAA}
	}
	return slices.ContainsFunc(types, func(typ dns.Type) bool {
		name := h.Name
		if typ == dns.TypeTXT {
			name = challengeLabel + name
		}
		return grant.Allows(auth.Target{Zone: c.u.zoneName(name), Host: h.ID, Name: name, Type: typ})
	})
}

// listHosts shows the hosts that the credential grants anything of. All that there are are looked at only
// for one that is for more than single names.
func (c *apiCall) listHosts(ctx context.Context) (any, error) {
	page := c.page()
	if err := c.admit(ctx); err != nil {
		return nil, err
	}
	wanted := func(name dns.Name) bool { return page.has(name) && c.sees(auth.Host{Name: name}) }
	grant := &c.verified.Credential.Grant
	var all []auth.Host
	var err error
	if len(grant.Zones) > 0 || slices.ContainsFunc(grant.Hosts, func(a auth.Area) bool { return a.Below }) {
		all, err = c.hostsAmong(ctx, wanted, page.limit+1)
	} else {
		all, err = c.hostsNamed(ctx, wanted)
	}
	if err != nil {
		return nil, err
	}
	list := apiHosts{Hosts: []apiHost{}}
	for i, h := range all {
		if i == page.limit {
			list.Next = all[i-1].Name
			break
		}
		if c.sees(h) {
			list.Hosts = append(list.Hosts, c.newAPIHost(h))
		}
	}
	return list, nil
}

// hostsAmong looks through all hosts that there are. One call does at a time: there may be a million.
func (c *apiCall) hostsAmong(ctx context.Context, wanted func(dns.Name) bool, limit int) ([]auth.Host, error) {
	if err := c.u.listing.Acquire(ctx, 1); err != nil {
		return nil, fmt.Errorf("wait to list hosts: %w", err)
	}
	defer c.u.listing.Release(1)
	return c.u.Manager.HostsAmong(ctx, wanted, limit)
}

// hostsNamed returns the hosts that the grant names.
func (c *apiCall) hostsNamed(ctx context.Context, wanted func(dns.Name) bool) ([]auth.Host, error) {
	var q auth.Query
	for _, a := range c.verified.Credential.Grant.Hosts {
		if wanted(a.Name) {
			q.HostNames = append(q.HostNames, a.Name)
		}
	}
	if len(q.HostNames) == 0 {
		return nil, nil
	}
	found, err := c.u.Store.Find(ctx, q)
	slices.SortFunc(found.Hosts, func(a, b auth.Host) int { return dns.Compare(a.Name, b.Name) })
	return found.Hosts, err
}

// host returns the host in the path, if the credential grants anything of it.
func (c *apiCall) host(ctx context.Context) (auth.Host, error) {
	h := c.r.pathHost()
	c.wish.hosts = append(c.wish.hosts, h)
	if err := c.admit(ctx); err != nil {
		return auth.Host{}, err
	}
	if h.host.ID == 0 || !c.sees(h.host) {
		return auth.Host{}, errNoSuch
	}
	return h.host, nil
}

func (c *apiCall) showHost(ctx context.Context) (any, error) {
	h, err := c.host(ctx)
	if err != nil {
		return nil, err
	}
	return c.newAPIHost(h), nil
}

// newHost is a host that is to be added, in JSON.
type newHost struct {
	Name   string `json:"name"`
	Policy string `json:"policy"`
}

// addHost makes a name a host, for whoever has the addresses of its zone or of what is below a name
// above it.
func (c *apiCall) addHost(ctx context.Context) (any, error) {
	var body newHost
	c.decode(&body)
	h := auth.Host{Name: c.name("name", body.Name), Policy: c.policy(body.Policy)}
	if err := c.admit(ctx); err != nil {
		return nil, err
	}
	if !c.coversFromAbove(h.Name, auth.Grant{Hosts: []auth.Area{{Name: h.Name}}}) {
		return nil, errMore
	}
	zone, ok := c.u.Zones.ZoneOf(h.Name)
	if !ok {
		return nil, errNoSuch
	}
	if err := changeable(zone); err != nil {
		return nil, err
	}
	if err := c.spend(ctx); err != nil {
		return nil, err
	}
	h, err := c.u.Manager.AddHost(ctx, h, c.who(), c.from())
	if err != nil {
		return nil, err
	}
	c.tell(ctx, "host added", "host", h.Name)
	return c.newAPIHost(h), nil
}

func (c *apiCall) policy(text string) auth.HostPolicy {
	p, err := auth.ParseHostPolicy(text)
	if err != nil {
		c.doubt(bad("%v", err))
	}
	return p
}

// hostChange is what can be changed of a host, in JSON.
type hostChange struct {
	Policy *string `json:"policy"`
}

func (c *apiCall) changeHost(ctx context.Context) (any, error) {
	var body hostChange
	c.decode(&body)
	var policy auth.HostPolicy
	if body.Policy == nil {
		c.doubt(bad("policy is missing; nothing else of a host can be changed"))
	} else {
		policy = c.policy(*body.Policy)
	}
	h, err := c.host(ctx)
	if err != nil {
		return nil, err
	}
	if !c.covers(auth.Grant{Hosts: []auth.Area{{Host: h.ID, Name: h.Name}}}) {
		return nil, errMore
	}
	if err := c.spend(ctx); err != nil {
		return nil, err
	}
	if err := c.u.Manager.SetHostPolicy(ctx, h.ID, policy, c.who(), c.from()); err != nil {
		return nil, err
	}
	h.Policy = policy
	c.tell(ctx, "host changed", "host", h.Name)
	return c.newAPIHost(h), nil
}

// deleteHost deletes a host, for whoever may add it.
func (c *apiCall) deleteHost(ctx context.Context) (any, error) {
	text, given := c.r.params.get("addresses")
	if given && text != "true" && text != "false" {
		c.doubt(bad("addresses %+.40q is neither true nor false", text))
	}
	h, err := c.host(ctx)
	if err != nil {
		return nil, err
	}
	if !c.coversFromAbove(h.Name, auth.Grant{Hosts: []auth.Area{{Name: h.Name}}}) {
		return nil, errMore
	}
	if err := c.spend(ctx); err != nil {
		return nil, err
	}
	if err := c.u.Manager.DeleteHost(ctx, h.ID, text == "true", c.who(), c.from()); err != nil {
		return nil, err
	}
	c.tell(ctx, "host deleted", "host", h.Name)
	return nil, nil
}
