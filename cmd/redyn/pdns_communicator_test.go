package main_test

import (
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// What PowerDNS's communicator asks again and again, as a primary and as a secondary, ends PowerDNS if it is
// answered by an error.
func TestPDNSCommunicator(t *testing.T) {
	t.Parallel()
	needPrograms(t, "redis-server", "redis-cli", "pdns_server")
	buildProgram(t)
	const both = "primary=yes\nsecondary=yes\nxfr-cycle-interval=1\n"
	for _, connector := range []struct {
		name string
		over func(*node) string
	}{{"unix", (*node).overUnix}, {"HTTP", func(n *node) string { return n.overHTTP("") }}} {
		t.Run(connector.name+", no zones yet", func(t *testing.T) {
			t.Parallel()
			n := startNode(t, startRedis(t))
			p := startPDNS(t, remote(connector.over(n))+both)
			time.Sleep(2500 * time.Millisecond) // two cycles
			if reply := p.ask(t, "example.org.", "A"); reply.Rcode != dns.RcodeRefused {
				t.Errorf("without any zone %s is answered", dns.RcodeToString[reply.Rcode])
			}
		})
		t.Run(connector.name+", Redis away", func(t *testing.T) {
			t.Parallel()
			r := startRedis(t)
			r.importZone(t, outageZone)
			r.redyn(t, "zone", "set", "example.org", "--kind", "master")
			n := startNode(t, r)
			r.end(syscall.SIGKILL)
			p := startPDNS(t, remote(connector.over(n))+both)
			eventually(t, func() error {
				if strings.Count(p.log.String(), "setNotified") < 2 {
					return errors.New("PowerDNS has not noted twice whom it has notified")
				}
				return nil
			})
			found("stays.example.org.", "A", "stays.example.org. A 192.0.2.200").check(t, p)
		})
	}
}
