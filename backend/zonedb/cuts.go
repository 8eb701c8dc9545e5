package zonedb

import "redyn/backend/dns"

// place is where a name stands to the cuts of its zone.
type place uint8

const (
	authoritative place = iota
	atCut               // the name has the NS that delegate
	belowCut            // glue, or hidden
)

// auth reports whether the zone is authoritative for data of a type at a name in this place. Of what
// is at a cut the parent signs DS and NSEC (RFC 4035 section 2), and RRSIG are signatures of those.
func (p place) auth(typ dns.Type) bool {
	switch p {
	case authoritative:
		return true
	case atCut:
		return typ == dns.TypeDS || typ == dns.TypeNSEC || typ == dns.TypeRRSIG
	}
	return false
}

// place returns where a name of the zone, which has the node n, stands to its cuts; n may be nil.
func (z *zone) place(name dns.Name, n *node) place {
	if z.cuts.Load() == 0 {
		return authoritative
	}
	for above := name.Parent(); len(above) > len(z.name); above = above.Parent() {
		if z.nodes.find(above).isCut(z.name) {
			return belowCut
		}
	}
	if n.isCut(z.name) {
		return atCut
	}
	return authoritative
}

// noteCut counts whether a name that had the node old and has fresh is a cut; each may be nil.
func (z *zone) noteCut(old, fresh *node) {
	if fresh.isCut(z.name) {
		z.cuts.Add(1)
	}
	if old.isCut(z.name) {
		z.cuts.Add(-1)
	}
}

// isCut reports whether the owner is a cut in the zone with this apex: there is NS below it (RFC 2181
// section 6). n may be nil.
func (n *node) isCut(apex dns.Name) bool { return n.has(dns.TypeNS) && n.name != apex }
