package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// Zones that were signed elsewhere are transferred in with their signatures and denials, and what
// redyn gives of them is proved.
func testPowerDNSPresigned(t *testing.T) {
	t.Parallel()
	n := startNeighbours(t, (*node).overUnix)
	names := []string{"nsec.signed.example.", "nsec3.signed.example.", "optout.signed.example."}
	anchors := []string{
		n.load(t, names[0], ""),
		n.load(t, names[1], "1 0 1 abcd", "-n", "-t", "1", "-s", "abcd"),
		n.load(t, names[2], "1 1 1 abcd", "-n", "-p", "-t", "1", "-s", "abcd"),
	}
	for _, zone := range names {
		n.redis.redyn(t, "zone", "create", zone, "--kind", "slave", "--primary", n.sqlite.addr)
		n.redyn.control(t, "retrieve", zone)
	}
	for _, zone := range names {
		n.sqlite.notified(t, zone, n.redyn)
		n.same(t, zone)
		n.redyn.verifyZone(t, zone)
	}
	s := &signed{redis: n.redis, p: n.redyn, r: startResolver(t, n.redyn, names, anchors)}
	for _, zone := range names {
		s.validatePresigned(t, denial{zone: zone, optOut: strings.HasPrefix(zone, "optout.")})
	}
}

// load signs the zone with these options of ldns-signzone and has the other server serve it as it is,
// which nsec3 tells it of; it returns the zone's key.
func (n neighbours) load(t *testing.T, zone, nsec3 string, options ...string) string {
	t.Helper()
	dir := t.TempDir()
	run := func(program string, args ...string) string {
		t.Helper()
		cmd := exec.Command(program, args...)
		cmd.Dir = dir
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s %s: %v", program, strings.Join(args, " "), err)
		}
		return strings.TrimSpace(string(out))
	}
	// PowerDNS makes the NSEC itself, with names in lower case: a signature knows them as they were.
	text := strings.NewReplacer("MiXed", "mixed", "tree            DNAME b.ent\n", "").Replace(signedText)
	if err := os.WriteFile(filepath.Join(dir, "zone"), []byte("$ORIGIN "+zone+"\n"+text), 0o600); err != nil {
		t.Fatal(err)
	}
	key := run("ldns-keygen", "-a", "ECDSAP256SHA256", "-k", zone)
	run("ldns-signzone", append(options, "zone", key)...)
	n.sqlite.util(t, "load-zone", zone, withoutDenials(t, filepath.Join(dir, "zone.signed")))
	n.sqlite.util(t, "set-kind", zone, "primary")
	if nsec3 != "" {
		n.sqlite.util(t, "set-nsec3", zone, nsec3)
	}
	n.sqlite.util(t, "rectify-zone", zone)
	n.sqlite.util(t, "set-presigned", zone)
	record, err := os.ReadFile(filepath.Join(dir, key+".key"))
	if err != nil {
		t.Fatal(err)
	}
	rr, err := dns.NewRR(string(record))
	if err != nil {
		t.Fatal(err)
	}
	return rr.String()
}

// withoutDenials writes the zone file again without what PowerDNS makes itself, but with the
// signatures of it.
func withoutDenials(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	denials := regexp.MustCompile(`\t(NSEC|NSEC3|NSEC3PARAM)\t`)
	var kept strings.Builder
	for line := range strings.Lines(string(text)) {
		if !denials.MatchString(line) {
			kept.WriteString(line)
		}
	}
	return writeFile(t, "zone", kept.String())
}

// validatePresigned asks for every name, and for names beside and below it.
func (s *signed) validatePresigned(t *testing.T, d denial) {
	exists := set(signedNames...)
	for _, name := range signedNames {
		if name == "tree." {
			continue
		}
		if name != "" {
			s.r.validate(t, name+d.zone, dns.TypeDS, dns.RcodeSuccess, secure)
		}
		if signedCuts[name] {
			continue
		}
		s.r.validate(t, name+d.zone, dns.TypeA, dns.RcodeSuccess, secure)
		s.r.validate(t, name+d.zone, dns.TypeMX, dns.RcodeSuccess, secure)
		s.validateAbsent(t, d, "0."+name, exists)
		s.validateAbsent(t, d, "zz.below."+name, exists)
	}
}
