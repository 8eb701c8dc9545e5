package redisstore_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"redyn/auth"
	"redyn/backend/dns"
	"redyn/redisstore"
)

// Secrets from before there was a key are sealed, and sealed anew under a newer key; nobody sees
// another secret for it.
func TestSealSecrets(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		plain := open(t, redisstore.Options{URL: srv.url})
		create(t, plain, org, orgSets()...)
		one := dns.Key{ID: 1, Flags: 257, Active: true, Published: true, Content: privateKey}
		two := dns.Key{ID: 2, Flags: 256, Content: "another"}
		tsig := dns.TSIGKey{Name: "a.example.", Algorithm: "hmac-sha256.", Secret: "c2VjcmV0"}
		c := keyChange(map[dns.KeyID]*dns.Key{1: &one, 2: &two})
		c.Server.TSIG = map[dns.Name]*dns.TSIGKey{"a.example.": &tsig}
		change(t, plain, c)
		f, m := follow(t, plain, "node")
		secret := auth.GenerateHMACSecret()
		hmac, err := auth.NewHMACCredential("", secret, nil)
		if err != nil {
			t.Fatal(err)
		}
		addCredential(t, plain, hmac)

		keyOne, keyTwo := auth.GenerateSealKey().Reveal(), auth.GenerateSealKey().Reveal()
		seal := func(file string, want int) *redisstore.Store {
			t.Helper()
			sealer, err := auth.ParseSealer([]byte(file))
			if err != nil {
				t.Fatal(err)
			}
			s := open(t, redisstore.Options{URL: srv.url, Sealer: sealer})
			if n, err := s.SealSecrets(ctx); err != nil || n != want {
				t.Errorf("sealed %d, %v; want %d", n, err, want)
			}
			if found, err := s.Secrets(ctx); err != nil || found != (redisstore.Secrets{Keys: 2, TSIG: 1, HMAC: 1}) {
				t.Errorf("secrets are %+v, %v", found, err)
			}
			if keys, err := s.Keys(ctx, org); err != nil || !slices.Equal(keys, []dns.Key{one, two}) {
				t.Errorf("keys are %v, %v", keys, err)
			}
			if keys, err := s.TSIGKeys(ctx); err != nil || !slices.Equal(keys, []dns.TSIGKey{tsig}) {
				t.Errorf("TSIG keys are %v, %v", keys, err)
			}
			if c, err := s.Credential(ctx, hmac.ID); err != nil || !c.Sealed() || !signs(c, secret, sealer) {
				t.Errorf("credential is %+v, %v", c, err)
			}
			return s
		}
		seal(keyOne, 4)
		seal(keyOne, 0)
		seal(keyTwo+"\n"+keyOne+"\n", 4)
		s := seal(keyTwo, 0)
		shown(t, f, change(t, s, dns.Change{Zones: []dns.ZoneChange{{Zone: org, RRsets: []dns.RRset{dns.NewRRset("new.example.org.", dns.TypeA, 60, "192.0.2.9")}}}}))
		sameAsStore(t, s, m)
		if n, err := plain.SealSecrets(ctx); err == nil {
			t.Errorf("%d secrets are sealed without the key", n)
		}
	})
}

// signs reports whether what is signed with the secret proves the credential.
func signs(c auth.Credential, secret auth.Secret, sealer *auth.Sealer) bool {
	now := time.Now()
	q := auth.HMACRequest{Method: "GET", Path: "/"}
	signature, err := auth.ParseHMAC(q.Sign(c.ID, secret, now))
	if err == nil {
		_, err = auth.NewVerifier(auth.Options{Sealer: sealer}).HMAC([]auth.Credential{c}, signature, q, auth.Request{Now: now, Reads: true})
	}
	return err == nil
}
