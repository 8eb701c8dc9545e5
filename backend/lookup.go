package backend

import (
	"context"

	"redyn/backend/dns"
)

// lookup answers with the RRsets of one name. It is what PowerDNS asks for every question, several
// times: it allocates nothing and waits for nobody. APILookup is the same, as disabled records do
// not exist here.
func (b *Backend) lookup(ctx context.Context, p *params, r *reply) error {
	owner, err := p.name(qname)
	if err != nil {
		return err
	}
	typ, err := p.qtype()
	if err != nil {
		return err
	}
	zone, err := p.zone(zoneID)
	if err != nil {
		return err
	}
	trailOf(p.from).name(owner)
	if r.answers, err = b.Zones.Lookup(r.answers[:0], owner, typ, zone); err != nil {
		return err
	}
	if p.from.busy() {
		if r.answers, err = p.from.lookup(ctx, r.answers, owner, typ, zone); err != nil {
			return err
		}
	}
	if b.IsHost != nil && b.IsHost(owner) {
		uncache(r.answers)
	}
	r.begin()
	r.open('[')
	for i := range r.answers {
		r.b = appendRecords(r.b, &r.answers[i], true)
	}
	r.shut(']', len(r.answers) == 0)
	return nil
}

// uncache keeps addresses out of PowerDNS's caches, and with them all that is answered beside them.
func uncache(answers []dns.Answer) {
	for i := range answers {
		typ := answers[i].Type
		answers[i].Uncached = typ == dns.TypeA || typ == dns.TypeAAAA
	}
}
