package updater

import (
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"
	"testing"
	"time"

	"redyn/auth"
	"redyn/backend/dns"
)

// The key of the vectors (updates.md A3).
const (
	vectorID     = "51f881d6d158f"
	vectorSecret = "19d6a39ee3edf428ae156842026241bc"
	vectorHost   = dns.Name("home.example.test.")
)

// hmacServer has the vectors' key, for the vectors' host and home.
func hmacServer(t testing.TB, o Options) *server {
	t.Helper()
	s := serve(t, o)
	s.store.load(dns.Zone{ID: 7, Name: "example.test.", Kind: dns.Native},
		dns.NewRRset("example.test.", dns.TypeSOA, 60, "a. b. 1 2 3 4 5"))
	c, err := auth.NewHMACCredential(vectorID, auth.NewSecret(vectorSecret), nil)
	if err != nil {
		t.Fatal(err)
	}
	s.add(c, nil, []dns.Name{vectorHost, home})
	s.store.addHost(17, home)
	return s
}

// conexim are the headers of a signature.
func conexim(signature string, at time.Time) []string {
	return []string{"Authorization: CONEXIM " + vectorID + ":" + signature, "Conexim-Time: " + unix(at)}
}

// signed are the headers of a request that is signed now.
func signed(method, path, params string, at time.Time) []string {
	form, err := auth.ParseForm(params)
	if err != nil {
		panic(err)
	}
	authorization, text := auth.HMACRequest{Method: method, Path: path, Params: form}.Sign(vectorID, auth.NewSecret(vectorSecret), at)
	return []string{"Authorization: " + authorization, "Conexim-Time: " + text}
}

func unix(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

// The third vector is an update: by the raw digest, and by that in hex.
func TestHMACVector(t *testing.T) {
	const raw = "HFOf0df2UG+NFUIlAqHh4ENnh8U+rLOB2ZmjEU/l3ts="
	const hexed = "MWM1MzlmZDFkN2Y2NTA2ZjhkMTU0MjI1MDJhMWUxZTA0MzY3ODdjNTNlYWNiMzgxZDk5OWEzMTE0ZmU1ZGVkYg=="
	const target = "/nic/update?hostname=home.example.test&myip=192.0.2.1"
	for _, signature := range []string{raw, hexed} {
		s := hmacServer(t, Options{})
		s.get(target, conexim(signature, start)...).is(t, 200, "good 192.0.2.1")
		s.has(vectorHost, dns.TypeA, "192.0.2.1")
		// Once, however the digest is written, and in whatever order the parameters stand.
		s.get(target, conexim(raw, start)...).is(t, 401, "badauth")
		s.get(target, conexim(hexed, start)...).is(t, 401, "badauth")
		s.get("/nic/update?myip=192.0.2.1&hostname=home.example.test", conexim(raw, start)...).is(t, 401, "badauth")
		if len(s.store.updates) != 1 {
			t.Errorf("%d changes are made", len(s.store.updates))
		}
		s.stop()
	}
	s := hmacServer(t, Options{Verifier: auth.NewVerifier(auth.Options{RawDigestOnly: true})})
	s.get(target, conexim(hexed, start)...).is(t, 401, "badauth")
	s.get(target, conexim(raw, start)...).is(t, 200, "good 192.0.2.1")
}

func TestHMACCoversEverything(t *testing.T) {
	s := hmacServer(t, Options{})
	const params = "hostname=home.example.test&myip=192.0.2.1"
	own := signed("GET", "/nic/update", params, start)
	f := func(target string) {
		t.Helper()
		s.get(target, own...).is(t, 401, "badauth")
	}
	f("/nic/update?hostname=home.example.test&myip=192.0.2.2")
	f("/nic/update?hostname=home.example.org&myip=192.0.2.1")
	f("/nic/update?" + params + "&myipv6=2001:db8::1")
	f("/nic/update?" + params + "&x=")
	f("/v3/update?" + params)
	f("/x/nic/update?" + params)
	f("/nic/update")
	s.post("/nic/update", params, own...).is(t, 401, "badauth")
	s.get("/nic/update?"+params, signed("GET", "/nic/update", "", start)...).is(t, 401, "badauth")
	s.get("/nic/update?"+params, own[0]).is(t, 401, "badauth")
	s.get("/nic/update?"+params, own[0], "Conexim-Time: x").is(t, 401, "badauth")
	s.get("/nic/update?"+params, own[0], "Conexim-Time: 1700000001").is(t, 401, "badauth")
	s.get("/nic/update?"+params, "Authorization: CONEXIM "+vectorID, own[1]).is(t, 401, "badauth")
	s.get("/nic/update?"+params, strings.Replace(own[0], vectorID, "51f881d6d158e", 1), own[1]).is(t, 401, "badauth")
	if len(s.store.updates) != 0 {
		t.Fatalf("changes are %+v", s.store.updates)
	}
	s.get("/nic/update?"+params, own...).is(t, 200, "good 192.0.2.1")
}

// Clock skew is the one reason that is told, in the sentence that clients know, with a Date.
func TestHMACSkew(t *testing.T) {
	s := hmacServer(t, Options{FailureLimit: auth.Limit{Count: 1, Per: time.Minute}})
	const target, params = "/nic/update", "hostname=home.example.org&myip=192.0.2.1"
	f := func(skew time.Duration, status int, want string) {
		t.Helper()
		a := s.get(target+"?"+params, signed("GET", target, params, start.Add(skew))...)
		a.is(t, status, want)
		if _, err := time.Parse(time.RFC1123, a.Header.Get("Date")); err != nil {
			t.Errorf("Date: %v", err)
		}
	}
	f(301*time.Second, 401, auth.SkewText)
	f(-301*time.Second, 401, auth.SkewText)
	f(300*time.Second, 200, "good 192.0.2.1")
	f(-300*time.Second, 200, "nochg 192.0.2.1")
	s.post("/update/17", "ip=192.0.2.2", signed("POST", "/update/17", "ip=192.0.2.2", start.Add(-time.Hour))...).is(t, 401, auth.SkewText)
}

// On every path, with the parameters in whatever form.
func TestHMACPaths(t *testing.T) {
	s := hmacServer(t, Options{})
	at := start
	next := func(method, path, params string) []string {
		at = at.Add(time.Second)
		return signed(method, path, params, at)
	}
	form := "hostname=home.example.org&myip=192.0.2.1"
	s.get("/?"+form, next("GET", "/", form)...).is(t, 200, "good")
	s.get("/a%2Fb/?"+form, next("GET", "/a%2Fb/", form)...).is(t, 200, "good")
	s.post("/nic/update", form, next("POST", "/nic/update", form)...).is(t, 200, "nochg 192.0.2.1")
	s.post("/nic/update?hostname=home.example.org", "myip=192.0.2.2", next("POST", "/nic/update", "hostname=home.example.org&myip=192.0.2.2")...).is(t, 200, "good 192.0.2.2")
	s.post("/update/17", "ipAddress=192.0.2.3", next("POST", "/update/17", "ipAddress=192.0.2.3")...).is(t, 200, "ok")
	s.post("/update-simple/home.example.org", "", next("POST", "/update-simple/home.example.org", "")...).is(t, 200, "ok")
	s.get("/nic/update/home.example.org/192.0.2.4", next("GET", "/nic/update/home.example.org/192.0.2.4", "")...).is(t, 200, "good 192.0.2.4")
	s.post("/update/18", "ip=192.0.2.3", next("POST", "/update/18", "ip=192.0.2.3")...).is(t, 401, "Authentication failed.")

	// A JSON object, as Conexim's pages send it even with GET.
	body := `{"myip":"192.0.2.5","hostname":"home.example.org","n":1.50,"b":true}`
	json := "Content-Type: application/json; charset=utf-8\r\nContent-Length: " + itoa(len(body)) + "\r\n"
	own := lines(next("GET", "/nic/update", "hostname=home.example.org&myip=192.0.2.5&n=1.50&b=true"))
	s.send("GET /nic/update HTTP/1.1\r\nHost: dyn.example\r\n"+json+own+"\r\n"+body).is(t, 200, "good 192.0.2.5")
	body = `{"hostname":["home.example.org"]}`
	json = "Content-Type: application/json\r\nContent-Length: " + itoa(len(body)) + "\r\n"
	s.send("POST /nic/update HTTP/1.1\r\nHost: dyn.example\r\n"+json+own+"\r\n"+body).is(t, 400,
		"the body: member 1 of the JSON object is not text, a number, true or false")
	s.send("POST /nic/update HTTP/1.1\r\nHost: dyn.example\r\nContent-Type: text/xml\r\nContent-Length: 1\r\n"+own+"\r\nx").is(t, 400,
		"the body is neither application/x-www-form-urlencoded nor application/json")

	// Behind a proxy that takes a part of the path away.
	s = hmacServer(t, Options{SignedPathPrefix: "/dns"})
	s.get("/nic/update?"+form, signed("GET", "/dns/nic/update", form, at)...).is(t, 200, "good 192.0.2.1")
	s.get("/nic/update?"+form, signed("GET", "/nic/update", form, at)...).is(t, 401, "badauth")
}

// To read needs no signature over the parameters, and can be done twice.
func TestHMACReads(t *testing.T) {
	s := hmacServer(t, Options{PrivateDomainView: true})
	own := signed("GET", "/domain/17", "", start)
	for range 2 {
		s.get("/domain/17", own...).is(t, 200, "[]")
		s.get("/domain/17?x=1", own...).is(t, 200, "[]")
	}
}

// A signature that a denied or failed update did not use up can be sent again.
func TestHMACNotUsedUp(t *testing.T) {
	s := hmacServer(t, Options{})
	const params = "hostname=home.example.org&myip=192.0.2.1"
	own := signed("GET", "/nic/update", params, start)
	s.store.away = errAway
	s.get("/nic/update?"+params, own...).is(t, 503, "911")
	s.store.away = nil
	s.get("/nic/update?"+params, own...).is(t, 200, "good 192.0.2.1")
}

// hexDigest is how PHP writes a digest that is not asked for raw.
func hexDigest(raw string) string {
	digest, err := base64.StdEncoding.DecodeString(raw)
	if err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString([]byte(hex.EncodeToString(digest)))
}

// All vectors, as they come to be verified here.
func TestHMACVectors(t *testing.T) {
	f := func(method, path, params, signature string) {
		t.Helper()
		s := hmacServer(t, Options{})
		form, err := parseParams(params)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{signature, hexDigest(signature)} {
			h := headers{authorization: "CONEXIM " + vectorID + ":" + text, authorized: true, conexim: unix(start)}
			r := &request{method: method, path: path, params: form, headers: h, now: start, from: loopback}
			a := &attempt{u: s.Updater, r: r, wish: wish{proof: r.proof(), hosts: []*hostWish{{name: vectorHost}}}}
			if err := a.find(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := a.prove(t.Context()); err != nil {
				t.Errorf("%s %s: %v", method, path, auth.ReasonOf(err))
			}
		}
		s.stop()
	}
	f("GET", "/api/dns/v1/domains/example.test", "", "l5KmLNthWLAyDzrTPVFeGLDJgtFqPVf2sUVYGc5uMsU=")
	f("PUT", "/api/dns/v1/domains/example.test", "param1=val1&param2=val2", "oFqiKFaylU0kh+2ipT2mA7DCwPieTHyKur8dsfnYKbo=")
	f("GET", "/nic/update", "hostname=home.example.test&myip=192.0.2.1", "HFOf0df2UG+NFUIlAqHh4ENnh8U+rLOB2ZmjEU/l3ts=")
}
