package redisstore

import (
	"context"
	_ "embed"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"redyn/auth"
)

//go:embed count.lua
var countLua string

//go:embed failed.lua
var failedLua string

var failedScript = redis.NewScript(countLua + failedLua)

// Failed counts an authentication that failed: against its source, and against what it was meant for, a
// credential or another name for that, if it is known. It returns how many there are for that now. What
// it counts is forgotten after the limit's time; the zero Limit counts nothing.
func (s *Store) Failed(ctx context.Context, from netip.Addr, meant string, limit auth.Limit) (int, error) {
	if count, _ := limitArgs(limit); count == 0 {
		return 0, nil
	}
	n, err := failedScript.Run(ctx, s.rdb, []string{s.keys.epoch()}, sourceText(from), meant, limit.Per.Milliseconds()).Int()
	if err != nil {
		return 0, fmt.Errorf("count a failed authentication: %w", explain(err))
	}
	return n, nil
}

// limitArgs writes a limit as the scripts read it: how many, and in how many ms; none is 0.
func limitArgs(l auth.Limit) (count int, ms int64) {
	if l.Count <= 0 || l.Per < time.Millisecond {
		return 0, 0
	}
	return l.Count, l.Per.Milliseconds()
}

// sourceText is what requests from an address are counted by: the address, in IPv6 the network of a
// site. It is empty if the address is not known.
func sourceText(addr netip.Addr) string {
	const site = 64
	addr = addr.Unmap().WithZone("")
	if !addr.Is6() {
		if !addr.IsValid() {
			return ""
		}
		return addr.String()
	}
	network, _ := addr.Prefix(site) // which is shorter than the address
	return network.String()
}

// limitError reads the time that a script answers.
func limitError(ms []string) error {
	wait, err := parseMillis(ms)
	if err != nil {
		return err
	}
	return &auth.LimitError{RetryAfter: wait}
}

func parseMillis(ms []string) (time.Duration, error) {
	if len(ms) != 1 {
		return 0, fmt.Errorf("the script answers %q for a time", ms)
	}
	n, err := strconv.ParseInt(ms[0], 10, 64)
	if err != nil || n <= 0 {
		return 0, fmt.Errorf("the script answers %q for a time", ms)
	}
	return time.Duration(n) * time.Millisecond, nil
}
