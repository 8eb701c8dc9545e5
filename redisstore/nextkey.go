package redisstore

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/redis/go-redis/v9"

	"redyn/backend/dns"
)

//go:embed nextkey.lua
var nextKeyLua string

var nextKeyScript = redis.NewScript(nextKeyLua)

// NextKeyID returns the number for a new DNSSEC key of a zone, which no key of the zone ever had.
func (s *Store) NextKeyID(ctx context.Context, zone dns.Name) (dns.KeyID, error) {
	id, err := s.primary().zoneID(ctx, zone)
	if err != nil {
		return 0, fmt.Errorf("number a key of zone %s: %w", zone, err)
	}
	keys := []string{s.keys.zones(), s.keys.zone(id)}
	text, err := nextKeyScript.Run(ctx, s.rdb, keys, string(zone), idText(id)).Text()
	if err != nil {
		return 0, fmt.Errorf("number a key of zone %s: %w", zone, explain(err))
	}
	if text == "" {
		return 0, fmt.Errorf("number a key of zone %s: %w", zone, dns.ErrNotFound)
	}
	return parseKeyID(text)
}
