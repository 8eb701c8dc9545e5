package auth_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"redyn/auth"
)

func TestToken(t *testing.T) {
	c, secret := tokenCredential()
	other, _ := tokenCredential()
	v := verifier()
	f := func(candidates []auth.Credential, secret auth.Secret, reason auth.Reason) {
		t.Helper()
		got, err := v.Token(candidates, secret, home)
		if reason != "" {
			denied(t, err, reason)
			return
		}
		if err != nil || got.Credential.ID != c.ID || got.Upgrade || got.Replay != nil {
			t.Errorf("verified as %+v, %v", got, err)
		}
	}
	revoked := c
	revoked.Revoked = true
	f([]auth.Credential{c}, secret, "")
	f([]auth.Credential{other, c}, secret, "")
	f([]auth.Credential{other}, secret, auth.ReasonSecret)
	f([]auth.Credential{revoked}, secret, auth.ReasonRevoked)
	f([]auth.Credential{revoked, other}, secret, auth.ReasonRevoked)
	f(nil, secret, auth.ReasonUnknown)
	f([]auth.Credential{c}, auth.Secret{}, auth.ReasonMalformed)
	f([]auth.Credential{c}, auth.NewSecret(strings.Repeat("x", 1025)), auth.ReasonMalformed)
	f([]auth.Credential{c}, auth.NewSecret(strings.ToUpper(secret.Reveal())), auth.ReasonSecret)
	f([]auth.Credential{c}, auth.NewSecret(c.TokenHash()), auth.ReasonSecret)
	if v.Stats().Hashings != 0 {
		t.Error("a token was hashed as a password is")
	}
	if c.TokenHash() != auth.HashToken(secret) || everythingHash() != "" {
		t.Error("TokenHash is wrong")
	}
}

func everythingHash() string {
	c := everything()
	return c.TokenHash()
}

func TestDenialIsLoggedWithItsReason(t *testing.T) {
	c, _ := tokenCredential()
	_, err := verifier().Token([]auth.Credential{c}, auth.GenerateToken(), home)
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("update refused", "err", err)
	if want := `err.reason="wrong secret" err.key=` + c.ID; !strings.Contains(log.String(), want) {
		t.Errorf("log is %s, want %s", log.String(), want)
	}
	if reason := auth.ReasonOf(fmt.Errorf("update h.example.org.: %w", err)); reason != auth.ReasonSecret {
		t.Errorf("wrapped, the reason is %q", reason)
	}
	if reason := auth.ReasonOf(io.EOF); reason != "" {
		t.Errorf("what is no denial has the reason %q", reason)
	}
}

func BenchmarkToken(b *testing.B) {
	c, secret := tokenCredential()
	candidates := []auth.Credential{c}
	v := verifier()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Token(candidates, secret, home); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeCredential(b *testing.B) {
	c, _ := tokenCredential()
	text := must(c.Encode())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := auth.DecodeCredential(text); err != nil {
			b.Fatal(err)
		}
	}
}
