package zonedb

import (
	"cmp"
	"fmt"
	"slices"

	"redyn/backend/dns"
)

// Keys returns the DNSSEC keys of the zone named name, by number; callers do not change them. There
// are none if there is no such zone. It fails with dns.ErrUnknown if the zone has others that could not
// be read: it must not be taken for one without.
func (db *DB) Keys(name dns.Name) ([]dns.Key, error) {
	z := db.named(name)
	if z == nil {
		return nil, nil
	}
	if z.lost {
		return nil, z.unread()
	}
	z.mu.RLock()
	defer z.mu.RUnlock()
	if z.keysUnknown {
		return nil, fmt.Errorf("keys of %s: %w", name, dns.ErrUnknown)
	}
	return z.keys, nil
}

// withKeys returns keys after changes, of which nil take one away.
func withKeys(keys []dns.Key, changes map[dns.KeyID]*dns.Key) []dns.Key {
	if len(changes) == 0 {
		return keys
	}
	keys = slices.DeleteFunc(slices.Clone(keys), func(k dns.Key) bool {
		_, change := changes[k.ID]
		return change
	})
	for id, key := range changes {
		if key != nil {
			key := *key
			key.ID = id
			keys = append(keys, key)
		}
	}
	return sortedKeys(keys)
}

// sortedKeys puts keys in the order of their numbers.
func sortedKeys(keys []dns.Key) []dns.Key {
	slices.SortFunc(keys, func(a, b dns.Key) int { return cmp.Compare(a.ID, b.ID) })
	return keys
}
