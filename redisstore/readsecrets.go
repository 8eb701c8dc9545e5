package redisstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"redyn/backend/dns"
)

// keyTexts returns what the zones have in key:<id>.
func (r reader) keyTexts(ctx context.Context, ids []dns.ZoneID) ([]map[string]string, error) {
	found := make([]*redis.MapStringStringCmd, len(ids))
	_, err := r.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, id := range ids {
			found[i] = p.HGetAll(ctx, r.keys.key(id))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read keys: %w", explain(err))
	}
	texts := make([]map[string]string, len(ids))
	for i := range found {
		texts[i] = found[i].Val()
	}
	return texts, nil
}

// decodeKeys reads a zone's keys, by number, and tells what came of it.
func (s secrets) decodeKeys(zone dns.ZoneID, texts map[string]string) (keys []dns.Key, reads []secretRead) {
	for number, text := range texts {
		id, err := parseKeyID(number)
		read := secretRead{place: keyPlace(zone, id), zone: zone, err: err}
		if err == nil {
			var key dns.Key
			if key, read.err = s.decodeKey(zone, id, text); read.err == nil {
				keys = append(keys, key)
			}
		}
		reads = append(reads, read)
	}
	slices.SortFunc(keys, func(a, b dns.Key) int { return cmp.Compare(a.ID, b.ID) })
	return keys, reads
}

// serverTexts returns what there is in tsig and autoprimaries; if one is no hash, the other.
func (r reader) serverTexts(ctx context.Context) (tsig, autoprimaries map[string]string, err error) {
	var found [2]*redis.MapStringStringCmd
	_, err = r.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		found[0] = p.HGetAll(ctx, r.keys.tsig())
		found[1] = p.HGetAll(ctx, r.keys.autoprimaries())
		return nil
	})
	return found[0].Val(), found[1].Val(), explain(err)
}

// decodeTSIGKeys reads all TSIG keys, by name, and tells what came of it.
func (s secrets) decodeTSIGKeys(texts map[string]string) (keys []dns.TSIGKey, reads []secretRead) {
	for field, text := range texts {
		name, err := dns.ParseName(field)
		read := secretRead{place: tsigPlace(name), zone: ofServer, err: err}
		if err == nil {
			var key dns.TSIGKey
			if key, read.err = s.decodeTSIG(name, text); read.err == nil {
				keys = append(keys, key)
			}
		}
		reads = append(reads, read)
	}
	slices.SortFunc(keys, func(a, b dns.TSIGKey) int { return strings.Compare(string(a.Name), string(b.Name)) })
	return keys, reads
}

// decodeAutoprimaries returns those that can be read, and an error if there are others.
func decodeAutoprimaries(texts map[string]string) (map[dns.Autoprimary]string, error) {
	var errs []error
	all := make(map[dns.Autoprimary]string, len(texts))
	for field, text := range texts {
		a, account, err := decodeAutoprimary(field, text)
		if err != nil {
			errs = append(errs, err)
		} else if account != nil {
			all[a] = *account
		}
	}
	return all, errors.Join(errs...)
}

// failed returns the first error among reads.
func failed(reads []secretRead) error {
	for _, read := range reads {
		if read.err != nil {
			return read.err
		}
	}
	return nil
}

// Keys returns a zone's DNSSEC keys by number, from the primary. It fails if one cannot be read.
func (s *Store) Keys(ctx context.Context, zone dns.Name) ([]dns.Key, error) {
	r := s.primary()
	id, err := r.zoneID(ctx, zone)
	if err != nil {
		return nil, fmt.Errorf("keys of zone %s: %w", zone, err)
	}
	texts, err := r.keyTexts(ctx, []dns.ZoneID{id})
	if err != nil {
		return nil, fmt.Errorf("keys of zone %s: %w", zone, err)
	}
	keys, reads := s.secrets.decodeKeys(id, texts[0])
	if err := failed(reads); err != nil {
		return nil, fmt.Errorf("keys of zone %s: %w", zone, err)
	}
	return keys, nil
}

// TSIGKeys returns all TSIG keys by name, from the primary. It fails if one cannot be read, and with
// dns.ErrLost if there is no data set.
func (s *Store) TSIGKeys(ctx context.Context) ([]dns.TSIGKey, error) {
	tsig, _, err := s.ofServer(ctx)
	if err != nil {
		return nil, fmt.Errorf("TSIG keys: %w", err)
	}
	keys, reads := s.secrets.decodeTSIGKeys(tsig)
	if err := failed(reads); err != nil {
		return nil, fmt.Errorf("TSIG keys: %w", err)
	}
	return keys, nil
}

// Autoprimaries returns the accounts of all autoprimaries, from the primary. It fails with
// dns.ErrLost if there is no data set.
func (s *Store) Autoprimaries(ctx context.Context) (map[dns.Autoprimary]string, error) {
	_, texts, err := s.ofServer(ctx)
	if err != nil {
		return nil, fmt.Errorf("autoprimaries: %w", err)
	}
	all, err := decodeAutoprimaries(texts)
	if err != nil {
		return nil, fmt.Errorf("autoprimaries: %w", err)
	}
	return all, nil
}

// ofServer returns what there is in tsig and autoprimaries of a store that has a data set.
func (s *Store) ofServer(ctx context.Context) (tsig, autoprimaries map[string]string, err error) {
	t, err := s.primary().tail(ctx)
	if err != nil {
		return nil, nil, err
	}
	if t.epoch == "" {
		return nil, nil, dns.ErrLost
	}
	return s.primary().serverTexts(ctx)
}
