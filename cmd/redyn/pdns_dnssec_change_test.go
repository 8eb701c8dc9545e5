package main_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/miekg/dns"
)

// switches are the ways to deny that a zone is taken through, as arguments of pdnsutil.
var switches = [][]string{
	{"set-nsec3", "nsec.example.", "1 0 0 -"},
	{"unset-nsec3", "nsec.example."},
	{"set-nsec3", "nsec.example.", "1 1 1 abcd"},
	{"set-nsec3", "nsec.example.", "1 0 1 abcd", "narrow"},
	{"set-nsec3", "nsec.example.", "1 0 0 -"},
	{"unset-nsec3", "nsec.example."},
}

// A zone goes from NSEC to NSEC3 and back while a validating resolver asks, which is never failed
// and never misled.
func testSignedSwitch(t *testing.T, s *signed) {
	var asked atomic.Int64
	var asking sync.WaitGroup
	end := make(chan struct{})
	for worker := range 2 {
		asking.Go(func() {
			for i := worker; ; i += 2 {
				select {
				case <-end:
					return
				default:
				}
				s.askSwitching(t, i)
				asked.Add(1)
			}
		})
	}
	more := func() {
		until := asked.Load() + 50
		eventually(t, func() error {
			if n := asked.Load(); n < until {
				return fmt.Errorf("%d questions to go", until-n)
			}
			return nil
		})
	}
	for _, args := range switches {
		more()
		s.p.util(t, args...)
	}
	more()
	close(end)
	asking.Wait()
	s.validateKinds(t, denials[0])
}

// askSwitching asks one of the questions whose answers differ between the ways to deny; with opt-out
// some are insecure.
func (s *signed) askSwitching(t *testing.T, i int) {
	switch i % 5 {
	case 0:
		s.r.validate(t, fmt.Sprintf("no%d.nsec.example.", i), dns.TypeA, dns.RcodeNameError, secure, insecure)
	case 1:
		s.r.validate(t, fmt.Sprintf("no%d.below.ent.nsec.example.", i), dns.TypeA, dns.RcodeNameError, secure, insecure)
	case 2:
		s.r.validate(t, fmt.Sprintf("one%d.wild.nsec.example.", i), dns.TypeA, dns.RcodeSuccess, secure, insecure)
	case 3:
		s.r.validate(t, "ent.nsec.example.", dns.TypeA, dns.RcodeSuccess, secure)
	case 4:
		s.r.validate(t, "mail.nsec.example.", dns.TypeTXT, dns.RcodeSuccess, secure)
	}
}

// A key is rolled as RFC 6781 section 4.1.1.1 has it: the new one is published, signs, and the old
// one goes.
func testSignedKeys(t *testing.T, s *signed) {
	const zone = "nsec3.example."
	old := s.p.keysOf(t, zone)
	check := func(keys ...string) {
		t.Helper()
		anchors := anchorsFor(t, keys...)
		for _, name := range []string{"mail.", "nope.", "one.wild."} {
			if got, text := s.p.delv(t, anchors, zone, name+zone, "A"); got != secure {
				t.Errorf("delv calls %s%s %s\n%s", name, zone, got, text)
			}
		}
	}
	s.p.util(t, "add-zone-key", zone, "ksk", "inactive", "published", "ecdsa256")
	both := s.p.keysOf(t, zone)
	if len(old) != 1 || len(both) != 2 {
		t.Fatalf("%d keys, and then %d; want 1 and 2", len(old), len(both))
	}
	check(old...)
	fresh := both[0]
	if fresh == old[0] {
		fresh = both[1]
	}
	s.p.util(t, "activate-zone-key", zone, s.keyID(t, zone, fresh))
	check(old...)
	check(fresh)
	s.p.util(t, "deactivate-zone-key", zone, s.keyID(t, zone, old[0]))
	check(fresh)
	s.p.util(t, "remove-zone-key", zone, s.keyID(t, zone, old[0]))
	check(fresh)
	if now := s.p.keysOf(t, zone); len(now) != 1 || now[0] != fresh {
		t.Errorf("the keys are %q; want %q alone", now, fresh)
	}
	s.p.verifyZone(t, zone)
}

// keyID returns PowerDNS's number of a key.
func (s *signed) keyID(t *testing.T, zone, key string) string {
	t.Helper()
	rr, err := dns.NewRR(key)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(s.p.util(t, "show-zone", zone)) {
		if strings.HasPrefix(line, "ID = ") && strings.Contains(line, fmt.Sprintf("tag = %d,", rr.(*dns.DNSKEY).KeyTag())) {
			return strings.Fields(line)[2]
		}
	}
	t.Fatalf("%s has no key %s", zone, key)
	return ""
}
