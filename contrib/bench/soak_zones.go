package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"redyn/backend/dns"
	"redyn/redisstore"
)

// The zones that soakChangers change, each with a child beside it from time to time.
const (
	soakPlain = "plain.example."
	soakOther = "other.example."
	soakNSEC  = "nsec.example."
	soakNSEC3 = "nsec3.example."
)

var soakZones = []dns.Name{soakPlain, soakOther, soakNSEC, soakNSEC3}

// soakLabels are what names that may be there are made of, up to soakDepth of them.
var soakLabels = []string{"a", "b", "c", "d", "*"}

const (
	soakDepth = 3
	soakTTL   = 7200 // so that PowerDNS keeps an answer as long as its settings say
	soakPause = 100 * time.Millisecond
)

// childOf is the zone that comes and goes beside a zone.
func childOf(zone dns.Name) dns.Name { return "c." + zone }

// soakChanger makes random changes in a zone and its child, which nobody else changes.
type soakChanger struct {
	*rand.Rand
	store *redisstore.Store
	zone  dns.Name
	// what each of both has besides its apex; a child that is not there has none
	types map[dns.Name]map[dns.Name][]dns.Type
	made  *atomic.Int64
}

func newSoakChanger(store *redisstore.Store, zone dns.Name, seed, number uint64, made *atomic.Int64) *soakChanger {
	return &soakChanger{
		Rand: rand.New(rand.NewPCG(seed, number)), store: store, zone: zone, made: made,
		types: map[dns.Name]map[dns.Name][]dns.Type{zone: {}},
	}
}

// run makes changes until ctx ends.
func (w *soakChanger) run(ctx context.Context) error {
	for tick := time.NewTicker(soakPause); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		// What has begun is done whole, so that the changer knows what there is.
		if err := w.change(context.WithoutCancel(ctx)); err != nil {
			return fmt.Errorf("change %s: %w", w.zone, err)
		}
		w.made.Add(1)
	}
}

func (w *soakChanger) change(ctx context.Context) error {
	child := childOf(w.zone)
	_, hasChild := w.types[child]
	zone := w.zone
	if hasChild && w.IntN(4) == 0 {
		zone = child
	}
	switch n := w.IntN(100); {
	case n < 1:
		return w.replace(ctx, zone)
	case n < 3 && hasChild:
		delete(w.types, child)
		_, err := w.store.DeleteZone(ctx, child, "soak", "")
		return err
	case n < 3:
		return w.replace(ctx, child)
	case n < 5:
		return w.changeSOA(ctx, zone)
	}
	change := dns.Change{Zones: []dns.ZoneChange{{Zone: zone, RRsets: w.someSets(zone)}}}
	if hasChild && w.IntN(8) == 0 {
		other := w.zone
		if zone == w.zone {
			other = child
		}
		change.Zones = append(change.Zones, dns.ZoneChange{Zone: other, RRsets: w.someSets(other)})
	}
	_, err := w.store.Apply(ctx, change)
	return err
}

// replace puts other records in the place of all of a zone, or creates it.
func (w *soakChanger) replace(ctx context.Context, zone dns.Name) error {
	serial := dns.Serial(time.Now().Unix())
	if _, is := w.types[zone]; is {
		now, err := w.store.Zone(ctx, zone)
		if err == nil {
			serial = now.Serial + 1
		}
	}
	w.types[zone] = make(map[dns.Name][]dns.Type)
	sets := append(soakApex(zone, serial), w.newSets(zone, 20+w.IntN(60))...)
	_, _, err := w.store.ReplaceZone(ctx, zone, withoutErrors(sets), redisstore.ReplaceOptions{Create: &dns.Zone{Name: zone}, Who: "soak"})
	return err
}

func withoutErrors(sets []dns.RRset) func(yield func(dns.RRset, error) bool) {
	return func(yield func(dns.RRset, error) bool) {
		for _, set := range sets {
			if !yield(set, nil) {
				return
			}
		}
	}
}

func soakApex(zone dns.Name, serial dns.Serial) []dns.RRset {
	return []dns.RRset{
		soakSOA(zone, serial, 3600),
		dns.NewRRset(zone, dns.TypeNS, soakTTL, "ns1."+string(zone), "ns2."+soakOther),
		dns.NewRRset("ns1."+zone, dns.TypeA, soakTTL, "192.0.2.1"),
	}
}

func soakSOA(zone dns.Name, serial dns.Serial, refresh uint32) dns.RRset {
	soa := dns.SOA{
		MName: "ns1." + string(zone), RName: "hostmaster." + string(zone), Serial: serial,
		Refresh: refresh, Retry: 600, Expire: 86400, Minimum: soakTTL,
	}
	return dns.NewRRset(zone, dns.TypeSOA, soakTTL, soa.String())
}

// changeSOA gives a zone another SOA, with a serial of its own.
func (w *soakChanger) changeSOA(ctx context.Context, zone dns.Name) error {
	now, err := w.store.Zone(ctx, zone)
	if err != nil {
		return err
	}
	soa := soakSOA(zone, now.Serial+1+dns.Serial(w.IntN(3)), uint32(3600+w.IntN(3600)))
	_, err = w.store.Apply(ctx, dns.Change{Zones: []dns.ZoneChange{{Zone: zone, RRsets: []dns.RRset{soa}}}})
	return err
}

// newSets returns the records of so many names of a zone that has none.
func (w *soakChanger) newSets(zone dns.Name, names int) (sets []dns.RRset) {
	for range names {
		name := w.name(zone)
		if _, is := w.types[zone][name]; !is {
			sets = append(sets, w.give(zone, name, w.record(zone, name))...)
		}
	}
	return sets
}

// someSets returns new values for a few names of a zone: others, or none any more.
func (w *soakChanger) someSets(zone dns.Name) (sets []dns.RRset) {
	given := make(map[dns.Name]bool)
	for range 1 + w.IntN(3) {
		name := w.name(zone)
		if given[name] {
			continue
		}
		given[name] = true
		var values []dns.RRset
		if w.IntN(3) > 0 {
			values = w.record(zone, name)
		}
		sets = append(sets, w.give(zone, name, values)...)
	}
	return sets
}

// give notes that a name has these values and no others, and returns them with those that go.
func (w *soakChanger) give(zone, name dns.Name, values []dns.RRset) []dns.RRset {
	var types []dns.Type
	for _, set := range values {
		types = append(types, set.Type)
	}
	for _, typ := range w.types[zone][name] {
		if !slices.Contains(types, typ) {
			values = append(values, dns.NewRRset(name, typ, 0))
		}
	}
	if types == nil {
		delete(w.types[zone], name)
	} else {
		w.types[zone][name] = types
	}
	return values
}

// name is some name below a zone's apex.
func (w *soakChanger) name(zone dns.Name) dns.Name {
	name := zone
	depth := 1 + w.IntN(soakDepth)
	if zone != w.zone {
		depth = 1 + w.IntN(soakDepth-1)
	}
	for range depth {
		name = dns.Name(soakLabels[w.IntN(len(soakLabels))]) + "." + name
	}
	return name
}

// target is some name in some zone.
func (w *soakChanger) target() string {
	zone := w.zone
	if w.IntN(3) == 0 {
		zone = soakZones[w.IntN(len(soakZones))]
	}
	name := string(w.name(w.zone))
	return name[:len(name)-len(w.zone)] + string(zone)
}

// alias is a target from which nothing leads back, and over few others on: PowerDNS answers SERVFAIL to what
// leads to itself, and to long chains. There may be none.
func (w *soakChanger) alias(name dns.Name) (target string, ok bool) {
	for range 20 {
		target = w.target()
		if soakRank(dns.Name(target)) > soakRank(covered(name)) {
			return target, true
		}
	}
	return "", false
}

// covered is the name below which all names are that a record of this owner can stand for.
func covered(owner dns.Name) dns.Name {
	if owner.IsWildcard() {
		return owner.Parent()
	}
	return owner
}

// soakRank is the same for all names at and below the one right below the zone, and greatest for the zone.
func soakRank(name dns.Name) int {
	zone := slices.IndexFunc(soakZones, func(zone dns.Name) bool { return name.Under(zone) })
	below := name
	for below != soakZones[zone] && below.Parent() != soakZones[zone] {
		below = below.Parent()
	}
	label := len(soakLabels)
	if below != soakZones[zone] {
		label = slices.IndexFunc(soakLabels, func(label string) bool { return strings.HasPrefix(string(below), label+".") })
	}
	return zone*(len(soakLabels)+1) + label
}

// record is what some name may have.
func (w *soakChanger) record(zone, name dns.Name) []dns.RRset {
	set := func(typ dns.Type, content ...string) dns.RRset { return dns.NewRRset(name, typ, soakTTL, content...) }
	addr := func() string { return fmt.Sprintf("192.0.2.%d", w.IntN(250)) }
	alias, ok := w.alias(name)
	switch n := w.IntN(24); {
	case n < 6:
		return []dns.RRset{set(dns.TypeA, addr())}
	case n < 8:
		return []dns.RRset{set(dns.TypeA, addr(), "198.51.100.1"), set(dns.TypeAAAA, fmt.Sprintf("2001:db8::%x", 1+w.IntN(250)))}
	case n < 11:
		return []dns.RRset{set(dns.TypeTXT, fmt.Sprintf(`"%d"`, w.IntN(1000)))}
	case n < 17 && ok:
		return []dns.RRset{set(dns.TypeCNAME, alias)}
	case n < 19:
		return []dns.RRset{set(dns.TypeMX, "10 "+w.target(), "20 "+w.target()), set(dns.TypeA, addr())}
	case n < 21:
		return []dns.RRset{set(dns.TypeSRV, "1 2 3 "+w.target())}
	case n < 22 && ok:
		return []dns.RRset{set(dns.TypeDNAME, alias)}
	case n < 23 && (zone == soakNSEC || zone == soakNSEC3):
		return []dns.RRset{
			set(dns.TypeNS, w.target()),
			set(dns.TypeDS, fmt.Sprintf("%d 13 2 e2d3c916f6deeac73294e8268fb5885044a833fc5459588f4a9184cfc41a5766", w.IntN(65536))),
		}
	}
	return []dns.RRset{set(dns.TypeNS, w.target())}
}

// replaceHosts has the zone of the hosts replaced from time to time by one that has only some of them,
// until ctx ends; who updates them gets the others back.
func replaceHosts(ctx context.Context, store *redisstore.Store, r *rand.Rand, made *atomic.Int64) error {
	for tick := time.NewTicker(40 * soakPause); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := replaceHostsOnce(context.WithoutCancel(ctx), store, r); err != nil {
			return fmt.Errorf("replace %s: %w", origin, err)
		}
		made.Add(1)
	}
}

func replaceHostsOnce(ctx context.Context, store *redisstore.Store, r *rand.Rand) error {
	now, err := store.Zone(ctx, origin)
	if err != nil {
		return err
	}
	sets := soakApex(origin, now.Serial+1)
	for i := range soakHosts {
		if i <= soakFixed || r.IntN(2) == 0 {
			sets = append(sets, dns.NewRRset(dns.Name(hostName(i)), dns.TypeA, soakTTL, hostAddr(i)))
		}
	}
	_, _, err = store.ReplaceZone(ctx, origin, withoutErrors(sets), redisstore.ReplaceOptions{Who: "soak"})
	return err
}

// between reports whether a name comes after an owner of NSEC and before the next one.
func between(owner, name, next string) bool {
	o, n, x := dns.Name(owner), dns.Name(name), dns.Name(next)
	if dns.Compare(o, x) < 0 {
		return dns.Compare(o, n) < 0 && dns.Compare(n, x) < 0
	}
	return dns.Compare(o, n) < 0 || dns.Compare(n, x) < 0
}
