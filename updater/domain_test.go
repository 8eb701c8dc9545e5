package updater

import (
	"strings"
	"testing"

	"redyn/auth"
	"redyn/backend/dns"
)

func TestDomain(t *testing.T) {
	s := serve(t, Options{})
	s.store.addHost(17, home).Changed = start.Add(5e9)
	s.store.addHost(18, "example.org.")
	s.store.set(home, dns.TypeA, "192.0.2.1", "192.0.2.2")
	s.store.set(home, dns.TypeTXT, `"a \"quoted\" text"`)
	s.store.set("below.home.example.org.", dns.TypeA, "192.0.2.9")
	const records = `[{"domain_id":"17","name":"home.example.org","type":"A","content":"192.0.2.1","ttl":"60","change_date":"1700000005"},` +
		`{"domain_id":"17","name":"home.example.org","type":"A","content":"192.0.2.2","ttl":"60","change_date":"1700000005"},` +
		`{"domain_id":"17","name":"home.example.org","type":"TXT","content":"\"a \\\"quoted\\\" text\"","ttl":"60","change_date":"1700000005"}]`
	s.get("/domain/17").is(t, 200, records)
	s.get("/domain/017").is(t, 200, records)
	s.get("/domain/home.example.org").is(t, 200, records)
	for _, id := range []string{"99", "other.example.org", "a..b", "-1"} {
		s.get("/domain/"+id).is(t, 200, "[]")
	}
	apex := s.get("/domain/18").body
	if !strings.Contains(apex, `"type":"SOA"`) || !strings.Contains(apex, `"type":"NS"`) || !strings.Contains(apex, `"change_date":"1700000000"`) {
		t.Errorf("the apex has %s", apex)
	}
	s.store.addHost(19, "gone.example.com.")
	s.get("/domain/19").is(t, 200, "[]")
	s.store.addHost(20, office)
	s.get("/domain/20").is(t, 200, "[]")
}

func TestPrivateDomain(t *testing.T) {
	s := serve(t, Options{PrivateDomainView: true})
	s.store.addHost(17, home)
	s.store.set(home, dns.TypeA, "192.0.2.1")
	secret := s.tokenFor(func(c *auth.Credential) { c.ReadOnly = true }, home)
	const denied = "Authentication failed."
	const records = `[{"domain_id":"17","name":"home.example.org","type":"A","content":"192.0.2.1","ttl":"60","change_date":"1700000000"}]`
	s.get("/domain/17").is(t, 401, denied)
	s.get("/domain/17", basic("", "wrong")).is(t, 401, denied)
	s.get("/domain/17", basic("", secret)).is(t, 200, records)
	s.get("/domain/home.example.org", "Authorization: Token "+secret).is(t, 200, records)
	s.get("/domain/99", basic("", secret)).is(t, 401, denied)
	s.store.addHost(18, office)
	s.get("/domain/18", basic("", secret)).is(t, 401, denied)
	// To read is all that it may.
	s.get("/", basic("", secret)).is(t, 401, "badauth")
}
