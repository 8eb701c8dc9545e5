package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"redyn/auth"
	"redyn/backend/dns"
	"redyn/redisstore"
)

// freshSettings are the settings of PowerDNS's caches: as they are by default, or otherwise.
var freshSettings = map[string]string{
	purgedStock:  "cache-ttl=20\nquery-cache-ttl=20\nnegquery-cache-ttl=60\n",
	purgedPacket: "cache-ttl=20\nquery-cache-ttl=0\nnegquery-cache-ttl=0\n",
	purgedTypes:  "cache-ttl=20\nquery-cache-ttl=20\nnegquery-cache-ttl=60\nconsistent-backends=no\n",
	purgedSigned: "cache-ttl=20\nquery-cache-ttl=20\nnegquery-cache-ttl=60\nremote-dnssec=yes\n",
	bindStock:    "cache-ttl=20\nquery-cache-ttl=20\nnegquery-cache-ttl=60\n",
}

// startFreshWays starts all contestants; each redyn has a Redis of its own, so that the others rest.
func (b *bench) startFreshWays() (ways []freshWay, err error) {
	zone, err := b.file(origin+"zone", func(w io.Writer) error { return writeZone(w, b.opts.hosts) })
	if err != nil {
		return nil, err
	}
	for _, name := range []string{purgedStock, purgedPacket, purgedTypes, purgedSigned} {
		if !b.chosen(name) {
			continue
		}
		way, err := b.startPurged(name, zone)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		ways = append(ways, way)
	}
	if b.chosen(otherNode) {
		other, _, err := b.startOtherNode(zone)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", otherNode, err)
		}
		ways = append(ways, other)
	}
	for _, other := range []struct {
		name    string
		prepare func(zone string) ([]string, error)
	}{{bindStock, b.prepareBind}, {sqliteOff, func(string) ([]string, error) { s, err := b.fillSQLite(); return []string{s}, err }}} {
		if !b.chosen(other.name) {
			continue
		}
		settings, err := other.prepare(zone)
		if err != nil {
			return nil, err
		}
		c := contestant{name: other.name, settings: b.common() + settings[0] + freshSettings[other.name]}
		if err := b.startPDNS(&c); err != nil {
			return nil, fmt.Errorf("%s: %w", other.name, err)
		}
		ways = append(ways, freshWay{contestant: c})
	}
	return ways, nil
}

// startPurged starts a redyn with hosts to update, and a PowerDNS that it purges.
func (b *bench) startPurged(name, zone string) (w freshWay, err error) {
	redis, err := b.startHosts(zone)
	if err != nil {
		return w, err
	}
	w, server, err := b.startNode(name, name, redis)
	if err != nil {
		return w, err
	}
	if w.signed = name == purgedSigned; w.signed {
		if err := b.sign(b.signing(server), nil); err != nil {
			return w, err
		}
	}
	w.redis = redis
	w.token, err = b.addToken(redis)
	return w, err
}

// startHosts starts a Redis with a zone and hosts to update in it.
func (b *bench) startHosts(zone string) (redis string, err error) {
	if redis, err = b.startRedis(); err != nil {
		return "", err
	}
	if err := b.command(nil, b.redyn, "zone", "import", "--redis-url", "redis://"+redis+"/0", zone); err != nil {
		return "", err
	}
	return redis, b.addFreshHosts(redis)
}

// startNode starts a redyn on a Redis, and a PowerDNS that it purges, which has the caches of a contestant.
func (b *bench) startNode(name, caches, redis string, more ...string) (w freshWay, s redynServer, err error) {
	port, err := freePort()
	if err != nil {
		return w, s, err
	}
	w.updater = loopback(port)
	dir, err := os.MkdirTemp(b.dir, "pdns")
	if err != nil {
		return w, s, err
	}
	s, err = b.startRedyn(name, redis, append(more, "--redis-url", "unix://"+b.redisSocket(redis), "--updater-listen", w.updater,
		"--pdns-control", filepath.Join(dir, "pdns.controlsocket"), "--limit-source", "0", "--limit-failures", "0", "--limit-host", "0")...)
	if err != nil {
		return w, s, err
	}
	w.contestant = contestant{name: name, dir: dir, settings: b.common() + remote("unix:path="+s.unix) + freshSettings[caches]}
	return w, s, b.startPDNS(&w.contestant)
}

// addToken returns a new token for all hosts.
func (b *bench) addToken(redis string) (string, error) {
	text, err := b.output(b.redyn, "credential", "add", "--json", "--kind", "token", "--zone", origin, "--redis-url", "redis://"+redis+"/0")
	if err != nil {
		return "", err
	}
	return secretIn(strings.TrimSpace(text))
}

func (b *bench) addFreshHosts(redis string) error {
	store, err := redisstore.Open(redisstore.Options{URL: "redis://" + redis + "/0"})
	if err != nil {
		return err
	}
	defer store.Close()
	for i := range freshHosts {
		if _, _, err := store.AddHost(b.ctx, auth.Host{Name: dns.Name(hostName(i))}, "bench", ""); err != nil {
			return err
		}
	}
	return nil
}
