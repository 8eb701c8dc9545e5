package updater

import (
	"fmt"
	"strings"
	"testing"

	"redyn/auth"
	"redyn/backend/dns"
)

const org dns.Name = "example.org."

// noSuch is the error for what is not there, or not granted.
const noSuch = "there is no such thing, or it is not granted"

func TestAPIRRset(t *testing.T) {
	c := apiServer(t, Options{})
	const www = "zones/example.org/rrsets/www.example.org/A"
	c.refuses("GET", www, "", 404, noSuch)
	c.gives("PUT", www, `{"ttl":300,"content":["192.0.2.2","192.0.2.1"]}`, 200,
		`{"name":"www.example.org.","type":"A","ttl":300,"content":["192.0.2.1","192.0.2.2"]}`)
	c.has("www.example.org.", dns.TypeA, "192.0.2.1", "192.0.2.2")
	// A TTL that is not given stays.
	c.gives("PATCH", "zones/Example.ORG./rrsets/WWW.example.org./a", `{"add":["192.0.2.3"],"remove":["192.0.2.1","192.0.2.9"]}`, 200,
		`{"name":"www.example.org.","type":"A","ttl":300,"content":["192.0.2.2","192.0.2.3"]}`)
	c.gives("GET", www, "", 200, `{"name":"www.example.org.","type":"A","ttl":300,"content":["192.0.2.2","192.0.2.3"]}`)
	c.gives("DELETE", www, "", 204, "")
	c.has("www.example.org.", dns.TypeA)
	c.refuses("DELETE", www, "", 404, noSuch)
	// Without one it is an hour; records are made canonical, and a text is taken as one.
	c.gives("PUT", "zones/example.org/rrsets/example.org/MX", `{"content":"10 Mail.example.org\n20 mail.example.net."}`, 200,
		`{"name":"example.org.","type":"MX","ttl":3600,"content":["10 Mail.example.org.","20 mail.example.net."]}`)
	c.gives("PUT", "zones/example.org/rrsets/%2a.example.org/TXT", `{"ttl":0,"content":["v=spf1 -all"]}`, 200,
		`{"name":"*.example.org.","type":"TXT","ttl":0,"content":["\"v=spf1 -all\""]}`)
	// The last record takes the RRset with it.
	c.gives("PATCH", "zones/example.org/rrsets/%2a.example.org/TXT", `{"remove":"v=spf1 -all"}`, 200,
		`{"name":"*.example.org.","type":"TXT","ttl":0,"content":[]}`)
	if log := c.log.String(); strings.Count(log, "level=INFO") != 6 || strings.Count(log, "host updated") != 7 {
		t.Errorf("the log has not one line for each change:\n%s", log)
	}
}

func TestAPIRRsetRefused(t *testing.T) {
	c := apiServer(t, Options{})
	c.store.set("alias.example.org.", dns.TypeCNAME, "www.example.org.")
	f := func(method, path, body string, status int, text string) {
		t.Helper()
		c.refuses(method, "zones/"+path, body, status, text)
	}
	const www = "example.org/rrsets/www.example.org/A"
	f("PUT", www, "", 400, "the body: there is none; expected a JSON object")
	f("PUT", www, `{"content":[]}`, 400, "content: there is none; expected DELETE for that")
	f("PUT", www, `{"content":["192.0.2"]}`, 400, `content: A: "192.0.2"`)
	f("PUT", www, `{"content":["192.0.2.1"],"ttl":-1}`, 400, "the body: ttl: expected a number from 0 to 2147483647, not number -1")
	f("PUT", www, `[]`, 400, "the body: expected a JSON object, not array")
	f("PUT", www, `{"content":`, 400, "the body: it ends too soon")
	f("PATCH", "example.org/rrsets", `{"rrsets":5}`, 400, "the body: rrsets: expected a list, not number")
	f("PATCH", "example.org/rrsets", `{"rrsets":[{"ttl":"5"}]}`, 400, "the body: rrsets.0.ttl: expected a number from 0 to 2147483647, not string")
	f("PUT", www, `{"content":["192.0.2.1"],"ttl":2147483648}`, 400, "ttl 2147483648 is not from 0 to 2147483647")
	f("PUT", www, `{"content":["192.0.2.1"],"color":1}`, 400, `unknown field "color"`)
	f("PUT", www, `{"content":["192.0.2.1"]}{}`, 400, "it has something after its JSON object")
	f("PUT", www+"?ttl=60", `{"content":["192.0.2.1"]}`, 400, `parameter "ttl" is not known here`)
	f("GET", www, `{}`, 400, "there is a body, which is not for GET")
	f("PUT", "example.org/rrsets/www.example.org/ANY", `{"content":["x"]}`, 400, "the type: ")
	f("PUT", "example.org/rrsets/www..example.org/A", `{"content":["192.0.2.1"]}`, 400, "the name: ")
	f("PUT", "example.org/rrsets/www.example.net/A", `{"content":["192.0.2.1"]}`, 404, noSuch)
	f("PUT", "example.org/rrsets/alias.example.org/A", `{"content":["192.0.2.1"]}`, 400, "CNAME beside A")
	f("PUT", "example.org/rrsets/example.org/CNAME", `{"content":["www"]}`, 400, "CNAME beside NS")
	f("PUT", "example.org/rrsets/www.example.org/CNAME", `{"content":["a.example","b.example"]}`, 400, "www.example.org can have one CNAME, not 2")
	f("PUT", "example.org/rrsets/www.example.org/SOA", `{"content":["a. b. 1 2 3 4 5"]}`, 400, "a zone has its SOA at its apex")
	f("DELETE", "example.org/rrsets/example.org/SOA", "", 400, "and keeps it")
	f("PUT", "example.com/rrsets/www.example.com/A", `{"content":["192.0.2.1"]}`, 404, noSuch)
	f("PUT", "example.net/rrsets/www.example.net/A", `{"content":["192.0.2.1"]}`, 404, noSuch)
	c.store.load(dns.Zone{ID: 9, Name: org, Kind: dns.Slave})
	f("PUT", www, `{"content":["192.0.2.1"]}`, 400, "example.org. is a secondary zone; its records come from its primary")
	if len(c.store.updates) > 0 {
		t.Errorf("%d changes are made", len(c.store.updates))
	}
}

// Several RRsets change together or not at all.
func TestAPIRRsets(t *testing.T) {
	c := apiServer(t, Options{})
	c.store.set("old.example.org.", dns.TypeA, "192.0.2.7")
	const path = "zones/example.org/rrsets"
	c.refuses("PATCH", path, `{"rrsets":[{"name":"a.example.org","type":"A","content":["192.0.2.1"]},{"name":"a.example.org","type":"CNAME","content":["b.example.org"]}]}`,
		400, "a.example.org. would have a CNAME beside A")
	c.refuses("PATCH", path, `{"rrsets":[{"name":"a.example.org","type":"A","content":["192.0.2.1"]},{"name":"A.example.org","type":"A","content":[]}]}`,
		400, "rrsets[1], A.example.org A: the RRset is given twice")
	c.refuses("PATCH", path, `{"rrsets":[]}`, 400, "rrsets: there are 0; 1 to 500 are right")
	c.gives("PATCH", path, `{"rrsets":[{"name":"old.example.org","type":"A","content":[]},{"name":"old.example.org","type":"CNAME","content":["new.example.org"]},
		{"name":"new.example.org","type":"A","ttl":60,"content":["192.0.2.7"]},{"name":"new.example.org","type":"AAAA","ttl":60,"content":["2001:db8::7"]}]}`, 200,
		`{"name":"example.org.","id":1,"kind":"native","serial":1,"serial_policy":"","notified_serial":0}`)
	if len(c.store.updates) != 1 {
		t.Errorf("%d changes are made", len(c.store.updates))
	}
	c.has("old.example.org.", dns.TypeCNAME, "new.example.org.")

	// In pages, none of which ends inside a name.
	c.gives("GET", path+"?limit=1", "", 200, `{"rrsets":[{"name":"example.org.","type":"SOA","ttl":3600,"content":["ns1.example.org. hostmaster.example.org. 1 3600 600 86400 300"]},`+
		`{"name":"example.org.","type":"NS","ttl":3600,"content":["ns1.example.org."]}],"next":"example.org."}`)
	c.gives("GET", path+"?after=example.org&limit=1", "", 200, `{"rrsets":[{"name":"new.example.org.","type":"A","ttl":60,"content":["192.0.2.7"]},`+
		`{"name":"new.example.org.","type":"AAAA","ttl":60,"content":["2001:db8::7"]}],"next":"new.example.org."}`)
	c.gives("GET", path+"?after=new.example.org", "", 200, `{"rrsets":[{"name":"old.example.org.","type":"CNAME","ttl":3600,"content":["new.example.org."]}]}`)
	c.gives("GET", path+"?type=AAAA", "", 200, `{"rrsets":[{"name":"new.example.org.","type":"AAAA","ttl":60,"content":["2001:db8::7"]}]}`)
	c.gives("GET", path+"?name=new.example.org&type=A", "", 200, `{"rrsets":[{"name":"new.example.org.","type":"A","ttl":60,"content":["192.0.2.7"]}]}`)
	c.gives("GET", path+"?name=none.example.org", "", 200, `{"rrsets":[]}`)
	c.refuses("GET", path+"?limit=0", "", 400, `limit "0" is not from 1 to 10000`)
	c.refuses("GET", path+"?limit=5&limit=6", "", 400, `parameter "limit" is given twice`)
	c.refuses("GET", "zones/example.net/rrsets", "", 404, noSuch)
}

// A record that is added goes beside what others add meanwhile.
func TestAPIRRsetConflict(t *testing.T) {
	c := apiServer(t, Options{})
	c.store.conflicts = 1
	c.store.meanwhile = func() { c.store.set("www.example.org.", dns.TypeA, "192.0.2.8") }
	c.call("PATCH", "zones/example.org/rrsets/www.example.org/A", `{"add":["192.0.2.1"]}`)
	c.has("www.example.org.", dns.TypeA, "192.0.2.1", "192.0.2.8")
	if expect := c.store.updates[0].Zones[0].Expect; len(expect) != 2 || expect[0].Content[0] != "192.0.2.8" || expect[1].Type != dns.TypeCNAME {
		t.Errorf("the change expects %v", expect)
	}
}

// No RRset grows beyond what an answer can have.
func TestAPIRRsetsAreBounded(t *testing.T) {
	c := apiServer(t, Options{})
	var texts, addrs []string
	for i := range 241 { // of 248 octets each
		texts = append(texts, fmt.Sprintf(`"%0234d"`, i))
	}
	for i := range 3750 { // of 16
		addrs = append(addrs, fmt.Sprintf("10.0.%d.%d", i/250, i%250))
	}
	c.store.set("www.example.org.", dns.TypeTXT, texts...)
	c.store.set("www.example.org.", dns.TypeA, addrs...)
	const www = "zones/example.org/rrsets/www.example.org/"
	c.refuses("PATCH", www+"TXT", `{"add":["`+strings.Repeat("x", 234)+`"]}`, 400, "www.example.org. TXT would take some 60016 octets in an answer; 60000 are most")
	c.refuses("PATCH", www+"A", `{"add":["192.0.2.1"]}`, 400, "www.example.org. A would take some 60016 octets in an answer; 60000 are most")
	if a := c.call("PATCH", www+"A", `{"add":["192.0.2.1"],"remove":["10.0.0.0"]}`); a.StatusCode != 200 {
		t.Errorf("answer %d %s", a.StatusCode, a.body)
	}
}

// A CNAME and other records do not come to stand at one name, whoever is first.
func TestNoCNAMEBesideOthers(t *testing.T) {
	c := apiServer(t, Options{})
	const www dns.Name = "www.example.org."
	expects := func(want string) {
		t.Helper()
		var got []string
		for _, set := range c.store.updates[len(c.store.updates)-1].Zones[0].Expect {
			if len(set.Content) == 0 {
				got = append(got, set.Type.String())
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("the change expects none of %q; want %q", got, want)
		}
	}
	const path = "zones/example.org/rrsets"
	c.call("PUT", path+"/www.example.org/CNAME", `{"content":["a.example.org"]}`)
	expects("A AAAA TXT")
	c.call("PATCH", path, `{"rrsets":[{"name":"www.example.org","type":"CNAME"},{"name":"www.example.org","type":"A","content":["192.0.2.1"]}]}`)
	expects("")
	c.get("/?hostname=www.example.org&myip=192.0.2.2", c.header...).is(t, 200, "good")
	expects("CNAME")
	c.get("/?hostname=www.example.org&myip=", c.header...).is(t, 200, "good")
	expects("")
	c.call("PATCH", path, `{"rrsets":[{"name":"www.example.org","type":"AAAA"},{"name":"www.example.org","type":"CNAME","content":["a.example.org"]}]}`)
	expects("A TXT")
	c.has(www, dns.TypeCNAME, "a.example.org.")

	c.call("PUT", path+"/www.example.org/NSEC", `{"content":["a.example.org A"]}`) // stands beside one
	expects("")

	// A CNAME that comes meanwhile is seen when the update is computed anew.
	c.store.conflicts = 1
	c.store.meanwhile = func() { c.store.set(home, dns.TypeCNAME, "a.example.org.") }
	c.get("/?hostname=home.example.org", c.header...).is(t, 400, "home.example.org. is an alias (CNAME), which has no other records")
}

// Whoever has a host has its addresses alone; the parent's side of a zone cut belongs to the parent.
func TestAPIRRsetGrants(t *testing.T) {
	c := apiServer(t, Options{})
	c.store.load(dns.Zone{ID: 8, Name: "sub.example.org.", Kind: dns.Native}, dns.NewRRset("sub.example.org.", dns.TypeSOA, 60, "a. b. 1 2 3 4 5"))
	host := c.as(c.tokenFor(nil, home))
	sub := c.as(c.tokenOf(auth.Grant{Zones: []auth.Area{{Name: "sub.example.org."}}}))
	body := `{"content":["192.0.2.1"]}`
	host.gives("PUT", "zones/example.org/rrsets/home.example.org/A", body, 200, `{"name":"home.example.org.","type":"A","ttl":3600,"content":["192.0.2.1"]}`)
	host.refuses("PUT", "zones/example.org/rrsets/office.example.org/A", body, 404, noSuch)
	host.refuses("PUT", "zones/example.org/rrsets/home.example.org/MX", `{"content":["10 mail.example"]}`, 401, "Authentication failed.")
	host.refuses("PATCH", "zones/example.org/rrsets", `{"rrsets":[{"name":"home.example.org","type":"A","content":[]},{"name":"office.example.org","type":"A","content":[]}]}`, 404, noSuch)
	host.refuses("GET", "zones/example.org/rrsets", "", 404, noSuch)
	host.gives("GET", "zones/example.org/rrsets?name=home.example.org", "", 200, `{"rrsets":[{"name":"home.example.org.","type":"A","ttl":3600,"content":["192.0.2.1"]}]}`)
	host.refuses("GET", "zones/example.org/rrsets?name=office.example.org", "", 404, noSuch)

	ds := `{"content":["1 13 2 0000000000000000000000000000000000000000000000000000000000000000"]}`
	sub.refuses("PUT", "zones/example.org/rrsets/sub.example.org/DS", ds, 404, noSuch)
	if a := c.call("PUT", "zones/example.org/rrsets/sub.example.org/DS", ds); a.StatusCode != 200 {
		t.Errorf("a DS of the parent: %d %s", a.StatusCode, a.body)
	}
	c.refuses("PUT", "zones/sub.example.org/rrsets/www.sub.example.org/A", body, 404, noSuch)
	sub.gives("PUT", "zones/sub.example.org/rrsets/www.sub.example.org/A", body, 200, `{"name":"www.sub.example.org.","type":"A","ttl":3600,"content":["192.0.2.1"]}`)
	elsewhere := c.as(c.tokenFor(nil, "www.example.net."))
	elsewhere.refuses("PUT", "zones/example.org/rrsets/www.example.net/A", body, 400, "www.example.net. does not lie in zone example.org.")
	// Another host of that name later is another's.
	c.store.hosts[0].ID = 99
	stale := c.as(c.tokenOf(auth.Grant{Hosts: []auth.Area{{Host: 17, Name: home}}}))
	stale.refuses("PUT", "zones/example.org/rrsets/home.example.org/A", body, 404, noSuch)
}

// A dynamic host's addresses change no more often here than elsewhere.
func TestAPIHostLimit(t *testing.T) {
	c := apiServer(t, Options{HostLimit: auth.Limit{Count: 1, Per: 120e9}})
	for i, status := range []int{200, 429} {
		a := c.call("PUT", "zones/example.org/rrsets/home.example.org/A", `{"content":["192.0.2.`+itoa(i)+`"]}`)
		if a.StatusCode != status || status == 429 && a.Header.Get("Retry-After") != "120" {
			t.Errorf("change %d: %d %s", i, a.StatusCode, a.body)
		}
		if a := c.call("PUT", "zones/example.org/rrsets/www.example.org/A", `{"content":["192.0.2.`+itoa(i)+`"]}`); a.StatusCode != 200 {
			t.Errorf("change %d of what is no host: %d %s", i, a.StatusCode, a.body)
		}
	}
}
