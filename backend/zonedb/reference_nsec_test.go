package zonedb_test

import (
	"crypto/sha1"
	"encoding/base32"
	"fmt"
	"slices"
	"strings"

	"redyn/backend/dns"
)

// hides reports whether there is a cut above name.
func (z *refZone) hides(name dns.Name) bool {
	return slices.ContainsFunc(z.owners(func(s dns.RRset) bool { return s.Type == dns.TypeNS && s.Name != z.name }),
		func(cut dns.Name) bool { return below(name, cut) })
}

// owners returns the owners of RRsets that match, each once.
func (z *refZone) owners(match func(dns.RRset) bool) []dns.Name {
	var names []dns.Name
	for _, s := range z.sets {
		if match(s) && !slices.Contains(names, s.Name) {
			names = append(names, s.Name)
		}
	}
	return names
}

func (z *refZone) has(name dns.Name, typ dns.Type) bool {
	_, ok := z.sets[fmt.Sprint(name, typ)]
	return ok
}

// nsecNames returns the names of the NSEC chain in order.
func (z *refZone) nsecNames() []dns.Name {
	names := z.owners(func(s dns.RRset) bool {
		return s.Type != dns.TypeRRSIG && s.Type != dns.TypeNSEC && s.Type != dns.TypeNSEC3 && !z.hides(s.Name)
	})
	slices.SortFunc(names, compare)
	return names
}

// circle returns of a sorted list the greatest that is not after something and the least that is, from
// the other end if need be.
func circle[T any](list []T, upTo func(T) bool) (before, after T) {
	n := 0
	for n < len(list) && upTo(list[n]) {
		n++
	}
	return list[(n+len(list)-1)%len(list)], list[n%len(list)]
}

func (z *refZone) neighbours(name dns.Name) string {
	if z == nil || !within(name, z.name) {
		return "none"
	}
	names := z.nsecNames()
	if len(names) == 0 {
		return "none"
	}
	before, after := circle(names, func(n dns.Name) bool { return compare(n, name) <= 0 })
	return fmt.Sprint(before, " ", after)
}

type refParams struct {
	salt       string
	iterations int
	optOut     bool
	narrow     bool
	presigned  bool
}

// nsec3 returns the settings of the NSEC3 chain; false if there is none to keep.
func (z *refZone) nsec3() (p refParams, ok bool) {
	if len(z.meta["NSEC3PARAM"]) == 0 {
		return p, false
	}
	p, ok = map[string]refParams{
		"1 0 0 -":    {},
		"1 0 2 abCD": {salt: "\xab\xcd", iterations: 2},
		"1 1 0 -":    {optOut: true},
		"2 3 1 ff":   {salt: "\xff", iterations: 1, optOut: true},
		"1 0 150 aa": {salt: "\xaa", iterations: 150},
	}[z.meta["NSEC3PARAM"][0]]
	p.narrow = slices.Equal(z.meta["NSEC3NARROW"], []string{"1"})
	p.presigned = slices.Equal(z.meta["PRESIGNED"], []string{"1"})
	if !p.presigned && p.iterations > 100 {
		p.iterations = 100
	}
	return p, ok
}

func (p refParams) hash(name dns.Name) string {
	var wire strings.Builder
	list := labels(name)
	slices.Reverse(list)
	for _, label := range list {
		wire.WriteByte(byte(len(label)))
		wire.WriteString(label)
	}
	wire.WriteByte(0)
	text := wire.String()
	for range p.iterations + 1 {
		sum := sha1.Sum([]byte(text + p.salt))
		text = string(sum[:])
	}
	return strings.ToLower(base32.HexEncoding.EncodeToString([]byte(text)))
}

// hashed returns the owner name of the NSEC3 with this hash.
func hashed(hash string, apex dns.Name) dns.Name {
	return dns.MustParseName(hash + "." + strings.TrimPrefix(string(apex), "."))
}

// chain returns the names of the NSEC3 chain.
func (z *refZone) chain(p refParams) []dns.Name {
	var chain []dns.Name
	for _, name := range z.nsecNames() {
		insecure := name != z.name && z.has(name, dns.TypeNS) && !z.has(name, dns.TypeDS)
		if insecure && p.optOut && !(p.presigned && z.has(hashed(p.hash(name), z.name), dns.TypeRRSIG)) {
			if p.presigned {
				continue
			}
			name = name.Parent()
		}
		for ; !slices.Contains(chain, name); name = name.Parent() {
			chain = append(chain, name)
			if name == z.name {
				break
			}
		}
	}
	return chain
}

func (z *refZone) hashNeighbours(hash string) string {
	if z == nil {
		return "none"
	}
	p, ok := z.nsec3()
	if !ok || p.narrow {
		return "none"
	}
	names := make(map[string]dns.Name)
	var hashes []string
	for _, name := range z.chain(p) {
		hashes = append(hashes, p.hash(name))
		names[p.hash(name)] = name
	}
	if len(hashes) == 0 {
		return "none"
	}
	slices.Sort(hashes)
	before, after := circle(hashes, func(h string) bool { return h <= hash })
	return fmt.Sprint(before, " ", names[before], " ", after)
}
