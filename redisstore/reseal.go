package redisstore

import (
	"context"
	_ "embed"
	"fmt"
	"time"

	"github.com/goccy/go-json"
	"github.com/redis/go-redis/v9"

	"redyn/backend/dns"
)

//go:embed reseal.lua
var resealLua string

var resealScript = redis.NewScript(resealLua)

// SealSecrets seals all DNSSEC keys, TSIG secrets and secrets of hmac credentials that are not sealed
// as they would be now, and returns how many it has sealed. The log is not told, since no secret changes; its older entries
// hold what they held. It fails at a secret that cannot be read; those before it are sealed.
func (s *Store) SealSecrets(ctx context.Context) (n int, err error) {
	replace := func(key string, args ...any) error {
		if len(args) == 0 {
			return nil
		}
		done, err := resealScript.Run(ctx, s.rdb, []string{key}, args...).Int()
		n += done
		return explain(err)
	}
	sealed := func(key string, texts map[string]string, seal func(field, text string) (string, error)) error {
		var args []any
		for field, text := range texts {
			again, err := seal(field, text)
			if err != nil {
				return fmt.Errorf("%s of %s: %w", field, key, err)
			}
			if again != text {
				args = append(args, field, text, again)
			}
		}
		return replace(key, args...)
	}
	tsig, _, err := s.ofServer(ctx)
	if err == nil {
		err = sealed(s.keys.tsig(), tsig, s.secrets.resealTSIG)
	}
	if err != nil {
		return n, fmt.Errorf("seal TSIG keys: %w", err)
	}
	err = s.primary().inBatches(ctx, func(zones []*header) error {
		texts, err := s.primary().keyTexts(ctx, idsOf(zones))
		for i, keys := range texts {
			zone := zones[i].ID
			err := sealed(s.keys.key(zone), keys, func(field, text string) (string, error) {
				return s.secrets.resealKey(zone, field, text)
			})
			if err != nil {
				return err
			}
		}
		return err
	})
	if err != nil {
		return n, fmt.Errorf("seal DNSSEC keys: %w", err)
	}
	if err := s.sealHMAC(ctx, replace); err != nil {
		return n, fmt.Errorf("seal hmac credentials: %w", err)
	}
	return n, nil
}

func (s *Store) sealHMAC(ctx context.Context, replace func(key string, args ...any) error) error {
	all, err := s.hmacCredentials(ctx)
	if err != nil {
		return err
	}
	for _, old := range all {
		c, changed, err := old.Reseal(s.o.Sealer)
		if err != nil {
			return err
		}
		if !changed {
			continue
		}
		c.LastUse = time.Time{}
		text, err := c.Encode()
		if err != nil {
			return err
		}
		if err := replace(s.keys.cred(c.ID), "value", old.text, string(text)); err != nil {
			return err
		}
	}
	return nil
}

func (s secrets) resealTSIG(field, text string) (string, error) {
	var v storedTSIG
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return "", err
	}
	var err error
	v.Secret, err = s.reseal(tsigPlace(dns.Name(field)), v.Secret)
	return encode(v), err
}

func (s secrets) resealKey(zone dns.ZoneID, field, text string) (string, error) {
	id, err := parseKeyID(field)
	if err != nil {
		return "", err
	}
	var v storedKey
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return "", err
	}
	v.Content, err = s.reseal(keyPlace(zone, id), v.Content)
	return encode(v), err
}

// reseal returns a secret sealed as it would be now, the same text if it is.
func (s secrets) reseal(place, text string) (string, error) {
	secret, err := s.Open(place, text)
	if err == nil && !s.Current(text) {
		text, err = s.Seal(place, secret)
	}
	return text, err
}
