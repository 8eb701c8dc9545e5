package auth_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"redyn/auth"
	"redyn/backend/dns"
)

const (
	vectorKey    = "51f881d6d158f"
	vectorSecret = "19d6a39ee3edf428ae156842026241bc"
	vectorTime   = "1700000000"
)

func hmacCredential() auth.Credential {
	c := must(auth.NewHMACCredential(vectorKey, auth.NewSecret(vectorSecret), nil))
	c.Grant = auth.Grant{Zones: []auth.Area{{Name: "example.test."}}}
	return c
}

// api is what the vectors' requests ask for.
var api = auth.Request{Now: now, Targets: []auth.Target{{Zone: "example.test.", Name: "home.example.test.", Type: dns.TypeA}}}

type vector struct {
	request  auth.HMACRequest
	raw, hex string
}

var vectors = []vector{
	{
		auth.HMACRequest{Method: "GET", Path: "/api/dns/v1/domains/example.test"},
		"l5KmLNthWLAyDzrTPVFeGLDJgtFqPVf2sUVYGc5uMsU=",
		"OTc5MmE2MmNkYjYxNThiMDMyMGYzYWQzM2Q1MTVlMThiMGM5ODJkMTZhM2Q1N2Y2YjE0NTU4MTljZTZlMzJjNQ==",
	},
	{
		auth.HMACRequest{
			Method: "PUT", Path: "/api/dns/v1/domains/example.test",
			Params: []auth.Param{{Key: "param2", Value: "val2"}, {Key: "param1", Value: "val1"}},
		},
		"oFqiKFaylU0kh+2ipT2mA7DCwPieTHyKur8dsfnYKbo=",
		"YTA1YWEyMjg1NmIyOTU0ZDI0ODdlZGEyYTUzZGE2MDNiMGMyYzBmODllNGM3YzhhYmFiZjFkYjFmOWQ4MjliYQ==",
	},
	{
		auth.HMACRequest{
			Method: "GET", Path: "/nic/update",
			Params: []auth.Param{{Key: "hostname", Value: "home.example.test"}, {Key: "myip", Value: "192.0.2.1"}},
		},
		"HFOf0df2UG+NFUIlAqHh4ENnh8U+rLOB2ZmjEU/l3ts=",
		"MWM1MzlmZDFkN2Y2NTA2ZjhkMTU0MjI1MDJhMWUxZTA0MzY3ODdjNTNlYWNiMzgxZDk5OWEzMTE0ZmU1ZGVkYg==",
	},
}

func TestHMACVectors(t *testing.T) {
	sealed := must(auth.NewHMACCredential(vectorKey, auth.NewSecret(vectorSecret), sealer(t, 1)))
	sealed.Grant = hmacCredential().Grant
	for i, vec := range vectors {
		if authorization, conexim := vec.request.Sign(vectorKey, auth.NewSecret(vectorSecret), now); authorization != "CONEXIM "+vectorKey+":"+vec.raw || conexim != vectorTime {
			t.Errorf("vector %d is signed %q, %q", i, authorization, conexim)
		}
		var replay *auth.Replay
		for _, text := range []string{vec.raw, vec.hex, upperHex(vec.hex)} {
			for _, scheme := range []string{"CONEXIM ", "conexim ", "CoNeXiM  "} {
				s, err := auth.ParseHMAC(scheme+vectorKey+":"+text, vectorTime)
				if err != nil {
					t.Fatalf("vector %d: %v", i, err)
				}
				got, err := verifier().HMAC([]auth.Credential{hmacCredential()}, s, vec.request, api)
				if err != nil {
					t.Fatalf("vector %d: %v", i, auth.ReasonOf(err))
				}
				if replay == nil {
					replay = got.Replay
				}
				if got.Credential.ID != vectorKey || *got.Replay != *replay {
					t.Errorf("vector %d: %+v, %+v", i, got, got.Replay)
				}
				if _, err := auth.NewVerifier(auth.Options{Sealer: sealer(t, 1)}).HMAC([]auth.Credential{sealed}, s, vec.request, api); err != nil {
					t.Errorf("vector %d, sealed secret: %v", i, err)
				}
				_, err = auth.NewVerifier(auth.Options{RawDigestOnly: true}).HMAC([]auth.Credential{hmacCredential()}, s, vec.request, api)
				if text == vec.raw && err != nil || text != vec.raw && auth.ReasonOf(err) != auth.ReasonMalformed {
					t.Errorf("vector %d, raw digests alone: %v", i, err)
				}
			}
		}
		if want := vectorKey + ":" + vec.raw; replay.Key != want || !replay.Expires.Equal(now.Add(330*time.Second)) {
			t.Errorf("vector %d: replay is %+v", i, replay)
		}
	}
}

// upperHex writes a hex digest's digits in upper case: another text for the same signature.
func upperHex(text string) string {
	digits := string(must(base64.StdEncoding.DecodeString(text)))
	return base64.StdEncoding.EncodeToString([]byte(strings.ToUpper(digits)))
}

func TestHMACDenies(t *testing.T) {
	f := func(reason auth.Reason, edit func(c *auth.Credential, keyID *string, q *auth.HMACRequest, r *auth.Request)) {
		t.Helper()
		c, keyID, q, r := hmacCredential(), vectorKey, vectors[2].request, api
		q.Params = append([]auth.Param{}, q.Params...)
		edit(&c, &keyID, &q, &r)
		s := must(auth.ParseHMAC("CONEXIM "+keyID+":"+vectors[2].raw, vectorTime))
		got, err := verifier().HMAC([]auth.Credential{c}, s, q, r)
		if reason == "" {
			if err != nil {
				t.Errorf("denied: %s", auth.ReasonOf(err))
			}
			return
		}
		denied(t, err, reason)
		if got.Replay != nil {
			t.Error("a denial has a replay entry")
		}
	}
	type (
		C = *auth.Credential
		Q = *auth.HMACRequest
		R = *auth.Request
	)
	f("", func(C, *string, Q, R) {})
	f(auth.ReasonUnknown, func(_ C, k *string, _ Q, _ R) { *k = "51f881d6d158e" })
	f(auth.ReasonUnknown, func(c C, _ *string, _ Q, _ R) { *c, _ = tokenCredential(); c.ID = vectorKey })
	f(auth.ReasonSecret, func(_ C, _ *string, q Q, _ R) { q.Method = "POST" })
	f(auth.ReasonSecret, func(_ C, _ *string, q Q, _ R) { q.Path += "/" })
	f(auth.ReasonSecret, func(_ C, _ *string, q Q, _ R) { q.Params[1].Value = "192.0.2.2" })
	f(auth.ReasonSecret, func(_ C, _ *string, q Q, _ R) { q.Params = append(q.Params, auth.Param{Key: "z"}) })
	f(auth.ReasonSecret, func(_ C, _ *string, q Q, _ R) { q.Params = nil })
	f(auth.ReasonSecret, func(_ C, _ *string, q Q, _ R) { q.Params = q.Params[:1] })
	f(auth.ReasonMalformed, func(_ C, _ *string, q Q, _ R) { q.Method = "GET\n/nic/update"; q.Path = "" })
	f(auth.ReasonMalformed, func(_ C, _ *string, q Q, _ R) { q.Params = make([]auth.Param, 1001) })
	f(auth.ReasonRevoked, func(c C, _ *string, _ Q, _ R) { c.Revoked = true })
	f(auth.ReasonName, func(_ C, _ *string, _ Q, r R) { r.Targets = home.Targets })

	f("", func(_ C, _ *string, _ Q, r R) { r.Now = now.Add(300*time.Second + 999*time.Millisecond) })
	f("", func(_ C, _ *string, _ Q, r R) { r.Now = now.Add(-300 * time.Second) })
	f(auth.ReasonSkew, func(_ C, _ *string, _ Q, r R) { r.Now = now.Add(301 * time.Second) })
	f(auth.ReasonSkew, func(_ C, _ *string, _ Q, r R) { r.Now = now.Add(-301 * time.Second) })
	f(auth.ReasonSkew, func(_ C, k *string, _ Q, r R) { *k = "unknown"; r.Now = now.Add(301 * time.Second) })
	f(auth.ReasonSkew, func(_ C, _ *string, _ Q, r R) { r.Now = time.Time{} })
}

// Whoever puts the secret where the key id belongs does not find it in the audit log.
func TestHMACNamesNoStranger(t *testing.T) {
	f := func(keyID, signature, at, want string) {
		t.Helper()
		s, err := auth.ParseHMAC("CONEXIM "+keyID+":"+signature, at)
		if err == nil {
			_, err = verifier().HMAC([]auth.Credential{hmacCredential()}, s, vectors[2].request, api)
		}
		var denial *auth.Denial
		if !errors.As(err, &denial) || denial.Credential != want {
			t.Errorf("key %s is denied as %+v, want %q", keyID, denial, want)
		}
	}
	f(vectorKey, vectors[1].raw, vectorTime, vectorKey)
	f(vectorKey, vectors[2].raw, "1", vectorKey)
	f(vectorSecret, vectors[2].raw, vectorTime, "")
	f(vectorSecret, vectors[2].raw, "1", "")
	f(vectorSecret, vectorKey, vectorTime, "")
	f(vectorSecret, vectors[2].raw, "soon", "")
}

func TestSkew(t *testing.T) {
	s := must(auth.ParseHMAC("CONEXIM k:"+vectors[0].raw, "0"))
	_, err := verifier().HMAC(nil, s, vectors[0].request, api)
	if !errors.Is(err, auth.ErrSkew) || !errors.Is(err, auth.ErrDenied) {
		t.Errorf("error is %v", err)
	}
	_, err = verifier().Token(nil, auth.NewSecret("x"), home)
	if errors.Is(err, auth.ErrSkew) {
		t.Error("every denial is for skew")
	}
	if auth.SkewText != "Client clock skew is greater than maximum allowed." {
		t.Error("the sentence is another one")
	}
}

func TestHMACUnsignedParams(t *testing.T) {
	q := vectors[2].request
	bare := q
	bare.Params = nil
	authorization, conexim := bare.Sign(vectorKey, auth.NewSecret(vectorSecret), now)
	s := must(auth.ParseHMAC(authorization, conexim))
	c := []auth.Credential{hmacCredential()}
	_, err := verifier().HMAC(c, s, q, api)
	denied(t, err, auth.ReasonSecret)
	reads := api
	reads.Reads = true
	if _, err := verifier().HMAC(c, s, q, reads); err != nil {
		t.Errorf("a request that reads: %v", err)
	}
}

func TestHMACEncodings(t *testing.T) {
	params := []auth.Param{{Key: "b", Value: "x y~z"}, {Key: "a b", Value: "é*+&=/"}, {Key: "b", Value: "a"}, {Key: "b"}, {Key: "B", Value: "1"}}
	q := auth.HMACRequest{Method: "POST", Path: "/p", Params: params}
	sign := func(encoded string, want bool) {
		t.Helper()
		text := vectorKey + "\n" + vectorTime + "\nPOST\n/p\n" + encoded
		s := must(auth.ParseHMAC("CONEXIM "+vectorKey+":"+macOf(text), vectorTime))
		_, err := verifier().HMAC([]auth.Credential{hmacCredential()}, s, q, api)
		if (err == nil) != want {
			t.Errorf("signed over %q: %v, want %v", encoded, auth.ReasonOf(err), want)
		}
	}
	sign("B=1&a+b=%C3%A9%2A%2B%26%3D%2F&b=&b=a&b=x+y%7Ez", true)    // PHP's http_build_query
	sign("B=1&a%20b=%C3%A9%2A%2B%26%3D%2F&b=&b=a&b=x%20y~z", true)  // RFC 3986
	sign("B=1&a+b=%C3%A9%2A%2B%26%3D%2F&b=&b=a&b=x+y~z", true)      // Go, Python
	sign("B=1&a+b=%c3%a9%2a%2b%26%3d%2f&b=&b=a&b=x+y%7ez", false)   // lower-case hex
	sign("a+b=%C3%A9%2A%2B%26%3D%2F&b=&b=a&b=x+y%7Ez&B=1", false)   // sorted without case
	sign("B=1&a+b=%C3%A9%2A%2B%26%3D%2F&b=x+y%7Ez&b=a&b=", false)   // values not sorted
	sign("B=1&a+b=%C3%A9%2A%2B%26%3D%2F&b=&b=a&b=x%20y%7Ez", false) // two encoders
	sign("B=1&a+b=%C3%A9%2A%2B%26%3D%2F&b=&b=a&b=x+y%7Ez\n", false) // a fifth line feed
	sign("B=1&a+b=%C3%A9%2A%2B%26%3D%2F&b=&b=a&b=x+y%7Ez&", false)  // a last &
	sign("", false)
}

func macOf(text string) string {
	h := hmac.New(sha256.New, []byte(vectorSecret))
	h.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

func TestParseHMAC(t *testing.T) {
	raw, hexed := vectors[0].raw, vectors[0].hex
	f := func(authorization, conexim, keyID string) {
		t.Helper()
		s, err := auth.ParseHMAC(authorization, conexim)
		if keyID == "" {
			denied(t, err, auth.ReasonMalformed)
		} else if err != nil || s.KeyID != keyID {
			t.Errorf("ParseHMAC(%q, %q) = %q, %v", authorization, conexim, s.KeyID, err)
		}
	}
	f("CONEXIM k:"+raw, "1", "k")
	f("CONEXIM k:"+hexed, "0001700000", "k")
	f("CONEXIM a:b:"+raw, "1", "")
	f("CONEXIM :"+raw, "1", "")
	f("CONEXIM "+raw, "1", "")
	f("CONEXIM", "1", "")
	f("CONEXIM k:", "1", "")
	f("CONEXIMk:"+raw, "1", "")
	f("Basic k:"+raw, "1", "")
	f("", "1", "")
	f("CONEXIM k:"+raw[:43], "1", "")
	f("CONEXIM k:"+raw[:42]+"V=", "1", "") // bits after the end
	f("CONEXIM k:"+raw[:42]+"\n=", "1", "")
	f("CONEXIM k:"+strings.ReplaceAll(hexed, "O", "-"), "1", "")
	f("CONEXIM k:"+base64.StdEncoding.EncodeToString([]byte(strings.Repeat("z", 64))), "1", "")
	f("CONEXIM k:"+base64.StdEncoding.EncodeToString(make([]byte, 65)), "1", "")
	f("CONEXIM k:"+base64.StdEncoding.EncodeToString(make([]byte, 31)), "1", "")
	f("CONEXIM k:"+raw, "", "")
	f("CONEXIM k:"+raw, "-1", "")
	f("CONEXIM k:"+raw, "+1", "")
	f("CONEXIM k:"+raw, "1.5", "")
	f("CONEXIM k:"+raw, " 1", "")
	f("CONEXIM k:"+raw, "1\n", "")
	f("CONEXIM k:"+raw, "1234567890123", "")

	for text, want := range map[string]bool{"CONEXIM": true, "conexim x": true, "CONEXIMx": false, "Basic x": false, "": false} {
		if auth.IsHMAC(text) != want {
			t.Errorf("IsHMAC(%q) is %v", text, !want)
		}
	}
}

func TestHMACKeyMissing(t *testing.T) {
	sealed := must(auth.NewHMACCredential(vectorKey, auth.NewSecret(vectorSecret), sealer(t, 1)))
	s := must(auth.ParseHMAC("CONEXIM "+vectorKey+":"+vectors[0].raw, vectorTime))
	_, err := verifier().HMAC([]auth.Credential{sealed}, s, vectors[0].request, api)
	if err == nil || errors.Is(err, auth.ErrDenied) || !strings.Contains(err.Error(), "no secrets key file") {
		t.Errorf("error is %v", err)
	}
	// A sealed secret is of no use under another id.
	text := strings.Replace(string(must(sealed.Encode())), vectorKey, "other", 1)
	stolen := must(auth.DecodeCredential([]byte(text)))
	s = must(auth.ParseHMAC("CONEXIM other:"+vectors[0].raw, vectorTime))
	_, err = auth.NewVerifier(auth.Options{Sealer: sealer(t, 1)}).HMAC([]auth.Credential{stolen}, s, vectors[0].request, api)
	if err == nil || errors.Is(err, auth.ErrDenied) {
		t.Errorf("error is %v", err)
	}
}

func FuzzParseHMAC(f *testing.F) {
	for _, vec := range vectors {
		f.Add("CONEXIM "+vectorKey+":"+vec.raw, vectorTime)
		f.Add("conexim "+vectorKey+":"+vec.hex, vectorTime)
	}
	c := []auth.Credential{hmacCredential()}
	v := verifier()
	f.Fuzz(func(t *testing.T, authorization, conexim string) {
		s, err := auth.ParseHMAC(authorization, conexim)
		if err != nil {
			if !errors.Is(err, auth.ErrDenied) {
				t.Errorf("error is %v", err)
			}
			return
		}
		if !auth.IsHMAC(authorization) {
			t.Errorf("%q is parsed and not of the scheme", authorization)
		}
		got, err := v.HMAC(c, s, vectors[0].request, api)
		if err != nil {
			return
		}
		if want := vectorKey + ":" + vectors[0].raw; conexim != vectorTime || got.Replay.Key != want {
			t.Errorf("%q, %q is verified, replay %+v", authorization, conexim, got.Replay)
		}
		if !strings.HasSuffix(authorization, vectors[0].raw) {
			text := authorization[strings.LastIndexByte(authorization, ':')+1:]
			digits := must(base64.StdEncoding.DecodeString(strings.TrimRight(text, " ")))
			must(hex.DecodeString(string(digits)))
		}
	})
}

func BenchmarkHMAC(b *testing.B) {
	c := []auth.Credential{hmacCredential()}
	q := vectors[2].request
	v := verifier()
	b.ReportAllocs()
	for b.Loop() {
		s, err := auth.ParseHMAC("CONEXIM "+vectorKey+":"+vectors[2].raw, vectorTime)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := v.HMAC(c, s, q, api); err != nil {
			b.Fatal(err)
		}
	}
}
