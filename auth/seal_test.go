package auth_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	"redyn/auth"
)

func sealKey(n byte) []byte {
	key := bytes.Repeat([]byte{n}, 32)
	key[31] = 0xff
	return key
}

// sealer returns one with those keys.
func sealer(t testing.TB, keys ...byte) *auth.Sealer {
	t.Helper()
	var file string
	for _, n := range keys {
		file += hex.EncodeToString(sealKey(n)) + "\n"
	}
	s, err := auth.ParseSealer([]byte(file))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestParseSealer(t *testing.T) {
	sealed := must(sealer(t, 0xfb).Seal("p", auth.NewSecret("text")))
	key := sealKey(0xfb)
	right := func(file string) {
		t.Helper()
		s, err := auth.ParseSealer([]byte(file))
		if err != nil {
			t.Errorf("key file %q: %v", file, err)
			return
		}
		if got, err := s.Open("p", sealed); err != nil || got.Reveal() != "text" {
			t.Errorf("key file %q opens as %q, %v", file, got.Reveal(), err)
		}
	}
	hexKey := hex.EncodeToString(key)
	right(string(key))
	right(hexKey)
	right(strings.ToUpper(hexKey) + "\r\n")
	right(base64.StdEncoding.EncodeToString(key))
	right(base64.RawStdEncoding.EncodeToString(key))
	right(base64.URLEncoding.EncodeToString(key) + "\n")
	right("# made today\n\n  " + hexKey + "  \n# the old one\n" + hex.EncodeToString(sealKey(1)))

	wrong := func(file, want string) {
		t.Helper()
		_, err := auth.ParseSealer([]byte(file))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("key file %q: %v, want %q", file, err, want)
		}
		if err != nil && len(file) > 8 && strings.Contains(err.Error(), file[:8]) {
			t.Errorf("error shows the key: %v", err)
		}
	}
	wrong("", "holds no key")
	wrong("# nothing\n", "holds no key")
	wrong("0123456789abcdef0123456789abcdef", "line 1") // 32 characters, 16 bytes
	wrong(hexKey[:63], "line 1")
	wrong(hexKey+"\n"+hexKey[:62], "line 2")
	wrong(hexKey+"\n"+hexKey, "twice")
	wrong(strings.Repeat("0", 64), "repeated")
	wrong(string(key)+"\n", "line 1")
	wrong(string(key[:31]), "line 1")
}

func TestSeal(t *testing.T) {
	secret := auth.NewSecret("a secret\nof two lines")
	s := sealer(t, 1)
	sealed := must(s.Seal("tsig/key.", secret))
	if !auth.IsSealed(sealed) || strings.Contains(sealed, "two lines") || !s.Current(sealed) {
		t.Errorf("sealed as %q", sealed)
	}
	if again := must(s.Seal("tsig/key.", secret)); again == sealed {
		t.Error("sealed alike twice")
	}
	open := func(s *auth.Sealer, place, text, wantErr string) {
		t.Helper()
		got, err := s.Open(place, text)
		if wantErr == "" {
			if err != nil || !got.Equal(secret) {
				t.Errorf("opened as %q, %v", got.Reveal(), err)
			}
			return
		}
		if err == nil || !strings.Contains(err.Error(), wantErr) || !strings.Contains(err.Error(), place) || !got.IsZero() {
			t.Errorf("error is %v, want %q", err, wantErr)
		}
	}
	open(s, "tsig/key.", sealed, "")
	open(s, "tsig/other.", sealed, "belongs elsewhere")
	open(nil, "tsig/key.", sealed, "no secrets key file")
	open(sealer(t, 2), "tsig/key.", sealed, "not in the secrets key file")
	open(s, "tsig/key.", sealed[:len(sealed)-2], "broken")
	open(s, "tsig/key.", sealed+"=", "broken")
	open(s, "tsig/key.", sealed[:strings.LastIndexByte(sealed, ':')+1], "broken")
	open(s, "tsig/key.", sealed[:10], "not in the secrets key file")
	for i := range sealed[len("sealed:1:"):] {
		i += len("sealed:1:")
		other := []byte(sealed)
		other[i] ^= 1
		if got, err := s.Open("tsig/key.", string(other)); err == nil {
			t.Fatalf("byte %d changed, opened as %q", i, got.Reveal())
		}
	}

	// Rotation: the first key seals, all open.
	both := sealer(t, 2, 1)
	open(both, "tsig/key.", sealed, "")
	if both.Current(sealed) {
		t.Error("a text under the second key is current")
	}
	anew := must(both.Seal("tsig/key.", secret))
	open(both, "tsig/key.", anew, "")
	open(sealer(t, 2), "tsig/key.", anew, "")
	open(s, "tsig/key.", anew, "not in the secrets key file")
	if !both.Current(anew) || s.Current(anew) {
		t.Error("Current is wrong")
	}

	// Without a key texts stay as they are, and stay valid when a key comes.
	var none *auth.Sealer
	plain := must(none.Seal("tsig/key.", secret))
	if plain != secret.Reveal() || !none.Current(plain) || s.Current(plain) || none.Current(sealed) {
		t.Errorf("plain is %q", plain)
	}
	open(none, "tsig/key.", plain, "")
	open(new(auth.Sealer), "tsig/key.", plain, "")
	open(new(auth.Sealer), "tsig/key.", sealed, "no secrets key file")
	open(s, "tsig/key.", plain, "")
	if _, err := none.Seal("p", auth.NewSecret(sealed)); err == nil {
		t.Error("a secret that could not be read again was taken")
	}
	if got, err := s.Open("p", must(s.Seal("p", auth.NewSecret(sealed)))); err != nil || got.Reveal() != sealed {
		t.Errorf("sealed twice opens as %q, %v", got.Reveal(), err)
	}
	if got, err := s.Open("p", must(s.Seal("p", auth.Secret{}))); err != nil || !got.IsZero() {
		t.Errorf("nothing opens as %q, %v", got.Reveal(), err)
	}
}

func FuzzOpen(f *testing.F) {
	s := sealer(f, 2, 1)
	f.Add("p", must(s.Seal("p", auth.NewSecret("text"))))
	f.Add("p", "sealed:1:")
	f.Add("", "plain")
	f.Fuzz(func(t *testing.T, place, text string) {
		got, err := s.Open(place, text)
		if auth.IsSealed(text) && err == nil && (place != "p" || got.Reveal() != "text") {
			t.Errorf("%q opens at %q as %q", text, place, got.Reveal())
		}
		if !auth.IsSealed(text) && (err != nil || got.Reveal() != text) {
			t.Errorf("plain %q opens as %q, %v", text, got.Reveal(), err)
		}
		if back, err := s.Open(place, must(s.Seal(place, auth.NewSecret(text)))); err != nil || back.Reveal() != text {
			t.Errorf("%q comes back as %q, %v", text, back.Reveal(), err)
		}
	})
}

func FuzzParseSealer(f *testing.F) {
	f.Add(sealKey(1))
	f.Add([]byte(hex.EncodeToString(sealKey(1)) + "\n# x\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		s, err := auth.ParseSealer(file)
		if err != nil {
			return
		}
		if got, err := s.Open("p", must(s.Seal("p", auth.NewSecret("x")))); err != nil || got.Reveal() != "x" {
			t.Errorf("opens as %q, %v", got.Reveal(), err)
		}
	})
}
