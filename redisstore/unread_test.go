package redisstore_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"redyn/auth"
	"redyn/backend/dns"
	"redyn/redisstore"
)

// A node without the key that secrets are sealed with knows that there are some.
func TestUnreadableSecrets(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		var logged syncBuffer
		s := open(t, redisstore.Options{URL: srv.url, Sealer: sealer(t)})
		blind := open(t, redisstore.Options{URL: srv.url, Log: slog.New(slog.NewTextHandler(&logged, nil))})
		create(t, s, org, orgSets()...)
		f, m := follow(t, blind, "blind")
		is := func(when string, keys, tsig bool, unreadable int) {
			t.Helper()
			eventually(t, when, func() error {
				n := f.Status().Unreadable
				m.mu.Lock()
				defer m.mu.Unlock()
				k, s := false, m.server.tsigUnknown
				for _, z := range m.shown {
					k = k || z.keysUnknown
				}
				return holds(k == keys && s == tsig && n == unreadable, "keys unknown %t, TSIG unknown %t, %d unreadable", k, s, n)
			})
		}
		set := func(keys map[dns.KeyID]*dns.Key) { shown(t, f, change(t, s, keyChange(keys))) }
		tsig := func(key *dns.TSIGKey) {
			change(t, s, dns.Change{Server: dns.ServerChange{TSIG: map[dns.Name]*dns.TSIGKey{"a.example.": key}}})
		}
		is("nothing is secret", false, false, 0)
		set(map[dns.KeyID]*dns.Key{1: {Content: "x"}})
		is("a key came", true, false, 1)
		set(map[dns.KeyID]*dns.Key{2: {Content: "y"}})
		is("another came", true, false, 2)
		tsig(&dns.TSIGKey{Algorithm: "hmac-md5.", Secret: "eA=="})
		is("a TSIG key came", true, true, 3)
		apply(t, s, org, www("192.0.2.77"))
		before := f.Status().Reloads
		f.Reload()
		eventually(t, "loaded again", func() error { return holds(f.Status().Reloads > before, "%+v", f.Status()) })
		is("loaded again", true, true, 3)
		fill2(t, s, org, 20)
		is("replaced", true, true, 3)
		set(map[dns.KeyID]*dns.Key{1: nil})
		is("a key went", true, true, 2)
		tsig(nil)
		is("the TSIG key went", true, false, 1)
		set(map[dns.KeyID]*dns.Key{2: nil})
		is("the other key went", false, false, 0)
		set(map[dns.KeyID]*dns.Key{3: {Content: "z"}})
		is("a third came", true, false, 1)
		if _, err := s.DeleteZone(context.Background(), org, "", ""); err != nil {
			t.Fatal(err)
		}
		is("the zone went", false, false, 0)
		if n := strings.Count(logged.String(), "a secret cannot be read"); n != 4 {
			t.Errorf("logged %d times:\n%s", n, logged.String())
		}
	})
}

// What was sealed with an older key stays readable, and is sealed with the newest when it is set.
func TestSealedAnew(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		old := auth.GenerateSealKey().Reveal()
		with := func(file string) *redisstore.Store {
			sealer, err := auth.ParseSealer([]byte(file))
			if err != nil {
				t.Fatal(err)
			}
			return open(t, redisstore.Options{URL: srv.url, Sealer: sealer})
		}
		before, after := with(old), with(auth.GenerateSealKey().Reveal()+"\n"+old)
		plain := open(t, redisstore.Options{URL: srv.url})
		create(t, plain, org, orgSets()...)
		key := dns.Key{ID: 1, Content: "private"}
		for _, s := range []*redisstore.Store{plain, before, after} {
			if r := change(t, s, keyChange(map[dns.KeyID]*dns.Key{1: &key})); r.ID == "" {
				t.Error("it is not sealed anew")
			}
			if r := change(t, s, keyChange(map[dns.KeyID]*dns.Key{1: &key})); r.ID != "" {
				t.Error("it is sealed twice")
			}
			if keys, err := after.Keys(ctx, org); err != nil || len(keys) != 1 || keys[0] != key {
				t.Errorf("keys are %v, %v", keys, err)
			}
		}
		if keys, err := before.Keys(ctx, org); err == nil {
			t.Errorf("without the newest key they are %v", keys)
		}
	})
}
