package main

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"redyn/backend/dns"
	"redyn/backend/dns/zonefile"
	"redyn/backend/zonedb"
)

// checkSigning finds what is wrong with the way in which a zone is signed, as far as it is known
// without its private keys, and with its metadata. Keys are the TSIG keys that there are.
func checkSigning(about dns.ZoneData, sets []dns.RRset, keys map[dns.Name]dns.Name) []zonefile.Problem {
	s := signingCheck{ZoneData: about, zone: about.Zone.Name}
	s.metadata(keys)
	s.nsec3()
	s.keys()
	for _, set := range sets {
		s.set(set)
	}
	if isPresigned(about) && len(sets) > 0 && !slices.ContainsFunc(sets, s.signsApex) {
		s.fatal(s.zone, dns.TypeENT, "is pre-signed and has no RRSIG at its apex: validators refuse it")
	}
	return s.problems
}

type signingCheck struct {
	dns.ZoneData
	zone     dns.Name
	problems []zonefile.Problem
}

func (s *signingCheck) fatal(name dns.Name, typ dns.Type, text string) {
	s.problems = append(s.problems, zonefile.Problem{Name: name, Type: typ, Fatal: true, Text: text})
}

func (s *signingCheck) warn(name dns.Name, typ dns.Type, text string) {
	s.problems = append(s.problems, zonefile.Problem{Name: name, Type: typ, Text: text})
}

func (s *signingCheck) signsApex(set dns.RRset) bool {
	return set.Name == s.zone && set.Type == dns.TypeRRSIG
}

// Metadata that name TSIG keys.
var tsigKinds = []string{"AXFR-MASTER-TSIG", "TSIG-ALLOW-AXFR", "TSIG-ALLOW-DNSUPDATE"}

func (s *signingCheck) metadata(keys map[dns.Name]dns.Name) {
	for kind, values := range sortedMap(s.Metadata) {
		sorted := slices.Sorted(slices.Values(values))
		if len(slices.Compact(sorted)) < len(values) {
			s.warn(s.zone, dns.TypeENT, "has a value twice in its metadata "+kind)
		}
		if !slices.Contains(tsigKinds, kind) {
			continue
		}
		for _, value := range values {
			name, err := dns.ParseName(value)
			if _, ok := keys[name]; err != nil || !ok {
				s.warn(s.zone, dns.TypeENT, fmt.Sprintf("names the TSIG key %s in its metadata %s, and there is none; redyn tsig list shows all", value, kind))
			}
		}
	}
}

// maxNSEC3Zone is how long the name of a zone may be in wire format, so that a hash and its length
// fit before it.
const maxNSEC3Zone = dns.MaxNameLen - 33

// nsec3 checks the metadata NSEC3PARAM, which has the form of the record (RFC 5155 section 4.3).
func (s *signingCheck) nsec3() {
	const kind = "NSEC3PARAM"
	values := s.Metadata[kind]
	if len(values) == 0 {
		if metaValue(s.Metadata, "NSEC3NARROW") == "1" {
			s.warn(s.zone, dns.TypeENT, "has the metadata NSEC3NARROW without NSEC3PARAM: it has NSEC")
		}
		return
	}
	if len(values) > 1 {
		s.warn(s.zone, dns.TypeENT, "has several values of the metadata NSEC3PARAM: the first counts")
	}
	if fault := nsec3Fault(values[0]); fault != "" {
		s.fatal(s.zone, dns.TypeENT, fmt.Sprintf("has the metadata %s %q: %s; expected something like 1 0 0 -", kind, values[0], fault))
	} else if n := iterations(values[0]); n > zonedb.MaxNSEC3Iterations && !isPresigned(s.ZoneData) {
		s.warn(s.zone, dns.TypeENT, fmt.Sprintf("wants %d iterations of NSEC3: PowerDNS lowers them to %d (expected 0, RFC 9276)", n, zonedb.MaxNSEC3Iterations))
	}
	if n := len(s.zone.AppendWire(nil)); n > maxNSEC3Zone && signing(s.ZoneData) != "unsigned" {
		s.fatal(s.zone, dns.TypeENT, fmt.Sprintf("has NSEC3, and its name of %d octets leaves no room for a hash; at most %d do", n, maxNSEC3Zone))
	}
}

// nsec3Fault says what is wrong with the text of an NSEC3PARAM; empty if nothing is.
func nsec3Fault(text string) string {
	f := strings.Fields(text)
	if len(f) != 4 {
		return fmt.Sprintf("it has %d fields of 4", len(f))
	}
	if f[0] != "1" {
		return "the hash algorithm is not 1"
	}
	if f[1] != "0" && f[1] != "1" {
		return "the flags are neither 0 nor 1 (opt-out)"
	}
	if _, err := strconv.ParseUint(f[2], 10, 16); err != nil {
		return "the iterations are no number from 0 to 65535"
	}
	if _, err := hex.DecodeString(f[3]); err != nil && f[3] != "-" || len(f[3]) > 2*255 {
		return "the salt is neither - nor up to 255 octets in hexadecimal digits"
	}
	return ""
}

func iterations(param string) int {
	n, _ := strconv.Atoi(strings.Fields(param)[2]) // nsec3Fault has looked at it
	return n
}

func (s *signingCheck) keys() {
	switch {
	case s.KeysUnknown:
		s.fatal(s.zone, dns.TypeENT, "has a DNSSEC key that cannot be read")
	case len(s.Keys) == 0:
	case isPresigned(s.ZoneData):
		s.warn(s.zone, dns.TypeENT, "is pre-signed and has DNSSEC keys, which are not used")
	case !isLiveSigned(s.ZoneData):
		s.warn(s.zone, dns.TypeENT, "has DNSSEC keys, and none is active: it is not signed")
	case !slices.ContainsFunc(s.Keys, func(k dns.Key) bool { return k.Active && k.Published }):
		s.warn(s.zone, dns.TypeENT, "has no active DNSSEC key that is published: validators do not find the keys")
	}
}

// set finds records that PowerDNS makes itself.
func (s *signingCheck) set(set dns.RRset) {
	live := !isPresigned(s.ZoneData)
	switch set.Type {
	case dns.TypeNSEC, dns.TypeNSEC3:
		s.fatal(set.Name, set.Type, "does not belong into the store: PowerDNS makes it")
	case dns.TypeRRSIG:
		if live {
			s.fatal(set.Name, set.Type, "does not belong into a zone that is not pre-signed: PowerDNS makes it")
		}
	case dns.TypeDNSKEY:
		if live && set.Name == s.zone {
			s.warn(set.Name, set.Type, "is ignored in a zone that is not pre-signed, unless PowerDNS has direct-dnskey=yes")
		}
	case dns.TypeNSEC3PARAM:
		s.warn(set.Name, set.Type, "is ignored: PowerDNS makes it from the metadata NSEC3PARAM")
	}
	if isLiveSigned(s.ZoneData) && set.Name.IsWildcard() && strings.HasPrefix(signing(s.ZoneData), "NSEC3 opt-out") {
		s.warn(set.Name, set.Type, "is a wildcard in a zone with opt-out, and so not secure")
	}
}
