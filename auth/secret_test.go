package auth_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"

	"redyn/auth"
)

func TestSecretPrintsNothing(t *testing.T) {
	const text = "hunter2"
	s := auth.NewSecret(text)
	type holder struct {
		Password auth.Secret
		Pointer  *auth.Secret
		hidden   auth.Secret
	}
	h := holder{s, &s, s}
	var printed []string
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%b", "%t", "%p"} {
		printed = append(printed, fmt.Sprintf(verb, s), fmt.Sprintf(verb, h), fmt.Sprintf(verb, []auth.Secret{s}))
	}
	var log bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(handler).Info("m", "secret", s, "holder", h, "list", []auth.Secret{s})
	}
	printed = append(printed, log.String(), s.String(), s.GoString(),
		string(must(json.Marshal(h))), string(must(json.Marshal(map[auth.Secret]int{s: 1}))))
	for _, p := range printed {
		for _, leak := range []string{text, fmt.Sprintf("%x", text), fmt.Sprintf("%X", text), "104 117"} {
			if strings.Contains(p, leak) {
				t.Errorf("%q is printed", p)
			}
		}
	}
	if s.String() != "REDACTED" || s.Reveal() != text {
		t.Errorf("String is %q, Reveal is %q", s.String(), s.Reveal())
	}
}

func TestSecretEqual(t *testing.T) {
	if a := auth.NewSecret("a"); !a.Equal(auth.NewSecret("a")) || a.Equal(auth.NewSecret("b")) || a.Equal(auth.Secret{}) {
		t.Error("Equal is wrong")
	}
	if !(auth.Secret{}).IsZero() || auth.NewSecret("a").IsZero() {
		t.Error("IsZero is wrong")
	}
}

func TestGenerate(t *testing.T) {
	f := func(what, pattern string, generate func() string) {
		t.Helper()
		seen := make(map[string]bool)
		for range 1000 {
			got := generate()
			if !regexp.MustCompile("^" + pattern + "$").MatchString(got) {
				t.Fatalf("%s %q is not %s", what, got, pattern)
			}
			if seen[got] {
				t.Fatalf("%s %q came twice", what, got)
			}
			seen[got] = true
		}
	}
	f("token", "[a-km-np-z2-9]{32}", func() string { return auth.GenerateToken().Reveal() })
	f("password", "[a-km-np-z2-9]{24}", func() string { return auth.GeneratePassword().Reveal() })
	f("hmac secret", "[0-9a-f]{64}", func() string { return auth.GenerateHMACSecret().Reveal() })
	f("seal key", "[0-9a-f]{64}", func() string { return auth.GenerateSealKey().Reveal() })
	f("id", "[0-9]*[a-f][0-9a-f]*", auth.NewID)
	f("id", "[0-9a-f]{13}", auth.NewID)
	f("one-time token", "[A-Za-z0-9+/]{43}=", auth.GenerateOneTimeToken)
	if raw, err := base64.StdEncoding.DecodeString(auth.GenerateOneTimeToken()); err != nil || len(raw) != 32 {
		t.Errorf("one-time token has %d bytes, %v", len(raw), err)
	}
}

func TestParseHostID(t *testing.T) {
	f := func(in string, want auth.HostID) {
		t.Helper()
		got, err := auth.ParseHostID(in)
		if got != want || (err == nil) != (want > 0) {
			t.Errorf("ParseHostID(%q) = %v, %v; want %v", in, got, err, want)
		}
	}
	f("7", 7)
	f("007", 7)
	f("9223372036854775807", 1<<63-1)
	f("9223372036854775808", 0)
	f("0", 0)
	f("", 0)
	f("+7", 0)
	f("-7", 0)
	f("7a", 0)
	f("٧", 0)
	if got := auth.HostID(7).String(); got != "7" {
		t.Errorf("String is %q", got)
	}
}
