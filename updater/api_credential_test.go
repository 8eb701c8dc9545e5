package updater

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"redyn/auth"
	"redyn/backend/dns"
)

// creates has a credential created, and returns what is told of it.
func (c *apiCaller) creates(body string) created {
	c.t.Helper()
	a := c.call("POST", "credentials", body)
	var got created
	if err := json.Unmarshal([]byte(a.body), &got); err != nil || a.StatusCode != 201 || got.ID == "" {
		c.t.Fatalf("POST credentials %s: answer %d %s", body, a.StatusCode, a.body)
	}
	return got
}

// What is handed out works, as far as it goes, until it is revoked.
func TestAPICredentials(t *testing.T) {
	c := apiServer(t, Options{})
	got := c.creates(`{"kind":"token","hosts":["home.example.org"],"expires":"2030-01-02T03:04:05Z"}`)
	one := c.as(got.Secret)
	if a := one.call("PUT", "zones/example.org/rrsets/home.example.org/A", `{"content":["192.0.2.1"]}`); a.StatusCode != 200 {
		t.Errorf("the new token is answered %d %s", a.StatusCode, a.body)
	}
	want := `{"id":"` + got.ID + `","kind":"token","hosts":[{"host":17,"name":"home.example.org."}],"expires":"2030-01-02T03:04:05Z","created":"2023-11-14T22:13:20Z","detail":"SHA-256"}`
	c.gives("GET", "credentials/"+got.ID, "", 200, want)
	c.gives("GET", "credentials?host=17", "", 200, `{"credentials":[`+c.own()+`,`+want+`]}`)
	one.gives("GET", "credentials?host=home.example.org", "", 200, `{"credentials":[`+want+`]}`)
	if c.store.audit[0] != c.store.credentials[0].ID || !strings.Contains(c.log.String(), `msg="credential created" credential=`+got.ID) {
		t.Errorf("created by %q\n%s", c.store.audit, c.log)
	}
	if strings.Contains(c.log.String(), got.Secret) {
		t.Error("the log has the secret")
	}
	c.gives("PATCH", "credentials/"+got.ID, `{"revoked":true}`, 200, strings.Replace(want, `"created"`, `"revoked":true,"created"`, 1))
	one.refuses("GET", "hosts", "", 401, "Authentication failed.")
	c.gives("DELETE", "credentials/"+got.ID, "", 204, "")
	c.refuses("GET", "credentials/"+got.ID, "", 404, noSuch)

	password := c.creates(`{"kind":"password","hosts":"home.example.org"}`)
	c.get("/nic/update?hostname=home.example.org&myip=192.0.2.2", basic("home.example.org", password.Secret)).is(t, 200, "good 192.0.2.2")
	hashed := c.creates(`{"kind":"password","hosts":"office.example.org","password_hash":"$2y$04$0ZkSqtMhQpmkHVHsYPo4AOO0qvCbr0yJ2ohHKV0xUHtZLxB7PJnjO"}`)
	key := c.creates(`{"kind":"publickey","hosts":"17","public_key":` + quotedPEM(t) + `}`)
	if hashed.Secret != "" || key.Secret != "" {
		t.Errorf("secrets are %q, %q", hashed.Secret, key.Secret)
	}
	hmac := c.creates(`{"kind":"hmac","zones":"example.org","types":["TXT"],"read_only":true,"networks":["127.0.0.1"]}`)
	c.gives("GET", "credentials?zone=example.org", "", 200, `{"credentials":[`+c.own()+`,{"id":"`+hmac.ID+
		`","kind":"hmac","zones":[{"name":"example.org."}],"types":["TXT"],"networks":["127.0.0.1/32"],"read_only":true,"created":"2023-11-14T22:13:20Z","detail":"HMAC-SHA-256, not sealed"}]}`)
}

// own is the caller's credential in JSON.
func (c *apiCaller) own() string {
	text, err := json.Marshal(c.store.credentials[0])
	if err != nil {
		c.t.Fatal(err)
	}
	return string(text)
}

func quotedPEM(t *testing.T) string {
	t.Helper()
	text, err := json.Marshal(newSigner(t, "Ed25519").pem())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestAPICredentialRefused(t *testing.T) {
	c := apiServer(t, Options{})
	c.store.addHost(19, "home.example.net.")
	f := func(body string, status int, want string) {
		t.Helper()
		c.refuses("POST", "credentials", body, status, want)
	}
	f(`{"kind":"token"}`, 400, "nothing is granted; expected hosts or zones")
	f(`{"kind":"ticket","hosts":"17"}`, 400, `kind "ticket" is unknown`)
	f(`{"kind":"token","hosts":"17","public_key":"x"}`, 400, "public_key is for the kind publickey, and for no other")
	f(`{"kind":"publickey","hosts":"17"}`, 400, "public_key is for the kind publickey, and for no other")
	f(`{"kind":"publickey","hosts":"17","public_key":"x"}`, 400, "the public key is not PEM")
	f(`{"kind":"token","hosts":"17","password_hash":"x"}`, 400, "password_hash is for the kind password alone")
	f(`{"kind":"password","hosts":"17","password_hash":"x"}`, 400, "hash")
	f(`{"kind":"password","hosts":"17","password_hash":"$argon2id$v=19$m=262144,t=16,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"}`,
		400, "password_hash: the password hash (argon2id, m=262144,t=16,p=1) is too dear; expected argon2id with m up to 65536, m*t up to 196608 and p up to 4, or bcrypt of cost up to 12")
	f(`{"kind":"token","hosts":"17","expires":"2001-01-01T00:00:00Z"}`, 400, "expires is past")
	f(`{"kind":"token","hosts":"17","expires":"9999-12-31T23:59:59-12:00"}`, 400, "expires is beyond the year 9999")
	f(`{"kind":"token","hosts":"17","expires":"tomorrow"}`, 400, `the body: "tomorrow" is no time; expected a time such as 2027-01-31T12:00:00Z`)
	f(`{"kind":"token","hosts":"17","expires":5}`, 400, "the body: expires: expected a time such as 2027-01-31T12:00:00Z, not number")
	f(`{"kind":"token","hosts":17}`, 400, `the body: "17" is neither a list of texts nor a text`)
	f(`{"kind":"token","hosts":[17]}`, 400, `the body: "[17]" is neither a list of texts nor a text`)
	f(`{"kind":5,"hosts":"17"}`, 400, "the body: kind: expected a text, not number")
	f(`{"kind":"token","hosts":"17","below":"yes"}`, 400, "the body: below: expected true or false, not string")
	f(`{"kind":"token","hosts":"17","types":"NONSENSE"}`, 400, "the type: ")
	f(`{"kind":"token","hosts":"17","networks":"127"}`, 400, `network "127" is not`)
	f(`{"kind":"token","hosts":"99"}`, 404, noSuch)
	f(`{"kind":"token","hosts":["17","99"]}`, 404, noSuch)
	f(`{"kind":"token","hosts":"19"}`, 404, noSuch)
	f(`{"kind":"token","zones":"none.example.org"}`, 403, "more than the credential")
	f(`{"kind":"token","zones":"example.net"}`, 403, "more than the credential")
	f(`{"kind":"token","zones":"example.org","below":true}`, 403, "more than the credential")
	c.refuses("GET", "credentials", "", 400, "expected host=NAME, or zone=NAME")
	c.refuses("GET", "credentials?host=17&zone=example.org", "", 400, "expected host=NAME, or zone=NAME")
	c.refuses("PATCH", "credentials/x", `{"revoked":false}`, 400, `expected {"revoked": true}`)
	if len(c.store.audit) > 0 {
		t.Errorf("%d credentials are created", len(c.store.audit))
	}
}

// Nobody hands out more than he has, nor touches what others have more of.
func TestAPIHandsOutNoMore(t *testing.T) {
	c := apiServer(t, Options{})
	soon := start.Add(time.Hour)
	limited := c.as(c.tokenFor(func(o *auth.Credential) {
		o.Expires = soon
		o.Grant = auth.Grant{
			Zones: []auth.Area{{Name: org}}, Types: []dns.Type{dns.TypeA},
			Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		}
	}, home))
	limits := `,"types":"A","networks":"127.0.0.1","expires":"` + soon.UTC().Format(time.RFC3339) + `"`
	limited.creates(`{"kind":"token","hosts":"home.example.org"` + limits + `}`)
	more := func(body string) {
		t.Helper()
		limited.refuses("POST", "credentials", body, 403, "more than the credential")
	}
	more(`{"kind":"token","hosts":"home.example.org"}`)
	more(`{"kind":"token","zones":"example.net"` + limits + `}`)
	more(`{"kind":"token","zones":"example.org","below":true` + limits + `}`)
	more(strings.Replace(`{"kind":"token","hosts":"17"`+limits+`}`, `"A"`, `"A,AAAA"`, 1))
	more(strings.Replace(`{"kind":"token","hosts":"17"`+limits+`}`, `127.0.0.1`, `0.0.0.0/0`, 1))
	more(`{"kind":"token","hosts":"17","types":"A","networks":"127.0.0.1"}`)
	own := c.store.credentials[0].ID
	limited.refuses("GET", "credentials/"+own, "", 404, noSuch)
	limited.refuses("PATCH", "credentials/"+own, `{"revoked":true}`, 404, noSuch)
	limited.refuses("DELETE", "credentials/"+own, "", 404, noSuch)
	limited.refuses("GET", "credentials/none", "", 404, noSuch)
}

// What a host has sees its like, and neither makes nor ends any: it may be stolen from a router.
func TestAPIHostsHandOutNothing(t *testing.T) {
	c := apiServer(t, Options{})
	other := c.creates(`{"kind":"token","hosts":"home.example.org"}`)
	host := c.as(c.creates(`{"kind":"token","hosts":"home.example.org"}`).Secret)
	if a := host.call("GET", "credentials/"+other.ID, ""); a.StatusCode != 200 {
		t.Errorf("the other is answered %d %s", a.StatusCode, a.body)
	}
	const more = "more than the credential"
	host.refuses("POST", "credentials", `{"kind":"token","hosts":"home.example.org"}`, 403, more)
	host.refuses("PATCH", "credentials/"+other.ID, `{"revoked":true}`, 403, more)
	host.refuses("DELETE", "credentials/"+other.ID, "", 403, more)
	c.gives("DELETE", "credentials/"+other.ID, "", 204, "")
}

// Who proves names to a CA alone hands out that alone.
func TestAPIHandsOutChallenges(t *testing.T) {
	c := apiServer(t, Options{})
	texts := c.as(c.tokenOf(auth.Grant{Zones: []auth.Area{{Name: org}}, Types: []dns.Type{dns.TypeTXT}}))
	texts.creates(`{"kind":"token","hosts":"home.example.org","types":"TXT"}`)
	texts.refuses("POST", "credentials", `{"kind":"token","hosts":"home.example.org"}`, 403, "more than the credential")
	texts.refuses("PATCH", "hosts/17", `{"policy":"preserve"}`, 403, "more than the credential")
	above := c.as(c.tokenOf(auth.Grant{Zones: []auth.Area{{Name: org, Below: true}}}))
	above.refuses("POST", "credentials", `{"kind":"token","zones":"none.example.org"}`, 404, noSuch)
}

// For one name there are never so many that those of others are not looked at any more.
func TestAPICredentialsAreBounded(t *testing.T) {
	c := apiServer(t, Options{})
	for range auth.MaxCandidates {
		c.creates(`{"kind":"token","hosts":"home.example.org"}`)
	}
	c.refuses("POST", "credentials", `{"kind":"token","hosts":"home.example.org"}`, 400, "home.example.org. has 8 credentials of kind token already; delete one first")
	c.creates(`{"kind":"password","hosts":"home.example.org"}`)
	c.creates(`{"kind":"token","hosts":"office.example.org"}`)
}
