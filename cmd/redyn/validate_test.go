package main_test

import (
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// Three validators that have nothing in common judge what PowerDNS answers from redyn: unbound asks
// every question, BIND's delv one of each kind, and ldns-verify-zone looks at whole zones.

// resolver is an unbound that asks one PowerDNS and remembers no answers.
type resolver struct{ *powerDNS }

// startResolver starts an unbound for these zones. It trusts the anchors: DS or DNSKEY records. It is
// patient, as a machine may be busy: what it gives up on is SERVFAIL, like what is bogus.
func startResolver(t *testing.T, p *powerDNS, zones, anchors []string) *resolver {
	t.Helper()
	host, port, err := net.SplitHostPort(p.addr)
	if err != nil {
		t.Fatal(err)
	}
	at := freePort(t)
	var conf strings.Builder
	fmt.Fprintf(&conf, `server:
	interface: 127.0.0.1
	port: %d
	do-daemonize: no
	username: ""
	chroot: ""
	pidfile: ""
	use-syslog: no
	num-threads: 1
	do-ip6: no
	do-not-query-localhost: no
	module-config: "validator iterator"
	cache-max-ttl: 0
	cache-max-negative-ttl: 0
	val-bogus-ttl: 0
	val-log-level: 2
	log-servfail: yes
	aggressive-nsec: no
	qname-minimisation: no
	infra-cache-min-rtt: 3000
	unknown-server-time-limit: 3000
`, at)
	for _, anchor := range anchors {
		fmt.Fprintf(&conf, "\ttrust-anchor: '%s'\n", strings.ReplaceAll(anchor, "\t", " "))
	}
	for _, zone := range zones {
		fmt.Fprintf(&conf, "stub-zone:\n\tname: %q\n\tstub-addr: %s@%s\n", zone, host, port)
	}
	file := writeFile(t, "unbound.conf", conf.String())
	r := &resolver{&powerDNS{startServer(t, "unbound", "unbound", "-c", file), loopback(at), filepath.Dir(file)}}
	r.await(t, func() error {
		_, err := r.exchange("localhost.", dns.TypeA)
		return err
	})
	return r
}

// verdict is what a validator makes of an answer.
type verdict string

const (
	secure   verdict = "secure"
	insecure verdict = "insecure" // and rightly so
	bogus    verdict = "bogus"
)

// judge asks one question.
func (r *resolver) judge(name string, typ uint16) (verdict, *dns.Msg, error) {
	m := new(dns.Msg)
	m.SetQuestion(name, typ)
	m.SetEdns0(4096, true)
	client := dns.Client{Timeout: patience}
	reply, _, err := client.Exchange(m, r.addr)
	switch {
	case err != nil:
		return "", nil, err
	case reply.Rcode == dns.RcodeServerFailure:
		return bogus, reply, nil
	case reply.AuthenticatedData:
		return secure, reply, nil
	}
	return insecure, reply, nil
}

// validate asks one question, which must have this rcode and one of the verdicts.
func (r *resolver) validate(t *testing.T, name string, typ uint16, rcode int, verdicts ...verdict) {
	t.Helper()
	got, reply, err := r.judge(name, typ)
	if err != nil {
		t.Errorf("%s %s: %v", name, dns.Type(typ), err)
		return
	}
	good := false
	for _, v := range verdicts {
		good = good || got == v
	}
	if !good || reply.Rcode != rcode {
		t.Errorf("%s %s is %s; want %s, %s\n%v", name, dns.Type(typ), got, verdicts, dns.RcodeToString[rcode], reply)
	}
}

// delv asks one question with BIND's validator, which trusts anchors: lines of a file of its own.
func (p *powerDNS) delv(t *testing.T, anchors, zone, name, typ string) (verdict, string) {
	t.Helper()
	host, port, err := net.SplitHostPort(p.addr)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("delv", "@"+host, "-p", port, "-a", anchors, "+root="+zone, name, typ).CombinedOutput()
	text := string(out)
	switch {
	case err != nil:
		t.Fatalf("delv %s %s: %v\n%s", name, typ, err, text)
	case strings.Contains(text, "unsigned answer"):
		return insecure, text
	case strings.Contains(text, "fully validated"):
		return secure, text
	}
	return bogus, text
}

// anchorsFor writes keys as delv reads them; each is a DNSKEY record.
func anchorsFor(t *testing.T, keys ...string) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("trust-anchors {\n")
	for _, key := range keys {
		rr, err := dns.NewRR(key)
		if err != nil {
			t.Fatal(err)
		}
		k := rr.(*dns.DNSKEY)
		fmt.Fprintf(&b, "\t%q static-key %d %d %d %q;\n", k.Hdr.Name, k.Flags, k.Protocol, k.Algorithm, k.PublicKey)
	}
	b.WriteString("};\n")
	return writeFile(t, "anchors", b.String())
}

// verifyZone transfers the whole zone and has ldns look at it: all signatures, and whether the chain
// of denials is whole.
func (p *powerDNS) verifyZone(t *testing.T, zone string) {
	t.Helper()
	rrs, err := p.transfer(zone)
	if err != nil || len(rrs) < 2 {
		t.Fatalf("AXFR of %s: %d records, %v", zone, len(rrs), err)
	}
	var b strings.Builder
	for _, rr := range rrs[:len(rrs)-1] { // without the second SOA
		fmt.Fprintln(&b, rr)
	}
	out, err := exec.Command("ldns-verify-zone", writeFile(t, "zone", b.String())).CombinedOutput()
	if err != nil {
		t.Errorf("ldns-verify-zone %s: %v\n%s\n%s", zone, err, out, &b)
	}
}

// keysOf returns the DNSKEY records that the server gives.
func (p *powerDNS) keysOf(t *testing.T, zone string) []string {
	t.Helper()
	var keys []string
	for _, rr := range p.ask(t, zone, "DNSKEY").Answer {
		keys = append(keys, rr.String())
	}
	if len(keys) == 0 {
		t.Fatalf("%s has no DNSKEY", zone)
	}
	return keys
}
