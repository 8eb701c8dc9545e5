package redisstore

import (
	"fmt"

	"redyn/backend/dns"
)

// header is a zone without its records.
type header struct {
	dns.Zone // Serial is 0 until addSerials
	gen      string
	meta     dns.Metadata

	keys        []dns.Key // not before addKeys
	keysUnknown bool
}

// parseHeader reads the hashes of a zone.
func parseHeader(id dns.ZoneID, fields, meta map[string]string) (*header, error) {
	z, err := parseZone(id, fields)
	if err != nil {
		return nil, err
	}
	h := &header{Zone: z, gen: fields["gen"]}
	if h.gen == "" {
		return nil, fmt.Errorf("zone %d has no gen, which says where its records are", id)
	}
	if len(meta) > 0 {
		h.meta = make(dns.Metadata, len(meta))
	}
	for kind, text := range meta {
		if h.meta[kind], err = decodeValues(text); err != nil {
			return nil, fmt.Errorf("metadata %s of zone %d: %w", kind, id, err)
		}
	}
	return h, nil
}
