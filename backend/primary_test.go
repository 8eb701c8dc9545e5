package backend

import (
	"testing"

	"redyn/backend/dns"
)

func TestNotify(t *testing.T) {
	m := newMemory(t)
	a := newAsker(t, start(t, Options{Zones: m, Store: m}))
	serial := func(soa string) {
		m.Lookup(nil, "example.org.", dns.TypeSOA, 1)
		m.DB.Apply(dns.Entry{Zones: []dns.ZoneEntry{{ID: 1, Name: "example.org.", RRsets: []dns.RRset{
			dns.NewRRset("example.org.", dns.TypeSOA, 60, "ns.example.org. host.example.org. "+soa+" 3600 600 86400 60"),
		}}}})
	}
	want := func(serial, notified string) {
		t.Helper()
		zone := `{"id":1,"zone":"example.org.","serial":` + serial + `,"notified_serial":` + notified + `,"kind":"master"}`
		a.restful("GET /dns/getDomainInfo/example%2eorg%2e", "", `{"result":`+zone+`}`)
		if serial == notified {
			zone = ""
		}
		a.ask("getUpdatedMasters", `{}`, `{"result":[`+zone+`]}`)
	}
	a.restful("GET /dns/getUpdatedMasters", "", `{"result":[{"id":1,"zone":"example.org.","serial":1,"kind":"master"}]}`)
	a.restful("PATCH /dns/setNotified/1", "serial=1%2e000000", done)
	want("1", "1")
	a.restful("PATCH /dns/setNotified/1", "serial=7", done)
	want("1", "7")
	serial("3000000001")
	a.restful("PATCH /dns/setNotified/1", "serial=3000000001%2e000000", done)
	want("3000000001", "3000000001")
	a.ask("setNotified", `{"id": 1, "serial": 3000000002}`, done)
	want("3000000001", "3000000002")
	a.restful("PATCH /dns/setNotified/1", "serial=%2d2147483648", done)
	want("3000000001", "3000000001")
	a.ask("setNotified", `{"id": 1, "serial": -1294967294}`, done)
	want("3000000001", "3000000002")
	for _, wrong := range []string{`"x"`, `1.5`, `4294967296`, `-2147483649`, `"NaN"`, `"Inf"`} {
		a.ask("setNotified", `{"id": 1, "serial": `+wrong+`}`, `{"result":false}`)
	}
	a.ask("setNotified", `{"id": 77, "serial": 1}`, `{"result":false}`)
}
