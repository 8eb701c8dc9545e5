package updater

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"redyn/backend/dns"
)

// family is one of the two kinds of addresses, and where a request has it.
type family struct {
	name      string
	typ       dns.Type
	separator string   // what each text of the family has in it
	params    []string // in the order in which they are looked at
	perHost   string   // what stands before the name in parameters for one host
}

// The families, with the parameters of deSEC and, after them, what others call the same.
var (
	ipv4 = &family{
		name: "IPv4", typ: dns.TypeA, separator: ".", perHost: "myipv4:",
		params: []string{"myip", "myipv4", "ip", "ip4", "myip2"},
	}
	ipv6 = &family{
		name: "IPv6", typ: dns.TypeAAAA, separator: ":", perHost: "myipv6:",
		params: []string{"myipv6", "ipv6", "myip", "ip", "ip6lanprefix", "ipv6prefix", "myip2"},
	}
	families = []*family{ipv4, ipv6}
)

// perHost reports whether the key is that of a parameter for one host.
func perHost(key string) bool {
	return strings.HasPrefix(key, ipv4.perHost) || strings.HasPrefix(key, ipv6.perHost)
}

// isAddressParam reports whether the key is that of a parameter with addresses.
func isAddressParam(key string) bool {
	return slices.Contains(ipv4.params, key) || slices.Contains(ipv6.params, key) || perHost(key)
}

// has reports whether an address is of the family.
func (f *family) has(a netip.Addr) bool { return a.Is4() == (f == ipv4) && a.IsValid() }

// preserve is the value that leaves a family as it is.
const preserve = "preserve"

// mostAddrs bounds the addresses of one host and family.
const mostAddrs = 32

// wanted is what a request wants of a family.
type wanted struct {
	given  bool         // it says something of it
	keep   bool         // leave it as it is
	prefix netip.Prefix // if valid: the network of the addresses that there are
	addrs  []netip.Addr // else these; none: there are none any more
}

// find looks through the parameters for the first that says something of the family.
func (f *family) find(p params) (wanted, error) {
	for _, key := range f.params {
		value, ok := p.get(key)
		if !ok {
			continue
		}
		w, err := f.parse(value)
		if err != nil {
			return wanted{}, bad("malformed: %s: %v", key, err)
		}
		if w.given {
			return w, nil
		}
	}
	return wanted{}, nil
}

// parse reads the value of a parameter: nothing, "preserve", addresses with commas between them, or
// one prefix. What is of the other family, or of none, says nothing of this one.
func (f *family) parse(value string) (wanted, error) {
	var own, bare []string
	for text := range strings.SplitSeq(value, ",") {
		text = strings.TrimSpace(text)
		switch {
		case text == "" || strings.EqualFold(text, preserve):
			bare = append(bare, text)
		case strings.Contains(text, f.separator) && !f.foreign(text):
			own = append(own, text)
		}
	}
	switch {
	case len(bare) > 1, len(bare) == 1 && strings.Contains(value, ","):
		return wanted{}, fmt.Errorf("%+.60q has %q or nothing among addresses", value, preserve)
	case len(bare) == 1:
		return wanted{given: true, keep: bare[0] != ""}, nil
	case len(own) == 0:
		return wanted{}, nil
	case len(own) > mostAddrs:
		return wanted{}, fmt.Errorf("there are %d addresses; %d are most", len(own), mostAddrs)
	case strings.Contains(strings.Join(own, ","), "/"):
		return f.parsePrefix(own)
	}
	return f.parseAddrs(own)
}

// foreign reports whether a text that looks like the family's is an address of the other: IPv4 in IPv6
// is IPv4, and other addresses of IPv6 may end like one of IPv4.
func (f *family) foreign(text string) bool {
	a, err := netip.ParseAddr(text)
	if err != nil {
		var p netip.Prefix
		p, err = netip.ParsePrefix(text)
		a = p.Addr()
	}
	return err == nil && !f.has(a.Unmap())
}

func (f *family) parseAddrs(texts []string) (wanted, error) {
	w := wanted{given: true}
	for _, text := range texts {
		a, err := netip.ParseAddr(text)
		if err != nil || a.Zone() != "" {
			return wanted{}, fmt.Errorf("%+.60q is no %s address", text, f.name)
		}
		w.addrs = append(w.addrs, a.Unmap())
	}
	return w, nil
}

func (f *family) parsePrefix(texts []string) (wanted, error) {
	p, err := netip.ParsePrefix(texts[0])
	switch {
	case len(texts) > 1:
		return wanted{}, fmt.Errorf("%+.60q is a prefix and more, and a prefix stands alone", strings.Join(texts, ","))
	case err != nil || p.Addr().Is4In6():
		return wanted{}, fmt.Errorf("%+.60q is no %s prefix", texts[0], f.name)
	}
	return wanted{given: true, prefix: p.Masked()}, nil
}

// moved returns the address in another network: the network's bits of p, the others of a.
func moved(a netip.Addr, p netip.Prefix) netip.Addr {
	from, to := a.AsSlice(), p.Addr().AsSlice()
	for i := range from {
		network := byte(uint16(0xff00) >> min(max(p.Bits()-8*i, 0), 8))
		from[i] = to[i]&network | from[i]&^network
	}
	a, _ = netip.AddrFromSlice(from)
	return a
}
