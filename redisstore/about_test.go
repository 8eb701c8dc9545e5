package redisstore_test

import (
	"context"
	"errors"
	"maps"
	"testing"

	"redyn/auth"
	"redyn/backend/dns"
	"redyn/redisstore"
)

// What is known of zones and secrets is told without the key that they are sealed under.
func TestAboutOpensNothing(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		keeper := sealer(t)
		s := open(t, redisstore.Options{URL: srv.url, Sealer: keeper})
		plain := open(t, redisstore.Options{URL: srv.url})
		if _, err := s.AboutAll(ctx); !errors.Is(err, dns.ErrLost) {
			t.Errorf("zones of an empty store: %v", err)
		}
		if _, err := s.Secrets(ctx); !errors.Is(err, dns.ErrLost) {
			t.Errorf("secrets of an empty store: %v", err)
		}
		z := create(t, s, org, orgSets()...)
		create(t, s, "another.example.")
		c := keyChange(map[dns.KeyID]*dns.Key{1: {Flags: 257, Active: true, Content: privateKey}})
		c.Zones[0].Metadata = dns.Metadata{"NSEC3PARAM": {"1 0 0 -"}}
		c.Server.TSIG = map[dns.Name]*dns.TSIGKey{"a.example.": {Algorithm: "hmac-sha256.", Secret: "c2VjcmV0"}}
		change(t, s, c)
		change(t, plain, dns.Change{Server: dns.ServerChange{TSIG: map[dns.Name]*dns.TSIGKey{
			"b.example.": {Algorithm: "hmac-md5.", Secret: "b3RoZXI="},
		}}})

		about, err := plain.About(ctx, org)
		if err != nil || about.Zone.ID != z.ID || about.Zone.Serial != 1 || about.Metadata["NSEC3PARAM"][0] != "1 0 0 -" ||
			len(about.Keys) != 1 || about.Keys[0] != (dns.Key{ID: 1, Flags: 257, Active: true}) || about.KeysUnknown {
			t.Errorf("about the zone is %+v, %v", about, err)
		}
		if _, err := plain.About(ctx, "nowhere.example."); !errors.Is(err, dns.ErrNotFound) {
			t.Errorf("about a zone that is not there: %v", err)
		}
		if all, err := plain.AboutAll(ctx); err != nil || len(all) != 2 {
			t.Errorf("about all zones is %+v, %v", all, err)
		}
		want := map[dns.Name]dns.Name{"a.example.": "hmac-sha256.", "b.example.": "hmac-md5."}
		if got, err := plain.TSIGAlgorithms(ctx); err != nil || !maps.Equal(got, want) {
			t.Errorf("TSIG algorithms are %v, %v", got, err)
		}

		secrets := func(s *redisstore.Store, want redisstore.Secrets) {
			t.Helper()
			got, err := s.Secrets(ctx)
			if (got.Err != nil) != (want.Unreadable > 0) {
				t.Errorf("what cannot be read is told as %v", got.Err)
			}
			got.Err = nil
			if err != nil || got != want {
				t.Errorf("secrets are %+v, %v; want %+v", got, err, want)
			}
		}
		secrets(s, redisstore.Secrets{Keys: 1, TSIG: 2, Plain: 1})
		for _, sealer := range []*auth.Sealer{keeper, nil} {
			hmac, err := auth.NewHMACCredential("", auth.GenerateHMACSecret(), sealer)
			if err != nil {
				t.Fatal(err)
			}
			addCredential(t, s, hmac)
		}
		addToken(t, s)
		secrets(s, redisstore.Secrets{Keys: 1, TSIG: 2, HMAC: 2, Plain: 2})
		secrets(plain, redisstore.Secrets{Keys: 1, TSIG: 2, HMAC: 2, Plain: 2, Old: 3, Unreadable: 3})
		other := open(t, redisstore.Options{URL: srv.url, Sealer: sealer(t)})
		secrets(other, redisstore.Secrets{Keys: 1, TSIG: 2, HMAC: 2, Plain: 2, Old: 3, Unreadable: 3})
	})
}
