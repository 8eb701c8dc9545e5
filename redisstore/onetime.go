package redisstore

import (
	"context"
	_ "embed"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"redyn/auth"
)

//go:embed onetime.lua
var oneTimeLua string

var oneTimeScript = redis.NewScript(oneTimeLua)

// OneTimeToken returns the host's one-time token: the one that there is, or a new one that lives so
// long unless it is used up before. It fails with dns.ErrNotFound if there is no such host.
func (s *Store) OneTimeToken(ctx context.Context, host auth.HostID, life time.Duration) (string, error) {
	keys := []string{s.keys.epoch(), s.keys.host(host), s.keys.token(host)}
	r, err := s.ask(ctx, oneTimeScript, keys, auth.GenerateOneTimeToken(), life.Milliseconds())
	if err != nil {
		return "", fmt.Errorf("one-time token of host %d: %w", host, err)
	}
	if len(r) != 1 {
		return "", fmt.Errorf("one-time token of host %d: the script answers %d values", host, len(r))
	}
	return r[0], nil
}
