package auth_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"

	"redyn/auth"
)

func TestParsePublicKey(t *testing.T) {
	right := func(file, name string) {
		t.Helper()
		text := testdata(t, file)
		key, err := auth.ParsePublicKey("some text before\n" + strings.ReplaceAll(text, "\n", "\r\n"))
		if err != nil {
			t.Errorf("%s: %v", file, err)
			return
		}
		if got := key.String(); !strings.HasPrefix(got, name+" SHA256:") {
			t.Errorf("%s is %s", file, got)
		}
		if file != "rsa2048-pkcs1.pem" && key.PEM() != text {
			t.Errorf("%s is written as\n%s", file, key.PEM())
		}
		c := must(auth.NewPublicKeyCredential(text))
		if c.Detail() != key.String() || c.Kind != auth.PublicKey {
			t.Errorf("%s: detail is %s", file, c.Detail())
		}
	}
	right("rsa2048.pem", "RSA 2048")
	right("rsa2048-pkcs1.pem", "RSA 2048")
	right("rsa3072.pem", "RSA 3072")
	right("ed25519.pem", "Ed25519")
	right("p256.pem", "ECDSA P-256")
	right("p384.pem", "ECDSA P-384")
	if a, b := must(auth.ParsePublicKey(testdata(t, "rsa2048.pem"))), must(auth.ParsePublicKey(testdata(t, "rsa2048-pkcs1.pem"))); a.PEM() != b.PEM() {
		t.Error("one key in two forms is written in two ways")
	}

	wrong := func(text, want string) {
		t.Helper()
		_, err := auth.ParsePublicKey(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want %q", err, want)
		}
	}
	private := must(x509.MarshalPKCS8PrivateKey(ed25519.NewKeyFromSeed(make([]byte, 32))))
	wrong(testdata(t, "rsa1024.pem"), "1024 bits")
	wrong(testdata(t, "p521.pem"), "P-521")
	wrong(testdata(t, "x25519.pem"), "neither")
	wrong(testdata(t, "ed448.pem"), "read the public key")
	wrong(testdata(t, "p256-cert.pem"), "CERTIFICATE")
	wrong(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})), "stays with its owner")
	wrong(testdata(t, "p256.pem")+testdata(t, "p384.pem"), "more than one")
	wrong("", "not PEM")
	wrong(strings.Repeat("x", 1<<15), "longer")
	wrong(strings.Replace(testdata(t, "p256.pem"), "M", "N", 1), "read the public key")
}

// The keys of nobody are as good as anybody's, one of each class.
func TestDummyKeys(t *testing.T) {
	seen := make(map[string]bool)
	for _, pem := range auth.DummyKeys {
		key := must(auth.ParsePublicKey(pem))
		seen[strings.Split(key.String(), " SHA256:")[0]] = true
	}
	for _, name := range []string{"RSA 2048", "Ed25519", "ECDSA P-256", "ECDSA P-384"} {
		if !seen[name] {
			t.Errorf("no key is %s", name)
		}
	}
}

func FuzzParsePublicKey(f *testing.F) {
	for _, file := range []string{"rsa2048.pem", "rsa2048-pkcs1.pem", "ed25519.pem", "p256.pem", "p384.pem", "x25519.pem", "p256-cert.pem"} {
		f.Add([]byte(testdata(f, file)))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		key, err := auth.ParsePublicKey(string(text))
		if err != nil {
			return
		}
		again, err := auth.ParsePublicKey(key.PEM())
		if err != nil || again.PEM() != key.PEM() {
			t.Errorf("%s is read again as %v, %v", key.PEM(), again, err)
		}
		if key.Verify([]byte("message"), bytes.Repeat([]byte{1}, 256)) {
			t.Error("a made-up signature is verified")
		}
	})
}
