package main_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"
)

// denial is one of the ways to deny that a name exists, and a zone that does it so.
type denial struct {
	zone   string
	nsec3  []string // arguments of pdnsutil set-nsec3; none for NSEC
	optOut bool
}

var denials = []denial{
	{zone: "nsec.example."},
	{zone: "nsec3.example.", nsec3: []string{"1 0 1 ab"}},
	{zone: "optout.example.", nsec3: []string{"1 1 0 -"}, optOut: true},
	{zone: "narrow.example.", nsec3: []string{"1 0 0 -", "narrow"}},
}

// signedText has a case for everything that is denied or proved in a way of its own.
const signedText = `$TTL 300
@               SOA   ns1 hostmaster 1 3600 600 86400 60
@               NS    ns1
@               MX    10 mail
ns1             A     192.0.2.53
mail            A     192.0.2.25
mail            TXT   "one"
www             CNAME mail
*.wild          A     192.0.2.77
*.alias         CNAME mail
exist.wild      A     192.0.2.78
below.ent.wild  A     192.0.2.79
a.b.ent         A     192.0.2.80
_sip._tcp       SRV   10 60 5060 mail
dot\.ted        A     192.0.2.101
MiXed           A     192.0.2.105
tree            DNAME b.ent
far             NS    ns.example.net.
only.far.for    NS    ns.example.net.
safe            NS    ns.safe
safe            DS    12345 13 2 0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF
ns.safe         A     192.0.2.99
unsigned        NS    ns.unsigned
ns.unsigned     A     192.0.2.98
signed          NS    ns.signed
ns.signed       A     192.0.2.97
`

// signedChild is a zone below a cut of it.
const signedChild = `$TTL 300
@    SOA ns hostmaster 7 3600 600 86400 60
@    NS  ns
ns   A   192.0.2.97
www  A   192.0.2.110
`

// The names of signedText, relative to the zone.
var (
	// signedNames exist, those without records too.
	signedNames = []string{
		"", "ns1.", "mail.", "www.", "wild.", "*.wild.", "alias.", "*.alias.", "exist.wild.", "ent.wild.", "below.ent.wild.",
		"ent.", "b.ent.", "a.b.ent.", "_tcp.", "_sip._tcp.", `dot\.ted.`, "mixed.", "tree.", "safe.", "signed.",
		"far.", "for.", "far.for.", "only.far.for.", "unsigned.",
	}
	// signedUnproved are delegations that opt-out does not prove.
	signedUnproved = set("far.", "only.far.for.", "unsigned.")
	// signedCuts are the delegations: what else than DS is asked there is answered by another zone.
	signedCuts = set("far.", "only.far.for.", "safe.", "unsigned.", "signed.")
)

func set(names ...string) map[string]bool {
	s := make(map[string]bool)
	for _, name := range names {
		s[name] = true
	}
	return s
}

// signed is everything that the stories of DNSSEC need.
type signed struct {
	redis *redisServer
	node  *node
	p     *powerDNS
	r     *resolver
}

// startSigned has PowerDNS sign a zone for each way of denying, each with a signed and an unsigned
// zone below it.
func startSigned(t *testing.T) *signed {
	t.Helper()
	redis := startRedis(t)
	redis.importZone(t, "$ORIGIN nsec.example.\n"+signedText) // begins the data set
	var importing sync.WaitGroup
	for _, d := range denials {
		importing.Go(func() {
			if d.zone != "nsec.example." {
				redis.importZone(t, "$ORIGIN "+d.zone+"\n"+signedText)
			}
			for _, child := range []string{"signed.", "unsigned."} {
				redis.importZone(t, "$ORIGIN "+child+d.zone+"\n"+signedChild)
			}
		})
	}
	importing.Wait()
	node := startNode(t, redis)
	s := &signed{redis: redis, node: node, p: startPDNS(t, remote(node.overUnix())+signing+"dname-processing=yes\n")}
	var zones, anchors []string
	secureZones := []string{"secure-zone"}
	for _, d := range denials {
		secureZones = append(secureZones, d.zone, "signed."+d.zone)
	}
	s.p.util(t, secureZones...)
	for _, d := range denials {
		zones = append(zones, d.zone, "signed."+d.zone, "unsigned."+d.zone)
		anchors = append(anchors, s.sign(t, d)...)
	}
	s.r = startResolver(t, s.p, zones, anchors)
	return s
}

// sign makes the zone deny as d says and vouch for the zone below; it returns its DNSKEYs.
func (s *signed) sign(t *testing.T, d denial) []string {
	t.Helper()
	child, err := dns.NewRR(s.p.keysOf(t, "signed."+d.zone)[0])
	if err != nil {
		t.Fatal(err)
	}
	ds := child.(*dns.DNSKEY).ToDS(dns.SHA256)
	s.redis.redyn(t, "record", "set", "signed."+d.zone, "DS", strings.TrimPrefix(ds.String(), ds.Hdr.String()))
	if d.nsec3 != nil {
		s.p.util(t, append([]string{"set-nsec3", d.zone}, d.nsec3...)...)
	}
	return s.p.keysOf(t, d.zone)
}

// PowerDNS signs what redyn holds, in each way that there is to deny, and every answer is proved.
func testPowerDNSSigned(t *testing.T) {
	t.Parallel()
	s := startSigned(t)
	for _, d := range denials {
		t.Run(d.zone, func(t *testing.T) {
			s.validateAll(t, d)
			s.validateKinds(t, d)
			if d.zone != "narrow.example." { // whose NSEC3 are made up for each question
				s.p.verifyZone(t, d.zone)
			}
			s.p.verifyZone(t, "signed."+d.zone)
		})
	}
	t.Run("names come and go", func(t *testing.T) { testSignedNames(t, s) })
	t.Run("while questions run", func(t *testing.T) { testSignedSwitch(t, s) })
	t.Run("keys roll", func(t *testing.T) { testSignedKeys(t, s) })
}

// validateAll asks for every name that there is, for names beside and below it, and for many types.
func (s *signed) validateAll(t *testing.T, d denial) {
	exists := set(signedNames...)
	for _, name := range signedNames {
		full := name + d.zone
		verdicts := []verdict{secure}
		if d.optOut && signedUnproved[name] {
			verdicts = []verdict{insecure}
		}
		if name != "" { // whose DS would be the parent's
			s.r.validate(t, full, dns.TypeDS, dns.RcodeSuccess, verdicts...)
		}
		if signedCuts[name] {
			continue
		}
		for _, typ := range []uint16{dns.TypeA, dns.TypeTXT, dns.TypeMX, dns.TypeSRV, dns.TypeNSEC} {
			s.r.validate(t, full, typ, dns.RcodeSuccess, verdicts...)
		}
		if name == "tree." { // all below it is elsewhere
			continue
		}
		for _, beside := range []string{"0." + name, "zz.below." + name} {
			s.validateAbsent(t, d, beside, exists)
		}
		if label, rest, ok := cutLabel(name); ok {
			s.validateAbsent(t, d, label+"-."+rest, exists)
			s.validateAbsent(t, d, "-"+label+"."+rest, exists)
		}
	}
	for _, typ := range []uint16{dns.TypeSOA, dns.TypeNS, dns.TypeDNSKEY, dns.TypeCDS, dns.TypeNSEC3PARAM} {
		s.r.validate(t, d.zone, typ, dns.RcodeSuccess, secure)
	}
	s.validateChildren(t, d)
}

// validateAbsent asks for a name that has no records; a wildcard may stand for it.
func (s *signed) validateAbsent(t *testing.T, d denial, name string, exists map[string]bool) {
	verdicts := []verdict{secure}
	if d.optOut { // an unsigned delegation might be there
		verdicts = append(verdicts, insecure)
	}
	rcode := dns.RcodeSuccess
	if !exists[name] && !exists[wildcardFor(name, exists)] {
		rcode = dns.RcodeNameError
	}
	for _, typ := range []uint16{dns.TypeA, dns.TypeTXT} {
		s.r.validate(t, name+d.zone, typ, rcode, verdicts...)
	}
}

// validateChildren asks the zones below the cuts.
func (s *signed) validateChildren(t *testing.T, d denial) {
	for child, want := range map[string]verdict{"signed.": secure, "unsigned.": insecure} {
		s.r.validate(t, "www."+child+d.zone, dns.TypeA, dns.RcodeSuccess, want)
		s.r.validate(t, "www."+child+d.zone, dns.TypeTXT, dns.RcodeSuccess, want)
		s.r.validate(t, "nope."+child+d.zone, dns.TypeA, dns.RcodeNameError, want)
		s.r.validate(t, child+d.zone, dns.TypeNS, dns.RcodeSuccess, want)
	}
}

// wildcardFor returns the wildcard that would stand for a name which does not exist.
func wildcardFor(name string, exists map[string]bool) string {
	for above := name; ; {
		_, rest, ok := cutLabel(above)
		if !ok {
			return "*."
		}
		if above = rest; exists[above] {
			return "*." + above
		}
	}
}

// cutLabel cuts off the first label; false if there is none.
func cutLabel(name string) (label, rest string, ok bool) {
	next, end := dns.NextLabel(name, 0)
	if name == "" {
		return "", "", false
	}
	if end {
		return strings.TrimSuffix(name, "."), "", true
	}
	return strings.TrimSuffix(name[:next], "."), name[next:], true
}

// validateKinds asks BIND's validator for one of each kind of answer.
func (s *signed) validateKinds(t *testing.T, d denial) {
	anchors := anchorsFor(t, s.p.keysOf(t, d.zone)...)
	opened := secure
	if d.optOut { // an unsigned delegation might be there
		opened = insecure
	}
	for _, kind := range []struct {
		name, typ string
		want      verdict
	}{
		{"", "SOA", secure},
		{"www.", "A", secure},
		{"a.tree.", "A", secure}, // unbound, told to keep nothing, at times has lost the DNAME when it needs it
		{"one.wild.", "A", opened},
		{"one.alias.", "A", opened},
		{"one.wild.", "MX", secure},
		{"nope.", "A", secure},
		{"x.y.ent.", "A", secure},
		{"mail.", "MX", secure},
		{"b.ent.", "A", secure},
		{"for.", "A", secure},
		{"far.", "DS", secure},
		{"safe.", "DS", secure},
		{"www.signed.", "A", secure},
		{"www.unsigned.", "A", insecure},
	} {
		if got, text := s.p.delv(t, anchors, d.zone, kind.name+d.zone, kind.typ); got != kind.want {
			t.Errorf("delv calls %s%s %s %s; want %s\n%s", kind.name, d.zone, kind.typ, got, kind.want, text)
		}
	}
}

// nameAndAround are a name that comes or goes, and names whose proofs hang on it.
func (s *signed) nameAndAround(t *testing.T, d denial, name string, exists map[string]bool) {
	t.Helper()
	for _, n := range []string{name, "x." + name, name[:1] + "-." + name, "-" + name, "a" + name} {
		s.validateAbsent(t, d, n, exists)
	}
}

// Names come and go, with their empty non-terminals, and the very next answers are proved.
func testSignedNames(t *testing.T, s *signed) {
	for _, d := range denials {
		exists := set(signedNames...)
		change := func(args ...string) {
			s.redis.redyn(t, append([]string{"record"}, args...)...)
		}
		change("set", "leaf.twig.branch."+d.zone, "A", "192.0.2.1")
		exists["leaf.twig.branch."], exists["twig.branch."], exists["branch."] = true, true, true
		for _, name := range []string{"leaf.twig.branch.", "twig.branch.", "branch."} {
			s.nameAndAround(t, d, name, exists)
		}
		change("set", "*.twig.branch."+d.zone, "TXT", `"all"`)
		exists["*.twig.branch."] = true
		s.nameAndAround(t, d, "other.twig.branch.", exists)
		change("delete", "*.twig.branch."+d.zone)
		delete(exists, "*.twig.branch.")
		s.nameAndAround(t, d, "other.twig.branch.", exists)
		change("set", "twig.branch."+d.zone, "NS", "ns.example.net.") // hides the leaf
		want := secure
		if d.optOut {
			want = insecure
		}
		s.r.validate(t, "twig.branch."+d.zone, dns.TypeDS, dns.RcodeSuccess, want)
		s.r.validate(t, "branch."+d.zone, dns.TypeA, dns.RcodeSuccess, secure)
		s.validateAbsent(t, d, "no.branch.", exists)
		change("delete", "twig.branch."+d.zone)
		s.nameAndAround(t, d, "twig.branch.", exists)
		if d.zone != "narrow.example." {
			s.p.verifyZone(t, d.zone)
		}
		change("delete", "leaf.twig.branch."+d.zone)
		exists = set(signedNames...)
		for _, name := range []string{"leaf.twig.branch.", "twig.branch.", "branch."} {
			s.nameAndAround(t, d, name, exists)
		}
		if d.zone != "narrow.example." {
			s.p.verifyZone(t, d.zone)
		}
	}
}
