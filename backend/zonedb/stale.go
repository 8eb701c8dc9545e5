package zonedb

import "redyn/backend/dns"

// TellStale has tell called after each change of what db shows, once it is visible, with the names
// for which answers from before may be wrong since, if there are any: those at which something
// changed, and those whose answers carry that, as PowerDNS makes answers. It is called before
// anything changes db. What db never showed before it does not tell of, but that all is stale once.
func (db *DB) TellStale(tell func(dns.Stale)) { db.tell = tell }

// stale works out what a change has made stale. It is used after the change is visible, by the one
// who made it.
type stale struct {
	db      *DB
	names   map[dns.Name]struct{}
	trees   map[dns.Name]struct{}
	serials []dns.Name
	zones   []dns.Name
	all     bool
	signed  bool // a zone that changed has keys
	noted   map[spot]struct{}
	steps   []step // those of noted that are to be followed yet
	made    int    // names that DNAME makes
}

// carried says what of a name may be in the answers to questions for others.
type carried uint8

const (
	answer  carried = 1 << iota // what is answered there, as a CNAME brings it in
	address                     // A and AAAA, which are added to answers with NS, MX, SRV and SVCB
	service                     // SVCB and HTTPS, which are added to those whose SVCB is an alias
	located                     // SRV and the addresses with them, which PowerDNS 5 adds to answers with NAPTR
)

// spot is a name, or one with all below it, where answers may be wrong.
type spot struct {
	name dns.Name
	tree bool
	what carried
	zone *zone // whose own data changed there, if any did
}

// step is a spot whose referrers are to be looked at, so many hops from what changed.
type step struct {
	spot
	hops int
}

const (
	// mostHops is how often a question is led on to another name: PowerDNS gives up then.
	mostHops = 11
	// mostStale is the most names that are worth telling one by one.
	mostStale = 100_000
	// mostMade is the most of them that DNAME makes: a few that lead to one another make no end of names.
	mostMade = 256
)

// watch returns what a change to come is to be told to; nil if nobody wants to know.
func (db *DB) watch() *stale {
	if db.tell == nil {
		return nil
	}
	return &stale{
		db: db, noted: make(map[spot]struct{}),
		names: make(map[dns.Name]struct{}), trees: make(map[dns.Name]struct{}),
	}
}

func (s *stale) note(at spot, hops int) {
	if _, known := s.noted[at]; !known {
		s.noted[at] = struct{}{}
		s.steps = append(s.steps, step{at, hops})
	}
}

// name notes that what was answered at name may be wrong, and what of it others carry. The zone is the
// one whose data changed there; nil if none of it did.
func (s *stale) name(name dns.Name, what carried, z *zone, hops int) {
	s.names[name] = struct{}{}
	s.note(spot{name, false, what, z}, hops)
	if name.IsWildcard() {
		s.tree(name.Parent(), hops)
	}
}

// tree notes that what was answered at name and below may be wrong.
func (s *stale) tree(name dns.Name, hops int) {
	s.trees[name] = struct{}{}
	s.note(spot{name: name, tree: true}, hops)
}

// finish follows who refers to what was noted, and tells.
func (s *stale) finish() {
	if s == nil {
		return
	}
	for len(s.steps) > 0 && !s.all {
		next := s.steps[0]
		s.steps = s.steps[1:]
		s.follow(next)
		s.all = len(s.names)+len(s.trees) > mostStale
	}
	if told := s.told(); !told.IsNone() {
		s.db.tell(told)
	}
}

func (s *stale) follow(at step) {
	if at.hops == mostHops {
		return
	}
	refs := s.db.referrers
	if at.tree {
		for _, r := range refs.under(at.name) {
			s.referTree(r, at)
		}
	} else {
		for _, r := range refs.to(at.name) {
			s.refer(r, at)
		}
	}
	if !refs.hasDNAME() {
		return
	}
	for above := at.name; above != dns.Root; {
		above = above.Parent()
		for _, r := range refs.to(above) {
			if r.typ == dns.TypeDNAME {
				s.synthesized(relative(at.name, above), r.owner, at)
			}
		}
	}
}

// refer notes the owner of a ref to a name, if its answers carry what changed there. What is added to
// an answer comes from the zone of the answer, or from that to which a CNAME beside it has led.
func (s *stale) refer(r ref, at step) {
	adds := func(what carried) bool {
		return at.what&what != 0 && at.zone != nil && (r.zone == at.zone.mark || s.leadsOn(r.owner))
	}
	switch r.typ {
	case dns.TypeCNAME, dns.TypeALIAS:
		s.name(r.owner, answer, nil, at.hops+1)
	case dns.TypeNS:
		if adds(address) {
			s.name(r.owner, answer, nil, at.hops+1)
			if r.owner != at.zone.name {
				s.tree(r.owner, at.hops+1)
			}
		}
	case dns.TypeMX:
		if adds(address) {
			s.name(r.owner, answer, nil, at.hops+1)
		}
	case dns.TypeSRV:
		if adds(address) {
			s.name(r.owner, answer|located, at.zone, at.hops+1)
		}
	case typeNAPTR:
		if adds(address | located) {
			s.name(r.owner, answer, nil, at.hops+1)
		}
	case dns.TypeSVCB, dns.TypeHTTPS:
		if adds(address | service) {
			s.name(r.owner, answer|service, at.zone, at.hops+1)
		}
	}
}

// leadsOn reports whether there is a CNAME at name.
func (s *stale) leadsOn(name dns.Name) bool {
	var room [2]dns.Answer
	answers, err := s.db.Lookup(room[:0], name, dns.TypeCNAME, dns.AnyZone)
	return len(answers) > 0 || err != nil
}

// referTree notes the owner of a ref into a tree, which does not say that any addresses changed.
func (s *stale) referTree(r ref, at step) {
	switch {
	case r.owner.Under(at.name):
	case r.typ == dns.TypeCNAME, r.typ == dns.TypeALIAS:
		s.name(r.owner, answer, nil, at.hops+1)
	case r.typ == dns.TypeDNAME:
		s.tree(r.owner, at.hops+1)
	}
}

// synthesized notes the name that a DNAME leads on to at, if there can be one so long.
func (s *stale) synthesized(labels string, owner dns.Name, at step) {
	name, err := dns.ParseName(string(absolute(labels, owner)))
	if err != nil {
		return
	}
	switch s.made++; {
	case s.made > mostMade:
		s.tree(owner, at.hops+1)
	case at.tree:
		s.tree(name, at.hops+1)
	default:
		s.name(name, answer, nil, at.hops+1)
	}
}

// told returns what was noted, without what is below something else.
func (s *stale) told() dns.Stale {
	told := dns.Stale{All: s.all, Zones: s.zones, Signed: s.signed}
	if s.all {
		return told
	}
	for name := range s.names {
		if !s.inTree(name) {
			told.Names = append(told.Names, name)
		}
	}
	for name := range s.trees {
		if name == dns.Root || !s.inTree(name.Parent()) {
			told.Trees = append(told.Trees, name)
		}
	}
	for _, apex := range s.serials {
		if _, known := s.names[apex]; !known && !s.inTree(apex) {
			told.Serials = append(told.Serials, apex)
		}
	}
	return told
}

func (s *stale) inTree(name dns.Name) bool {
	if len(s.trees) == 0 {
		return false
	}
	for ; ; name = name.Parent() {
		if _, known := s.trees[name]; known {
			return true
		}
		if name == dns.Root {
			return false
		}
	}
}
