package redisstore

import (
	"crypto/tls"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

func TestClient(t *testing.T) {
	o := Options{Prefix: DefaultPrefix, Timeout: 1, MaxConns: 7}
	f := func(url string) redis.UniversalClient {
		t.Helper()
		c, err := client(url, o, 5)
		if err != nil {
			t.Fatalf("%s: %v", url, err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	plain := f("redis://user:p%40ss@host:7000/3").(*redis.Client).Options()
	if plain.Addr != "host:7000" || plain.Username != "user" || plain.Password != "p@ss" || plain.DB != 3 || plain.TLSConfig != nil {
		t.Errorf("plain: %+v", plain)
	}
	if plain.MaxRetries != 0 || plain.ReadTimeout != 5 || plain.WriteTimeout != 1 || plain.PoolSize != 7 || !plain.ContextTimeoutEnabled {
		t.Errorf("retries %d, timeouts %v %v, pool %d", plain.MaxRetries, plain.ReadTimeout, plain.WriteTimeout, plain.PoolSize)
	}
	if secure := f("rediss://host").(*redis.Client).Options(); secure.TLSConfig == nil || secure.TLSConfig.ServerName != "host" || secure.Addr != "host:6379" {
		t.Errorf("secure: %+v", secure)
	}
	if unix := f("unix://user:pass@/run/redis.sock?db=2").(*redis.Client).Options(); unix.Network != "unix" || unix.Addr != "/run/redis.sock" || unix.DB != 2 {
		t.Errorf("unix: %+v", unix)
	}
	cluster := f("rediss://user:pass@one:7000?addr=two:7001&addr=three:7002").(*redis.ClusterClient).Options()
	if len(cluster.Addrs) != 3 || cluster.Password != "pass" || cluster.TLSConfig == nil || cluster.MaxRetries > 0 || !cluster.DisableRoutingPolicies {
		t.Errorf("cluster: %+v", cluster)
	}
	sentinel := f("redis://:sentinelpass@one:26379/1?master_name=mymaster&addr=two:26379&password=pass").(*redis.Client).Options()
	if sentinel.Password != "pass" || sentinel.DB != 1 || sentinel.Addr != "FailoverClient" {
		t.Errorf("sentinel: %+v", sentinel)
	}
}

func TestClientTLS(t *testing.T) {
	o := Options{Prefix: DefaultPrefix, TLS: &tls.Config{MinVersion: tls.VersionTLS13}}
	c, err := client("rediss://host:1", o, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got := c.(*redis.Client).Options().TLSConfig; got.MinVersion != tls.VersionTLS13 || got.ServerName != "host" {
		t.Errorf("TLS is %+v", got)
	}
	if o.TLS.ServerName != "" {
		t.Error("the caller's settings were changed")
	}
}

func TestClientRefuses(t *testing.T) {
	f := func(url, prefix string) {
		t.Helper()
		c, err := client(url, Options{Prefix: prefix}, 1)
		if err == nil {
			c.Close()
			t.Errorf("%s is taken", url)
		} else if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "%!") {
			t.Errorf("%s: %v", url, err)
		}
	}
	f("", DefaultPrefix)
	f("localhost:6379", DefaultPrefix)
	f("http://localhost:6379", DefaultPrefix)
	f("redis://user:secret#x@host:6379", DefaultPrefix)
	f("redis://user:secret/x@host:6379", DefaultPrefix)
	f("redis://user:secret?x@host:6379", DefaultPrefix)
	f("redis://user:%secret@host", DefaultPrefix)
	f("redis://host/secret@0", DefaultPrefix)
	f("redis://host/0?nonsense=secret", DefaultPrefix)
	f("redis://host/0?db=secret@", DefaultPrefix)
	f("redis://user:secret@host?addr=b:1", "redyn:")
	f("redis://user:secret@host?addr=b:1", "{}:")
	f("redis://user:secret@host?addr=b:1&route_randomly=true", DefaultPrefix)
	f("redis://user:secret@host?master_name=m&replica_only=true", DefaultPrefix)
	f("redis://user:secret@host?master_name=m&nonsense=true", DefaultPrefix)
	f("redis://user:secret@host:99999999?dial_timeout=secret", DefaultPrefix)
}

func TestRedactURL(t *testing.T) {
	f := func(url, want string) {
		t.Helper()
		if got := RedactURL(url); got != want {
			t.Errorf("%s is shown as %s, want %s", url, got, want)
		}
	}
	f("redis://host:6379/0", "redis://host:6379/0")
	f("redis://user:secret@host:6379/0", "redis://host:6379/0")
	f("redis://host/0?master_name=m&password=secret&sentinel_password=secret", "redis://host/0?master_name=m")
	f("redis://user:secret#x@host", "(not a URL)")
	f("unix://user:secret@/run/redis.sock?db=2", "unix:///run/redis.sock?db=2")
}

func FuzzClient(f *testing.F) {
	f.Add("redis://user:", "@host")
	f.Add("redis://:", "@/?password=x")
	f.Fuzz(func(t *testing.T, before, after string) {
		const secret = "S3cr3tWord"
		url := before + secret + after
		o := Options{Prefix: DefaultPrefix}
		if c, err := client(url, o, 1); err == nil {
			c.Close()
		} else if strings.Contains(err.Error(), secret+"@") {
			t.Fatalf("%q: %v", url, err)
		}
	})
}
