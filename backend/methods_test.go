package backend

import (
	"fmt"
	"io"
	"net/url"
	"strings"
	"testing"
)

const wwwReply = `{"result":[{"qtype":"A","qname":"www.example.org.","content":"192.0.2.1","ttl":60,"domain_id":1},` +
	`{"qtype":"A","qname":"www.example.org.","content":"192.0.2.3","ttl":60,"domain_id":1}]}`

// TestMethods asks everything over every connector: the answers are the same.
func TestMethods(t *testing.T) {
	reloads := 0
	s := start(t, Options{Reload: func() { reloads++ }, Stats: func() string { return "2 zones" }})
	unix := dial(t, "unix", s.unix)
	post := dial(t, "tcp", s.http)
	postJSON := dial(t, "tcp", s.http)
	rest := dial(t, "tcp", s.http)

	f := func(method, parameters, want string) {
		t.Helper()
		request := fmt.Sprintf(`{"method": %q, "parameters": %s}`, method, parameters)
		if got := unix.line(request); got != want {
			t.Errorf("over unix %s %s = %s; want %s", method, parameters, got, want)
		}
		header := fmt.Sprintf("Content-Type: text/javascript; charset=utf-8\r\nContent-Length: %d\r\n", len(request))
		if r, got := postJSON.exchange("POST /dns", header, request); got != want || r.StatusCode != 200 {
			t.Errorf("as JSON %s %s = %d %s; want %s", method, parameters, r.StatusCode, got, want)
		}
		body := "parameters=" + url.QueryEscape(parameters)
		header = fmt.Sprintf("Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\nContent-Length: %d\r\n", len(body))
		if r, got := post.exchange("POST /dns/"+method, header, body); got != want || r.StatusCode != 200 {
			t.Errorf("as a form %s %s = %d %s; want %s", method, parameters, r.StatusCode, got, want)
		}
	}
	restful := func(request, header, body, want string) {
		t.Helper()
		if body != "" {
			header += fmt.Sprintf("Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\nContent-Length: %d\r\n", len(body))
		}
		if r, got := rest.exchange(request, header, body); got != want || r.StatusCode != 200 {
			t.Errorf("%s = %d %s; want %s", request, r.StatusCode, got, want)
		}
	}

	f("initialize", `{"path": "/run/redyn.sock", "timeout": "2000"}`, `{"result":true}`)

	f("lookup", `{"qname": "www.example.org.", "qtype": "ANY", "zone-id": 1, "remote": "192.0.2.7"}`, wwwReply)
	f("lookup", `{"qname": "WwW.eXample.org", "qtype": "A", "zone-id": -1}`, wwwReply)
	f("lookup", `{"qname": "www.example.org.", "qtype": "AAAA", "zone-id": "1"}`, `{"result":[]}`)
	f("lookup", `{"qname": "www.example.org.", "qtype": "A", "zone-id": 2}`, `{"result":[]}`)
	f("lookup", `{"qname": "nope.example.org.", "qtype": "ANY"}`, `{"result":[]}`)
	f("LOOKUP", `{"qname": "www.example.org.", "qtype": "any"}`, wwwReply)
	f("APILookup", `{"qname": "www.example.org.", "qtype": "A", "zone-id": 1, "include-disabled": true}`, wwwReply)
	restful("GET /dns/lookup/www%2eexample%2eorg%2e/ANY", "X-Remotebackend-Zone-Id: 1\r\n", "", wwwReply)
	restful("GET /dns/lookup/www%2eexample%2eorg%2e/ANY", "x-remotebackend-zone-id: 2\r\n", "", `{"result":[]}`)
	restful("GET /dns/APILookup/WWW%2eexample%2eorg/A", "", "", wwwReply)

	// An empty non-terminal, what is not authoritative, the root zone, and text that needs escapes.
	const ent = `{"result":[{"qtype":"","qname":"wild.example.org.","content":"","ttl":60,"domain_id":1}]}`
	f("lookup", `{"qname": "wild.example.org.", "qtype": "ANY"}`, ent)
	const cut = `{"result":[{"qtype":"NS","qname":"sub.example.org.","content":"ns.sub.example.org","ttl":60,"domain_id":1,"auth":0}]}`
	f("lookup", `{"qname": "sub.example.org.", "qtype": "ANY"}`, cut)
	const root = `{"result":[{"qtype":"NS","qname":".","content":"ns.example.org","ttl":60,"domain_id":2}]}`
	f("lookup", `{"qname": ".", "qtype": "NS"}`, root)
	restful("GET /dns/lookup/%2e/NS", "", "", root)
	const odd = `{"result":[{"qtype":"TXT","qname":"a\\.b\\032c/d.example.org.","content":"\"odd\"","ttl":60,"domain_id":1}]}`
	f("lookup", `{"qname": "a\\.b\\032c\/d.example.org.", "qtype": "ANY"}`, odd)
	f("lookup", `{"qname": "a\\.b c/d.example.org.", "qtype": "ANY"}`, odd)
	restful("GET /dns/lookup/a%5c%2eb%5c032c%2fd%2eexample%2eorg%2e/ANY", "", "", odd)

	const list = `{"result":[{"qtype":"SOA","qname":".","content":"ns.example.org host.example.org 1 3600 600 86400 60","ttl":60},` +
		`{"qtype":"NS","qname":".","content":"ns.example.org","ttl":60}]}`
	f("list", `{"zonename": ".", "domain_id": 2, "include_disabled": false}`, list)
	f("list", `{"zonename": ".", "domain_id": -1}`, list)
	f("list", `{"zonename": "example.net.", "domain_id": 3}`, `{"result":false}`)
	restful("GET /dns/list/2/%2e", "", "", list)
	restful("GET /dns/list/%2d1/%2e", "", "", list)

	const zone = `{"id":1,"zone":"example.org.","serial":3000000001,"notified_serial":7,"kind":"master","masters":["192.0.2.9:53"]}`
	f("getDomainInfo", `{"name": "Example.ORG."}`, `{"result":`+zone+`}`)
	f("getDomainInfo", `{"name": "www.example.org."}`, `{"result":false}`)
	restful("GET /dns/getDomainInfo/example%2eorg%2e", "", "", `{"result":`+zone+`}`)
	const zones = `{"result":[{"id":2,"zone":".","serial":1},` + zone + `]}`
	f("getAllDomains", `{"include_disabled": true}`, zones)
	restful("GET /dns/getAllDomains?includeDisabled=true", "", "", zones)
	restful("GET /dns/getalldomains", "", "", zones)

	const meta = `{"result":{"ALLOW-AXFR-FROM":["127.0.0.0/8"],"X-OWN":["a","b\"c"]}}`
	f("getAllDomainMetadata", `{"name": "example.org."}`, meta)
	f("getAllDomainMetadata", `{"name": "nope.example."}`, `{"result":{}}`)
	f("getDomainMetadata", `{"name": "example.org.", "kind": "X-OWN"}`, `{"result":["a","b\"c"]}`)
	f("getDomainMetadata", `{"name": "example.org.", "kind": "NONE"}`, `{"result":[]}`)
	restful("GET /dns/getAllDomainMetadata/example%2eorg%2e", "", "", meta)
	restful("GET /dns/getDomainMetadata/example%2eorg%2e/X%2dOWN", "", "", `{"result":["a","b\"c"]}`)

	f("searchRecords", `{"pattern": "w*", "maxResults": 1}`, wwwReply)
	f("searchRecords", `{"pattern": "zzz*", "maxResults": 100}`, `{"result":[]}`)
	restful("GET /dns/searchRecords?maxResults=1&pattern=w%2a", "", "", wwwReply)

	f("directBackendCmd", `{"query": "PING 1234"}`, `{"result":"PING 1234"}`)
	f("directBackendCmd", `{"query": "zone example.org"}`, `{"result":"zone example.org. id 1 kind master serial 3000000001 notified 7"}`)
	f("directBackendCmd", `{"query": "zone example.net"}`, `{"result":"no zone example.net."}`)
	f("directBackendCmd", `{"query": "stats"}`, `{"result":"2 zones"}`)
	restful("POST /dns/directBackendCmd", "", "query=some%20words%20%3d+here", `{"result":"some words = here"}`)
	restful("POST /dns/directBackendCmd", "", "query=reload", `{"result":"reloading"}`)
	if reloads != 1 {
		t.Errorf("reload called Reload %d times", reloads)
	}

	// What is not served: there is none.
	for _, m := range []string{"getSomethingNew", "isMaster"} {
		f(m, `{"name": "example.org.", "id": 1}`, `{"result":false}`)
	}
	restful("GET /dns/getSomethingNew/a/b/c", "", "", `{"result":false}`)
}

// TestFaults asks what cannot be answered: a status, one line that says why, never a result.
func TestFaults(t *testing.T) {
	s := start(t, Options{})
	f := func(request, body string, status int, want string) {
		t.Helper()
		header := ""
		if body != "" {
			header = fmt.Sprintf("Content-Length: %d\r\n", len(body))
		}
		r, got := dial(t, "tcp", s.http).exchange(request, header, body)
		if r.StatusCode != status || !strings.HasPrefix(got, `{"error":"`) || !strings.Contains(got, want) || strings.Contains(got, "\n") {
			t.Errorf("%s %.80s = %d %s; want %d %s", request, body, r.StatusCode, got, status, want)
		}
	}
	long := strings.Repeat("a%2e", 128)

	f("GET /", "", 404, "/dns")
	f("GET /dnsx/lookup/a/A", "", 404, "/dns")
	f("GET /DNS/lookup/a/A", "", 404, "/dns")
	f("GET /dns", "", 405, "POST")
	f("DELETE /dns/lookup/a/A", "", 405, "GET")
	f("BREW /dns/lookup/a/A", "", 405, "GET")
	f("GET /dns/lookup/a", "", 400, "/dns/lookup/")
	f("GET /dns/lookup/a/A/x", "", 400, "/dns/lookup/")
	f("GET /dns/getAllDomains/x", "", 400, "/dns/getAllDomains")
	f("GET /dns/lookup//A", "", 400, "empty")
	f("GET /dns/lookup/a%2e%2eb/A", "", 400, "empty label")
	f("GET /dns/lookup/a%5/A", "", 400, "escape")
	f("GET /dns/lookup/a%5g/A", "", 400, "escape")
	f("GET /dns/lookup/a%5c25/A", "", 400, "escape")
	f("GET /dns/lookup/"+long+"/A", "", 400, "255 octets")
	f("GET /dns/lookup/a/NOPE", "", 400, "NOPE")
	f("GET /dns/list/x/a", "", 400, "domain_id")
	f("GET /dns/list/99999999999/a", "", 400, "domain_id")
	f("GET /dns/searchRecords?maxResults=x&pattern=a", "", 400, "maxResults")
	f("GET /dns/searchRecords?maxResults=1", "", 400, "pattern")
	f("GET /dns/searchRecords?pattern=%", "", 400, "escape")
	f("POST /dns", "{", 400, "JSON")
	f("POST /dns", "[]", 400, "object")
	f("POST /dns", `{"parameters":{}}`, 400, "method")
	f("POST /dns", `{"method":"lookup"}`, 400, "qname")
	f("POST /dns", `{"method":"lookup","parameters":{"qname":"a"}}`, 400, "qtype")
	f("POST /dns", `{"method":"lookup","parameters":{"qname":{},"qtype":"A"}}`, 400, "JSON")
	f("POST /dns/lookup", "parameters=%7b", 400, "JSON")
	f("POST /dns/lookup", "parameters=%7", 400, "escape")
	f("PATCH /dns/feedRecord/1", "x", 501, "not served")
	f("PUT /dns/createSomethingNew", "x", 501, "not served")
	f("POST /dns", `{"method":"startTransaction","parameters":{"domain":"a.","domain_id":1,"trxid":1}}`, 501, "not served")

	unix := dial(t, "unix", s.unix)
	u := func(line, want string) {
		t.Helper()
		got := unix.line(line)
		if !strings.HasPrefix(got, `{"error":"`) || !strings.Contains(got, want) {
			t.Errorf("%.80s = %s; want %s", line, got, want)
		}
	}
	u("", "object")
	u("nonsense", "object")
	u(`{"method":"lookup","parameters":{"qname":"a..","qtype":"A"}}`, "empty label")
	u(`{"method":"lookup","parameters":{"qname":"`+strings.Repeat("a.", 128)+`","qtype":"A"}}`, "255 octets")
	u(`{"method":"commitTransaction","parameters":{"trxid":1}}`, "not served")
	u(`{"method":"lookup","parameters":{"qname":"a.","qtype":"A"}}}`, "JSON")
	if got := unix.line(`{"method":"lookup","parameters":{"qname":"www.example.org.","qtype":"A"}}`); got != wwwReply {
		t.Errorf("after faults a lookup gets %s", got)
	}
}

// TestLoading: not loaded is not known, and not known is an error.
// A store without zones lets PowerDNS start, and is not taken for one that says no.
func TestNothingToLoadYet(t *testing.T) {
	found := make(chan struct{})
	close(found)
	unix := dial(t, "unix", start(t, Options{Zones: &fakeZones{}, Loaded: make(chan struct{}), New: found}).unix)
	if got := unix.line(`{"method":"getAllDomains","parameters":{}}`); got != `{"result":[]}` {
		t.Errorf("getAllDomains gets %s", got)
	}
	if got := unix.line(`{"method":"lookup","parameters":{"qname":"www.example.org.","qtype":"A"}}`); !strings.Contains(got, "not loaded") {
		t.Errorf("a lookup gets %s", got)
	}
}

func TestLoading(t *testing.T) {
	loaded := make(chan struct{})
	s := start(t, Options{Loaded: loaded})
	unix := dial(t, "unix", s.unix)
	if got := unix.line(`{"method":"initialize","parameters":{}}`); got != `{"result":true}` {
		t.Errorf("initialize gets %s", got)
	}
	rest := dial(t, "tcp", s.http)
	for _, m := range methods {
		if m.name == "initialize" || m.verb == "" {
			continue
		}
		got := unix.line(fmt.Sprintf(`{"method":%q,"parameters":{"name":"example.org."}}`, m.name))
		path := "/dns/" + m.name + strings.Repeat("/1", len(m.path))
		if m.isFatal() { // PowerDNS would end at an error, and asks again
			r, again := rest.exchange(m.verb+" "+path, "Content-Length: 0\r\n", "")
			if want := `{"result":false}`; got != want || r.StatusCode != 200 || strings.TrimSpace(again) != want {
				t.Errorf("%s gets %s, and %d %s", m.name, got, r.StatusCode, again)
			}
			continue
		}
		if !strings.Contains(got, "not loaded") || strings.Contains(got, "result") {
			t.Errorf("%s gets %s", m.name, got)
		}
		if r, got := rest.exchange(m.verb+" "+path, "Content-Length: 0\r\n", ""); r.StatusCode != 503 {
			t.Errorf("%s %s = %d %s", m.verb, path, r.StatusCode, got)
		}
	}
	close(loaded)
	if got := unix.line(`{"method":"lookup","parameters":{"qname":"www.example.org.","qtype":"A"}}`); got != wwwReply {
		t.Errorf("once loaded a lookup gets %s", got)
	}
}

// TestAccess: a method outside of Options.Methods is refused.
func TestAccess(t *testing.T) {
	f := func(allowed Methods, method string, want int) {
		t.Helper()
		s := start(t, Options{Methods: allowed})
		m := known[lower(method)]
		path := "/dns/" + method + strings.Repeat("/1", len(m.path))
		if r, got := dial(t, "tcp", s.http).exchange(m.verb+" "+path, "Content-Length: 0\r\n", ""); r.StatusCode != want {
			t.Errorf("with %q %s = %d %s; want %d", allowed, method, r.StatusCode, got, want)
		}
		got := dial(t, "unix", s.unix).line(fmt.Sprintf(`{"method":%q,"parameters":{"name":"1","qname":"1","qtype":"A"}}`, method))
		if strings.Contains(got, `"result"`) != (want == 200) {
			t.Errorf("with %q %s over unix = %s; want %d", allowed, method, got, want)
		}
	}
	f(ReadMethods, "getDomainInfo", 200)
	f(ReadMethods, "getDomainKeys", 403)
	f(ReadMethods, "getTSIGKey", 403)
	f(ReadMethods, "setTSIGKey", 403)
	f(ReadMethods, "setNotified", 200) // false
	f(KeyMethods, "getDomainKeys", 200)
	f(KeyMethods, "startTransaction", 403)
	f(AllMethods, "getDomainKeys", 200)
	f(AllMethods, "startTransaction", 501)
	f("", "startTransaction", 501)
}

func TestParseMethods(t *testing.T) {
	f := func(text string, want Methods, ok bool) {
		t.Helper()
		if got, err := ParseMethods(text); got != want || (err == nil) != ok {
			t.Errorf("ParseMethods(%q) = %q, %v", text, got, err)
		}
	}
	f("read", ReadMethods, true)
	f("read+keys", KeyMethods, true)
	f("all", AllMethods, true)
	f("", AllMethods, true)
	f("Read", "", false)
}

// TestPanic: a panic in one request is that request's error, also amid a long answer.
func TestPanic(t *testing.T) {
	fake := newFake()
	s := start(t, Options{Zones: panicking{fake, 1}})
	rest := dial(t, "tcp", s.http)
	if r, got := rest.exchange("GET /dns/lookup/a/A", "", ""); r.StatusCode != 500 || got != `{"error":"internal error"}` {
		t.Errorf("a panic gets %d %s", r.StatusCode, got)
	}
	if r, got := rest.exchange("GET /dns/getAllDomains", "", ""); r.StatusCode != 200 {
		t.Errorf("after a panic: %d %s", r.StatusCode, got)
	}
	if r, got := rest.exchange("GET /dns/list/1/example%2eorg%2e", "", ""); r.StatusCode != 500 || got != `{"error":"internal error"}` {
		t.Errorf("a panic in a short list gets %d %s", r.StatusCode, got)
	}
	unix := dial(t, "unix", s.unix)
	if got := unix.line(`{"method":"lookup","parameters":{"qname":"a","qtype":"A"}}`); got != `{"error":"internal error"}` {
		t.Errorf("a panic over unix gets %s", got)
	}
	if got := unix.line(`{"method":"initialize"}`); got != `{"result":true}` {
		t.Errorf("after a panic over unix: %s", got)
	}
	const list = `{"method":"list","parameters":{"zonename":"example.org.","domain_id":1}}`
	if got := unix.line(list); got != `{"error":"internal error"}` {
		t.Errorf("a panic in a short list over unix gets %s", got)
	}
	want := map[string]uint64{"lookup": 2, "list": 2}
	for name, count := range want {
		m := known[name]
		if got := s.metrics.sum(viaREST, m).count[failedOutcome] + s.metrics.sum(viaUnix, m).count[failedOutcome]; got != count {
			t.Errorf("%d failures of %s are counted; want %d", got, name, count)
		}
	}

	s = start(t, Options{Zones: panicking{fake, 1000}})
	rest = dial(t, "tcp", s.http)
	rest.send("GET /dns/list/1/example%2eorg%2e HTTP/1.1\r\nHost: x\r\n\r\n")
	if whole, err := io.ReadAll(rest.in); err != nil || !strings.HasPrefix(string(whole), "HTTP/1.1 200 OK\r\n") || strings.HasSuffix(string(whole), "0\r\n\r\n") {
		t.Errorf("a list is not cut off by a panic: %.300q, %v", whole, err)
	}
	unix = dial(t, "unix", s.unix)
	unix.send(list + "\n")
	if whole, err := io.ReadAll(unix.in); err != nil || !strings.HasPrefix(string(whole), `{"result":[{`) || strings.HasSuffix(string(whole), "\n") {
		t.Errorf("a list is not cut off by a panic over unix: %.300q, %v", whole, err)
	}
	if rest, unix := s.metrics.sum(viaREST, known["list"]), s.metrics.sum(viaUnix, known["list"]); rest.count[failedOutcome] != 1 || unix.count[failedOutcome] != 1 {
		t.Errorf("%d and %d lists cut off are counted; want 1 each", rest.count[failedOutcome], unix.count[failedOutcome])
	}

	// An error would end PowerDNS.
	s = start(t, Options{Zones: panickingZones{fake}})
	if r, got := dial(t, "tcp", s.http).exchange("GET /dns/getUpdatedMasters", "", ""); r.StatusCode != 200 || got != `{"result":false}` {
		t.Errorf("a panic in what a primary asks gets %d %s", r.StatusCode, got)
	}
	if got := dial(t, "unix", s.unix).line(`{"method":"getUpdatedMasters","parameters":{}}`); got != `{"result":false}` {
		t.Errorf("a panic in what a primary asks over unix gets %s", got)
	}
}
