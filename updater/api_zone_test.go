package updater

import (
	"testing"

	"redyn/auth"
	"redyn/backend/dns"
)

func TestAPIZones(t *testing.T) {
	c := apiServer(t, Options{})
	const zone = `{"name":"example.org.","id":1,"kind":"native","serial":1,"serial_policy":"","notified_serial":0}`
	c.gives("GET", "zones", "", 200, `{"zones":[`+zone+`]}`)
	c.gives("GET", "zones/EXAMPLE.org", "", 200, zone)
	c.refuses("GET", "zones/example.net", "", 404, noSuch)
	c.refuses("GET", "zones/none.example.org", "", 404, noSuch)
	c.as(c.tokenFor(nil, home)).gives("GET", "zones", "", 200, `{"zones":[]}`)
	c.as(c.tokenFor(nil, home)).refuses("GET", "zones/example.org", "", 404, noSuch)
	all := c.as(c.tokenOf(auth.Grant{Zones: []auth.Area{{Name: ".", Below: true}}, Types: []dns.Type{dns.TypeTXT}}))
	all.gives("GET", "zones?limit=1", "", 200, `{"zones":[{"name":"example.net.","id":2,"kind":"native","serial":1,"serial_policy":"","notified_serial":0}],"next":"example.net."}`)
	all.gives("GET", "zones?after=example.net", "", 200, `{"zones":[`+zone+`]}`)
	all.refuses("GET", "zones?after=example..net", "", 400, "after: ")
}

// Zones are created and deleted by who has what is above them, and not by who has the zone.
func TestAPICreateZone(t *testing.T) {
	c := apiServer(t, Options{})
	above := c.as(c.tokenOf(auth.Grant{Zones: []auth.Area{{Name: org, Below: true}}}))
	sub := `{"name":"sub.example.org","nameservers":["ns1.example.org","ns2.example.net"],"mailbox":"jane.doe@example.net","serial_policy":"increment"}`
	c.refuses("POST", "zones", sub, 403, "more than the credential that asks for it does")
	above.gives("POST", "zones", sub, 201, `{"name":"sub.example.org.","id":116,"kind":"native","serial":1,"serial_policy":"increment","notified_serial":0}`)
	c.has("sub.example.org.", dns.TypeSOA, `ns1.example.org. jane\.doe.example.net. 1 86400 7200 3600000 300`)
	c.has("sub.example.org.", dns.TypeNS, "ns1.example.org.", "ns2.example.net.")
	above.refuses("POST", "zones", sub, 409, "it exists already")
	above.refuses("POST", "zones", `{"name":"example.org","nameservers":"ns1.example.org"}`, 403, "more than")

	f := func(body, want string) {
		t.Helper()
		above.refuses("POST", "zones", body, 400, want)
	}
	f(`{"name":"a..example.org"}`, "name: ")
	f(`{"name":"a.example.org","kind":"hint"}`, `kind "hint" is unknown`)
	f(`{"name":"a.example.org","serial_policy":"daily"}`, `serial policy "daily" is unknown`)
	f(`{"name":"a.example.org"}`, "a native zone has nameservers, and no primaries")
	f(`{"name":"a.example.org","nameservers":"ns..example.org"}`, "nameservers: ")
	f(`{"name":"a.example.org","nameservers":"ns1.example.org","mailbox":"a@b..c"}`, "mailbox: ")
	f(`{"name":"a.example.org","kind":"slave","nameservers":"ns1.example.org"}`, "a slave has primaries")
	f(`{"name":"a.example.org","kind":"slave","primaries":"192.0.2"}`, `primaries: "192.0.2" is no address`)
	above.gives("POST", "zones", `{"name":"b.example.org","kind":"slave","primaries":["192.0.2.1","[2001:db8::1]:53"]}`, 201,
		`{"name":"b.example.org.","id":114,"kind":"slave","serial":0,"serial_policy":"unixtime","notified_serial":0,"primaries":["192.0.2.1","[2001:db8::1]:53"]}`)

	tenant := c.as(c.tokenOf(auth.Grant{Zones: []auth.Area{{Name: "sub.example.org.", Below: true}}}))
	tenant.refuses("DELETE", "zones/sub.example.org", "", 404, noSuch)
	c.refuses("DELETE", "zones/sub.example.org", "", 404, noSuch)
	above.gives("DELETE", "zones/sub.example.org", "", 204, "")
	above.refuses("DELETE", "zones/sub.example.org", "", 404, noSuch)
	above.refuses("DELETE", "zones/example.org", "", 404, noSuch)
}
