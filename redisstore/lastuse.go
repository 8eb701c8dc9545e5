package redisstore

import (
	"context"
	_ "embed"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

//go:embed lastuse.lua
var lastUseLua string

var lastUseScript = redis.NewScript(countLua + lastUseLua)

// Bounds of noting uses: how long they wait, and how many are written at once.
const (
	usePause = 5 * time.Second
	useBatch = 500
)

// uses holds the last uses of credentials that are to be written.
type uses struct {
	mu sync.Mutex
	at map[string]int64 // Unix time by credential
}

// Used notes that a credential was used. WriteUses writes it.
func (s *Store) Used(credential string, at time.Time) {
	s.uses.mu.Lock()
	defer s.uses.mu.Unlock()
	if s.uses.at == nil {
		s.uses.at = make(map[string]int64)
	}
	s.uses.at[credential] = max(s.uses.at[credential], at.Unix())
}

// WriteUses writes what Used notes, from time to time until ctx ends, and then once more. While the
// store is away they wait.
func (s *Store) WriteUses(ctx context.Context) {
	for ended := false; !ended; {
		select {
		case <-ctx.Done():
			ended = true
		case <-time.After(usePause):
		}
		s.writeUses(context.WithoutCancel(ctx))
	}
}

func (s *Store) writeUses(ctx context.Context) {
	s.uses.mu.Lock()
	waiting := s.uses.at
	s.uses.at = nil
	s.uses.mu.Unlock()
	for ids := range slices.Chunk(slices.Collect(maps.Keys(waiting)), useBatch) {
		args := make([]any, 0, 2*len(ids))
		for _, id := range ids {
			args = append(args, id, waiting[id])
		}
		if err := lastUseScript.Run(ctx, s.rdb, []string{s.keys.epoch()}, args...).Err(); err != nil {
			s.log.WarnContext(ctx, "cannot write when credentials were used last", "credentials", len(ids), "err", explain(err))
			for _, id := range ids {
				s.Used(id, time.Unix(waiting[id], 0))
			}
		}
	}
}
