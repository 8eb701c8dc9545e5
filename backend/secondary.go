package backend

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"redyn/backend/dns"
)

// getUnfreshSlaveInfos answers with the secondary zones that are to be compared with their primary:
// first those that were never transferred, then those whose last check is longer ago than their SOA's
// refresh.
func (b *Backend) getUnfreshSlaveInfos(_ context.Context, _ *params, r *reply) error {
	now := time.Now()
	streamZones(r, func(yield func(dns.Zone) bool) {
		for _, transferred := range []bool{false, true} {
			for z := range b.Zones.Zones() {
				if z.Kind != dns.Slave {
					continue
				}
				soa, has := b.soa(&z)
				due := z.LastCheck.Add(time.Duration(soa.Refresh) * time.Second)
				if has == transferred && !due.After(now) && !yield(z) {
					return
				}
			}
		}
	})
	return nil
}

// soa returns the SOA of a zone, and false if it has none yet.
func (b *Backend) soa(z *dns.Zone) (dns.SOA, bool) {
	answers, err := b.Zones.Lookup(nil, z.Name, dns.TypeSOA, z.ID)
	if err != nil {
		return dns.SOA{}, false
	}
	for _, a := range answers {
		for _, content := range a.Content {
			if soa, err := dns.ParseSOA(content); err == nil {
				return soa, true
			}
		}
	}
	return dns.SOA{}, false
}

// setFresh notes that a secondary zone was just compared with its primary.
func (b *Backend) setFresh(ctx context.Context, p *params, r *reply) error {
	return b.setLastCheck(ctx, p, r, time.Unix(time.Now().Unix(), 0))
}

// setStale makes a secondary zone due to be compared.
func (b *Backend) setStale(ctx context.Context, p *params, r *reply) error {
	return b.setLastCheck(ctx, p, r, time.Time{})
}

func (b *Backend) setLastCheck(ctx context.Context, p *params, r *reply, at time.Time) error {
	z, ok, err := b.zoneOf(p, id)
	if err != nil {
		return err
	}
	if !ok {
		return refused("there is no zone with the id %s", p.text[id])
	}
	return b.update(ctx, p, r, z.Name, dns.ZoneUpdate{LastCheck: &at})
}

// superMasterBackend answers whether a server may have a zone created here, which has been notified
// of it: its address and one of the zone's NS are those of an autoprimary. The nsset holds addresses
// too.
func (b *Backend) superMasterBackend(_ context.Context, p *params, r *reply) error {
	addr, err := p.address()
	if err != nil {
		return err
	}
	known := b.Zones.Autoprimaries()
	for i := range p.records {
		if string(p.records[i].typ) != "NS" {
			continue
		}
		ns, err := dns.ParseName(string(p.records[i].content))
		if err != nil {
			continue // a name of the other server's that nobody here has configured
		}
		owner, ok := known[dns.Autoprimary{IP: addr, Nameserver: ns}]
		if !ok {
			continue
		}
		r.begin()
		r.b = append(r.b, `{"account":`...)
		r.b = appendString(r.b, owner)
		r.b = append(r.b, `,"nameserver":`...)
		r.b = appendString(r.b, string(ns))
		r.b = append(r.b, '}')
		r.end()
		return nil
	}
	r.none()
	return nil
}

// createSlaveDomain creates a secondary zone for an autoprimary, which is a server that
// superMasterBackend knows. Two servers that are notified at once may both ask for it.
func (b *Backend) createSlaveDomain(ctx context.Context, p *params, r *reply) error {
	addr, err := p.address()
	if err != nil {
		return err
	}
	apex, err := p.kept(domain)
	if err != nil {
		return err
	}
	if !b.isAutoprimary(addr) {
		return refused("%s is no autoprimary; see redyn zone autoprimary", addr)
	}
	z := dns.Zone{Name: apex, Kind: dns.Slave, Masters: []string{addr.String()}}
	if p.has(account) {
		z.Account = string(p.text[account])
	}
	err = b.Store.CreateZone(ctx, z, who, p.from.peer())
	if errors.Is(err, dns.ErrExists) {
		if there, ok := b.Zones.Zone(apex); ok && there.Kind == dns.Slave && len(there.Masters) == 1 && there.Masters[0] == z.Masters[0] {
			err = nil
		}
	}
	if err != nil {
		return told(err)
	}
	r.bool(true)
	return nil
}

func (b *Backend) isAutoprimary(addr netip.Addr) bool {
	for known := range b.Zones.Autoprimaries() {
		if known.IP == addr {
			return true
		}
	}
	return false
}

// address returns the address in the field ip.
func (p *params) address() (netip.Addr, error) {
	text, err := p.need(ip)
	if err != nil {
		return netip.Addr{}, err
	}
	addr, err := netip.ParseAddr(string(text))
	if err != nil {
		return netip.Addr{}, bad("ip %.60q is no address", text)
	}
	return addr.Unmap(), nil
}
