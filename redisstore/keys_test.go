package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"redyn/auth"
	"redyn/backend/dns"
	"redyn/redisstore"
)

const privateKey = "Private-key-format: v1.2\nAlgorithm: 13 (ECDSAP256SHA256)\nPrivateKey: \"top/secret+\"==\n"

func sealer(t testing.TB) *auth.Sealer {
	t.Helper()
	s, err := auth.ParseSealer([]byte(auth.GenerateSealKey().Reveal()))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func change(t testing.TB, s *redisstore.Store, c dns.Change) redisstore.Result {
	t.Helper()
	r, err := s.Apply(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func keyChange(keys map[dns.KeyID]*dns.Key) dns.Change {
	return dns.Change{Zones: []dns.ZoneChange{{Zone: org, Keys: keys}}}
}

func shown(t testing.TB, f *redisstore.Follower, r redisstore.Result) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := f.Wait(ctx, r); err != nil {
		t.Fatal(err)
	}
}

func TestKeys(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		s := open(t, redisstore.Options{URL: srv.url, Sealer: sealer(t)})
		create(t, s, org, orgSets()...)
		f, m := follow(t, s, "node")
		step := func(id dns.KeyID, key *dns.Key, changes bool, want ...dns.Key) {
			t.Helper()
			r := change(t, s, keyChange(map[dns.KeyID]*dns.Key{id: key}))
			if (r.ID != "") != changes || len(r.Serials) > 0 || serial(t, s, org) != 1 {
				t.Errorf("key %d: %v comes to %+v", id, key, r)
			}
			if keys, err := s.Keys(ctx, org); err != nil || !slices.Equal(keys, want) {
				t.Errorf("keys are %v, %v; want %v", keys, err, want)
			}
			shown(t, f, r)
			sameAsStore(t, s, m)
		}
		one := dns.Key{ID: 1, Flags: 257, Active: true, Published: true, Content: privateKey}
		two := dns.Key{ID: 2, Flags: 256, Content: "another"}
		step(1, &one, true, one)
		step(1, &one, false, one)
		step(2, &two, true, one, two)
		one.Active = false
		step(1, &one, true, one, two)
		step(1, nil, true, two)
		step(1, nil, false, two)
		if _, _, err := s.ReplaceZone(ctx, org, hosts(org, 10), redisstore.ReplaceOptions{}); err != nil {
			t.Fatal(err)
		}
		step(2, &two, false, two)
		text, err := srv.rdb.HGetAll(ctx, "{redyn}:key:"+zoneID(t, s, org)).Result()
		if err != nil || len(text) != 1 || strings.Contains(text["2"], "another") || !strings.Contains(text["2"], `"flags":256,"active":false`) {
			t.Errorf("stored are %q, %v", text, err)
		}
		if _, err := s.DeleteZone(ctx, org, "", ""); err != nil {
			t.Fatal(err)
		}
		if left, _ := srv.rdb.Keys(ctx, "{redyn}:key:*").Result(); len(left) > 0 {
			t.Errorf("left are %q", left)
		}
		if _, err := s.Keys(ctx, org); !errors.Is(err, dns.ErrNotFound) {
			t.Errorf("keys of no zone: %v", err)
		}
	})
}

func zoneID(t testing.TB, s *redisstore.Store, name dns.Name) string {
	t.Helper()
	z, err := s.Zone(context.Background(), name)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(z.ID)
}

func TestNextKeyID(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		s := open(t, redisstore.Options{URL: srv.url})
		create(t, s, org, orgSets()...)
		next := func(want dns.KeyID) {
			t.Helper()
			if id, err := s.NextKeyID(ctx, org); err != nil || id != want {
				t.Errorf("next is %d, %v; want %d", id, err, want)
			}
		}
		next(1)
		next(2)
		change(t, s, keyChange(map[dns.KeyID]*dns.Key{10: {Content: "x"}, 9: {Content: "x"}, 3: nil}))
		next(11)
		change(t, s, keyChange(map[dns.KeyID]*dns.Key{10: nil, 9: nil}))
		next(12)
		if _, err := s.NextKeyID(ctx, "nowhere.example."); !errors.Is(err, dns.ErrNotFound) {
			t.Errorf("number for no zone: %v", err)
		}
	})
}

func TestProperties(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		s := open(t, redisstore.Options{URL: srv.url})
		create(t, s, org, orgSets()...)
		f, m := follow(t, s, "node")
		want, err := s.Zone(ctx, org)
		if err != nil {
			t.Fatal(err)
		}
		step := func(u dns.ZoneUpdate, changes bool) {
			t.Helper()
			r := change(t, s, dns.Change{Zones: []dns.ZoneChange{{Zone: org, Update: u}}})
			if (r.ID != "") != changes || len(r.Serials) > 0 {
				t.Errorf("%+v comes to %+v", u, r)
			}
			z, err := s.Zone(ctx, org)
			if err != nil || !sameZone(z, want) {
				t.Errorf("zone is %+v, %v; want %+v", z, err, want)
			}
			shown(t, f, r)
			m.mu.Lock()
			z = m.shown[want.ID].info
			m.mu.Unlock()
			z.Serial = want.Serial
			if !sameZone(z, want) {
				t.Errorf("copy has %+v, want %+v", z, want)
			}
		}
		kind, policy, account, notified, checked := dns.Slave, dns.SerialDate, "someone's", dns.Serial(3000000001), time.Unix(1000, 0).UTC()
		want.Kind = kind
		step(dns.ZoneUpdate{Kind: &kind}, true)
		step(dns.ZoneUpdate{Kind: &kind}, false)
		want.Policy, want.Account, want.NotifiedSerial, want.LastCheck, want.Masters = policy, account, notified, checked, []string{"192.0.2.1", "[2001:db8::1]:53"}
		all := dns.ZoneUpdate{Kind: &kind, Policy: &policy, Masters: want.Masters, Account: &account, NotifiedSerial: &notified, LastCheck: &checked}
		step(all, true)
		step(all, false)
		account, checked = "", time.Time{}
		want.Account, want.LastCheck, want.Masters = account, checked, nil
		step(dns.ZoneUpdate{Account: &account, LastCheck: &checked, Masters: []string{}}, true)
		step(dns.ZoneUpdate{Account: &account, LastCheck: &checked, Masters: []string{}}, false)
		sameAsStore(t, s, m)
	})
}

func sameZone(a, b dns.Zone) bool {
	if !slices.Equal(a.Masters, b.Masters) || !a.LastCheck.Equal(b.LastCheck) || !a.Created.Equal(b.Created) {
		return false
	}
	return a.ID == b.ID && a.Name == b.Name && a.Kind == b.Kind && a.Policy == b.Policy && a.Serial == b.Serial &&
		a.NotifiedSerial == b.NotifiedSerial && a.Account == b.Account
}

// A change of kind holds for the records that come with it.
func TestKindAndRecordsAtOnce(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		s := open(t, redisstore.Options{URL: srv.url})
		create(t, s, org, orgSets()...)
		f, m := follow(t, s, "node")
		slave, native, increment := dns.Slave, dns.Native, dns.SerialIncrement
		r := change(t, s, dns.Change{Zones: []dns.ZoneChange{{Zone: org, RRsets: []dns.RRset{www("192.0.2.8")}, Update: dns.ZoneUpdate{Kind: &slave}}}})
		if r.ID == "" || serial(t, s, org) != 1 {
			t.Errorf("serial of a slave is %d", serial(t, s, org))
		}
		own := dns.NewRRset(org, dns.TypeSOA, 3600, "ns1.example.org. host.example.org. 41 3600 600 86400 60")
		if r := apply(t, s, org, own, www("192.0.2.9")); r.Serials[org] != 41 || serial(t, s, org) != 41 {
			t.Errorf("the serial that a change brings becomes %d", serial(t, s, org))
		}
		r = change(t, s, dns.Change{Zones: []dns.ZoneChange{{
			Zone: org, RRsets: []dns.RRset{www("192.0.2.7")}, Metadata: dns.Metadata{"X": {"y"}}, Keys: map[dns.KeyID]*dns.Key{1: {Content: "x"}},
			Update: dns.ZoneUpdate{Kind: &native, Policy: &increment},
		}}})
		if serial(t, s, org) != 42 {
			t.Errorf("serial is %d", serial(t, s, org))
		}
		shown(t, f, r)
		sameAsStore(t, s, m)
	})
}

func TestServerData(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		s := open(t, redisstore.Options{URL: srv.url, Sealer: sealer(t)})
		if _, err := s.TSIGKeys(ctx); !errors.Is(err, dns.ErrLost) {
			t.Errorf("TSIG keys of an empty store: %v", err)
		}
		if _, err := s.Autoprimaries(ctx); !errors.Is(err, dns.ErrLost) {
			t.Errorf("autoprimaries of an empty store: %v", err)
		}
		create(t, s, org, orgSets()...)
		f, m := follow(t, s, "node")
		step := func(c dns.ServerChange, changes bool) {
			t.Helper()
			r := change(t, s, dns.Change{Server: c})
			if (r.ID != "") != changes {
				t.Errorf("%v comes to %+v", c, r)
			}
			shown(t, f, r)
			sameAsStore(t, s, m)
		}
		a := dns.TSIGKey{Name: "a.example.", Algorithm: "hmac-sha256.", Secret: "c2VjcmV0"}
		b := dns.TSIGKey{Name: "b.example.", Algorithm: "hmac-md5.", Secret: "b3RoZXI="}
		set := func(keys map[dns.Name]*dns.TSIGKey) dns.ServerChange { return dns.ServerChange{TSIG: keys} }
		step(set(map[dns.Name]*dns.TSIGKey{"b.example.": &b, "a.example.": &a}), true)
		step(set(map[dns.Name]*dns.TSIGKey{"a.example.": &a}), false)
		if keys, err := s.TSIGKeys(ctx); err != nil || !slices.Equal(keys, []dns.TSIGKey{a, b}) {
			t.Errorf("TSIG keys are %v, %v", keys, err)
		}
		step(set(map[dns.Name]*dns.TSIGKey{"b.example.": nil}), true)
		step(set(map[dns.Name]*dns.TSIGKey{"b.example.": nil}), false)
		stored, err := srv.rdb.HGetAll(ctx, "{redyn}:tsig").Result()
		if err != nil || len(stored) != 1 || strings.Contains(stored["a.example."], a.Secret) {
			t.Errorf("stored are %q, %v", stored, err)
		}
		me, none := "me", ""
		first := dns.Autoprimary{IP: netip.MustParseAddr("192.0.2.1"), Nameserver: "ns.example."}
		second := dns.Autoprimary{IP: netip.MustParseAddr("2001:db8::1"), Nameserver: "ns.example."}
		step(dns.ServerChange{Autoprimaries: map[dns.Autoprimary]*string{first: &me, second: &none}}, true)
		step(dns.ServerChange{Autoprimaries: map[dns.Autoprimary]*string{first: &me, second: &none}}, false)
		if all, err := s.Autoprimaries(ctx); err != nil || !maps.Equal(all, map[dns.Autoprimary]string{first: "me", second: ""}) {
			t.Errorf("autoprimaries are %v, %v", all, err)
		}
		step(dns.ServerChange{Autoprimaries: map[dns.Autoprimary]*string{second: nil}}, true)
		step(dns.ServerChange{Autoprimaries: map[dns.Autoprimary]*string{second: nil}}, false)
		for _, bad := range []dns.ServerChange{
			set(map[dns.Name]*dns.TSIGKey{"x.": {Algorithm: "hmac-md5."}}),
			set(map[dns.Name]*dns.TSIGKey{"x.": {Secret: "x"}}),
			{Autoprimaries: map[dns.Autoprimary]*string{{}: &me}},
		} {
			if r, err := s.Apply(ctx, dns.Change{Server: bad}); err == nil {
				t.Errorf("%v comes to %+v", bad, r)
			}
		}
	})
}

// No part of a secret is anywhere in Redis, and what is sealed for one place is of no use at another.
func TestSecretsAreSealed(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		s := open(t, redisstore.Options{URL: srv.url, Sealer: sealer(t)})
		create(t, s, org, orgSets()...)
		tsig := dns.TSIGKey{Algorithm: "hmac-sha256.", Secret: "c2VjcmV0"}
		change(t, s, dns.Change{
			Zones:  []dns.ZoneChange{{Zone: org, Keys: map[dns.KeyID]*dns.Key{1: {Content: privateKey}}}},
			Server: dns.ServerChange{TSIG: map[dns.Name]*dns.TSIGKey{"a.example.": &tsig}},
		})
		entries, err := srv.rdb.XRange(ctx, "{redyn}:log", "-", "+").Result()
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			for name, value := range e.Values {
				if text := value.(string); strings.Contains(text, "Private-key") || strings.Contains(text, tsig.Secret) {
					t.Errorf("the log has %s: %s", name, text)
				}
			}
		}
		key := "{redyn}:key:" + zoneID(t, s, org)
		text, err := srv.rdb.HGet(ctx, key, "1").Result()
		if err != nil || !strings.Contains(text, `"content":"sealed:`) {
			t.Fatalf("stored is %q, %v", text, err)
		}
		if err := srv.rdb.HSet(ctx, key, "2", text).Err(); err != nil {
			t.Fatal(err)
		}
		if keys, err := s.Keys(ctx, org); err == nil {
			t.Errorf("a key is read at another's place: %v", keys)
		}
	})
}
