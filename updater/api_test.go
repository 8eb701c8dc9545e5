package updater

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"redyn/auth"
	"redyn/backend/dns"
)

// Who does not show who he is learns nothing, nor does one whose credential has ended or only reads.
func TestAPIAuthentication(t *testing.T) {
	c := apiServer(t, Options{})
	const path = "zones/example.org/rrsets/www.example.org/A"
	body := `{"content":["192.0.2.1"]}`
	denied := func(who *apiCaller, method, path, body string) {
		t.Helper()
		a := who.call(method, path, body)
		if a.StatusCode != 401 || a.body != `{"error":"Authentication failed."}` || a.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s %s: answer %d %s", method, path, a.StatusCode, a.body)
		}
	}
	nobody := &apiCaller{server: c.server}
	for _, op := range operations {
		segment := strings.NewReplacer("{zone}", "example.org", "{name}", "www.example.org", "{type}", "A", "{host}", "17", "{credential}", "x")
		denied(nobody, op.method, segment.Replace(op.path), "nonsense")
		denied(c.as("wrong"), op.method, segment.Replace(op.path), "nonsense")
	}
	reader := c.as(c.tokenFor(func(one *auth.Credential) {
		one.ReadOnly, one.Grant = true, auth.Grant{Zones: []auth.Area{{Name: org}}}
	}))
	denied(reader, "PUT", path, body)
	denied(reader, "POST", "credentials", `{"kind":"token","zones":"example.org"}`)
	reader.refuses("GET", path, "", 404, noSuch)
	ended := c.as(c.tokenFor(func(one *auth.Credential) {
		one.Expires, one.Grant = start, auth.Grant{Zones: []auth.Area{{Name: org}}}
	}))
	denied(ended, "GET", "zones", "")
	elsewhere := c.as(c.tokenFor(func(one *auth.Credential) {
		one.Grant = auth.Grant{Zones: []auth.Area{{Name: org}}, Networks: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}}
	}))
	denied(elsewhere, "GET", "zones", "")

	// A password goes by Basic authentication, and nothing by the query.
	c.passwordFor("pass", func(one *auth.Credential) { one.Grant = auth.Grant{Zones: []auth.Area{{Name: org}}} })
	id := c.store.credentials[len(c.store.credentials)-1].ID
	byPassword := &apiCaller{c.server, []string{basic(id, "pass")}}
	byPassword.gives("PUT", path, body, 200, `{"name":"www.example.org.","type":"A","ttl":3600,"content":["192.0.2.1"]}`)
	denied(nobody, "GET", "zones?username="+id+"&password=pass", "")
	if strings.Contains(c.log.String(), "pass\"") {
		t.Errorf("the log has a password:\n%s", c.log)
	}
}

func TestAPIPaths(t *testing.T) {
	c := apiServer(t, Options{})
	c.refuses("GET", "", "", 404, "nothing is on this path")
	c.refuses("GET", "zones/", "", 404, "nothing is on this path")
	c.refuses("GET", "records", "", 404, "nothing is on this path")
	c.refuses("GET", "zones/example.org/rrsets/x/y/z", "", 404, "nothing is on this path")
	a := c.call("PUT", "zones/example.org", "{}")
	if a.StatusCode != 405 || a.Header.Get("Allow") != "GET, DELETE" {
		t.Errorf("answer %d, Allow: %s", a.StatusCode, a.Header.Get("Allow"))
	}
	if a := c.call("OPTIONS", "zones", ""); a.StatusCode != 405 || a.Header.Get("Allow") != "GET, POST" {
		t.Errorf("answer %d to OPTIONS, Allow: %s", a.StatusCode, a.Header.Get("Allow"))
	}
	// Whatever is wrong is told in JSON.
	c.refuses("OPTIONS", "zones", "", 405, "the method is not allowed here; expected GET, POST")
	c.refuses("GET", "zones/%zz", "", 400, "the path has a broken escape")
	c.refuses("GET", "zones?limit=%", "", 400, "the query: ")
	c.refuses("POST", "zones", strings.Repeat("x", mostBody+1), 413, "the body is longer than 16384 octets")
	twice := &apiCaller{c.server, append(c.header, c.header...)}
	twice.refuses("GET", "zones", "", 400, "the header Authorization is given twice")
	c.store.panics = true
	c.refuses("GET", "zones", "", 500, "a fault of this server")
	c.store.panics = false
	// Without a manager there is no API.
	c.Manager = nil
	if a := c.call("GET", "zones", ""); a.StatusCode != 404 {
		t.Errorf("answer %d without a manager", a.StatusCode)
	}
}

func TestAPIUnavailable(t *testing.T) {
	c := apiServer(t, Options{SourceLimit: auth.Limit{Count: 3, Per: time.Minute}})
	c.store.away = errAway
	c.refuses("GET", "zones", "", 503, "not available now; try again later")
	c.refuses("POST", "hosts", `{"name":"a.example.org"}`, 503, "not available now; try again later")
	c.refuses("PUT", "zones/example.org/rrsets/www.example.org/A", `{"content":"192.0.2.1"}`, 503, "not available now; try again later")
	if a := c.call("GET", "zones", ""); a.StatusCode != 429 || a.Header.Get("Retry-After") == "" {
		t.Errorf("answer %d to one request too many", a.StatusCode)
	}
}

// A zone that is there and could not be read is none that is empty.
func TestAPIUnreadZone(t *testing.T) {
	c := apiServer(t, Options{})
	c.store.load(dns.Zone{ID: zoneID, Name: org, Unknown: true})
	const path, body = "zones/example.org/rrsets/www.example.org/A", `{"content":"192.0.2.1"}`
	for _, one := range [][3]string{{"GET", path, ""}, {"PUT", path, body}, {"DELETE", path, ""}, {"GET", "zones/example.org/rrsets", ""}, {"GET", "zones/example.org/rrsets?name=www.example.org", ""}} {
		c.refuses(one[0], one[1], one[2], 503, "not available now; try again later")
	}
	c.gives("GET", "zones/example.org", "", 200, `{"name":"example.org.","id":1,"kind":"","serial":0,"serial_policy":"","notified_serial":0,"unknown":true}`)
}

// An HMAC signs method, path, and all members of the body; each signature does one thing once.
func TestAPIHMAC(t *testing.T) {
	s := hmacServer(t, Options{})
	s.Manager = fakeManager{s.store}
	c, err := auth.NewHMACCredential("0000000000abc", auth.NewSecret(vectorSecret), nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Grant.Zones = []auth.Area{{Name: org, Below: true}}
	s.add(c, nil, nil)
	at := start
	// signs makes the headers for a body, which may be sent with another.
	signs := func(method, path, body string) *apiCaller {
		at = at.Add(time.Second)
		params, err := auth.ParseJSONParams([]byte(body))
		if body != "" && err != nil {
			t.Fatal(err)
		}
		q := auth.HMACRequest{Method: method, Path: apiPrefix + path, Params: params}
		authorization, text := q.Sign(c.ID, auth.NewSecret(vectorSecret), at)
		return &apiCaller{s, []string{"Authorization: " + authorization, "Conexim-Time: " + text}}
	}
	const www = "zones/example.org/rrsets/www.example.org/A"
	body := `{"ttl":60,"content":"192.0.2.2\n192.0.2.1"}`
	signs("PUT", www, body).gives("PUT", www, body, 200, `{"name":"www.example.org.","type":"A","ttl":60,"content":["192.0.2.1","192.0.2.2"]}`)
	denied := func(who *apiCaller, method, path, body string) {
		t.Helper()
		who.refuses(method, path, body, 401, "Authentication failed.")
	}
	denied(signs("PUT", www, body), "PUT", www, `{"ttl":61,"content":"192.0.2.2\n192.0.2.1"}`)
	denied(signs("PUT", www, body), "PATCH", www, body)
	denied(signs("PUT", www, body), "PUT", "zones/example.org/rrsets/mail.example.org/A", body)
	// What is signed as a member of the body is none of the query, and stands once.
	signs("PUT", www, body).refuses("PUT", www+"?ttl=60", `{"content":"192.0.2.2\n192.0.2.1"}`, 400, `parameter "ttl" is not known here`)
	twice := `{"ttl":60,"TTL":61,"content":"192.0.2.3"}`
	signs("PUT", www, twice).refuses("PUT", www, twice, 400, `member "TTL" is given twice`)
	signs("PUT", www, "").refuses("PUT", www, `{"content":["192.0.2.3"]}`, 400, "an HMAC signs no others")
	s.has("www.example.org.", dns.TypeA, "192.0.2.1", "192.0.2.2")

	// Once: a record, a host, a credential, and whatever else.
	for _, one := range []struct {
		method, path, body string
		status             int
	}{
		{"DELETE", www, "", http.StatusNoContent},
		{"POST", "hosts", `{"name":"new.example.org"}`, http.StatusCreated},
		{"PATCH", "hosts/new.example.org", `{"policy":"preserve"}`, http.StatusOK},
		{"POST", "credentials", `{"kind":"token","hosts":"new.example.org","types":"A,AAAA"}`, http.StatusCreated},
		{"DELETE", "hosts/new.example.org", "", http.StatusNoContent},
		{"POST", "zones", `{"name":"sub.example.org","nameservers":"ns1.example.org,ns2.example.org"}`, http.StatusCreated},
		{"DELETE", "zones/sub.example.org", "", http.StatusNoContent},
	} {
		who := signs(one.method, one.path, one.body)
		if a := who.call(one.method, one.path, one.body); a.StatusCode != one.status {
			t.Errorf("%s %s: answer %d %s; want %d", one.method, one.path, a.StatusCode, a.body, one.status)
		}
		again := who.call(one.method, one.path, one.body)
		if again.StatusCode != 401 && again.StatusCode != 404 && again.StatusCode != 409 {
			t.Errorf("%s %s once more: answer %d %s", one.method, one.path, again.StatusCode, again.body)
		}
	}
}
