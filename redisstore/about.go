package redisstore

import (
	"context"
	"fmt"

	"github.com/goccy/go-json"

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
type unopened struct{ Sealer }

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

// Secrets tells how DNSSEC keys and TSIG secrets are stored.
type Secrets struct {
	Keys, TSIG int // how many there are
	Plain      int // of both, that are not sealed
	Old        int // of both, that are sealed, but not as they would be now
	Unreadable int // of both
	Err        error
}

// Secrets looks at all secrets, on the primary. It fails with dns.ErrLost if there is no data set.
func (s *Store) Secrets(ctx context.Context) (Secrets, error) {
	var found Secrets
	tsig, _, err := s.ofServer(ctx)
	if err != nil {
		return found, fmt.Errorf("secrets: %w", err)
	}
	for _, text := range tsig {
		var v storedTSIG
		_ = json.Unmarshal([]byte(text), &v) // the reads tell of it
		found.note(v.Secret, s.secrets)
	}
	_, reads := s.secrets.decodeTSIGKeys(tsig)
	found.TSIG = len(tsig)
	found.noteReads(reads)
	err = s.primary().inBatches(ctx, func(batch []*header) error {
		texts, err := s.primary().keyTexts(ctx, idsOf(batch))
		for i, keys := range texts {
			for _, text := range keys {
				var v storedKey
				_ = json.Unmarshal([]byte(text), &v)
				found.note(v.Content, s.secrets)
			}
			_, reads := s.secrets.decodeKeys(batch[i].ID, keys)
			found.Keys += len(keys)
			found.noteReads(reads)
		}
		return err
	})
	if err != nil {
		return found, fmt.Errorf("secrets: %w", err)
	}
	return found, nil
}

func (found *Secrets) note(text string, s secrets) {
	switch {
	case !auth.IsSealed(text):
		found.Plain++
	case !s.Current(text):
		found.Old++
	}
}

func (found *Secrets) noteReads(reads []secretRead) {
	for _, read := range reads {
		if read.err != nil {
			found.Unreadable++
			found.Err = read.err
		}
	}
}
