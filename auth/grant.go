package auth

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"redyn/backend/dns"
)

// Area is a name and, if Below, all that lies below it.
type Area struct {
	// Host is the number of the host that has the name, if it was granted as that host: the grant
	// is not valid for another host that gets the name later.
	Host  HostID
	Name  dns.Name
	Below bool
}

// Grant is what a credential may change, and from where.
type Grant struct {
	// Hosts are owner names, in whatever zone. Of TXT they grant the names _acme-challenge alone,
	// each directly below a name of the area (RFC 8555 section 8.4).
	Hosts []Area
	// Zones are whole zones; Below means the zones below them too.
	Zones []Area
	// Types are the types of records; dns.TypeANY is every type. None given means A and AAAA for
	// Hosts, every type for Zones.
	Types []dns.Type
	// Networks are where requests may come from; none given means everywhere.
	Networks []netip.Prefix
}

// Target is an RRset that somebody wants to change or see.
type Target struct {
	Zone dns.Name // that holds it
	Host HostID   // of the name, if it is a dynamic host's
	Name dns.Name
	Type dns.Type
}

// hostTypes are granted for Hosts if no types are named.
var hostTypes = []dns.Type{dns.TypeA, dns.TypeAAAA}

// everyType is granted for Zones if no types are named.
var everyType = []dns.Type{dns.TypeANY}

// Allows reports whether the grant covers the target, wherever the request comes from.
func (g *Grant) Allows(t Target) bool { return g.refuse(t) == "" }

// refuse returns why the target is not granted; the empty Reason if it is.
func (g *Grant) refuse(t Target) Reason {
	reason := ReasonName
	for _, a := range g.Hosts {
		if !a.holds(t) {
			continue
		}
		if g.typed(hostTypes, t.Type) {
			return ""
		}
		reason = ReasonType
	}
	for _, z := range g.Zones {
		if !t.Name.Under(t.Zone) || !z.covers(t.Zone) {
			continue
		}
		if g.typed(everyType, t.Type) {
			return ""
		}
		reason = ReasonType
	}
	return reason
}

// holds reports whether the area, as one of Hosts, holds the target's name.
func (a Area) holds(t Target) bool {
	name := t.Name
	if t.Type == dns.TypeTXT {
		owner, ok := strings.CutPrefix(string(name), "_acme-challenge.")
		if !ok || owner == "" {
			return false
		}
		name = dns.Name(owner)
	}
	if a.Host != 0 && t.Host != 0 && a.Host != t.Host && name == a.Name && t.Name == name {
		return false
	}
	return a.covers(name)
}

func (a Area) covers(name dns.Name) bool {
	if a.Name == "" || name == "" {
		return false
	}
	return a.Name == name || a.Below && name.Below(a.Name)
}

// typed reports whether the grant has the type; unless it names types it has those of none.
func (g *Grant) typed(none []dns.Type, t dns.Type) bool {
	return has(g.types(none), t)
}

func (g *Grant) types(none []dns.Type) []dns.Type {
	if len(g.Types) == 0 {
		return none
	}
	return g.Types
}

func has(types []dns.Type, t dns.Type) bool {
	return slices.Contains(types, t) || slices.Contains(types, dns.TypeANY)
}

// Near reports whether name is one of the granted hosts or zones or lies below one: what a user
// name that is a domain name must be, lest it mislead.
func (g *Grant) Near(name dns.Name) bool {
	near := func(a Area) bool { return a.Name != "" && name.Under(a.Name) }
	return slices.ContainsFunc(g.Hosts, near) || slices.ContainsFunc(g.Zones, near)
}

// From reports whether requests may come from addr. IPv4 in IPv6 is IPv4; an IPv6 zone is ignored.
func (g *Grant) From(addr netip.Addr) bool {
	if len(g.Networks) == 0 {
		return true
	}
	addr = addr.Unmap().WithZone("")
	return slices.ContainsFunc(g.Networks, func(p netip.Prefix) bool {
		p, err := plainNetwork(p)
		return err == nil && p.Contains(addr)
	})
}

// ParseNetwork reads a network, 192.0.2.0/24, or a single address. IPv4 in IPv6 is read as IPv4.
func ParseNetwork(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		return netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err == nil {
		p, err = plainNetwork(p)
	}
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("network %.60q is not an address or ADDRESS/BITS", text)
	}
	return p, nil
}

// plainNetwork returns the network without host bits and, if it is IPv4 in IPv6, as IPv4.
func plainNetwork(p netip.Prefix) (netip.Prefix, error) {
	addr, bits := p.Addr(), p.Bits()
	if addr.Is4In6() {
		if bits < 96 {
			return netip.Prefix{}, fmt.Errorf("network %v is neither IPv4 nor IPv6", p)
		}
		addr, bits = addr.Unmap(), bits-96
	}
	return addr.Prefix(bits)
}

// Covers reports whether other grants nothing that g does not grant. zoneOf returns the zone that
// holds a name, the empty name if none does.
func (g *Grant) Covers(other Grant, zoneOf func(dns.Name) dns.Name) bool {
	return g.coversNetworks(other.Networks) &&
		!slices.ContainsFunc(other.Hosts, func(a Area) bool {
			return !g.coversHost(a, other.types(hostTypes), zoneOf(a.Name))
		}) &&
		!slices.ContainsFunc(other.Zones, func(a Area) bool {
			return !g.coversZone(a, other.types(everyType))
		})
}

func (g *Grant) coversHost(a Area, types []dns.Type, zone dns.Name) bool {
	if within(types, g.types(hostTypes)) && slices.ContainsFunc(g.Hosts, func(own Area) bool {
		sameHost := own.Host == 0 || own.Host == a.Host || own.Name != a.Name
		return sameHost && own.covers(a.Name) && (own.Below || !a.Below)
	}) {
		return true
	}
	// Names below a host may be in zones below its zone.
	return zone != "" && a.Name.Under(zone) && g.coversZone(Area{Name: zone, Below: a.Below}, types)
}

func (g *Grant) coversZone(a Area, types []dns.Type) bool {
	return within(types, g.types(everyType)) &&
		slices.ContainsFunc(g.Zones, func(own Area) bool {
			return own.covers(a.Name) && (own.Below || !a.Below)
		})
}

// within reports whether all types are among those of.
func within(types, of []dns.Type) bool {
	return !slices.ContainsFunc(types, func(t dns.Type) bool { return !has(of, t) })
}

func (g *Grant) coversNetworks(networks []netip.Prefix) bool {
	if len(g.Networks) == 0 {
		return true
	}
	return len(networks) > 0 && !slices.ContainsFunc(networks, func(p netip.Prefix) bool {
		p, err := plainNetwork(p)
		return err != nil || !slices.ContainsFunc(g.Networks, func(own netip.Prefix) bool {
			own, err := plainNetwork(own)
			return err == nil && own.Bits() <= p.Bits() && own.Contains(p.Addr())
		})
	})
}

// WithoutHost returns the grant without what it grants as that host, for when the host is deleted.
func (g Grant) WithoutHost(host HostID) Grant {
	g.Hosts = slices.DeleteFunc(slices.Clone(g.Hosts), func(a Area) bool {
		return host != 0 && a.Host == host
	})
	return g
}

// IsZero reports whether nothing is granted.
func (g *Grant) IsZero() bool { return len(g.Hosts) == 0 && len(g.Zones) == 0 }

// ordered returns the grant in the order in which it is written.
func (g Grant) ordered() Grant {
	areas := func(list []Area) []Area {
		list = slices.Clone(list)
		slices.SortFunc(list, func(a, b Area) int {
			below := func(a Area) int {
				if a.Below {
					return 1
				}
				return 0
			}
			return cmp.Or(dns.Compare(a.Name, b.Name), cmp.Compare(a.Host, b.Host), below(a)-below(b))
		})
		return slices.Compact(list)
	}
	g.Hosts, g.Zones = areas(g.Hosts), areas(g.Zones)
	g.Types = slices.Compact(slices.Sorted(slices.Values(g.Types)))
	g.Networks = slices.Clone(g.Networks)
	slices.SortFunc(g.Networks, func(a, b netip.Prefix) int {
		return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
	})
	g.Networks = slices.Compact(g.Networks)
	return g
}
