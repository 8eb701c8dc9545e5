package updater

import (
	"slices"

	"redyn/backend/dns"
)

// compute makes the change from the zones as they are in memory now, and tells what it will do to each
// host.
func (u *Updater) compute(w *wish) (dns.Change, []result, error) {
	var change dns.Change
	results := make([]result, 0, len(w.hosts))
	var answers []dns.Answer
	for _, h := range w.hosts {
		zone, ok := u.zoneFor(h)
		if !ok {
			return change, nil, errNoHost
		}
		var err error
		if answers, err = u.Zones.Lookup(answers[:0], h.name, dns.TypeANY, zone.ID); err != nil {
			return change, nil, err
		}
		z := zoneChange(&change, zone.Name)
		if w.oneZone && len(change.Zones) > 1 {
			return change, nil, bad("%s and %s are of two domains", w.hosts[0].name, h.name)
		}
		result := u.edit(z, h, answers)
		if h.zone != "" {
			err = fitsZone(zone, h, answers, result)
		} else if err = fits(zone, h.name, answers, result); err == nil {
			err = u.welcome(result.sets)
		}
		if err != nil {
			return change, nil, err
		}
		z.Expect = append(z.Expect, unmixed(h.name, answers, result.sets)...)
		results = append(results, result)
	}
	return change, results, nil
}

// zoneChange returns the part of a change that is about a zone, adding one if need be.
func zoneChange(c *dns.Change, zone dns.Name) *dns.ZoneChange {
	i := slices.IndexFunc(c.Zones, func(z dns.ZoneChange) bool { return z.Zone == zone })
	if i < 0 {
		i = len(c.Zones)
		c.Zones = append(c.Zones, dns.ZoneChange{Zone: zone})
	}
	return &c.Zones[i]
}

// zoneFor returns the zone that holds a host, or is to.
func (u *Updater) zoneFor(h *hostWish) (dns.Zone, bool) {
	if h.zone != "" {
		return u.Zones.Zone(h.zone)
	}
	return u.Zones.ZoneOf(h.name)
}

// edit adds to the change of a zone what becomes of one host, which has these answers now.
func (u *Updater) edit(z *dns.ZoneChange, h *hostWish, answers []dns.Answer) result {
	r := result{name: h.name}
	for _, e := range h.edits {
		old := dns.RRset{Name: h.name, Type: e.typ}
		if i := slices.IndexFunc(answers, func(a dns.Answer) bool { return a.Type == e.typ }); i >= 0 {
			old = answers[i].RRset
		}
		if e.computed {
			z.Expect = append(z.Expect, old)
		}
		fresh := e.fresh(old, u.TTL)
		z.RRsets = append(z.RRsets, fresh)
		r.sets = append(r.sets, fresh)
		r.content = append(r.content, fresh.Content...)
		r.changed = r.changed || !fresh.Equal(old)
	}
	return r
}

// mostContent bounds what one name may have of what is set: addresses of both families, or challenges.
const mostContent = 2 * mostAddrs

// fits reports why a zone cannot have the addresses, or challenges, that are to be set, if so.
func fits(zone dns.Zone, name dns.Name, answers []dns.Answer, r result) error {
	if err := changeable(zone); err != nil {
		return err
	}
	switch {
	case len(r.content) == 0:
		return nil
	case len(r.content) > mostContent:
		return refused("%s would have %d records; %d are most", name, len(r.content), mostContent)
	}
	for _, a := range answers {
		switch {
		case a.Type == dns.TypeCNAME:
			return refused("%s is an alias (CNAME), which has no other records", name)
		case a.Type == dns.TypeNS && name != zone.Name:
			return refused("%s is delegated to other servers", name)
		}
	}
	return nil
}

// unmixed returns what must still be absent when a name gets these RRsets, lest a CNAME come to stand
// beside others: whoever adds something has seen that the name is no alias, and whoever makes it one
// that it has nothing that updates of hosts set.
func unmixed(name dns.Name, answers []dns.Answer, sets []dns.RRset) (absent []dns.RRset) {
	var rivals []dns.Type
	for _, set := range sets {
		switch {
		case len(set.Content) == 0:
		case set.Type == dns.TypeCNAME:
			rivals = []dns.Type{dns.TypeA, dns.TypeAAAA, dns.TypeTXT}
		case len(rivals) == 0:
			rivals = []dns.Type{dns.TypeCNAME}
		}
	}
	for _, typ := range rivals {
		known := slices.ContainsFunc(answers, func(a dns.Answer) bool { return a.Type == typ })
		if !known && !slices.ContainsFunc(sets, func(s dns.RRset) bool { return s.Type == typ }) {
			absent = append(absent, dns.RRset{Name: name, Type: typ})
		}
	}
	return absent
}

// changeable refuses zones whose records come from elsewhere.
func changeable(zone dns.Zone) error {
	if zone.Kind == dns.Slave {
		return refused("%s is a secondary zone; its records come from its primary", zone.Name)
	}
	return nil
}
