package backend

import (
	"context"
	"errors"

	"redyn/backend/dns"
)

// list answers with all records of a zone: AXFR, rectify and list-zone ask for it. The answer is
// written in pieces and holds no more than PowerDNS needs: it reads long ones slowly over a unix
// socket and takes at most 2 MiB over HTTP.
func (b *Backend) list(ctx context.Context, p *params, r *reply) error {
	zone, err := p.zone(domainID)
	if err != nil {
		return err
	}
	apex, err := p.name(zonename)
	if err != nil {
		return err
	}
	answers, err := b.Zones.List(zone, apex)
	if errors.Is(err, dns.ErrNotFound) {
		r.none()
		return nil
	}
	if err != nil {
		return err
	}
	if p.from.busy() {
		if answers, err = p.from.list(ctx, answers, apex); err != nil {
			return err
		}
	}
	stream(r, answers, func(dst []byte, a dns.Answer) []byte { return appendRecords(dst, &a, false) })
	return nil
}
