package redisstore

import (
	"context"
	"fmt"

	"redyn/auth"
	"redyn/backend/dns"
)

// About returns all that is known of a zone but its records, from the primary. The keys are without
// their content, so that no secret need be read.
func (s *Store) About(ctx context.Context, zone dns.Name) (dns.ZoneData, error) {
	h, err := s.header(ctx, zone)
	if err != nil {
		return dns.ZoneData{}, fmt.Errorf("zone %s: %w", zone, err)
	}
	all, err := s.primary().about(ctx, []*header{&h})
	if err != nil {
		return dns.ZoneData{}, fmt.Errorf("zone %s: %w", zone, err)
	}
	return all[0], nil
}

// AboutAll returns the same of all zones, in no order. It fails with dns.ErrLost if there is no data
// set.
func (s *Store) AboutAll(ctx context.Context) ([]dns.ZoneData, error) {
	var all []dns.ZoneData
	err := s.primary().inBatches(ctx, func(batch []*header) error {
		some, err := s.primary().about(ctx, batch)
		all = append(all, some...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list zones: %w", err)
	}
	return all, nil
}

func (r reader) about(ctx context.Context, zones []*header) ([]dns.ZoneData, error) {
	if err := r.addSerials(ctx, zones); err != nil {
		return nil, err
	}
	texts, err := r.keyTexts(ctx, idsOf(zones))
	if err != nil {
		return nil, err
	}
	all := make([]dns.ZoneData, len(zones))
	for i, h := range zones {
		keys, reads := secrets{unopened{}}.decodeKeys(h.ID, texts[i])
		all[i] = dns.ZoneData{Zone: h.Zone, Metadata: h.meta, Keys: keys, KeysUnknown: failed(reads) != nil}
		for k := range keys {
			keys[k].Content = ""
		}
	}
	return all, nil
}

func idsOf(zones []*header) []dns.ZoneID {
	ids := make([]dns.ZoneID, len(zones))
	for i, h := range zones {
		ids[i] = h.ID
	}
	return ids
}

// unopened leaves secrets as they are stored.
type unopened struct{ sealer }

func (unopened) Open(_, text string) (auth.Secret, error) { return auth.NewSecret(text), nil }

// TSIGAlgorithms returns the algorithms of all TSIG keys by name, from the primary. It fails with
// dns.ErrLost if there is no data set.
func (s *Store) TSIGAlgorithms(ctx context.Context) (map[dns.Name]dns.Name, error) {
	texts, _, err := s.ofServer(ctx)
	if err != nil {
		return nil, fmt.Errorf("TSIG keys: %w", err)
	}
	keys, reads := secrets{unopened{}}.decodeTSIGKeys(texts)
	if err := failed(reads); err != nil {
		return nil, fmt.Errorf("TSIG keys: %w", err)
	}
	algorithms := make(map[dns.Name]dns.Name, len(keys))
	for _, k := range keys {
		algorithms[k.Name] = k.Algorithm
	}
	return algorithms, nil
}
