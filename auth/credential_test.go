package auth_test

import (
	"encoding/json"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"redyn/auth"
	"redyn/backend/dns"
)

func TestCheck(t *testing.T) {
	f := func(reason auth.Reason, edit func(*auth.Credential), r auth.Request) {
		t.Helper()
		c, _ := tokenCredential()
		edit(&c)
		err := c.Check(r)
		if reason == "" {
			if err != nil {
				t.Errorf("denied: %s", auth.ReasonOf(err))
			}
			return
		}
		denied(t, err, reason)
	}
	as := func(*auth.Credential) {}
	f("", as, home)
	f(auth.ReasonRevoked, func(c *auth.Credential) { c.Revoked = true }, home)
	f("", func(c *auth.Credential) { c.Expires = now.Add(time.Nanosecond) }, home)
	f(auth.ReasonExpired, func(c *auth.Credential) { c.Expires = now }, home)
	f(auth.ReasonExpired, func(c *auth.Credential) { c.Expires = now.Add(-time.Second) }, home)
	f(auth.ReasonExpired, func(c *auth.Credential) { c.Expires = now.Add(time.Hour) },
		with(func(r *auth.Request) { r.Now = time.Time{} }))

	network := func(c *auth.Credential) { c.Grant.Networks = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} }
	f("", network, home)
	f("", network, with(func(r *auth.Request) { r.From = netip.MustParseAddr("::ffff:192.0.2.9") }))
	f(auth.ReasonNetwork, network, with(func(r *auth.Request) { r.From = netip.MustParseAddr("198.51.100.1") }))
	f(auth.ReasonNetwork, network, with(func(r *auth.Request) { r.From = netip.Addr{} }))

	readOnly := func(c *auth.Credential) { c.ReadOnly = true }
	f(auth.ReasonReadOnly, readOnly, home)
	f("", readOnly, with(func(r *auth.Request) { r.Reads = true }))

	f("", as, with(func(r *auth.Request) { r.User = "x.h.example.org." }))
	f(auth.ReasonUser, as, with(func(r *auth.Request) { r.User = "example.org." }))

	target := func(name dns.Name, typ dns.Type) auth.Request {
		return with(func(r *auth.Request) {
			r.Targets = append([]auth.Target{}, home.Targets[0], auth.Target{Zone: "example.org.", Name: name, Type: typ})
		})
	}
	f("", as, target("h.example.org.", dns.TypeAAAA))
	f(auth.ReasonName, as, target("g.example.org.", dns.TypeA))
	f(auth.ReasonType, as, target("h.example.org.", dns.TypeMX))
	f(auth.ReasonName, as, with(func(r *auth.Request) {
		r.Reads = true
		r.Targets = []auth.Target{{Zone: "example.org.", Name: "g.example.org.", Type: dns.TypeA}}
	}))
}

func TestCredentialCovers(t *testing.T) {
	zoneOf := func(dns.Name) dns.Name { return "example.org." }
	f := func(want bool, edit func(own, other *auth.Credential)) {
		t.Helper()
		own, other := auth.Credential{Grant: grant()}, auth.Credential{Grant: grant()}
		edit(&own, &other)
		if got := own.Covers(other, zoneOf); got != want {
			t.Errorf("%+v covers %+v: %v", own, other, got)
		}
	}
	f(true, func(_, _ *auth.Credential) {})
	f(false, func(own, _ *auth.Credential) { own.ReadOnly = true })
	f(true, func(own, other *auth.Credential) { own.ReadOnly, other.ReadOnly = true, true })
	f(false, func(own, _ *auth.Credential) { own.Expires = now })
	f(true, func(own, other *auth.Credential) { own.Expires, other.Expires = now, now })
	f(false, func(own, other *auth.Credential) { own.Expires, other.Expires = now, now.Add(1) })
	f(false, func(_, other *auth.Credential) { other.Grant.Types = []dns.Type{dns.TypeTXT} })
}

// everything has each field set.
func everything() auth.Credential {
	c := must(auth.NewHMACCredential("51f881d6d158f", auth.NewSecret("19d6a39ee3edf428ae156842026241bc"), nil))
	c.Grant = auth.Grant{
		Hosts:    []auth.Area{{Host: 17, Name: "h.example.org."}, {Name: "a.example.org.", Below: true}, {Name: "a.example.org.", Below: true}},
		Zones:    []auth.Area{{Name: `a\.b.example.`, Below: true}},
		Types:    []dns.Type{dns.TypeTXT, dns.TypeA, 65280},
		Networks: []netip.Prefix{netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("192.0.2.0/24")},
	}
	c.Expires, c.Created, c.LastUse = now.Add(time.Hour), now, now.Add(time.Minute+time.Millisecond)
	c.ReadOnly, c.Revoked = true, true
	return c
}

const everythingText = `{"id":"51f881d6d158f","kind":"hmac",` +
	`"hosts":[{"name":"a.example.org.","below":true},{"host":17,"name":"h.example.org."}],` +
	`"zones":[{"name":"a\\.b.example.","below":true}],"types":["A","TXT","TYPE65280"],` +
	`"networks":["192.0.2.0/24","2001:db8::/32"],"expires":"2023-11-14T23:13:20Z",` +
	`"read_only":true,"revoked":true,"created":"2023-11-14T22:13:20Z","last_use":"2023-11-14T22:14:20Z",` +
	`"verifier":"19d6a39ee3edf428ae156842026241bc"}`

func TestEncode(t *testing.T) {
	c := everything()
	text := must(c.Encode())
	if string(text) != everythingText {
		t.Errorf("encoded as\n%s\nwant\n%s", text, everythingText)
	}
	back := must(auth.DecodeCredential(text))
	if again := must(back.Encode()); string(again) != string(text) {
		t.Errorf("encoded again as\n%s", again)
	}
	if !back.Expires.Equal(c.Expires) || !reflect.DeepEqual(back, must(auth.DecodeCredential(text))) {
		t.Errorf("decoded as %+v", back)
	}
	small := must(auth.NewTokenCredential(auth.NewSecret(strings.Repeat("a", 32))))
	small.ID = "x"
	const want = `{"id":"x","kind":"token","verifier":"3ba3f5f43b92602683c19aee62a20342b084dd5971ddd33808d81a328879a547"}`
	if text := must(small.Encode()); string(text) != want {
		t.Errorf("encoded as\n%s\nwant\n%s", text, want)
	}
}

func TestMarshalJSONShowsNoVerifier(t *testing.T) {
	shown := string(must(json.Marshal(everything())))
	if strings.Contains(shown, "19d6a39ee3") || !strings.Contains(shown, `"detail":"HMAC-SHA-256, not sealed"`) {
		t.Errorf("shown as %s", shown)
	}
	c, secret := tokenCredential()
	if shown := string(must(json.Marshal(c))); strings.Contains(shown, auth.HashToken(secret)) {
		t.Errorf("shown as %s", shown)
	}
}

func TestDecodeRefuses(t *testing.T) {
	f := func(old, new string) {
		t.Helper()
		text := strings.Replace(everythingText, old, new, 1)
		if text == everythingText {
			t.Fatalf("%q is not there", old)
		}
		if c, err := auth.DecodeCredential([]byte(text)); err == nil {
			t.Errorf("decoded %s as %+v", text, c)
		} else if strings.Contains(err.Error(), "19d6a39ee3") {
			t.Errorf("error shows the secret: %v", err)
		}
	}
	f(`"read_only"`, `"only_on_sundays"`)
	f(`"51f881d6d158f"`, `""`)
	f(`"51f881d6d158f"`, `"a:b"`)
	f(`"hmac"`, `"magic"`)
	f(`"hmac"`, `"token"`)
	f(`"hmac"`, `"password"`)
	f(`"hmac"`, `"publickey"`)
	f(`"a.example.org."`, `"a..example.org."`)
	f(`"host":17`, `"host":-17`)
	f(`"TXT"`, `"NOTYPE"`)
	f(`"TXT"`, `"AXFR"`)
	f(`"192.0.2.0/24"`, `"192.0.2.0/99"`)
	f(`"2023-11-14T23:13:20Z"`, `"soon"`)
	f(`"2023-11-14T23:13:20Z"`, `"0001-01-01T00:00:00.5Z"`)
	f(`"2023-11-14T23:13:20Z"`, `""`)
	f(`241bc"}`, `241bc"}{}`)
	f(`241bc"}`, `241bc"`)
	f(`"19d6a39ee3edf428ae156842026241bc"`, `""`)
	for _, text := range []string{"", "null", "[]", "{}", `"x"`} {
		if _, err := auth.DecodeCredential([]byte(text)); err == nil {
			t.Errorf("decoded %s", text)
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	f := func(edit func(*auth.Credential)) {
		t.Helper()
		c := everything()
		edit(&c)
		if text, err := c.Encode(); err == nil {
			t.Errorf("encoded as %s", text)
		}
	}
	f(func(c *auth.Credential) { c.ID = "a b" })
	f(func(c *auth.Credential) { c.Kind = "" })
	f(func(c *auth.Credential) { c.Grant.Hosts[0].Name = "H.example.org." })
	f(func(c *auth.Credential) { c.Grant.Zones[0].Name = "" })
	f(func(c *auth.Credential) { c.Grant.Types[0] = dns.TypeENT })
	f(func(c *auth.Credential) { c.Grant.Networks[0] = netip.Prefix{} })
	f(func(c *auth.Credential) { c.Grant.Networks[0] = netip.MustParsePrefix("::ffff:192.0.2.0/120") })
	f(func(c *auth.Credential) { c.Expires = time.Unix(1<<40, 0) })
}

func TestNewCredential(t *testing.T) {
	f := func(want string, err error) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want %q", err, want)
		}
	}
	text := func(n int) auth.Secret { return auth.NewSecret(strings.Repeat("a", n)) }
	_, err := auth.NewTokenCredential(text(31))
	f("not 31", err)
	_, err = auth.NewTokenCredential(text(1025))
	f("not 1025", err)
	_, err = auth.NewPasswordCredential("secret")
	f("argon2id", err)
	_, err = auth.NewPublicKeyCredential("secret")
	f("PEM", err)
	_, err = auth.NewHMACCredential("", text(15), nil)
	f("not 15", err)
	_, err = auth.NewHMACCredential("a:b", text(32), nil)
	f("credential id", err)
	_, err = auth.NewHMACCredential("", auth.NewSecret(strings.Repeat("\xff", 32)), nil)
	f("UTF-8", err)
	if c := must(auth.NewHMACCredential("", text(32), nil)); len(c.ID) != 13 || c.Kind != auth.HMAC || !c.Grant.IsZero() {
		t.Errorf("new credential is %+v", c)
	}
	if _, err := auth.ParseKind("publickey"); err != nil {
		t.Error(err)
	}
}

func TestDetail(t *testing.T) {
	f := func(c auth.Credential, want string) {
		t.Helper()
		if got := c.Detail(); got != want {
			t.Errorf("detail is %q, want %q", got, want)
		}
	}
	c, _ := tokenCredential()
	f(c, "SHA-256")
	f(passwordCredential("x"), "argon2id, m=8,t=1,p=1")
	f(hashCredential(phpHash), "bcrypt, cost 10")
	f(must(auth.NewHMACCredential("", auth.GenerateHMACSecret(), sealer(t, 1))), "HMAC-SHA-256, sealed")
	f(auth.Credential{}, "")
}

func TestReseal(t *testing.T) {
	secret := auth.GenerateHMACSecret()
	plain := must(auth.NewHMACCredential("k", secret, nil))
	first, changed, err := plain.Reseal(sealer(t, 1))
	if err != nil || !changed || first.Detail() != "HMAC-SHA-256, sealed" {
		t.Fatalf("resealed: %v, %v", changed, err)
	}
	if _, changed, err = first.Reseal(sealer(t, 1)); err != nil || changed {
		t.Errorf("resealed again: %v, %v", changed, err)
	}
	second, changed, err := first.Reseal(sealer(t, 2, 1))
	if err != nil || !changed {
		t.Fatalf("resealed under the new key: %v, %v", changed, err)
	}
	if _, _, err = second.Reseal(sealer(t, 1)); err == nil {
		t.Error("resealed without the key")
	}
	token, _ := tokenCredential()
	if _, changed, err = token.Reseal(sealer(t, 1)); err != nil || changed {
		t.Errorf("token resealed: %v, %v", changed, err)
	}
}

func FuzzDecodeCredential(f *testing.F) {
	f.Add([]byte(everythingText))
	token, _ := tokenCredential()
	for _, c := range []auth.Credential{token, passwordCredential("x"), hashCredential(phpHash), must(auth.NewPublicKeyCredential(testdata(f, "p256.pem")))} {
		f.Add(must(c.Encode()))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := auth.DecodeCredential(text)
		if err != nil {
			return
		}
		once, err := c.Encode()
		if err != nil {
			t.Fatalf("decoded %q cannot be encoded: %v", text, err)
		}
		twice := must(must(auth.DecodeCredential(once)).Encode())
		if string(once) != string(twice) {
			t.Errorf("encoded %s, then %s", once, twice)
		}
		must(json.Marshal(c))
	})
}
