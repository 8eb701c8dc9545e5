package main

import (
	"fmt"
	"net"
	"path/filepath"

	"github.com/miekg/dns"
)

// nsUpdate sends DNS UPDATE (RFC 2136) as nsupdate does, from one socket.
type nsUpdate struct {
	*dns.Conn
	client dns.Client
}

func dialNSUpdate(port int) (*nsUpdate, error) {
	c, err := dns.Dial("udp", loopback(port))
	return &nsUpdate{Conn: c}, err
}

func (u *nsUpdate) update(host int, addr string) error {
	header := dns.RR_Header{Name: hostName(host), Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: ttl}
	m := new(dns.Msg)
	m.SetUpdate(origin)
	m.RemoveRRset([]dns.RR{&dns.A{Hdr: header}})
	m.Insert([]dns.RR{&dns.A{Hdr: header, A: net.ParseIP(addr)}})
	reply, _, err := u.client.ExchangeWithConn(m, u.Conn)
	if err == nil && reply.Rcode != dns.RcodeSuccess {
		err = fmt.Errorf("the answer to a DNS UPDATE is %s", dns.RcodeToString[reply.Rcode])
	}
	return err
}

// fillLMDB loads the zone into a database, and returns the settings of a PowerDNS that reads it.
func (b *bench) fillLMDB(zone string) (string, error) {
	settings := "launch=lmdb\nlmdb-filename=" + filepath.Join(b.dir, "pdns.lmdb") + "\n"
	dir, err := b.confDir("", settings)
	if err != nil {
		return "", err
	}
	return settings, b.command(nil, "pdnsutil", "--config-dir="+dir, "load-zone", origin, zone)
}
