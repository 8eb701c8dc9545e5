package zonedb_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"redyn/backend/dns"
	"redyn/backend/zonedb"
)

// pdns answers questions as PowerDNS 4.7's packet handler does, step by step, from what a DB answers
// to its lookups, and adds to NAPTR what PowerDNS 5 does: the reference for whose answers carry what. Of denials it leaves out what may be
// old: the serial, and NSEC beside the name that is denied.
type pdns struct {
	db   *zonedb.DB
	typ  dns.Type
	do   bool // the client wants DNSSEC
	zone dns.Zone
	out  []string
}

// row is a record as PowerDNS gets it.
type row struct {
	dns.Answer
	content string
}

// reply returns what is answered to a question, in any order.
func reply(db *zonedb.DB, name dns.Name, typ dns.Type, do bool) string {
	p := &pdns{db: db, typ: typ, do: do}
	status := p.question(name)
	p.additional()
	slices.Sort(p.out)
	return status + "\n" + strings.Join(slices.Compact(p.out), "\n")
}

const (
	inAnswer    = "answer"
	inAuthority = "authority"
)

func (p *pdns) add(section string, name dns.Name, r row) {
	p.out = append(p.out, section+" "+string(name)+" "+strconv.Itoa(int(r.TTL))+" "+r.Type.String()+" "+r.content)
}

func (p *pdns) lookup(name dns.Name) (rows []row) {
	for _, a := range look(p.db, name, dns.TypeANY, p.zone.ID) {
		if a.Type == dns.TypeENT {
			rows = append(rows, row{Answer: a})
		}
		for _, content := range a.Content {
			rows = append(rows, row{a, content})
		}
	}
	return rows
}

// authority finds the zone for a question: that of DS is the parent's.
func (p *pdns) authority(target dns.Name) bool {
	found := false
	for name := target; ; name = name.Parent() {
		if z, ok := p.db.Zone(name); ok && len(look(p.db, name, dns.TypeSOA, z.ID)) > 0 {
			p.zone = z
			if found == (p.typ == dns.TypeDS) || name != target {
				return true
			}
			found = true
		}
		if name == dns.Root {
			return found
		}
	}
}

func (p *pdns) metadata() dns.Metadata {
	meta, err := p.db.Metadata(p.zone.Name)
	if err != nil {
		panic(err)
	}
	return meta
}

func (p *pdns) signed() bool {
	keys, err := p.db.Keys(p.zone.Name)
	return err != nil || len(keys) > 0 || slices.Equal(p.metadata()["PRESIGNED"], []string{"1"})
}

func (p *pdns) nsec3() bool { return len(p.metadata()["NSEC3PARAM"]) > 0 }

func (p *pdns) question(target dns.Name) string {
	qname := target
	for range 11 {
		if !p.authority(target) {
			return "none"
		}
		if target == qname && target == p.zone.Name && p.ofApex() {
			return "done"
		}
		if p.do && p.signed() && p.typ == dns.TypeNSEC && !p.nsec3() && p.nsec(target) {
			return "done"
		}
		if p.typ != dns.TypeDS && p.referral(target) {
			return "referral"
		}
		status, next := p.named(target)
		if next == "" {
			return status
		}
		target = next
	}
	p.out = nil
	return "servfail"
}

// ofApex answers what PowerDNS makes itself.
func (p *pdns) ofApex() bool {
	switch keys, _ := p.db.Keys(p.zone.Name); {
	case p.typ == dns.TypeSOA:
		for _, r := range p.lookup(p.zone.Name) {
			if r.Type == dns.TypeSOA {
				p.add(inAnswer, p.zone.Name, r)
			}
		}
		return true
	case p.typ == dns.TypeDNSKEY && len(keys) > 0:
		p.out = append(p.out, fmt.Sprint(keys))
		return true
	}
	return false
}

// named answers from what is at a name, or in its stead; next is where the question goes on.
func (p *pdns) named(target dns.Name) (status string, next dns.Name) {
	rows := p.lookup(target)
	if len(rows) == 0 {
		return p.unnamed(target)
	}
	matched, unauth := false, false
	for _, r := range rows {
		if r.Type == dns.TypeCNAME && p.typ != dns.TypeCNAME {
			p.add(inAnswer, target, r)
			return "", target0(r)
		}
		matched = matched || r.Auth && (p.typ == dns.TypeANY || r.Type == p.typ)
		unauth = unauth || !r.Auth
	}
	if p.typ == dns.TypeDS && unauth && !matched && p.referralForDS(rows, target) {
		return "referral", ""
	}
	records := false
	for _, r := range rows {
		if matched && r.Auth && r.Type != dns.TypeENT && r.Type != dns.TypeRRSIG && (p.typ == dns.TypeANY || r.Type == p.typ) {
			p.add(inAnswer, target, r)
			records = true
		}
	}
	if !records {
		return p.denied("no data"), ""
	}
	if p.typ == dns.TypeANY && p.do && p.signed() {
		p.nsec(target)
	}
	return "done", ""
}

// referralForDS tells a DS question of a name below a cut from that of a cut without DS.
func (p *pdns) referralForDS(rows []row, target dns.Name) bool {
	for _, r := range rows {
		if r.Auth || r.Type == dns.TypeNS {
			return false
		}
	}
	return p.referral(target)
}

// unnamed answers from a wildcard, by a DNAME, or that there is nothing.
func (p *pdns) unnamed(target dns.Name) (status string, next dns.Name) {
	for above := target; above != p.zone.Name; {
		above = above.Parent()
		if rows := p.lookup(dns.Wildcard(above)); len(rows) > 0 {
			return p.wildcard(target, rows)
		}
		if len(p.lookup(above)) > 0 {
			break
		}
	}
	for above := target; ; above = above.Parent() {
		for _, r := range p.lookup(above) {
			if r.Type == dns.TypeDNAME {
				p.add(inAnswer, above, r)
				prefix := strings.TrimSuffix(string(target), strings.TrimPrefix(string(above), "."))
				name, err := dns.ParseName(prefix + strings.TrimPrefix(string(target0(r)), "."))
				if err != nil {
					return "yxdomain", ""
				}
				return "", name
			}
		}
		if above == p.zone.Name {
			return p.denied("no name"), ""
		}
	}
}

func (p *pdns) wildcard(target dns.Name, rows []row) (status string, next dns.Name) {
	status = "no data"
	for _, r := range rows {
		if r.Type == dns.TypeENT || r.Type == dns.TypeRRSIG {
			continue
		}
		if r.Type == p.typ || r.Type == dns.TypeCNAME || p.typ == dns.TypeANY {
			p.add(inAnswer, target, r)
			status = "done"
		}
		if r.Type == dns.TypeCNAME {
			next = target0(r)
		}
	}
	if status == "no data" {
		return p.denied(status), ""
	}
	return status, next
}

// denied adds the SOA, whose serial may be old.
func (p *pdns) denied(status string) string {
	for _, r := range p.lookup(p.zone.Name) {
		if r.Type != dns.TypeSOA {
			continue
		}
		if soa, err := dns.ParseSOA(r.content); err == nil {
			soa.Serial = 0
			r.content = soa.String()
			p.add(inAuthority, p.zone.Name, r)
		}
	}
	return status
}

// nsec adds the NSEC of a name that was asked for it.
func (p *pdns) nsec(name dns.Name) bool {
	before, after, ok := p.db.Neighbours(p.zone.ID, name)
	if !ok || before != name || p.nsec3() {
		return false
	}
	types := ""
	for _, r := range p.lookup(name) {
		if r.Type == dns.TypeNS || r.Auth {
			types += " " + r.Type.String()
		}
	}
	p.out = append(p.out, fmt.Sprint(name, " NSEC ", after, types))
	return true
}

func (p *pdns) referral(target dns.Name) bool {
	for name := target; name != p.zone.Name; name = name.Parent() {
		var ns, ds []row
		for _, r := range p.lookup(name) {
			switch r.Type {
			case dns.TypeNS:
				ns = append(ns, r)
			case dns.TypeDS:
				ds = append(ds, r)
			}
		}
		if len(ns) == 0 {
			continue
		}
		if p.signed() {
			ns = append(ns, ds...)
		}
		for _, r := range ns {
			p.add(inAuthority, name, r)
		}
		return true
	}
	return false
}

// additional adds the addresses of what is named in the other sections.
func (p *pdns) additional() {
	wanted := make(map[dns.Name]bool)
	for _, line := range slices.Clone(p.out) {
		f := strings.Fields(line)
		if len(f) < 5 || f[0] != inAnswer && f[0] != inAuthority {
			continue
		}
		typ, _ := dns.ParseType(f[3])
		switch typ {
		case dns.TypeNS, dns.TypeMX, dns.TypeSRV:
			wanted[dns.MustParseName(f[len(f)-1])] = true
		case typeNAPTR:
			for _, target := range p.located(f[6], dns.MustParseName(f[len(f)-1])) {
				wanted[target] = true
			}
		case dns.TypeHTTPS:
			wanted[p.service(dns.MustParseName(f[1]), f[4:])] = true
		}
	}
	for name := range wanted {
		for _, r := range p.lookup(name) {
			if name.Under(p.zone.Name) && (r.Type == dns.TypeA || r.Type == dns.TypeAAAA) {
				p.add("additional", name, r)
			}
		}
	}
}

const typeNAPTR dns.Type = 35

// located returns the names of which the addresses go with a NAPTR record: its target, or those of the
// SRV set there, which is added too.
func (p *pdns) located(flags string, target dns.Name) (names []dns.Name) {
	switch {
	case strings.Contains(flags, "a"):
		return []dns.Name{target}
	case strings.Contains(flags, "s") && target.Under(p.zone.Name):
		for _, r := range p.lookup(target) {
			if r.Type == dns.TypeSRV {
				p.add("additional", target, r)
				f := strings.Fields(r.content)
				names = append(names, dns.MustParseName(f[len(f)-1]))
			}
		}
	}
	return names
}

// service follows HTTPS records that are aliases.
func (p *pdns) service(owner dns.Name, content []string) dns.Name {
	if target := dns.MustParseName(content[1]); target != dns.Root {
		owner = target
	}
	for alias, n := content[0] == "0", 0; alias && n < 5 && owner.Under(p.zone.Name); n++ {
		alias = false
		for _, r := range p.lookup(owner) {
			if r.Type == dns.TypeHTTPS {
				p.add("additional", owner, r)
				f := strings.Fields(r.content)
				alias = f[0] == "0"
				if target := dns.MustParseName(f[1]); target != dns.Root {
					owner = target
				}
			}
		}
	}
	return owner
}

// target0 is the target of a CNAME or DNAME.
func target0(r row) dns.Name { return dns.MustParseName(r.content) }
