package backend

import (
	"context"
	"iter"
	"maps"
	"slices"

	"redyn/backend/dns"
)

// load are edits that replace all records of a zone: AXFR in, pdnsutil load-zone and clear-zone make
// such.
type load struct {
	zone dns.Zone
	into Replacement
	held map[setKey]dns.RRset // what is added last, as it may be replaced until then
}

func newLoad(zone dns.Zone, into Replacement) *load {
	return &load{zone: zone, into: into, held: make(map[setKey]dns.RRset)}
}

// isHeld reports whether an RRset is held: the SOA, of which PowerDNS's API raises the serial after
// having fed it, and what was replaced.
func (l *load) isHeld(k setKey) bool {
	_, held := l.held[k]
	return held || k.typ == dns.TypeSOA && k.name == l.zone.Name
}

func (l *load) feed(ctx context.Context, one dns.RRset) error {
	k := keyOf(one)
	if !l.isHeld(k) {
		return l.into.Add(ctx, one)
	}
	if set := l.held[k]; len(set.Content) > 0 {
		one = dns.NewRRset(one.Name, one.Type, set.TTL, append(slices.Clone(set.Content), one.Content...)...)
	}
	l.held[k] = one
	return nil
}

func (l *load) replace(ctx context.Context, name dns.Name, typ dns.Type, sets []dns.RRset) error {
	there, err := l.lookup(ctx, name, typ)
	if err != nil {
		return err
	}
	for _, set := range there {
		if !l.isHeld(keyOf(set)) && !slices.ContainsFunc(sets, set.Equal) {
			return refused("%s %s was fed already in this transaction, which replaces the zone", set.Name, set.Type)
		}
		delete(l.held, keyOf(set))
	}
	for _, set := range sets {
		l.held[keyOf(set)] = set
	}
	return nil
}

func (l *load) lookup(ctx context.Context, name dns.Name, typ dns.Type) ([]dns.RRset, error) {
	sets, err := l.into.Lookup(ctx, name)
	if err != nil {
		return nil, err
	}
	sets = slices.DeleteFunc(slices.Clone(sets), func(s dns.RRset) bool { return l.isHeld(keyOf(s)) })
	for k, set := range l.held {
		if k.name == name {
			sets = append(sets, set)
		}
	}
	slices.SortFunc(sets, compareSets)
	return slices.DeleteFunc(sets, func(s dns.RRset) bool { return typ != dns.TypeANY && typ != s.Type }), nil
}

func (l *load) list(ctx context.Context, _ iter.Seq[dns.Answer]) (iter.Seq[dns.Answer], error) {
	there := make(map[setKey]dns.RRset) // the store may yield one twice
	for set, err := range l.into.RRsets(ctx) {
		if err != nil {
			return nil, err
		}
		there[keyOf(set)] = set
	}
	maps.Copy(there, l.held)
	all := slices.Collect(maps.Values(there))
	cuts := make(map[dns.Name]bool)
	for _, set := range all {
		if set.Type == dns.TypeNS && set.Name != l.zone.Name {
			cuts[set.Name] = true
		}
	}
	soa := func(s dns.RRset) bool { return s.Type == dns.TypeSOA && s.Name == l.zone.Name }
	slices.SortFunc(all, func(a, b dns.RRset) int {
		switch {
		case soa(a):
			return -1
		case soa(b):
			return 1
		}
		return compareSets(a, b)
	})
	return func(yield func(dns.Answer) bool) {
		for _, set := range all {
			if !yield(dns.Answer{RRset: set, Zone: l.zone.ID, Auth: !l.hidden(set, cuts)}) {
				return
			}
		}
	}, nil
}

// hidden reports whether an RRset delegates or lies below a cut.
func (l *load) hidden(set dns.RRset, cuts map[dns.Name]bool) bool {
	for above := set.Name; above != l.zone.Name; above = above.Parent() {
		if cuts[above] && (above != set.Name || set.Type != dns.TypeDS) {
			return true
		}
	}
	return false
}

func (l *load) commit(ctx context.Context) error {
	if len(l.held) > 0 {
		held := slices.SortedFunc(maps.Values(l.held), compareSets)
		if err := l.into.Add(ctx, held...); err != nil {
			return err
		}
	}
	return l.into.Commit(ctx)
}

func (l *load) abandon(ctx context.Context) { l.into.Abandon(ctx) }
