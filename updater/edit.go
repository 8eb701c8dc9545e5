package updater

import (
	"net/netip"
	"slices"

	"redyn/backend/dns"
)

// edit is what becomes of one RRset of a host.
type edit struct {
	typ dns.Type
	// implied says that the request does not mention it: it is left alone if the host's policy or the
	// credential says so.
	implied bool
	// computed says that the new RRset depends on the old, so that this must be what it was.
	computed bool
	// fresh makes the new RRset; it has the TTL unless there is a reason for another.
	fresh func(old dns.RRset, ttl uint32) dns.RRset
}

// put is an edit that makes these the only addresses.
func put(f *family, addrs ...netip.Addr) edit {
	var texts []string
	for _, a := range addrs {
		texts = append(texts, a.String())
	}
	return edit{typ: f.typ, fresh: func(old dns.RRset, ttl uint32) dns.RRset {
		return dns.NewRRset(old.Name, old.Type, ttl, slices.Clone(texts)...)
	}}
}

// move is an edit that gives the addresses that there are another network.
func move(f *family, p netip.Prefix) edit {
	return edit{typ: f.typ, computed: true, fresh: func(old dns.RRset, ttl uint32) dns.RRset {
		var texts []string
		for _, text := range old.Content {
			if a, err := netip.ParseAddr(text); err == nil {
				texts = append(texts, moved(a, p).String())
			}
		}
		return dns.NewRRset(old.Name, old.Type, ttl, texts...)
	}}
}

// edit returns what the family wants done; false is nothing.
func (w wanted) edit(f *family) (edit, bool) {
	switch {
	case w.keep:
		return edit{}, false
	case w.prefix.IsValid():
		return move(f, w.prefix), true
	}
	return put(f, w.addrs...), true
}
