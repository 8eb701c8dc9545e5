package main_test

import (
	"fmt"
	"strings"
	"testing"
)

// A PowerDNS that nobody purges keeps all but the addresses of hosts, which are new at every question.
func testPowerDNSUncachedHosts(t *testing.T) {
	t.Parallel()
	redis := startRedis(t)
	redis.importZone(t, purgedZone)
	redis.redyn(t, "host", "add", "host.example.org")
	node := startNode(t, redis, "--uncached-hosts")
	p := startPDNS(t, stock(node.overUnix()))
	other := found("mail.example.org.", "A", "mail.example.org. A 192.0.2.25")
	for i := range 5 {
		addr := fmt.Sprintf("192.0.2.1%d", i)
		redis.redyn(t, "record", "set", "host.example.org", "A", addr)
		redis.redyn(t, "record", "set", "mail.example.org", "A", addr)
		for range 2 {
			found("host.example.org.", "A", "host.example.org. A "+addr).check(t, p)
			found("www.example.org.", "A", "www.example.org. CNAME host.example.org.", "host.example.org. A "+addr).check(t, p)
		}
		if i == 0 {
			other = found("mail.example.org.", "A", "mail.example.org. A "+addr)
		}
		other.check(t, p)
	}

	redis.redyn(t, "record", "set", "late.example.org", "A", "192.0.2.30")
	redis.redyn(t, "host", "add", "late.example.org")
	found("late.example.org.", "A", "late.example.org. A 192.0.2.30").check(t, p)
	redis.redyn(t, "record", "set", "late.example.org", "A", "192.0.2.31")
	found("late.example.org.", "A", "late.example.org. A 192.0.2.31").check(t, p)
	if out := redis.redyn(t, "pdns-conf", "--uncached-hosts"); !strings.Contains(out, "cache-ttl=20") {
		t.Errorf("pdns-conf prints\n%s", out)
	}
}
