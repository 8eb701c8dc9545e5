package backend

import (
	"context"
	"maps"
	"slices"

	"redyn/backend/dns"
)

// getAllDomainMetadata answers with all kinds and values of a zone. PowerDNS takes false badly
// here, so none is an empty object.
func (b *Backend) getAllDomainMetadata(_ context.Context, p *params, r *reply) error {
	apex, err := p.name(name)
	if err != nil {
		return err
	}
	meta, err := b.Zones.Metadata(apex)
	if err != nil {
		return err
	}
	r.begin()
	r.open('{')
	for _, kind := range slices.Sorted(maps.Keys(meta)) {
		r.b = appendString(r.b, kind)
		r.b = append(r.b, ':')
		r.b = appendStrings(r.b, meta[kind])
		r.b = append(r.b, ',')
	}
	r.shut('}', len(meta) == 0)
	return nil
}

// getDomainMetadata answers with the values of one kind; none is an empty list.
func (b *Backend) getDomainMetadata(_ context.Context, p *params, r *reply) error {
	apex, err := p.name(name)
	if err != nil {
		return err
	}
	k, err := p.need(kind)
	if err != nil {
		return err
	}
	meta, err := b.Zones.Metadata(apex)
	if err != nil {
		return err
	}
	values := meta[string(k)]
	r.begin()
	r.b = appendStrings(r.b, values)
	r.end()
	if len(values) == 0 {
		r.outcome = noneOutcome
	}
	return nil
}

// setDomainMetadata puts values in the place of those of one kind; none take the kind away.
func (b *Backend) setDomainMetadata(ctx context.Context, p *params, r *reply) error {
	apex, err := p.kept(name)
	if err != nil {
		return err
	}
	k, err := p.need(kind)
	if err != nil {
		return err
	}
	list := make([]string, len(p.values))
	for i, v := range p.values {
		list[i] = string(v)
	}
	if err := b.apply(ctx, p, dns.ZoneChange{Zone: apex, Metadata: dns.Metadata{string(k): list}}); err != nil {
		return err
	}
	r.bool(true)
	return nil
}
