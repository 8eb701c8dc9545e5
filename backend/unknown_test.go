package backend

import (
	"strings"
	"testing"

	"redyn/backend/dns"
)

// A zone that could not be read is listed, so that PowerDNS asks here, and all that is asked of it is an
// error.
func TestUnknownZone(t *testing.T) {
	m := newMemory(t)
	if err := m.Stage(dns.ZoneData{Zone: dns.Zone{ID: 7, Name: "lost.example.org.", Unknown: true}}, func(func(dns.RRset, error) bool) {}); err != nil {
		t.Fatal(err)
	}
	m.Show(7)
	a := newAsker(t, start(t, Options{Zones: m, Store: m}))
	const fault = "fault:not all could be read"
	for method, parameters := range map[string]string{
		"lookup":                         `{"qname": "www.lost.example.org.", "qtype": "ANY", "zone-id": 7}`,
		"list":                           `{"zonename": "lost.example.org.", "domain_id": 7}`,
		"getDomainInfo":                  `{"name": "lost.example.org."}`,
		"getAllDomainMetadata":           `{"name": "lost.example.org."}`,
		"getDomainMetadata":              `{"name": "lost.example.org.", "kind": "PRESIGNED"}`,
		"getDomainKeys":                  `{"name": "lost.example.org."}`,
		"getBeforeAndAfterNamesAbsolute": `{"id": 7, "qname": "www."}`,
		"startTransaction":               `{"domain": "lost.example.org.", "domain_id": 7, "trxid": 1}`,
	} {
		a.ask(method, parameters, fault)
	}
	a.ask("lookup", `{"qname": "www.lost.example.org.", "qtype": "ANY", "zone-id": 1}`, fault)
	a.ask("lookup", `{"qname": "www.lost.example.org.", "qtype": "SOA", "zone-id": -1}`, fault)
	const listed = `{"id":7,"zone":"lost.example.org.","serial":0}`
	if got := a.unix.line(`{"method": "getAllDomains", "parameters": {}}`); !strings.Contains(got, listed) {
		t.Errorf("the zones are %s; want %s among them", got, listed)
	}
}
