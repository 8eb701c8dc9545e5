package main_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// A value that somebody wrote into Redis by hand, and that cannot be read, costs a starting node that
// zone alone: its names are SERVFAIL, not missing, nor the parent's. A change that mends it is seen.
func testPowerDNSUnknown(t *testing.T) {
	t.Parallel()
	redis := startRedis(t)
	redis.importZone(t, zoneText)
	redis.importZone(t, childText)
	id := redis.do(t, "HGET", "{redyn}:zones", "child.example.org.")
	gen := redis.do(t, "HGET", "{redyn}:zone:"+id, "gen")
	redis.do(t, "HSET", "{redyn}:rr:"+id+":"+gen, "www.child.example.org. A", "192.0.2.110")
	node := startNode(t, redis)
	if got, err := node.get("/metrics"); err != nil || !strings.Contains(got, "\nredyn_zones_unknown 1\n") {
		t.Errorf("the metrics do not tell of the zone: %v\n%s", err, got)
	}
	cached := startPDNS(t, remote(node.overUnix()))
	asking := startPDNS(t, remote(node.overUnix())+"zone-cache-refresh-interval=0\n")
	for name, p := range map[string]*powerDNS{"with a zone cache": cached, "without": asking} {
		for _, q := range []struct{ name, typ string }{
			{"www.child.example.org.", "A"},
			{"nope.child.example.org.", "A"},
			{"child.example.org.", "SOA"},
			{"child.example.org.", "NS"},
		} {
			if reply := p.ask(t, q.name, q.typ); reply.Rcode != dns.RcodeServerFailure {
				t.Errorf("%s: %s %s: want SERVFAIL\n%v", name, q.name, q.typ, reply)
			}
		}
		found("mail.example.org.", "A", "mail.example.org. A 192.0.2.25").check(t, p)
		missing("nope.example.org.", "A", soa).check(t, p)
	}
	redis.redyn(t, "record", "set", "www.child.example.org", "A", "192.0.2.111")
	for _, p := range []*powerDNS{cached, asking} {
		eventually(t, func() error {
			reply, err := p.exchange("www.child.example.org.", dns.TypeA)
			if err == nil && (len(reply.Answer) != 1 || texts(reply.Answer)[0] != "www.child.example.org. A 192.0.2.111") {
				err = fmt.Errorf("%v", reply)
			}
			return err
		})
	}
}
