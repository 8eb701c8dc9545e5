package redisstore

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Server is what a Redis server tells of itself; what it does not tell is empty.
type Server struct {
	Software string // redis or valkey
	Version  string
	Role     string // master or slave
	LinkUp   bool   // of a slave, to its master
	Eviction string // what it does when it runs out of memory
	Bounded  bool   // there is a bound to its memory
	Durable  bool   // it writes its data to disk, as far as it tells
}

//go:embed probe.lua
var probeLua string

var probeScript = redis.NewScript(probeLua)

// Probe asks the primary and the read server what they are, and makes sure that this user may do on the
// primary, and that it takes, all by which changes are made. The read server is the primary if there is no
// other. It leaves no key.
func (s *Store) Probe(ctx context.Context) (primary, read Server, err error) {
	var keys []string
	for range 4 {
		keys = append(keys, string(s.keys)+"probe:"+randomID(8))
	}
	if err := probeScript.Run(ctx, s.rdb, keys).Err(); err != nil && !errors.Is(err, redis.Nil) {
		return primary, read, fmt.Errorf("write to redis: %w", explain(err))
	}
	if _, err := s.primary().entries(ctx, "$", -1); err != nil {
		return primary, read, err
	}
	primary = s.primary().describe(ctx, s.o.Timeout)
	read = primary
	if s.o.ReadURL != "" {
		read = reader{s.read, s.keys, s.o.Timeout}.describe(ctx, s.o.Timeout)
	}
	return primary, read, nil
}

// Position returns the newest entry of the log, which a node that is not behind shows.
func (s *Store) Position(ctx context.Context) (string, error) {
	t, err := s.primary().tail(ctx)
	return t.log, err
}

// describe asks the server that has the keys, which has until timeout to answer.
func (r reader) describe(ctx context.Context, timeout time.Duration) Server {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	one, told := r.info(ctx, "server", "replication", "memory", "persistence")
	s := Server{
		Software: "redis", Version: told["redis_version"], Role: told["role"], LinkUp: told["master_link_status"] == "up",
		Eviction: told["maxmemory_policy"], Bounded: told["maxmemory"] != "" && told["maxmemory"] != "0",
		Durable: told["aof_enabled"] == "1",
	}
	if told["valkey_version"] != "" {
		s.Software, s.Version = "valkey", told["valkey_version"]
	}
	if one == nil {
		return s
	}
	if save, err := one.ConfigGet(ctx, "save").Result(); err == nil && save["save"] != "" {
		s.Durable = true
	}
	return s
}

// info returns the server that has the keys and what it tells of itself in sections of INFO; the
// user may lack the right to ask, then it tells nothing. The server is nil if it is not known.
func (r reader) info(ctx context.Context, sections ...string) (redis.Cmdable, map[string]string) {
	var one redis.Cmdable = r.rdb
	if cluster, ok := r.rdb.(*redis.ClusterClient); ok {
		node, err := cluster.MasterForKey(ctx, r.keys.epoch())
		if err != nil {
			return nil, nil
		}
		one = node
	}
	told := make(map[string]string)
	for _, section := range sections {
		text, err := one.Info(ctx, section).Result()
		if err != nil {
			continue
		}
		for line := range strings.Lines(text) {
			if key, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
				told[key] = value
			}
		}
	}
	return one, told
}
