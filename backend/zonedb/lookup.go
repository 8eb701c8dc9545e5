package zonedb

import "redyn/backend/dns"

// Lookup appends to dst what a zone has at name of a type, or of every type if typ is dns.TypeANY.
// An empty non-terminal is one Answer of dns.TypeENT to dns.TypeANY and nothing to other types, for
// PowerDNS that asks for a SOA takes nothing else. dns.AnyZone asks every zone that name is in, the
// one with the longest name first; the id of a zone asks only that one. An id that no zone has was
// the id of one that is gone, perhaps created anew since: PowerDNS's zone cache keeps it for minutes,
// so it is taken for dns.AnyZone. It fails with dns.ErrUnknown if the name is in a zone that could not be
// read, also if a zone above is asked. It needs no memory but dst's.
func (db *DB) Lookup(dst []dns.Answer, name dns.Name, typ dns.Type, id dns.ZoneID) ([]dns.Answer, error) {
	if id != dns.AnyZone {
		z, err := db.asked(name, id)
		if err != nil {
			return dst, err
		}
		if z != nil {
			return z.lookup(dst, name, typ), nil
		}
	}
	db.mu.RLock()
	defer db.mu.RUnlock()
	if err := db.known(name, ""); err != nil {
		return dst, err
	}
	for above := name; ; above = above.Parent() {
		if z := db.byName[above]; z != nil && !z.lost {
			dst = z.lookup(dst, name, typ)
		}
		if above == dns.Root {
			return dst, nil
		}
	}
}

// latelyAsked is how many zones can be found without a lock: those that are asked most, as good as
// always. Where many processors take a lock, even to read, they wait for each other.
const latelyAsked = 64

// asked returns the zone with this id, nil if there is none.
func (db *DB) asked(name dns.Name, id dns.ZoneID) (*zone, error) {
	lately := &db.lately[uint32(id)%latelyAsked]
	if z := lately.Load(); z != nil && z.id == id && db.unknown.Load() == 0 {
		return z, nil
	}
	db.mu.RLock()
	defer db.mu.RUnlock()
	z := db.byID[id]
	if z == nil {
		return nil, nil
	}
	lately.Store(z)
	return z, db.known(name, z.name)
}

// forget has zones looked up anew; db.mu is held.
func (db *DB) forget() {
	for i := range db.lately {
		db.lately[i].Store(nil)
	}
}

// known fails if a zone that could not be read stands at or above name: the nearest of all, or one at or
// below apex, if that is given. The caller holds the lock.
func (db *DB) known(name, apex dns.Name) error {
	if db.unknown.Load() == 0 {
		return nil
	}
	for above := name; ; above = above.Parent() {
		z := db.byName[above]
		if z != nil && z.lost {
			return z.unread()
		}
		if above == apex || above == dns.Root || z != nil && apex == "" {
			return nil
		}
	}
}

func (z *zone) lookup(dst []dns.Answer, name dns.Name, typ dns.Type) []dns.Answer {
	if n, place, ok := z.glance(name); ok {
		return z.appendAnswers(dst, n, place, typ)
	}
	z.mu.RLock()
	defer z.mu.RUnlock()
	n := z.nodes.find(name)
	if n == nil {
		if typ == dns.TypeANY && z.isENT(name) {
			dst = append(dst, z.ent(name, z.place(name, nil) != belowCut && z.nsec3.proves(name)))
		}
		return dst
	}
	return z.appendAnswers(dst, n, z.place(name, n), typ)
}

// glance returns the node of a name and its place without a lock, if there is one and nothing is changed
// meanwhile.
func (z *zone) glance(name dns.Name) (n *node, at place, ok bool) {
	version := z.version.Load()
	if version%2 != 0 {
		return nil, 0, false
	}
	if n = z.nodes.find(name); n == nil {
		return nil, 0, false
	}
	at = z.place(name, n)
	return n, at, z.version.Load() == version
}

func (z *zone) appendAnswers(dst []dns.Answer, n *node, at place, typ dns.Type) []dns.Answer {
	for i := range n.len() {
		if set := n.set(i); typ == dns.TypeANY || set.Type == typ {
			dst = append(dst, dns.Answer{RRset: set, Zone: z.id, Auth: at.auth(set.Type)})
		}
	}
	return dst
}

// ent returns the answer for an empty non-terminal.
func (z *zone) ent(name dns.Name, auth bool) dns.Answer {
	return dns.Answer{RRset: dns.RRset{Name: name, Type: dns.TypeENT}, Zone: z.id, Auth: auth}
}
