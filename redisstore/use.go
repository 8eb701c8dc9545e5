package redisstore

import (
	"time"

	"redyn/auth"
)

// useArgs writes what a change uses up, as use.lua reads it: nothing at all if that is nothing.
func (s *Store) useArgs(u auth.Use) []any {
	if len(u.Hosts) == 0 && u.Token == "" && u.Replay == nil {
		return nil
	}
	now := s.o.Now()
	most, per := limitArgs(u.HostLimit)
	replay, keep := "", int64(0)
	if u.Replay != nil {
		replay = u.Replay.Key
		keep = max(u.Replay.Expires.Sub(now).Milliseconds(), time.Second.Milliseconds())
	}
	args := append(make([]any, 0, 7+len(u.Hosts)),
		now.Unix(), most, per, int64(u.TokenHost), u.Token, replay, keep)
	for _, name := range u.Hosts {
		args = append(args, string(name))
	}
	return args
}
