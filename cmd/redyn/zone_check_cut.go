package main

import (
	"context"
	"slices"
	"strings"

	"redyn/backend/dns"
	"redyn/backend/dns/zonefile"
	"redyn/redisstore"
)

// family tells which zone lies right below which, of all that are hosted.
type family struct {
	zones    map[dns.Name]dns.ZoneData
	children map[dns.Name][]dns.Name
}

func newFamily(zones []dns.ZoneData) family {
	f := family{make(map[dns.Name]dns.ZoneData, len(zones)), make(map[dns.Name][]dns.Name)}
	for _, z := range zones {
		f.zones[z.Zone.Name] = z
	}
	for _, z := range zones {
		if parent, ok := f.parent(z.Zone.Name); ok {
			f.children[parent] = append(f.children[parent], z.Zone.Name)
		}
	}
	return f
}

// parent returns the zone right above a name.
func (f family) parent(name dns.Name) (dns.Name, bool) { return nearestAbove(name, f.zones) }

func nearestAbove[V any](name dns.Name, among map[dns.Name]V) (dns.Name, bool) {
	for name != dns.Root {
		name = name.Parent()
		if _, ok := among[name]; ok {
			return name, true
		}
	}
	return "", false
}

// getSet returns an RRset of a zone, without content if there is none.
type getSet func(name dns.Name, typ dns.Type) (dns.RRset, error)

// getFrom asks the store.
func getFrom(ctx context.Context, store *redisstore.Store, zone dns.Name) getSet {
	return func(name dns.Name, typ dns.Type) (dns.RRset, error) {
		set, err := store.RRset(ctx, zone, name, typ)
		if isNotFound(err) {
			return dns.RRset{Name: name, Type: typ}, nil
		}
		return set, err
	}
}

// checkHidden finds what of a zone the zones right below it hide, if it does not delegate to them: what
// a delegation hides is found with the zone itself. It returns what the zone has at and below their
// cuts.
func checkHidden(sets []dns.RRset, children []dns.Name) ([]zonefile.Problem, getSet) {
	type key struct {
		name dns.Name
		typ  dns.Type
	}
	child := make(map[dns.Name]bool)
	for _, name := range children {
		child[name] = true
	}
	var order []key
	there := make(map[key]dns.RRset)
	for _, s := range sets {
		if _, ok := within(s.Name, child); ok {
			order = append(order, key{s.Name, s.Type})
			there[key{s.Name, s.Type}] = s
		}
	}
	var problems []zonefile.Problem
	for _, k := range order {
		cut, _ := within(k.name, child)
		if _, delegated := there[key{cut, dns.TypeNS}]; !delegated {
			problems = append(problems, zonefile.Problem{
				Name: k.name, Type: k.typ, Text: "is hidden by the zone " + string(cut) + ", which is hosted here too",
			})
		}
	}
	return problems, func(name dns.Name, typ dns.Type) (dns.RRset, error) { return there[key{name, typ}], nil }
}

// within returns the child zone that name is the apex of, or lies below.
func within(name dns.Name, child map[dns.Name]bool) (dns.Name, bool) {
	if child[name] {
		return name, true
	}
	return nearestAbove(name, child)
}

// checkCut finds what is wrong where the parent delegates to the child, both of which are hosted.
func checkCut(parent, child dns.ZoneData, above, below getSet) ([]zonefile.Problem, error) {
	cut := child.Zone.Name
	var problems []zonefile.Problem
	warn := func(name dns.Name, typ dns.Type, text string) {
		problems = append(problems, zonefile.Problem{Name: name, Type: typ, Text: text})
	}
	delegation, err := above(cut, dns.TypeNS)
	if err != nil {
		return nil, err
	}
	if len(delegation.Content) == 0 {
		warn(cut, dns.TypeENT, "is a zone of its own here and has no NS in the zone above it: resolvers that come from above do not find it")
		return problems, nil
	}
	if child.Zone.Serial == 0 { // a slave that waits for its primary
		return nil, nil
	}
	own, err := below(cut, dns.TypeNS)
	if err != nil {
		return nil, err
	}
	if text := differ(delegation.Content, own.Content); text != "" {
		warn(cut, dns.TypeNS, "is delegated to "+text)
	}
	for _, server := range delegation.Content {
		target, err := dns.ParseName(server)
		if err != nil || !target.Under(cut) {
			continue
		}
		for _, typ := range []dns.Type{dns.TypeA, dns.TypeAAAA} {
			glue, err := above(target, typ)
			if err != nil {
				return nil, err
			}
			address, err := below(target, typ)
			if err != nil {
				return nil, err
			}
			if text := differ(glue.Content, address.Content); len(glue.Content) > 0 && text != "" {
				warn(target, typ, "is glue with "+text)
			}
		}
	}
	ds, err := above(cut, dns.TypeDS)
	if err != nil {
		return nil, err
	}
	signed := signing(child) != "unsigned"
	switch {
	case len(ds.Content) > 0 && !signed:
		problems = append(problems, zonefile.Problem{
			Name: cut, Type: dns.TypeDS, Fatal: true, Text: "says that the zone is signed, which is hosted here and is not: validators refuse it",
		})
	case len(ds.Content) == 0 && signed && signing(parent) != "unsigned":
		warn(cut, dns.TypeENT, "is signed and has no DS in the zone above it, which is signed too: nobody validates it")
	}
	return problems, nil
}

// differ says how what the zone above has differs from what the zone here has; empty if it does not.
func differ(above, here []string) string {
	a, h := canonical(above), canonical(here)
	if slices.Equal(a, h) {
		return ""
	}
	if len(h) == 0 {
		return strings.Join(a, ", ") + ", and the zone here has none"
	}
	return strings.Join(a, ", ") + ", and the zone here has " + strings.Join(h, ", ")
}

// canonical puts names of servers in one case and order.
func canonical(content []string) []string {
	all := make([]string, len(content))
	for i, text := range content {
		all[i] = strings.ToLower(text)
	}
	slices.Sort(all)
	return all
}
