package main_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// transferring makes a PowerDNS a primary and a secondary that looks around often.
const transferring = "primary=yes\nsecondary=yes\nxfr-cycle-interval=1\n"

// neighbours are a PowerDNS that has its zones from redyn and one that has them in a database, each
// the primary of zones of the other's.
type neighbours struct {
	redis         *redisServer
	redyn, sqlite *powerDNS
}

// startNeighbours starts both; connection says how the first asks redyn.
func startNeighbours(t *testing.T, connection func(*node) string) neighbours {
	t.Helper()
	redis := startRedis(t)
	redis.importZone(t, "$ORIGIN first.example.\n"+signedChild) // begins the data set
	first, second := loopback(freePort(t)), loopback(freePort(t))
	return neighbours{
		redis: redis,
		redyn: startPDNSAt(t, first, remote(connection(startNode(t, redis)))+signing+transferring+
			"allow-axfr-ips=\nzone-cache-refresh-interval=0\nalso-notify="+second),
		sqlite: startPDNSAt(t, second, sqlite(t)+transferring+"zone-cache-refresh-interval=0\nalso-notify="+first),
	}
}

// same fails the test if the two servers do not transfer the same zone, record by record.
func (n neighbours) same(t *testing.T, zone string) {
	t.Helper()
	n.redyn.util(t, "set-meta", zone, "ALLOW-AXFR-FROM", "127.0.0.0/8")
	var all [2][]string
	for i, p := range []*powerDNS{n.redyn, n.sqlite} {
		rrs, err := p.transfer(zone)
		if err != nil || len(rrs) == 0 {
			t.Fatalf("AXFR of %s: %d records, %v", zone, len(rrs), err)
		}
		for _, rr := range rrs {
			rr.Header().Name = strings.ToLower(rr.Header().Name)
			all[i] = append(all[i], rr.String())
		}
		slices.Sort(all[i])
	}
	if !slices.Equal(all[0], all[1]) {
		t.Errorf("AXFR of %s from redyn gives\n%s\nand from gsqlite3\n%s", zone, strings.Join(all[0], "\n"), strings.Join(all[1], "\n"))
	}
}

// Zones go from redyn to another server and from there to redyn, whole and after each change, which
// NOTIFY tells of.
func testPowerDNSTransfers(t *testing.T) {
	t.Parallel()
	for name, connection := range map[string]func(*node) string{
		"unix": (*node).overUnix,
		"REST": func(n *node) string { return n.overHTTP("") },
		"JSON": func(n *node) string { return n.overHTTP(",post=1,post_json=1") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := startNeighbours(t, connection)
			t.Run("out", func(t *testing.T) { testTransferOut(t, n) })
			t.Run("in", func(t *testing.T) { testTransferIn(t, n) })
		})
	}
}

// A zone of redyn's is a secondary's, who is told of each change and asks with a TSIG key.
func testTransferOut(t *testing.T, n neighbours) {
	const zone = "example.org."
	n.redis.importZone(t, zoneText)
	n.redis.redyn(t, "zone", "set", zone, "--kind", "master")
	n.redis.redyn(t, "tsig", "add", "transfer", "--algorithm", "hmac-sha256", "--secret", tsigSecret)
	n.redyn.util(t, "activate-tsig-key", zone, "transfer", "primary")
	if rrs, err := n.redyn.transfer(zone); err == nil && len(rrs) > 0 {
		t.Errorf("%d records are transferred without the key", len(rrs))
	}

	n.sqlite.util(t, "create-secondary-zone", zone, n.redyn.addr)
	n.sqlite.util(t, "import-tsig-key", "transfer", "hmac-sha256", tsigSecret)
	n.sqlite.util(t, "activate-tsig-key", zone, "transfer", "secondary")
	n.sqlite.control(t, "retrieve", zone)
	n.redyn.notified(t, zone, n.sqlite)
	n.redis.redyn(t, "record", "set", "new.example.org", "AAAA", "2001:db8::1")
	n.redyn.notified(t, zone, n.sqlite)
	n.redyn.util(t, "deactivate-tsig-key", zone, "transfer", "primary")
	n.same(t, zone)
}

const tsigSecret = "bm90IGEgc2VjcmV0IG91dHNpZGUgb2YgdGhpcyB0ZXN0Lg=="

// A zone of the other's is a secondary zone of redyn's, which keeps the serials it brings.
func testTransferIn(t *testing.T, n neighbours) {
	const zone = "there.example."
	n.sqlite.util(t, "load-zone", zone, writeFile(t, "zone", strings.ReplaceAll(zoneText, "example.org.", zone)))
	n.sqlite.util(t, "set-kind", zone, "primary")
	n.redis.redyn(t, "zone", "create", zone, "--kind", "slave", "--primary", n.sqlite.addr)
	n.redyn.control(t, "retrieve", zone)
	n.sqlite.notified(t, zone, n.redyn)
	n.same(t, zone)
	for _, change := range [][]string{
		{"replace-rrset", "60", "192.0.2.1"},
		{"delete-rrset"},
	} {
		n.sqlite.utilRRset(t, change[0], zone, "host", append([]string{"A"}, change[1:]...)...)
		n.sqlite.util(t, "increase-serial", zone)
		n.sqlite.control(t, "notify", zone)
		n.sqlite.notified(t, zone, n.redyn)
		n.same(t, zone)
	}
}

// A zone comes to be in redyn when an autoprimary notifies of it, and not when another does.
func testPowerDNSAutoprimary(t *testing.T) {
	t.Parallel()
	// PowerDNS asks an autoprimary at port 53 of its address.
	ip := fmt.Sprintf("127.%d.%d.%d", 1+rand.IntN(254), rand.IntN(256), 1+rand.IntN(254))
	if l, err := net.Listen("tcp", ip+":53"); err == nil {
		_ = l.Close()
	} else if os.Getenv("TEST_REQUIRE_ALL") != "" {
		t.Fatalf("an autoprimary listens on port 53, as root can: %v", err)
	} else {
		t.Skipf("an autoprimary listens on port 53, as root can: %v", err)
	}
	redis := startRedis(t)
	redis.importZone(t, "$ORIGIN first.example.\n"+signedChild)
	redis.redyn(t, "zone", "autoprimary", "add", ip, "ns.auto.example", "--account", "jane")
	p := startPDNS(t, remote(startNode(t, redis).overUnix())+signing+transferring+"autosecondary=yes\nzone-cache-refresh-interval=0\n")
	primary := startPDNSAt(t, ip+":53", sqlite(t)+"primary=yes\nzone-cache-refresh-interval=0\n")
	for _, zone := range []string{"auto.example.", "stranger.example."} {
		primary.util(t, "load-zone", zone, writeFile(t, "zone", "$ORIGIN "+zone+"\n"+signedChild))
		primary.util(t, "set-kind", zone, "primary")
	}
	primary.control(t, "notify-host", "stranger.example.", p.addr)
	primary.control(t, "notify-host", "auto.example.", p.addr)
	primary.notified(t, "auto.example.", p)
	out := redis.redyn(t, "zone", "show", "auto.example")
	for _, want := range []string{"kind slave", "primaries " + ip, "account jane"} {
		if !strings.Contains(strings.Join(strings.Fields(out), " "), want) {
			t.Errorf("the zone is\n%s\nwant %s", out, want)
		}
	}
	if reply := p.ask(t, "stranger.example.", "SOA"); reply.Rcode != dns.RcodeRefused {
		t.Errorf("a zone of no autoprimary is answered: %v", reply)
	}
}
