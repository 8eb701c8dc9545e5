package zonefile

import (
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"redyn/backend/dns"
)

// Problem is something wrong with a zone. A fatal one would make PowerDNS answer wrongly or not at
// all: such a zone is not imported.
type Problem struct {
	Pos   Pos // if the zone comes from a file
	Name  dns.Name
	Type  dns.Type // TypeENT: the name as a whole
	Fatal bool
	Text  string
}

func (p Problem) String() string {
	var b strings.Builder
	if p.Pos != (Pos{}) {
		b.WriteString(p.Pos.String() + ": ")
	}
	if p.Name != "" {
		b.WriteString(string(p.Name) + " ")
	}
	if p.Type != dns.TypeENT {
		b.WriteString(p.Type.String() + ": ")
	}
	b.WriteString(p.Text)
	return b.String()
}

// Fatal returns the fatal ones of problems.
func Fatal(problems []Problem) []Problem {
	return slices.DeleteFunc(slices.Clone(problems), func(p Problem) bool { return !p.Fatal })
}

// Check finds what is wrong with a zone: a SOA that is missing, not alone or not at the apex, and
// names outside the zone; a CNAME beside other data, at the apex or more than once; two DNAMEs
// (RFC 6672); a name below a DNAME; no NS at the apex; NS, MX and SRV that name a CNAME or, inside
// the zone, nothing at all; a delegation at a wildcard (RFC 4592 section 4.2), and what a delegation
// hides; a DS where nothing is delegated; a DNSKEY elsewhere than at the apex; a TLSA of a name that
// is not there; an SVCB or HTTPS that is its own alias; a mailbox with an @; types that PowerDNS 5.1 reads
// otherwise than those before. The zone's name is empty if no SOA tells it.
func Check(zone dns.Name, sets []dns.RRset) []Problem {
	c := checker{zone: zone, first: make(map[dns.Name]int32, len(sets)), next: make([]int32, len(sets)), sets: sets}
	if zone == "" {
		c.fatal("", 0, "the zone has no SOA; expected: name. IN SOA primary. mailbox. serial refresh retry expire minimum")
		return c.problems
	}
	for i, set := range sets {
		c.next[i] = c.first[set.Name]
		c.first[set.Name] = int32(i) + 1
		if !set.Name.Under(zone) {
			c.fatal(set.Name, set.Type, "lies outside the zone "+string(zone))
		}
		if set.Type == dns.TypeDNAME {
			c.dnames = append(c.dnames, set.Name)
		}
	}
	c.apex()
	for _, set := range sets {
		c.set(set)
	}
	return c.problems
}

type checker struct {
	zone     dns.Name
	sets     []dns.RRset
	first    map[dns.Name]int32 // the number, from 1, of an RRset of each name
	next     []int32            // and of the next one of the same name, 0 for none
	dnames   []dns.Name
	problems []Problem
}

func (c *checker) fatal(name dns.Name, typ dns.Type, text string) {
	c.problems = append(c.problems, Problem{Name: name, Type: typ, Fatal: true, Text: text})
}

func (c *checker) warn(name dns.Name, typ dns.Type, text string) {
	c.problems = append(c.problems, Problem{Name: name, Type: typ, Text: text})
}

// at yields the types that stand at a name.
func (c *checker) at(name dns.Name) iter.Seq[dns.Type] {
	return func(yield func(dns.Type) bool) {
		for i := c.first[name]; i > 0 && yield(c.sets[i-1].Type); {
			i = c.next[i-1]
		}
	}
}

func (c *checker) has(name dns.Name, types ...dns.Type) bool {
	for typ := range c.at(name) {
		if slices.Contains(types, typ) {
			return true
		}
	}
	return false
}

func (c *checker) apex() {
	if !c.has(c.zone, dns.TypeSOA) {
		c.fatal(c.zone, 0, "has no SOA; expected: "+string(c.zone)+" IN SOA primary. mailbox. serial refresh retry expire minimum")
	}
	if !c.has(c.zone, dns.TypeNS) {
		c.warn(c.zone, 0, "has no NS; expected at least one name server")
	}
}

func (c *checker) set(set dns.RRset) {
	switch set.Type {
	case dns.TypeSOA:
		c.soa(set)
	case dns.TypeCNAME:
		c.cname(set)
	case dns.TypeDNAME:
		if len(set.Content) > 1 {
			c.fatal(set.Name, set.Type, "occurs more than once; expected one (RFC 6672 section 2.4)")
		}
	case dns.TypeNS:
		if set.Name.IsWildcard() {
			c.warn(set.Name, set.Type, "delegates a wildcard, which has no defined meaning (RFC 4592 section 4.2)")
		}
		c.targets(set, 0)
	case dns.TypeMX:
		c.targets(set, 1)
	case dns.TypeSRV:
		c.targets(set, 3)
	case dns.TypeDS:
		if set.Name == c.zone {
			c.warn(set.Name, set.Type, "belongs into the parent zone (RFC 4035 section 2.4)")
		} else if !c.has(set.Name, dns.TypeNS) {
			c.warn(set.Name, set.Type, "stands where nothing is delegated (RFC 4035 section 2.4)")
		}
	case dns.TypeDNSKEY:
		if set.Name != c.zone {
			c.warn(set.Name, set.Type, "belongs to the apex of a zone (RFC 4035 section 2.1)")
		}
	case typeTLSA:
		c.tlsa(set)
	case dns.TypeSVCB, dns.TypeHTTPS:
		c.svcb(set)
	}
	if name, ok := renamed[set.Type]; ok {
		c.warn(set.Name, set.Type, "is not read rightly by PowerDNS from 5.1 on, as it has the data of "+name+" in another form")
	}
	c.hidden(set)
	for _, dname := range c.dnames {
		if set.Name.Below(dname) {
			c.warn(set.Name, set.Type, "is hidden by the DNAME at "+string(dname))
		}
	}
}

const typeTLSA dns.Type = 52

// renamed are types that PowerDNS knows by name from 5.1 on. Before, it wants their data as TYPEnnn has them.
var renamed = map[dns.Type]string{67: "HHIT", 68: "BRID", 261: "RESINFO", 262: "WALLET"}

// tlsa looks whether the host of _port._protocol.host is there (RFC 6698 section 3).
func (c *checker) tlsa(set dns.RRset) {
	if set.Name.Labels() < c.zone.Labels()+2 {
		return
	}
	host := set.Name.Parent().Parent()
	if c.first[host] == 0 {
		c.warn(set.Name, set.Type, "is of "+string(host)+", which has no records")
	}
}

// svcb looks for aliases that lead to themselves, or into two directions (RFC 9460 section 2.4.2).
func (c *checker) svcb(set dns.RRset) {
	aliases := 0
	for _, content := range set.Content {
		f := strings.Fields(content)
		if len(f) < 2 || f[0] != "0" {
			continue
		}
		aliases++
		if target, err := dns.ParseName(f[1]); err == nil && target == set.Name {
			c.warn(set.Name, set.Type, "is an alias of itself")
		}
	}
	if aliases > 0 && len(set.Content) > 1 {
		c.warn(set.Name, set.Type, "is an alias, and occurs more than once")
	}
}

// hidden looks whether a delegation hides the RRset: at the cut only what tells of the child is seen,
// below it only glue.
func (c *checker) hidden(set dns.RRset) {
	cut, ok := c.topCut(set.Name)
	if !ok {
		return
	}
	switch set.Type {
	case dns.TypeA, dns.TypeAAAA:
		return
	case dns.TypeNS, dns.TypeDS, dns.TypeRRSIG, dns.TypeNSEC:
		if set.Name == cut {
			return
		}
	}
	c.warn(set.Name, set.Type, "is hidden by the delegation of "+string(cut))
}

// topCut returns the highest delegation at or above a name.
func (c *checker) topCut(name dns.Name) (top dns.Name, ok bool) {
	if !name.Under(c.zone) {
		return "", false
	}
	for ; name != c.zone; name = name.Parent() {
		if c.has(name, dns.TypeNS) {
			top, ok = name, true
		}
	}
	return top, ok
}

func (c *checker) soa(set dns.RRset) {
	if set.Name != c.zone {
		c.fatal(set.Name, set.Type, "is not at the apex "+string(c.zone))
	}
	if len(set.Content) > 1 {
		c.fatal(set.Name, set.Type, "occurs more than once; expected one")
	}
	if soa, err := dns.ParseSOA(set.Content[0]); err != nil {
		c.fatal(set.Name, set.Type, err.Error())
	} else if box, _, _ := strings.Cut(soa.RName, "."); strings.Contains(box, "@") {
		c.warn(set.Name, set.Type, fmt.Sprintf("mailbox %s has an @; expected %s", soa.RName,
			strings.Replace(soa.RName, `\@`, ".", 1)))
	}
}

func (c *checker) cname(set dns.RRset) {
	if len(set.Content) > 1 {
		c.fatal(set.Name, set.Type, "occurs more than once; expected one (RFC 2181 section 10.1)")
	}
	for typ := range c.at(set.Name) {
		// RFC 4035 section 2.5: what signs the CNAME may stand beside it.
		if !besideCNAME(typ) {
			c.fatal(set.Name, set.Type, "stands beside "+typ.String()+"; a CNAME is alone (RFC 2181 section 10.1)")
			return
		}
	}
}

func besideCNAME(typ dns.Type) bool {
	switch typ {
	case dns.TypeCNAME, dns.TypeRRSIG, dns.TypeNSEC, dns.TypeNSEC3, typeKEY:
		return true
	}
	return false
}

// CNAMEConflict says what would be wrong with these types at one name: a CNAME is alone (RFC 2181
// section 10.1). It is empty if nothing is.
func CNAMEConflict(name dns.Name, types []dns.Type) string {
	if !slices.Contains(types, dns.TypeCNAME) {
		return ""
	}
	for _, typ := range types {
		if !besideCNAME(typ) {
			return fmt.Sprintf("%s would have a CNAME beside %s; a CNAME is alone (RFC 2181 section 10.1)", name, typ)
		}
	}
	return ""
}

// targets checks the names that the field numbered at of each record names.
func (c *checker) targets(set dns.RRset, at int) {
	for _, content := range set.Content {
		f := strings.Fields(content)
		if len(f) <= at || f[at] == "." { // RFC 2782, RFC 7505: no such service
			continue
		}
		target, err := dns.ParseName(f[at])
		if err != nil {
			c.fatal(set.Name, set.Type, err.Error())
			continue
		}
		if _, err := netip.ParseAddr(strings.TrimSuffix(f[at], ".")); err == nil {
			c.warn(set.Name, set.Type, "names the address "+f[at]+"; expected a name")
		}
		c.target(set, target)
	}
}

func (c *checker) target(set dns.RRset, target dns.Name) {
	glue := set.Type == dns.TypeNS && target.Under(set.Name) && set.Name != c.zone
	switch {
	case !target.Under(c.zone), c.cut(target) && !glue:
	case c.has(target, dns.TypeCNAME):
		c.warn(set.Name, set.Type, "names "+string(target)+", which is a CNAME (RFC 2181 section 10.3)")
	case c.has(target, dns.TypeA, dns.TypeAAAA, dns.TypeALIAS, dns.TypeLUA), c.wildcard(target):
	default:
		c.warn(set.Name, set.Type, "names "+string(target)+", which has no address")
	}
}

// cut reports whether name lies at or below a delegation.
func (c *checker) cut(name dns.Name) bool {
	_, ok := c.topCut(name)
	return ok
}

// wildcard reports whether a wildcard may answer for name.
func (c *checker) wildcard(name dns.Name) bool {
	for name != c.zone && c.first[name] == 0 {
		name = name.Parent()
		if c.first["*."+name] > 0 {
			return true
		}
	}
	return false
}

func utoa(n uint32) string { return strconv.FormatUint(uint64(n), 10) }
