package main_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// replicate makes r follow primary and waits until it has its data.
func (r *redisServer) replicate(t *testing.T, primary *redisServer) {
	t.Helper()
	r.do(t, "REPLICAOF", "127.0.0.1", strconv.Itoa(primary.port))
	eventually(t, func() error {
		info := r.do(t, "INFO", "replication")
		if !strings.Contains(info, "master_link_status:up") || !strings.Contains(info, fmt.Sprintf("master_port:%d\r", primary.port)) {
			return fmt.Errorf("%s", info)
		}
		return nil
	})
}

// A redyn that reads from a replica sees what is changed on the primary; and when the primary is
// replaced by a replica that lacks the last changes, it ends with exactly what that one has.
func testPowerDNSReplica(t *testing.T) {
	t.Parallel()
	primary, near, other := startRedis(t), startRedis(t), startRedis(t)
	primary.importZone(t, outageZone)
	near.replicate(t, primary)
	other.replicate(t, primary)
	node := startNode(t, primary, "--redis-read-url", near.url())
	p := startPDNS(t, remote(node.overUnix()))

	set := func(on *redisServer, addr string) {
		t.Helper()
		on.redyn(t, "record", "set", "host.example.org", "A", addr)
	}
	for i := range 5 {
		addr := fmt.Sprintf("192.0.2.1%d", i)
		set(primary, addr)
		found("host.example.org.", "A", "host.example.org. A "+addr).check(t, p)
	}

	eventually(t, func() error { // the other has all up to here
		got, want := other.do(t, "HGET", "{redyn}:epoch", "log"), primary.do(t, "HGET", "{redyn}:epoch", "log")
		if got != want {
			return fmt.Errorf("it is at %s; the primary at %s", got, want)
		}
		return nil
	})
	other.do(t, "REPLICAOF", "NO", "ONE")
	set(primary, "192.0.2.20")
	primary.redyn(t, "record", "set", "lost.example.org", "A", "192.0.2.21")
	primary.redyn(t, "record", "delete", "stays.example.org", "A")
	found("lost.example.org.", "A", "lost.example.org. A 192.0.2.21").check(t, p)
	missing("stays.example.org.", "A", nil).check(t, p)

	near.replicate(t, other)
	eventually(t, func() error {
		reply, err := p.exchange("lost.example.org.", dns.TypeA)
		if err == nil && reply.Rcode != dns.RcodeNameError {
			err = fmt.Errorf("the lost write is still there: %v", reply)
		}
		return err
	})
	found("host.example.org.", "A", "host.example.org. A 192.0.2.14").check(t, p)
	found("stays.example.org.", "A", "stays.example.org. A 192.0.2.200").check(t, p)
	set(other, "192.0.2.30")
	eventually(t, func() error {
		reply, err := p.exchange("host.example.org.", dns.TypeA)
		if err == nil && (len(reply.Answer) != 1 || texts(reply.Answer)[0] != "host.example.org. A 192.0.2.30") {
			err = fmt.Errorf("host is %v", reply.Answer)
		}
		return err
	})
	if got, want := exported(t, other), transferred(t, p); got != want {
		t.Errorf("the primary has\n%s\nand is answered\n%s", got, want)
	}
}

// exported is the zone as the data set has it, and transferred as PowerDNS gives it.
func exported(t *testing.T, r *redisServer) string {
	t.Helper()
	var rrs []dns.RR
	z := dns.NewZoneParser(strings.NewReader(r.redyn(t, "zone", "export", "example.org")), "", "")
	for rr, ok := z.Next(); ok; rr, ok = z.Next() {
		rrs = append(rrs, rr)
	}
	if z.Err() != nil {
		t.Fatal(z.Err())
	}
	return strings.Join(texts(rrs), "\n")
}

func transferred(t *testing.T, p *powerDNS) string {
	t.Helper()
	rrs, err := p.transfer("example.org.")
	if err != nil || len(rrs) == 0 {
		t.Fatalf("AXFR: %d records, %v", len(rrs), err)
	}
	return strings.Join(texts(rrs[1:]), "\n")
}
