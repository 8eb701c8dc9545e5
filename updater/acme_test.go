package updater

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"redyn/auth"
	"redyn/backend/dns"
)

const challenge1, challenge2 = "LPsIwTo7o8BoG0-vjCyGQGBWSVIPxI-i_X336eUOQZo", "Sj1wRHJMIdMTuhYGdxQkXHHHbJGkr9HpvAzz6NbCvIw"

const homeChallenge dns.Name = "_acme-challenge.home.example.org."

// acmeServer has a token for challenges of home.
func acmeServer(t testing.TB, o Options) (s *server, secret string) {
	t.Helper()
	s = serve(t, o)
	s.store.addHost(17, home)
	return s, s.tokenFor(func(c *auth.Credential) { c.Grant.Types = []dns.Type{dns.TypeTXT} }, home)
}

func (s *server) postJSON(target, body string, header ...string) answer {
	s.t.Helper()
	return s.send("POST " + target + " HTTP/1.1\r\nHost: dyn.example\r\nContent-Type: application/json\r\nContent-Length: " +
		itoa(len(body)) + "\r\n" + lines(header) + "\r\n" + body)
}

// lego and acme.sh add a value, and take it away again.
func TestHTTPReq(t *testing.T) {
	s, secret := acmeServer(t, Options{HostLimit: auth.Limit{Count: 1, Per: 1e12}})
	own := basic("home.example.org", secret)
	body := func(fqdn, value string) string { return `{"fqdn": "` + fqdn + `", "value": "` + value + `"}` }
	f := func(target, body string, status int, want string) {
		t.Helper()
		s.postJSON(target, body, own).is(t, status, want)
	}
	one, two := body("_acme-challenge.home.example.org.", challenge1), body("_ACME-challenge.Home.example.org", challenge2)
	// The JSON comes back as it was.
	f("/present", one, 200, one)
	f("/present", two, 200, two)
	f("/present", one, 200, one)
	s.has(homeChallenge, dns.TypeTXT, `"`+challenge1+`"`, `"`+challenge2+`"`)
	f("/cleanup", one, 200, one)
	s.has(homeChallenge, dns.TypeTXT, `"`+challenge2+`"`)
	f("/cleanup", one, 200, one)
	f("/cleanup", two, 200, two)
	s.has(homeChallenge, dns.TypeTXT)

	// lego's raw mode: the value is made of the key's authorization.
	raw := `{"domain":"home.example.org","token":"tok","keyAuth":"tok.thumb"}`
	f("/present", raw, 200, raw)
	s.has(homeChallenge, dns.TypeTXT, `"sYAwVrqDtVOuJZvAHurSAYPoEt5fFV_C4bdSOOW-o5Y"`)
	f("/cleanup", raw, 200, raw)

	const nohost = "there is no such host, or it is not granted"
	f("/present", body("_acme-challenge.office.example.org", challenge1), 404, nohost)
	f("/present", body("_acme-challenge.below.home.example.org", challenge1), 404, nohost)
	f("/present", body("home.example.org", challenge1), 400, `fqdn "home.example.org" is no name below _acme-challenge.`)
	f("/present", body("_acme-challenge.", challenge1), 400, `fqdn "_acme-challenge." is no name below _acme-challenge.`)
	f("/present", body("_acme-challenge.home.example.org", `a\" \"b`), 400, `value "a\" \"b" is none of a challenge, which is base64 in the URL alphabet`)
	f("/present", `{"fqdn":"_acme-challenge.home.example.org"}`, 400, `value "" is none of a challenge, which is base64 in the URL alphabet`)
	f("/present", `{"fqdn":["x"]}`, 400, "the body: member 1 of the JSON object is not text, a number, true or false")
	f("/present", `nonsense`, 400, "the body: the body is not a JSON object")
	s.postJSON("/present", one).is(t, 401, "Authentication failed.")
	s.postJSON("/present", one, basic("home.example.org", "wrong")).is(t, 401, "Authentication failed.")
	s.get("/present").is(t, 405, "the method is not allowed here; expected POST")
	s.has(homeChallenge, dns.TypeTXT)
}

// Who may change addresses may not prove that a name is his, and the other way round.
func TestChallengeTypes(t *testing.T) {
	s, secret := acmeServer(t, Options{})
	addresses := "Authorization: Token " + s.tokenFor(nil, home)
	s.postJSON("/present", `{"fqdn":"_acme-challenge.home.example.org","value":"`+challenge1+`"}`, addresses).is(t, 401, "Authentication failed.")
	s.get("/nic/update?hostname=home.example.org", basic("", secret)).is(t, 401, "badauth")
}

// A challenge is computed from the values that there are; another's meanwhile is not lost.
func TestChallengeConflict(t *testing.T) {
	s, secret := acmeServer(t, Options{})
	s.store.conflicts = 1
	s.store.meanwhile = func() { s.store.set(homeChallenge, dns.TypeTXT, `"`+challenge2+`"`) }
	s.postJSON("/present", `{"fqdn":"_acme-challenge.home.example.org","value":"`+challenge1+`"}`, basic("", secret))
	s.has(homeChallenge, dns.TypeTXT, `"`+challenge1+`"`, `"`+challenge2+`"`)
}

func TestChallengesAreBounded(t *testing.T) {
	s, secret := acmeServer(t, Options{})
	for i := range mostContent {
		s.postJSON("/present", `{"fqdn":"_acme-challenge.home.example.org","value":"v`+itoa(i)+`"}`, basic("", secret))
	}
	s.postJSON("/present", `{"fqdn":"_acme-challenge.home.example.org","value":"more"}`, basic("", secret)).is(t, 400,
		"_acme-challenge.home.example.org. would have 65 records; 64 are most")
}

// acme-dns: whoever registers gets a name of his own, and sets what is there.
func TestACMEDNS(t *testing.T) {
	registrar := new(fakeRegistrar)
	s := serve(t, Options{RegisterZone: "acme.example.org.", Registrar: registrar})
	registrar.store = s.store
	a := s.postJSON("/register", "")
	if a.StatusCode != 201 || a.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("answer %d %s", a.StatusCode, a.body)
	}
	var got struct {
		Username, Password, Fulldomain, Subdomain string
		AllowFrom                                 []string
	}
	if err := json.Unmarshal([]byte(a.body), &got); err != nil {
		t.Fatal(err)
	}
	uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	if !uuid.MatchString(got.Subdomain) || !uuid.MatchString(got.Username) || len(got.Password) != registeredLen || got.AllowFrom == nil {
		t.Errorf("registered is %+v", got)
	}
	if strings.Contains(a.body, "\n") || got.Fulldomain != "_acme-challenge."+got.Subdomain+".acme.example.org" {
		t.Errorf("answer %q", a.body)
	}

	key := []string{"X-Api-User: " + got.Username, "X-Api-Key: " + got.Password}
	full := dns.Name(got.Fulldomain + ".")
	update := func(txt string, status int, want string, header ...string) {
		t.Helper()
		s.postJSON("/update", `{"subdomain":"`+got.Subdomain+`","txt":"`+txt+`"}`, header...).is(t, status, want)
	}
	value := func(c byte) string { return strings.Repeat(string(c), valueLen) }
	// The two newest stay, whatever their order.
	for _, order := range []string{"abc", "cba", "bca", "acb", "aab", "aba", "abcb", "cabbca"} {
		for i := range len(order) {
			update(value(order[i]), 200, `{"txt": "`+value(order[i])+`"}`, key...)
			want := map[byte]bool{order[i]: true}
			for j := i; j >= 0 && len(want) < 2; j-- {
				want[order[j]] = true
			}
			have := s.store.get(full, dns.TypeTXT)
			if i > 1 && (len(have) != 2 || !want[have[0][1]] || !want[have[1][1]]) {
				t.Errorf("after %s there are %q", order[:i+1], have)
			}
		}
	}

	const forbidden = `{"error": "forbidden"}`
	update(value('x'), 401, forbidden)
	update(value('x'), 401, forbidden, key[0])
	update(value('x'), 401, forbidden, key[1])
	update(value('x'), 401, forbidden, key[0], "X-Api-Key: "+strings.Repeat("x", 40))
	update(value('x'), 401, forbidden, "X-Api-User: c36f50e8-4632-44f0-83fe-e070fef28a10", key[1])
	update("short", 401, forbidden)
	update("short", 400, `{"error": "bad_txt"}`, key...)
	update(strings.Repeat("=", 43), 400, `{"error": "bad_txt"}`, key...)
	s.postJSON("/update", `{"subdomain":"`+newUUID()+`","txt":"`+value('x')+`"}`, key...).is(t, 401, forbidden)
	s.postJSON("/update", `{"subdomain":"","txt":"`+value('x')+`"}`, key...).is(t, 400, `{"error": "bad_subdomain"}`)
	s.postJSON("/update", `{"subdomain":"a..b","txt":"`+value('x')+`"}`, key...).is(t, 400, `{"error": "bad_subdomain"}`)
	s.postJSON("/update", `{"subdomain"`, key...).is(t, 400, `{"error": "malformed_json_payload"}`)
	// curl calls what acme.sh posts a form.
	s.post("/update", `{"subdomain":"`+got.Subdomain+`","txt":"`+value('z')+`"}`, key...).is(t, 200, `{"txt": "`+value('z')+`"}`)
	s.get("/health").is(t, 200, "")
	s.store.away = errAway
	update(value('x'), 503, `{"error": "db_error"}`, key...)
}

// A host's own credential for challenges works too, by its id or the host's name.
func TestACMEDNSOfHost(t *testing.T) {
	s, secret := acmeServer(t, Options{})
	body := `{"subdomain":"home.example.org","txt":"` + challenge1 + `"}`
	id := s.store.credentials[0].ID
	for _, user := range []string{id, "home.example.org", "17"} {
		s.postJSON("/update", body, "X-Api-User: "+user, "X-Api-Key: "+secret).is(t, 200, `{"txt": "`+challenge1+`"}`)
	}
	s.postJSON("/update", body, "X-Api-User: joe", "X-Api-Key: "+secret).is(t, 401, `{"error": "forbidden"}`)
	s.has(homeChallenge, dns.TypeTXT, `"`+challenge1+`"`)
	// The path is others' too.
	s.get("/update?hostname=home.example.org", basic("", s.tokenFor(nil, home))).is(t, 200, "good")
	s.post("/update", "hostname=home.example.org", basic("", s.tokenFor(nil, home))).is(t, 200, "good")
}

func TestRegister(t *testing.T) {
	serve(t, Options{}).postJSON("/register", "").is(t, 404, "nobody can register here")

	registrar := new(fakeRegistrar)
	s := serve(t, Options{RegisterZone: "acme.example.org.", Registrar: registrar})
	registrar.store = s.store
	a := s.postJSON("/register", `{"allowfrom":["192.0.2.77/24","2001:db8::1"]}`)
	if a.StatusCode != 201 || !strings.HasSuffix(a.body, `"allowfrom":["192.0.2.0/24","2001:db8::1/128"]}`) {
		t.Errorf("answer %d %s", a.StatusCode, a.body)
	}
	if c := s.store.credentials[0]; len(c.Grant.Networks) != 2 || len(c.Grant.Types) != 1 {
		t.Errorf("credential is %+v", c)
	}
	s.postJSON("/register", `{"allowfrom":["192.0.2.0/33"]}`).is(t, 400, `{"error": "invalid_allowfrom_cidr"}`)
	s.postJSON("/register", `{"allowfrom":"192.0.2.0/24"}`).is(t, 400, `{"error": "malformed_json_payload"}`)
	s.postJSON("/register", `{} {}`).is(t, 400, `{"error": "malformed_json_payload"}`)
	s.get("/register").is(t, 405, "the method is not allowed here; expected POST")
	s.store.away = errAway
	s.postJSON("/register", "").is(t, 503, `{"error": "db_error"}`)

	registrar = new(fakeRegistrar)
	s = serve(t, Options{RegisterZone: "acme.example.com.", Registrar: registrar})
	s.postJSON("/register", "").is(t, 500, `{"error": "db_error"}`)
}

type fakeRegistrar struct{ store *fakeStore }

func (f *fakeRegistrar) AddCredential(_ context.Context, c auth.Credential, _ string) error {
	f.store.mu.Lock()
	defer f.store.mu.Unlock()
	f.store.credentials = append(f.store.credentials, c)
	return nil
}
