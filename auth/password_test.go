package auth_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"redyn/auth"
	"redyn/backend/dns"
)

// Hashes by libxcrypt: perl -e 'print crypt("hunter2", "\$2y\$10\$abcdefghijklmnopqrstuu")'.
const (
	phpHash     = "$2y$10$abcdefghijklmnopqrstuu7gIUFBKrYXdzQy8HrouzMJyZ4cijAb2" // hunter2
	long72Hash  = "$2y$04$abcdefghijklmnopqrstuuBzzIgyKkz7xMWYSzkIjUSnxEQFQ0WNe" // 72 times a, and 80 times a
	shortHash   = "$2a$04$abcdefghijklmnopqrstuuugH8XjOPXLdX/a9t3zWaL96n4O4U8.G" // short
	phpWeakHash = "$2y$07$BCryptRequires22Chrcte/VlQH0piJtjXl.0t1XkA8pw9dMXTpOq" // rasmuslerdorf
)

// argonHash is of "password", from the tests of the reference implementation.
const argonHash = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"

func verifier() *auth.Verifier { return auth.NewVerifier(auth.Options{Cost: cheap}) }

func TestPassword(t *testing.T) {
	f := func(c auth.Credential, password string, reason auth.Reason, upgrade bool) {
		t.Helper()
		got, err := verifier().Secret(t.Context(), []auth.Credential{c}, auth.NewSecret(password), home)
		if reason != "" {
			denied(t, err, reason)
			return
		}
		if err != nil {
			t.Errorf("%q: %v", password, auth.ReasonOf(err))
			return
		}
		if got.Credential.ID != c.ID || got.Upgrade != upgrade || got.Replay != nil {
			t.Errorf("verified as %+v", got)
		}
	}
	f(passwordCredential("hunter2"), "hunter2", "", false)
	f(passwordCredential("hunter2"), "hunter3", auth.ReasonSecret, false)
	f(passwordCredential(""), "", auth.ReasonMalformed, false)
	f(passwordCredential("hunter2"), strings.Repeat("x", 1025), auth.ReasonMalformed, false)
	f(passwordCredential("pä ss\x00word"), "pä ss\x00word", "", false)
	f(hashCredential(argonHash), "password", "", true)
	f(hashCredential(argonHash), "Password", auth.ReasonSecret, true)

	f(hashCredential(phpHash), "hunter2", "", true)
	f(hashCredential(phpHash), "hunter3", auth.ReasonSecret, true)
	f(hashCredential(phpHash), "hunter2\x00", auth.ReasonSecret, true)
	f(hashCredential(phpWeakHash), "rasmuslerdorf", "", true)
	f(hashCredential(shortHash), "short", "", true)
	f(hashCredential(shortHash), "short\x00tail", auth.ReasonSecret, true)

	// What bcrypt did not see of a long password must not become part of the new hash.
	f(hashCredential(long72Hash), strings.Repeat("a", 72), "", true)
	f(hashCredential(long72Hash), strings.Repeat("a", 80), "", false)
	f(hashCredential(long72Hash), strings.Repeat("a", 72)+"x", "", false)
	f(hashCredential(long72Hash), strings.Repeat("a", 71), auth.ReasonSecret, false)
}

func TestUpgrade(t *testing.T) {
	v := verifier()
	old := hashCredential(phpHash)
	secret := auth.NewSecret("hunter2")
	if got := must(v.Secret(t.Context(), []auth.Credential{old}, secret, home)); !got.Upgrade {
		t.Fatal("bcrypt needs no upgrade")
	}
	upgraded := must(old.WithPasswordHash(must(v.Hash(t.Context(), secret))))
	if got := must(v.Secret(t.Context(), []auth.Credential{upgraded}, secret, home)); got.Upgrade || got.Credential.ID != old.ID {
		t.Errorf("upgraded credential: %+v", got)
	}
	if _, err := old.WithPasswordHash("x"); err == nil {
		t.Error("a hash that is none was taken")
	}
	token, _ := tokenCredential()
	if _, err := token.WithPasswordHash(phpHash); err == nil {
		t.Error("a token took a password's hash")
	}
}

// Whatever the reason, a denial hashes as often as any other.
func TestDenialsHashAlike(t *testing.T) {
	const password = "hunter2"
	secret := auth.NewSecret(password)
	own := func(edit func(*auth.Credential)) []auth.Credential {
		c := passwordCredential(password)
		edit(&c)
		return []auth.Credential{c}
	}
	as := func(*auth.Credential) {}
	revokedToken, tokenSecret := tokenCredential()
	revokedToken.Revoked = true
	for _, withBcrypt := range []bool{false, true} {
		want := uint64(2)
		if withBcrypt {
			want = 3
		}
		f := func(name string, candidates []auth.Credential, secret auth.Secret, r auth.Request, reason auth.Reason) {
			t.Helper()
			v := verifier()
			if withBcrypt {
				_, _ = v.Secret(t.Context(), []auth.Credential{hashCredential(shortHash)}, auth.NewSecret("hunter3"), home)
			}
			// Remembered passwords must not make a denial quick.
			for _, c := range candidates {
				c.Revoked, c.Expires = false, time.Time{}
				_, _ = v.Secret(t.Context(), []auth.Credential{c}, auth.NewSecret(password), home)
			}
			before := v.Stats().Hashings
			_, err := v.Secret(t.Context(), candidates, secret, r)
			denied(t, err, reason)
			if got := v.Stats().Hashings - before; got != want {
				t.Errorf("%s: %d hashings, want %d", name, got, want)
			}
		}
		f("unknown", nil, secret, home, auth.ReasonUnknown)
		f("wrong", own(as), auth.NewSecret("hunter3"), home, auth.ReasonSecret)
		f("wrong, two passwords", append(own(as), own(as)...), auth.NewSecret("hunter3"), home, auth.ReasonSecret)
		f("wrong, many revoked", []auth.Credential{
			own(as)[0], own(func(c *auth.Credential) { c.Revoked = true })[0], own(func(c *auth.Credential) { c.Revoked = true })[0],
		}, auth.NewSecret("hunter3"), home, auth.ReasonSecret)
		f("revoked", own(func(c *auth.Credential) { c.Revoked = true }), secret, home, auth.ReasonRevoked)
		f("expired", own(func(c *auth.Credential) { c.Expires = now }), secret, home, auth.ReasonExpired)
		f("network", own(func(c *auth.Credential) { c.Grant.Networks = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} }),
			secret, with(func(r *auth.Request) { r.From = netip.MustParseAddr("198.51.100.1") }), auth.ReasonNetwork)
		f("type", own(as), secret, with(func(r *auth.Request) {
			r.Targets = []auth.Target{{Zone: "example.org.", Name: "h.example.org.", Type: dns.TypeMX}}
		}), auth.ReasonType)
		f("revoked token", []auth.Credential{revokedToken}, tokenSecret, home, auth.ReasonRevoked)
		f("other kind", []auth.Credential{everything()}, secret, home, auth.ReasonUnknown)
		if withBcrypt {
			f("bcrypt", []auth.Credential{hashCredential(shortHash)}, secret, home, auth.ReasonSecret)
		}
	}
}

// Once bcrypt was seen, a denial takes as many rounds of it as that of the slowest hash.
func TestDenialsTakeAsManyRounds(t *testing.T) {
	v := verifier()
	f := func(want uint64, candidates ...auth.Credential) {
		t.Helper()
		before := v.Stats().Hashings
		_, err := v.Secret(t.Context(), candidates, auth.NewSecret("hunter3"), home)
		if got := v.Stats().Hashings - before; got != want || !errors.Is(err, auth.ErrDenied) {
			t.Errorf("%d hashings, %v; want %d", got, err, want)
		}
	}
	f(2)
	f(3, hashCredential(shortHash))
	f(3)
	f(3, hashCredential(phpWeakHash))
	f(3)
	f(1+3+2, hashCredential(shortHash)) // cost 4; then 4, 5, 6 to make it 7
	f(3, passwordCredential("hunter2"))
	f(4, hashCredential(phpWeakHash), hashCredential(shortHash))
}

func TestSecretTakesTokensAndPasswords(t *testing.T) {
	token, secret := tokenCredential()
	password := passwordCredential("hunter2")
	both := []auth.Credential{password, token}
	v := verifier()
	if got, err := v.Secret(t.Context(), both, secret, home); err != nil || got.Credential.ID != token.ID || v.Stats().Hashings != 0 {
		t.Errorf("token: %+v, %v, %+v", got, err, v.Stats())
	}
	if got, err := v.Secret(t.Context(), both, auth.NewSecret("hunter2"), home); err != nil || got.Credential.ID != password.ID {
		t.Errorf("password: %+v, %v", got, err)
	}
	if _, err := v.Token(both, auth.NewSecret("hunter2"), home); !errors.Is(err, auth.ErrDenied) {
		t.Errorf("password as a token: %v", err)
	}
}

func TestMemory(t *testing.T) {
	const password = "hunter2"
	secret := auth.NewSecret(password)
	c := passwordCredential(password)
	verify := func(v *auth.Verifier, c auth.Credential, secret auth.Secret, want uint64, ok bool) {
		t.Helper()
		before := v.Stats().Hashings
		_, err := v.Secret(t.Context(), []auth.Credential{c}, secret, home)
		if got := v.Stats().Hashings - before; got != want || (err == nil) != ok {
			t.Errorf("%d hashings, %v; want %d", got, err, want)
		}
	}
	v := verifier()
	verify(v, c, secret, 1, true)
	verify(v, c, secret, 0, true)
	verify(v, c, auth.NewSecret("hunter3"), 2, false)
	verify(v, c, secret, 0, true)
	if v.Stats().Remembered != 2 {
		t.Errorf("stats are %+v", v.Stats())
	}

	// What was remembered holds for that credential and that hash alone, and only while it is valid.
	other := passwordCredential(password)
	verify(v, other, secret, 1, true)
	changed := must(c.WithPasswordHash(auth.HashPassword(auth.NewSecret("hunter3"), cheap)))
	verify(v, changed, secret, 2, false)
	verify(v, changed, auth.NewSecret("hunter3"), 1, true)
	verify(v, c, secret, 1, true)
	c.Revoked = true
	verify(v, c, secret, 2, false)
	c.Revoked = false

	// The least recently used is forgotten.
	small := auth.NewVerifier(auth.Options{Cost: cheap, Remember: 2})
	third := passwordCredential(password)
	verify(small, c, secret, 1, true)
	verify(small, other, secret, 1, true)
	verify(small, c, secret, 0, true)
	verify(small, third, secret, 1, true)
	verify(small, c, secret, 0, true)
	verify(small, other, secret, 1, true)

	none := auth.NewVerifier(auth.Options{Cost: cheap, Remember: -1})
	verify(none, c, secret, 1, true)
	verify(none, c, secret, 1, true)
}

func TestManyPasswords(t *testing.T) {
	var candidates []auth.Credential
	for range auth.MaxCandidates + 4 {
		candidates = append(candidates, passwordCredential("hunter2"))
	}
	v := verifier()
	_, err := v.Secret(t.Context(), candidates, auth.NewSecret("hunter3"), home)
	denied(t, err, auth.ReasonSecret)
	if got := v.Stats().Hashings; got != auth.MaxCandidates {
		t.Errorf("%d hashings", got)
	}
}

func TestEndedContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	v := verifier()
	for _, candidates := range [][]auth.Credential{nil, {passwordCredential("hunter2")}} {
		_, err := v.Secret(ctx, candidates, auth.NewSecret("hunter2"), home)
		if !errors.Is(err, context.Canceled) || errors.Is(err, auth.ErrDenied) {
			t.Errorf("error is %v", err)
		}
	}
	if _, err := v.Hash(ctx, auth.NewSecret("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
	if v.Stats().Hashings != 0 {
		t.Errorf("stats are %+v", v.Stats())
	}
}

func TestParseHash(t *testing.T) {
	if err := auth.CheckPasswordHash(argonHash); err != nil {
		t.Error(err)
	}
	f := func(text string) {
		t.Helper()
		if err := auth.CheckPasswordHash(text); err == nil {
			t.Errorf("%q is taken for a hash", text)
		}
	}
	in := func(old, new string) { t.Helper(); f(strings.Replace(argonHash, old, new, 1)) }
	f("")
	f("$")
	f("hunter2")
	in("argon2id", "argon2i")
	in("v=19", "v=16")
	in("v=19$", "")
	in("m=65536", "m=262145")
	in("m=65536", "m=065536")
	in("m=65536", "m=+65536")
	in("m=65536", "m=")
	in("m=65536", "m=7")
	in("m=65536", "m=99999999999")
	in("t=2", "t=0")
	in("t=2", "t=17")
	in("p=1", "p=17")
	in("t=2,p=1", "p=1,t=2")
	in("p=1", "p=1,data=x")
	in("c29tZXNhbHQ", "c29tZXNhbHQ==")
	in("c29tZXNhbHQ", "c29tZXNh\nbHQ")
	in("c29tZXNhbHQ", "c29tZXNhbHR")
	in("c29tZXNhbHQ", "ZXNhbHQ")
	in("c29tZXNhbHQ", strings.Repeat("c29t", 30))
	in("GRPPc", "GRPPc$")
	in("CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "CTFhFdXP")
	f(strings.Replace(phpHash, "2y", "2x", 1))
	f(strings.Replace(phpHash, "$10$", "$03$", 1))
	f(strings.Replace(phpHash, "$10$", "$15$", 1))
	f(strings.Replace(phpHash, "$10$", "$+9$", 1))
	f(strings.Replace(phpHash, "abc", "ab$", 1))
	f(phpHash[:59])
	f(phpHash + "\n")
	f("$2$" + phpHash[4:])
}

func TestCheckModestHash(t *testing.T) {
	f := func(hash, cost string, ok bool) {
		t.Helper()
		text := strings.NewReplacer("m=65536,t=2,p=1", cost, "$10$", cost).Replace(hash)
		if err := auth.CheckModestHash(text); (err == nil) != ok {
			t.Errorf("%s: %v", text, err)
		}
	}
	f(argonHash, "m=19456,t=2,p=1", true)
	f(argonHash, "m=65536,t=3,p=4", true)
	f(argonHash, "m=65536,t=4,p=1", false)
	f(argonHash, "m=65537,t=1,p=1", false)
	f(argonHash, "m=12288,t=16,p=1", true)
	f(argonHash, "m=12289,t=16,p=1", false)
	f(argonHash, "m=65536,t=1,p=5", false)
	f(argonHash, "m=262144,t=16,p=1", false)
	f(argonHash, "m=65536", false)
	f(phpHash, "$12$", true)
	f(phpHash, "$13$", false)
}

func FuzzParseHash(f *testing.F) {
	f.Add(argonHash)
	f.Add(phpHash)
	f.Add(auth.HashPassword(auth.NewSecret("x"), cheap))
	f.Fuzz(func(t *testing.T, text string) {
		c, err := auth.NewPasswordCredential(text)
		if err != nil {
			return
		}
		must(auth.DecodeCredential(must(c.Encode())))
		if c.Detail() == "" {
			t.Error("no detail")
		}
	})
}

func BenchmarkPassword(b *testing.B) {
	c := must(auth.NewPasswordCredential(auth.HashPassword(auth.NewSecret("hunter2"), auth.DefaultCost)))
	c.Grant = grant()
	candidates := []auth.Credential{c}
	bench := func(name string, remember int) {
		b.Run(name, func(b *testing.B) {
			v := auth.NewVerifier(auth.Options{Remember: remember})
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Secret(b.Context(), candidates, auth.NewSecret("hunter2"), home); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	bench("first", -1)
	bench("remembered", 0)
}
