package redisstore

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// client opens the client for a URL; a command's reply is waited for as long as patience says. The URL is
// redis://, rediss:// or unix://, for Sentinel with
// ?master_name=, for Cluster with ?addr=. It makes no connection yet. An error never holds a
// part of the URL that could be a password.
func client(text string, o Options, patience time.Duration) (redis.UniversalClient, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" && u.Path == "" {
		return nil, errors.New("is not a URL; expected redis://USER:PASSWORD@HOST:PORT/DB, with %XX for special characters of the password")
	}
	switch u.Scheme {
	case "redis", "rediss", "unix":
	default:
		return nil, errors.New("begins with none of redis://, rediss:// and unix://")
	}
	if db := strings.Trim(u.Path, "/"); u.Scheme != "unix" && db != "" {
		if _, err := strconv.ParseUint(db, 10, 16); err != nil {
			return nil, errors.New("has a path that is not the number of a database, as in redis://HOST:PORT/0")
		}
	}
	query := u.Query()
	for _, spread := range []string{"route_by_latency", "route_randomly", "replica_only", "read_only", "use_disconnected_replicas"} {
		if query.Has(spread) {
			return nil, fmt.Errorf("has the option %s: all reading must come from one server; give a replica as the read URL", spread)
		}
	}
	var c redis.UniversalClient
	switch {
	case query.Has("master_name"):
		c, err = sentinelClient(text, o, patience)
	case query.Has("addr"):
		if open := strings.IndexByte(o.Prefix, '{'); open < 0 || strings.IndexByte(o.Prefix[open+1:], '}') < 1 {
			return nil, fmt.Errorf("is a Cluster's, and the prefix %q has no {tag} to keep the keys in one slot", o.Prefix)
		}
		c, err = clusterClient(text, o, patience)
	default:
		c, err = plainClient(text, o, patience)
	}
	if err != nil {
		return nil, optionError(query, err)
	}
	return c, nil
}

// optionError names the option that go-redis complains of, but not its value.
func optionError(query url.Values, err error) error {
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if strings.Contains(err.Error(), name) && !strings.Contains(name, "@") {
			return fmt.Errorf("has an option %s that is unknown or has a wrong value", name)
		}
	}
	return errors.New("has a wrong option")
}

// RedactURL returns the URL without what is secret in it, for logs.
func RedactURL(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "(not a URL)"
	}
	u.User = nil
	query := u.Query()
	for _, secret := range []string{"password", "username", "sentinel_password", "sentinel_username"} {
		query.Del(secret)
	}
	u.RawQuery = query.Encode()
	return u.String()
}

// What all three kinds of client have in common. A command is sent once: a script is not to run
// twice unasked, and whoever reads repeats the whole of what he was reading. Nothing here uses what RESP3
// has and RESP2 has not: under it go-redis looks for pushes before each reply.
const (
	respVersion  = 2
	noRetries    = -1
	dialTimeout  = time.Second
	idleTime     = 5 * time.Minute
	defaultConns = 32
)

func quiet() *maintnotifications.Config {
	return &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
}

func secured(own, given *tls.Config) *tls.Config {
	if own == nil || given == nil {
		return own
	}
	t := given.Clone()
	if t.ServerName == "" {
		t.ServerName = own.ServerName
	}
	t.InsecureSkipVerify = t.InsecureSkipVerify || own.InsecureSkipVerify
	return t
}

func plainClient(text string, o Options, patience time.Duration) (redis.UniversalClient, error) {
	c, err := redis.ParseURL(text)
	if err != nil {
		return nil, err
	}
	c.Protocol, c.MaxRetries, c.ContextTimeoutEnabled, c.DisableIdentity = cmp.Or(c.Protocol, respVersion), noRetries, true, true
	c.DialTimeout, c.DialerRetries, c.ReadTimeout, c.WriteTimeout, c.PoolTimeout = min(dialTimeout, o.Timeout), 1, patience, o.Timeout, o.Timeout
	c.PoolSize, c.ConnMaxIdleTime, c.MaintNotificationsConfig = o.MaxConns, idleTime, quiet()
	c.TLSConfig = secured(c.TLSConfig, o.TLS)
	c.Dialer = dialer(c.DialTimeout, c.TLSConfig)
	return redis.NewClient(c), nil
}

func sentinelClient(text string, o Options, patience time.Duration) (redis.UniversalClient, error) {
	c, err := redis.ParseFailoverURL(text)
	if err != nil {
		return nil, err
	}
	c.Protocol, c.MaxRetries, c.ContextTimeoutEnabled, c.DisableIdentity = cmp.Or(c.Protocol, respVersion), noRetries, true, true
	c.DialTimeout, c.DialerRetries, c.ReadTimeout, c.WriteTimeout, c.PoolTimeout = min(dialTimeout, o.Timeout), 1, patience, o.Timeout, o.Timeout
	c.PoolSize, c.ConnMaxIdleTime = o.MaxConns, idleTime
	c.TLSConfig = secured(c.TLSConfig, o.TLS)
	c.Dialer = dialer(c.DialTimeout, c.TLSConfig)
	return redis.NewFailoverClient(c), nil
}

func clusterClient(text string, o Options, patience time.Duration) (redis.UniversalClient, error) {
	c, err := redis.ParseClusterURL(text)
	if err != nil {
		return nil, err
	}
	c.Protocol, c.MaxRetries, c.ContextTimeoutEnabled, c.DisableIdentity = cmp.Or(c.Protocol, respVersion), noRetries, true, true
	c.DialTimeout, c.DialerRetries, c.ReadTimeout, c.WriteTimeout, c.PoolTimeout = min(dialTimeout, o.Timeout), 1, patience, o.Timeout, o.Timeout
	c.PoolSize, c.ConnMaxIdleTime, c.MaintNotificationsConfig = o.MaxConns, idleTime, quiet()
	c.DisableRoutingPolicies = true // every key is in one slot
	c.TLSConfig = secured(c.TLSConfig, o.TLS)
	c.Dialer = dialer(c.DialTimeout, c.TLSConfig)
	return redis.NewClusterClient(c), nil
}

// silent keeps go-redis from printing what it also returns as errors.
type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

func init() { redis.SetLogger(silent{}) }
