package updater

import (
	"context"
	"net/netip"
	"time"

	"redyn/auth"
	"redyn/backend/dns"
	"redyn/backend/dns/zonefile"
)

// apiZone is a zone in JSON.
type apiZone struct {
	Name           dns.Name         `json:"name"`
	ID             dns.ZoneID       `json:"id"`
	Kind           dns.Kind         `json:"kind"`
	Serial         dns.Serial       `json:"serial"`
	SerialPolicy   dns.SerialPolicy `json:"serial_policy"`
	NotifiedSerial dns.Serial       `json:"notified_serial"`
	Primaries      []string         `json:"primaries,omitempty"`
	Account        string           `json:"account,omitempty"`
	Created        *time.Time       `json:"created,omitempty"`
	Unknown        bool             `json:"unknown,omitempty"`
}

func newAPIZone(z dns.Zone) apiZone {
	return apiZone{z.Name, z.ID, z.Kind, z.Serial, z.Policy, z.NotifiedSerial, z.Masters, z.Account, timeOrNil(z.Created), z.Unknown}
}

// apiZones is a part of the zones that there are.
type apiZones struct {
	Zones []apiZone `json:"zones"`
	Next  dns.Name  `json:"next,omitempty"`
}

// wholeZone is what somebody has who has something in all of a zone.
func (c *apiCall) wholeZone(name dns.Name) auth.Grant {
	return auth.Grant{Zones: []auth.Area{{Name: name}}, Types: c.verified.Credential.Grant.Types}
}

func (c *apiCall) listZones(ctx context.Context) (any, error) {
	page := c.page()
	if err := c.admit(ctx); err != nil {
		return nil, err
	}
	list := apiZones{Zones: []apiZone{}}
	for z := range c.u.Zones.Zones() {
		switch {
		case !page.has(z.Name) || !c.covers(c.wholeZone(z.Name)):
			continue
		case len(list.Zones) == page.limit:
			list.Next = list.Zones[page.limit-1].Name
			return list, nil
		}
		list.Zones = append(list.Zones, newAPIZone(z))
	}
	return list, nil
}

func (c *apiCall) showZone(ctx context.Context) (any, error) {
	name := c.name("the zone", c.args[0])
	if err := c.admit(ctx); err != nil {
		return nil, err
	}
	z, ok := c.u.Zones.Zone(name)
	if !ok || !c.covers(c.wholeZone(name)) {
		return nil, errNoSuch
	}
	return newAPIZone(z), nil
}

// newZone is a zone that is to be created, in JSON.
type newZone struct {
	Name         string    `json:"name"`
	Kind         string    `json:"kind"`
	SerialPolicy string    `json:"serial_policy"`
	NameServers  commaList `json:"nameservers"`
	Mailbox      string    `json:"mailbox"`
	Primaries    commaList `json:"primaries"`
}

// createZone creates a zone, for whoever has all of a zone above it, and of what is below that.
func (c *apiCall) createZone(ctx context.Context) (any, error) {
	var body newZone
	c.decode(&body)
	z, sets, err := body.zone(c.r.now)
	if err != nil {
		c.doubt(err)
	}
	if err := c.admit(ctx); err != nil {
		return nil, err
	}
	if !c.coversFromAbove(z.Name, auth.Grant{Zones: []auth.Area{{Name: z.Name}}}) {
		return nil, errMore
	}
	if _, ok := c.u.Zones.Zone(z.Name); ok {
		return nil, errThere
	}
	if err := c.spend(ctx); err != nil {
		return nil, err
	}
	if err := c.u.Manager.CreateZone(ctx, z, sets, c.who(), c.from()); err != nil {
		return nil, err
	}
	c.tell(ctx, "zone created", "zone", z.Name)
	if shown, ok := c.u.Zones.Zone(z.Name); ok {
		z = shown
	}
	return newAPIZone(z), nil
}

// zone returns the zone that is described, with its SOA and NS.
func (b *newZone) zone(now time.Time) (z dns.Zone, sets []dns.RRset, err error) {
	if z.Name, err = dns.ParseName(b.Name); err != nil {
		return z, nil, bad("name: %v", err)
	}
	if z.Kind, err = dns.ParseKind(b.Kind); err != nil {
		return z, nil, bad("%v", err)
	}
	if z.Policy, err = dns.ParseSerialPolicy(b.SerialPolicy); err != nil {
		return z, nil, bad("%v", err)
	}
	z.Masters = b.Primaries
	if z.Kind == dns.Slave {
		return z, nil, b.checkSlave()
	}
	if len(b.Primaries) > 0 || len(b.NameServers) == 0 {
		return z, nil, bad("a %s zone has nameservers, and no primaries", z.Kind)
	}
	servers, err := zonefile.ParseContents(dns.TypeNS, b.NameServers)
	if err != nil {
		return z, nil, bad("nameservers: %v", err)
	}
	mailbox, err := zonefile.ParseMailbox(b.Mailbox, z.Name)
	if err != nil {
		return z, nil, bad("mailbox: %v", err)
	}
	z.Serial = z.Policy.Next(0, now)
	return z, zonefile.NewZone(z.Name, servers, mailbox, z.Serial), nil
}

func (b *newZone) checkSlave() error {
	if len(b.Primaries) == 0 || len(b.NameServers) > 0 || b.Mailbox != "" {
		return bad("a slave has primaries, which its records come from: no nameservers, and no mailbox")
	}
	for _, text := range b.Primaries {
		_, addr := netip.ParseAddr(text)
		_, port := netip.ParseAddrPort(text)
		if addr != nil && port != nil {
			return bad("primaries: %+.60q is no address; expected something like 192.0.2.1 or [2001:db8::1]:53", text)
		}
	}
	return nil
}

// deleteZone deletes a zone, for whoever may create it.
func (c *apiCall) deleteZone(ctx context.Context) (any, error) {
	name := c.name("the zone", c.args[0])
	if err := c.admit(ctx); err != nil {
		return nil, err
	}
	if _, ok := c.u.Zones.Zone(name); !ok || !c.coversFromAbove(name, auth.Grant{Zones: []auth.Area{{Name: name}}}) {
		return nil, errNoSuch
	}
	if err := c.spend(ctx); err != nil {
		return nil, err
	}
	if err := c.u.Manager.DeleteZone(ctx, name, c.who(), c.from()); err != nil {
		return nil, err
	}
	c.tell(ctx, "zone deleted", "zone", name)
	return nil, nil
}
