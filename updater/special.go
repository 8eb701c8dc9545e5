package updater

import (
	"net/netip"
	"slices"

	"redyn/backend/dns"
)

// SpecialAddresses returns the networks of addresses that lead to nobody, or to whoever asks: this network
// (RFC 1122), loopback, link-local, multicast and broadcast (RFC 6890). Private ones are not among them.
func SpecialAddresses() []netip.Prefix {
	var networks []netip.Prefix
	for _, text := range []string{
		"0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "255.255.255.255/32",
		"::/127", "fe80::/10", "ff00::/8", // with ::1
	} {
		networks = append(networks, netip.MustParsePrefix(text))
	}
	return networks
}

// welcome reports why addresses may not be set, if so.
func (u *Updater) welcome(sets []dns.RRset) error {
	if len(u.RefusedAddresses) == 0 {
		return nil
	}
	for _, set := range sets {
		if set.Type != dns.TypeA && set.Type != dns.TypeAAAA {
			continue
		}
		for _, text := range set.Content {
			addr, err := netip.ParseAddr(text)
			if err != nil || slices.ContainsFunc(u.RefusedAddresses, func(p netip.Prefix) bool { return p.Contains(addr.Unmap()) }) {
				return refused("%s is no address that hosts may have here", text)
			}
		}
	}
	return nil
}
