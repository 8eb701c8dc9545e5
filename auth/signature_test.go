package auth_test

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"

	"redyn/auth"
)

// fixtureToken is the one-time token of testdata/message.
const fixtureToken = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

func signed(signature string) auth.Signed {
	return auth.Signed{Host: 17, Token: fixtureToken, IP: "192.0.2.1", Signature: signature}
}

func keyCredential(t testing.TB, file string) auth.Credential {
	c := must(auth.NewPublicKeyCredential(testdata(t, file)))
	c.Grant = grant()
	return c
}

func TestSignedMessage(t *testing.T) {
	if got := string(signed("").Message()); got != testdata(t, "message") {
		t.Errorf("message is %q", got)
	}
	named := signed("")
	named.Name = "Home.example.org"
	if got, want := string(named.Message()), fixtureToken+"|Home.example.org|192.0.2.1\n"; got != want {
		t.Errorf("message is %q, want %q", got, want)
	}
}

func TestSignature(t *testing.T) {
	f := func(key, sig string, reason auth.Reason) {
		t.Helper()
		c := keyCredential(t, key+".pem")
		got, err := verifier().Signature([]auth.Credential{c}, signed(testdata(t, sig+".sig")), home)
		if reason != "" {
			denied(t, err, reason)
		} else if err != nil || got.Credential.ID != c.ID || got.Replay != nil {
			t.Errorf("%s by %s: %+v, %v", sig, key, got, auth.ReasonOf(err))
		}
	}
	for _, key := range []string{"rsa2048", "rsa3072", "ed25519", "p256", "p384"} {
		f(key, key, "")
	}
	f("rsa2048-pkcs1", "rsa2048", "")
	f("rsa2048", "rsa2048-pss", auth.ReasonSecret)
	f("rsa2048", "rsa2048-sha1", auth.ReasonSecret)
	f("rsa2048", "rsa3072", auth.ReasonSecret)
	f("p256", "p384", auth.ReasonSecret)
	f("p256", "rsa2048", auth.ReasonSecret)
	f("ed25519", "p256", auth.ReasonSecret)
}

func TestSignatureCoversEverything(t *testing.T) {
	c := keyCredential(t, "p256.pem")
	v := verifier()
	f := func(reason auth.Reason, candidates []auth.Credential, edit func(*auth.Signed)) {
		t.Helper()
		s := signed(testdata(t, "p256.sig"))
		edit(&s)
		_, err := v.Signature(candidates, s, home)
		denied(t, err, reason)
	}
	own := []auth.Credential{c}
	as := func(*auth.Signed) {}
	f(auth.ReasonSecret, own, func(s *auth.Signed) { s.Host = 18 })
	f(auth.ReasonSecret, own, func(s *auth.Signed) { s.Name = "17.example" })
	f(auth.ReasonSecret, own, func(s *auth.Signed) { s.Token = auth.GenerateOneTimeToken() })
	f(auth.ReasonSecret, own, func(s *auth.Signed) { s.IP = "192.0.2.2" })
	f(auth.ReasonNoToken, own, func(s *auth.Signed) { s.Token = "" })
	f(auth.ReasonNoToken, nil, func(s *auth.Signed) { s.Token = "" })
	f(auth.ReasonMalformed, own, func(s *auth.Signed) { s.Signature = "" })
	f(auth.ReasonMalformed, nil, func(s *auth.Signed) { s.Signature = "%" })
	f(auth.ReasonMalformed, own, func(s *auth.Signed) { s.IP = "192.0.2.1\n" })
	f(auth.ReasonMalformed, own, func(s *auth.Signed) { s.IP = "17|192.0.2.1" })
	f(auth.ReasonMalformed, own, func(s *auth.Signed) { s.Name = "17|" })
	f(auth.ReasonMalformed, own, func(s *auth.Signed) { s.Host = 0 })
	f(auth.ReasonUnknown, nil, as)
	token, _ := tokenCredential()
	f(auth.ReasonUnknown, []auth.Credential{token}, as)
	revoked := c
	revoked.Revoked = true
	f(auth.ReasonRevoked, []auth.Credential{revoked, keyCredential(t, "p384.pem")}, as)

	both := []auth.Credential{keyCredential(t, "rsa2048.pem"), c}
	if got, err := v.Signature(both, signed(testdata(t, "p256.sig")), home); err != nil || got.Credential.ID != c.ID {
		t.Errorf("second of two keys: %+v, %v", got, err)
	}
}

func TestSignatureText(t *testing.T) {
	c := []auth.Credential{keyCredential(t, "rsa2048.pem")}
	wrapped := testdata(t, "rsa2048.sig")
	plain := strings.ReplaceAll(wrapped, "\n", "")
	if !strings.ContainsAny(plain, "+/") || !strings.HasSuffix(plain, "==") {
		t.Fatal("the fixture has nothing to be mangled")
	}
	f := func(text string, want bool) {
		t.Helper()
		_, err := verifier().Signature(c, signed(text), home)
		if (err == nil) != want {
			t.Errorf("signature %q: %v, want %v", text, auth.ReasonOf(err), want)
		}
	}
	urlAlphabet := strings.NewReplacer("+", "-", "/", "_").Replace(plain)
	mangled := must(url.QueryUnescape(strings.ReplaceAll(plain, "%", "")))
	if mangled == plain {
		t.Fatal("the fixture has no + to become a space")
	}
	f(wrapped, true)
	f(plain, true)
	f(strings.ReplaceAll(wrapped, "\n", "\r\n"), true)
	f("\t"+plain, true)
	f(strings.TrimRight(plain, "="), true)
	f(mangled, true)
	f(mangled+" \n", true)
	f(urlAlphabet, true)
	f(strings.TrimRight(urlAlphabet, "="), true)
	f(plain[:len(plain)-1], false)
	f(plain+"=", false)
	f(plain+"AAAA", false)
	f("="+plain, false)
	f(plain[:100]+"="+plain[100:], false)
	f(plain[:100]+"%"+plain[101:], false)
	f(plain[:100]+"\x00"+plain[100:], false)
	f(plain[:100]+"é"+plain[100:], false)
	f(plain[:len(plain)-5], false)
	f(strings.Repeat(plain, 20), false)
}

func FuzzSignatureText(f *testing.F) {
	for _, file := range []string{"rsa2048.sig", "ed25519.sig", "p256.sig"} {
		f.Add(testdata(f, file))
		f.Add(strings.ReplaceAll(testdata(f, file), "+", " "))
	}
	// Whatever is verified is the fixture's signature.
	c := []auth.Credential{keyCredential(f, "ed25519.pem")}
	want := must(base64.StdEncoding.DecodeString(testdata(f, "ed25519.sig")))
	v := verifier()
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := v.Signature(c, signed(text), home); err != nil {
			return
		}
		text = strings.TrimRight(strings.NewReplacer("\n", "", "\r", "", "\t", "", "\v", "", "\f", "", " ", "+", "-", "+", "_", "/").Replace(text), "=+")
		if wantText := strings.TrimRight(base64.StdEncoding.EncodeToString(want), "="); text != wantText && text[:len(text)-1] != wantText[:len(wantText)-1] {
			t.Errorf("%q is verified", text)
		}
	})
}

func BenchmarkSignature(b *testing.B) {
	for _, key := range []string{"rsa2048", "ed25519", "p256", "p384"} {
		b.Run(key, func(b *testing.B) {
			c := []auth.Credential{keyCredential(b, key+".pem")}
			s := signed(testdata(b, key+".sig"))
			v := verifier()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Signature(c, s, home); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("nobody", func(b *testing.B) {
		s := signed(testdata(b, "rsa2048.sig"))
		v := verifier()
		b.ReportAllocs()
		for b.Loop() {
			_, _ = v.Signature(nil, s, home)
		}
	})
}
