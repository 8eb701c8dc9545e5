package backend

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"redyn/backend/dns"
)

func TestSecondary(t *testing.T) {
	m := newMemory(t)
	a := newAsker(t, start(t, Options{Zones: m, Store: m}))
	m.show(dns.Zone{ID: 3, Name: "a.test.", Kind: dns.Slave}, []dns.RRset{
		dns.NewRRset("a.test.", dns.TypeSOA, 60, "ns.a.test. host.a.test. 7 3600 600 86400 60"),
	})
	const never = `{"id":2,"zone":"empty.test.","serial":0,"kind":"slave","masters":["192.0.2.9"]}`
	const stale = `{"id":3,"zone":"a.test.","serial":7,"kind":"slave"}`
	a.restful("GET /dns/getUnfreshSlaveInfos", "", `{"result":[`+never+`,`+stale+`]}`)
	a.restful("PATCH /dns/setFresh/3", "", done)
	a.ask("getUnfreshSlaveInfos", `{}`, `{"result":[`+never+`]}`)
	if z, _ := m.Zone("a.test."); time.Since(z.LastCheck) > time.Minute {
		t.Errorf("after setFresh the last check was %v", z.LastCheck)
	}
	a.restful("PATCH /dns/setStale/3", "", done)
	a.ask("getUnfreshSlaveInfos", `{}`, `{"result":[`+never+`,`+stale+`]}`)
	// At an error PowerDNS would end.
	a.ask("setFresh", `{"id": 77}`, `{"result":false}`)
	a.ask("setStale", `{}`, `{"result":false}`)
}

func TestAutoprimary(t *testing.T) {
	m := newMemory(t)
	who := "me"
	m.DB.Apply(dns.Entry{Server: dns.ServerChange{Autoprimaries: map[dns.Autoprimary]*string{
		{IP: netip.MustParseAddr("127.0.0.9"), Nameserver: "ns1.auto.test."}: &who,
	}}})
	a := newAsker(t, start(t, Options{Zones: m, Store: m}))
	const nsset4 = "1&nsset[0][content]=ns1%2eauto%2etest&nsset[0][qclass]=1&nsset[0][qname]=auto%2etest%2e&nsset[0][qtype]=NS&nsset[0][ttl]=3600&1&nsset[1][content]=192%2e0%2e2%2e1&nsset[1][qclass]=1&nsset[1][qname]=ns1%2eauto%2etest%2e&nsset[1][qtype]=A&nsset[1][ttl]=3600"
	const nsset5 = "nsset[0][auth]=1&nsset[0][content]=ns1%2eauto%2etest&nsset[0][qclass]=1&nsset[0][qname]=auto%2etest%2e&nsset[0][qtype]=NS&nsset[0][ttl]=3600"
	const yes = `{"result":{"account":"me","nameserver":"ns1.auto.test."}}`
	a.restful("POST /dns/superMasterBackend/127%2e0%2e0%2e9/auto%2etest%2e", nsset4, yes)
	a.restful("POST /dns/superMasterBackend/127%2e0%2e0%2e9/auto%2etest%2e", nsset5, yes)
	a.restful("POST /dns/superMasterBackend/127%2e0%2e0%2e8/auto%2etest%2e", nsset5, `{"result":false}`)
	json := func(ip, ns string) string {
		return fmt.Sprintf(`{"ip": %q, "domain": "auto.test.", "nsset": [{"qtype": "A", "qname": "x.", "content": "192.0.2.1", "ttl": 1, "auth": true}, {"qtype": "NS", "qname": "auto.test.", "content": %q, "ttl": 1}]}`, ip, ns)
	}
	a.ask("superMasterBackend", json("127.0.0.9", "NS1.auto.test."), yes)
	a.ask("superMasterBackend", json("::ffff:127.0.0.9", "ns1.auto.test."), yes)
	a.ask("superMasterBackend", json("127.0.0.9", "ns2.auto.test."), `{"result":false}`)
	a.ask("superMasterBackend", json("127.0.0.9", "a..b"), `{"result":false}`)
	a.ask("superMasterBackend", json("nobody", "ns1.auto.test."), "fault:ip")

	a.ask("createSlaveDomain", `{"ip": "192.0.2.66", "domain": "auto.test.", "account": "me"}`, "fault:no autoprimary")
	a.restful("PUT /dns/createSlaveDomain/127%2e0%2e0%2e9/auto%2etest%2e", "account=me", done)
	a.ask("createSlaveDomain", `{"ip": "127.0.0.9", "domain": "auto.test.", "account": "me", "nameserver": "ns1.auto.test."}`, done)
	a.ask("createSlaveDomain", `{"ip": "127.0.0.9", "domain": "example.org."}`, "fault:exists")
	if z, _ := m.Zone("auto.test."); z.Kind != dns.Slave || len(z.Masters) != 1 || z.Masters[0] != "127.0.0.9" || z.Account != "me" {
		t.Errorf("created is %+v", z)
	}
}
