package backend

import (
	"context"

	"redyn/backend/dns"
)

// mostFound bounds what one search answers with; PowerDNS's API asks for 100 unless told otherwise.
const mostFound = 10_000

// searchRecords answers with the records whose name or content matches a pattern with * and ?.
func (b *Backend) searchRecords(_ context.Context, p *params, r *reply) error {
	text, err := p.need(pattern)
	if err != nil {
		return err
	}
	count, err := p.count(maxResults, mostFound)
	if err != nil {
		return err
	}
	found := b.Zones.Search(string(text), count)
	stream(r, found, func(dst []byte, a dns.Answer) []byte { return appendRecords(dst, &a, true) })
	return nil
}
