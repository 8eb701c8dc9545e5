package backend

import (
	"errors"
	"fmt"
	"iter"
	"path"
	"slices"
	"strings"

	"redyn/backend/dns"
)

// fakeZones is data in its simplest form: a list of RRsets.
type fakeZones struct {
	zones   []dns.Zone
	meta    map[dns.Name]dns.Metadata
	answers []dns.Answer

	keys          map[dns.Name][]dns.Key
	tsig          []dns.TSIGKey
	unknown       bool                 // keys are
	hashes        map[string][3]string // hash: before, unhashed, after; not nil for NSEC3
	autoprimaries map[dns.Autoprimary]string
}

func (z *fakeZones) Lookup(dst []dns.Answer, name dns.Name, typ dns.Type, id dns.ZoneID) ([]dns.Answer, error) {
	for i := range z.answers {
		a := &z.answers[i]
		if a.Name == name && (typ == a.Type || typ == dns.TypeANY) && (id == a.Zone || id == dns.AnyZone) {
			dst = append(dst, *a)
		}
	}
	return dst, nil
}

func (z *fakeZones) List(id dns.ZoneID, name dns.Name) (iter.Seq[dns.Answer], error) {
	i := slices.IndexFunc(z.zones, func(zone dns.Zone) bool {
		return (zone.ID == id || id == dns.AnyZone) && (zone.Name == name || name == "")
	})
	if i < 0 {
		return nil, dns.ErrNotFound
	}
	return z.matching(func(a dns.Answer) bool { return a.Zone == z.zones[i].ID }), nil
}

func (z *fakeZones) matching(want func(dns.Answer) bool) iter.Seq[dns.Answer] {
	return func(yield func(dns.Answer) bool) {
		for _, a := range z.answers {
			if want(a) && !yield(a) {
				return
			}
		}
	}
}

func (z *fakeZones) Zone(name dns.Name) (dns.Zone, bool) {
	i := slices.IndexFunc(z.zones, func(zone dns.Zone) bool { return zone.Name == name })
	if i < 0 {
		return dns.Zone{}, false
	}
	return z.zones[i], true
}

func (z *fakeZones) Zones() iter.Seq[dns.Zone] { return slices.Values(z.zones) }

func (z *fakeZones) Metadata(name dns.Name) (dns.Metadata, error) { return z.meta[name], nil }

func (z *fakeZones) Search(pattern string, most int) iter.Seq[dns.Answer] {
	return func(yield func(dns.Answer) bool) {
		left := most
		for a := range z.matching(func(a dns.Answer) bool {
			ok, _ := path.Match(pattern, strings.TrimSuffix(string(a.Name), "."))
			return ok && a.Type != dns.TypeENT
		}) {
			if left--; left < 0 || !yield(a) {
				return
			}
		}
	}
}

func (z *fakeZones) ZoneByID(id dns.ZoneID) (dns.Zone, bool) {
	i := slices.IndexFunc(z.zones, func(zone dns.Zone) bool { return zone.ID == id })
	if i < 0 {
		return dns.Zone{}, false
	}
	return z.zones[i], true
}

func (z *fakeZones) Neighbours(id dns.ZoneID, name dns.Name) (before, after dns.Name, ok bool) {
	zone, ok := z.ZoneByID(id)
	if !ok || z.hashes != nil {
		return "", "", false
	}
	var chain []dns.Name
	for a := range z.matching(func(a dns.Answer) bool {
		return a.Zone == id && a.Type != dns.TypeENT && (a.Auth || a.Type == dns.TypeNS)
	}) {
		chain = append(chain, a.Name)
	}
	slices.SortFunc(chain, dns.Compare)
	before, after = chain[len(chain)-1], zone.Name
	for i, n := range chain {
		if dns.Compare(n, name) <= 0 {
			before, after = n, chain[(i+1)%len(chain)]
		}
	}
	return before, after, true
}

func (z *fakeZones) HashNeighbours(_ dns.ZoneID, hash string) (before string, unhashed dns.Name, after string, ok bool) {
	h, ok := z.hashes[hash]
	return h[0], dns.Name(h[1]), h[2], ok
}

func (z *fakeZones) Keys(name dns.Name) ([]dns.Key, error) {
	if z.unknown {
		return nil, errBroken
	}
	return z.keys[name], nil
}

func (z *fakeZones) TSIGKey(name dns.Name) (dns.TSIGKey, error) {
	if z.unknown {
		return dns.TSIGKey{}, errBroken
	}
	for _, k := range z.tsig {
		if k.Name == name {
			return k, nil
		}
	}
	return dns.TSIGKey{}, fmt.Errorf("key %s: %w", name, dns.ErrNotFound)
}

func (z *fakeZones) TSIGKeys() ([]dns.TSIGKey, error) {
	if z.unknown {
		return nil, errBroken
	}
	return z.tsig, nil
}

func (z *fakeZones) Autoprimaries() map[dns.Autoprimary]string { return z.autoprimaries }

var errBroken = errors.New("broken")

// newFake returns the zone example.org, with id 1, and the root zone, with id 2.
func newFake() *fakeZones {
	z := &fakeZones{
		zones: []dns.Zone{
			{ID: 2, Name: dns.Root, Kind: dns.Native, Serial: 1},
			{ID: 1, Name: "example.org.", Kind: dns.Master, Serial: 3000000001, NotifiedSerial: 7, Masters: []string{"192.0.2.9:53"}},
		},
		meta: map[dns.Name]dns.Metadata{"example.org.": {"ALLOW-AXFR-FROM": {"127.0.0.0/8"}, "X-OWN": {"a", `b"c`}}},
	}
	add := func(zone dns.ZoneID, name string, typ dns.Type, auth bool, content ...string) {
		set := dns.RRset{Name: dns.MustParseName(name), Type: typ, TTL: 60, Content: content}
		z.answers = append(z.answers, dns.Answer{RRset: set, Zone: zone, Auth: auth})
	}
	add(2, ".", dns.TypeSOA, true, "ns.example.org. host.example.org. 1 3600 600 86400 60")
	add(2, ".", dns.TypeNS, true, "ns.example.org.")
	add(1, "example.org.", dns.TypeSOA, true, "ns.example.org. host.example.org. 3000000001 3600 600 86400 60")
	add(1, "example.org.", dns.TypeNS, true, "ns.example.org.")
	add(1, "example.org.", dns.TypeTXT, true, `"a b" "c;d\"e"`)
	add(1, "ns.example.org.", dns.TypeA, true, "192.0.2.2")
	add(1, "www.example.org.", dns.TypeA, true, "192.0.2.1", "192.0.2.3")
	add(1, "*.wild.example.org.", dns.TypeA, true, "192.0.2.4")
	add(1, "wild.example.org.", dns.TypeENT, true)
	add(1, "sub.example.org.", dns.TypeNS, false, "ns.sub.example.org.")
	add(1, "ns.sub.example.org.", dns.TypeA, false, "192.0.2.5")
	add(1, `a\.b\032c/d.example.org.`, dns.TypeTXT, true, `"odd"`)
	return z
}

// panicking is data with a fault; its lists have it after so many times what they should have.
type panicking struct {
	*fakeZones
	times int
}

func (panicking) Lookup([]dns.Answer, dns.Name, dns.Type, dns.ZoneID) ([]dns.Answer, error) {
	panic("lookup")
}

func (z panicking) List(id dns.ZoneID, name dns.Name) (iter.Seq[dns.Answer], error) {
	answers, _ := z.fakeZones.List(id, name)
	return func(yield func(dns.Answer) bool) {
		for range z.times {
			for a := range answers {
				if !yield(a) {
					return
				}
			}
		}
		panic("list")
	}, nil
}

// panickingZones is data with a fault in the list of its zones.
type panickingZones struct{ *fakeZones }

func (panickingZones) Zones() iter.Seq[dns.Zone] {
	return func(func(dns.Zone) bool) { panic("zones") }
}
