package main_test

import (
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// Two PowerDNS, each with a redyn of its own, on one Redis: what is written through one, by any of
// PowerDNS's ways to write, the other serves at the very next question.
func testPowerDNSPair(t *testing.T) {
	t.Parallel()
	const zone = "example.org."
	redis := startRedis(t)
	redis.importZone(t, zoneText)
	redis.redyn(t, "tsig", "add", "update", "--algorithm", "hmac-sha256", "--secret", tsigSecret)
	api := newAPI(t)
	settings := signing + "dnsupdate=yes\nallow-dnsupdate-from=\n"
	one := startPDNS(t, remote(startNode(t, redis, "--node-name", "one").overUnix())+settings+api.settings)
	two := startPDNS(t, remote(startNode(t, redis, "--node-name", "two").overHTTP(",post=1,post_json=1"))+settings)
	serve := func(name, addr string) {
		t.Helper()
		for _, p := range []*powerDNS{one, two} {
			if addr == "" {
				missing(name, "A", nil).check(t, p)
			} else {
				found(name, "A", name+" A "+addr).check(t, p)
			}
		}
	}

	one.utilRRset(t, "add-record", zone, "util", "A", "60", "192.0.2.1")
	serve("util.example.org.", "192.0.2.1")
	two.utilRRset(t, "replace-rrset", zone, "util", "A", "60", "192.0.2.2")
	serve("util.example.org.", "192.0.2.2")
	one.utilRRset(t, "delete-rrset", zone, "util", "A")
	serve("util.example.org.", "")

	api.call(t, "PATCH", "/zones/"+zone, `{"rrsets":[{"name":"api.example.org.","type":"A","ttl":60,"changetype":"REPLACE",
		"records":[{"content":"192.0.2.3","disabled":false}]}]}`)
	serve("api.example.org.", "192.0.2.3")
	api.call(t, "PATCH", "/zones/"+zone, `{"rrsets":[{"name":"api.example.org.","type":"A","changetype":"DELETE","records":[]}]}`)
	serve("api.example.org.", "")
	one.utilRRset(t, "add-record", zone, "below.ent", "A", "60", "192.0.2.3")
	for _, name := range []string{"ent.example.org.", "*.ent.example.org."} {
		api.call(t, "PATCH", "/zones/"+zone, `{"rrsets":[{"name":"`+name+`","type":"A","ttl":60,"changetype":"REPLACE",
			"records":[{"content":"192.0.2.4","disabled":false}]}]}`)
		serve(name, "192.0.2.4")
		api.call(t, "PATCH", "/zones/"+zone, `{"rrsets":[{"name":"`+name+`","type":"A","changetype":"DELETE","records":[]}]}`)
	}
	one.utilRRset(t, "delete-rrset", zone, "below.ent", "A")

	one.util(t, "set-meta", zone, "ALLOW-DNSUPDATE-FROM", "127.0.0.0/8")
	one.util(t, "set-meta", zone, "TSIG-ALLOW-DNSUPDATE", "update")
	key := "hmac-sha256:update:" + tsigSecret
	if err := two.nsupdate(t, "", "update add host.example.org 60 A 192.0.2.4"); err == nil || !strings.Contains(err.Error(), "REFUSED") {
		t.Errorf("an update without the key: %v; want REFUSED", err)
	}
	update := func(p *powerDNS, commands string) {
		t.Helper()
		if err := p.nsupdate(t, key, commands); err != nil {
			t.Error(err)
		}
	}
	update(two, "update add host.example.org 60 A 192.0.2.4\nupdate add host.example.org 60 TXT one")
	serve("host.example.org.", "192.0.2.4")
	update(one, "prereq yxrrset host.example.org A 192.0.2.4\nupdate delete host.example.org A\nupdate add host.example.org 60 A 192.0.2.5")
	serve("host.example.org.", "192.0.2.5")
	update(two, "update delete host.example.org")
	serve("host.example.org.", "")

	one.util(t, "secure-zone", zone)
	resolver := startResolver(t, two, []string{zone}, one.keysOf(t, zone))
	resolver.validate(t, "mail.example.org.", dns.TypeA, dns.RcodeSuccess, secure)
	two.util(t, "set-nsec3", zone, "1 0 0 -")
	one.utilRRset(t, "add-record", zone, "a.new", "A", "60", "192.0.2.6")
	resolver.validate(t, "new.example.org.", dns.TypeA, dns.RcodeSuccess, secure)
	resolver.validate(t, "b.new.example.org.", dns.TypeA, dns.RcodeNameError, secure)
}
