package zonedb_test

import (
	"fmt"
	"testing"

	"redyn/backend/dns"
	"redyn/backend/zonedb"
)

func neighbours(db *zonedb.DB, id dns.ZoneID, name dns.Name) string {
	before, after, ok := db.Neighbours(id, name)
	if !ok {
		return "none"
	}
	return fmt.Sprint(before, " ", after)
}

func hashNeighbours(db *zonedb.DB, id dns.ZoneID, hash string) string {
	before, unhashed, after, ok := db.HashNeighbours(id, hash)
	if !ok {
		return "none"
	}
	return fmt.Sprint(before, " ", unhashed, " ", after)
}

// checkNeighbours compares what db answers about name, and about its hash, with the reference.
func (w *world) checkNeighbours(t *testing.T, db *zonedb.DB, id dns.ZoneID, name dns.Name) {
	t.Helper()
	z := w.shown[id]
	if got, want := neighbours(db, id, name), z.neighbours(name); got != want {
		t.Errorf("zone %d: neighbours of %s are %s, want %s", id, name, got, want)
	}
	var p refParams
	if z != nil {
		p, _ = z.nsec3()
	}
	hash := p.hash(name)
	if w.IntN(4) == 0 { // of no name
		hash = pick(w, "0", "v", "7", "a") + hash[1:]
	}
	if got, want := hashNeighbours(db, id, hash), z.hashNeighbours(hash); got != want {
		t.Errorf("zone %d: neighbours of hash %s of %s are %s, want %s", id, hash, name, got, want)
	}
}

func TestNeighbours(t *testing.T) {
	db := zonedb.New()
	load(t, db, 1, "example.", parse(t, `
		@             SOA `+soa+`
		@             NS  ns.deep.glue.cut
		b             A   192.0.2.1
		x.y.ent       A   192.0.2.1
		cut           NS  ns.deep.glue.cut
		cut           A   192.0.2.1
		ns.deep.glue.cut A 192.0.2.1
		nested.cut    NS  ns.other.
		nested.cut    TXT hidden
		*.wild        A   192.0.2.1
		secure        NS  ns.other.
		secure        DS  1 2 3 4
		zz\.z         A   192.0.2.1
		0p9mhaveqvm6t7vbl5lop2u3t2rp3tom RRSIG NSEC3 and so on
		`))
	f := func(name dns.Name, want string) {
		t.Helper()
		if got := neighbours(db, 1, name); got != want {
			t.Errorf("neighbours of %s are %s, want %s", name, got, want)
		}
	}
	f("example.", "example. b.example.")
	f("a.example.", "example. b.example.")
	f("0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example.", "example. b.example.")
	f("b.example.", "b.example. cut.example.")
	f("below.b.example.", "b.example. cut.example.")
	f("cut.example.", "cut.example. x.y.ent.example.")
	f("a.cut.example.", "cut.example. x.y.ent.example.")
	f("nested.cut.example.", "cut.example. x.y.ent.example.")
	f("~.cut.example.", "cut.example. x.y.ent.example.")
	f("cut-.example.", "cut.example. x.y.ent.example.")
	f("ent.example.", "cut.example. x.y.ent.example.")
	f("y.ent.example.", "cut.example. x.y.ent.example.")
	f("x.y.ent.example.", "x.y.ent.example. secure.example.")
	f("secure.example.", "secure.example. *.wild.example.")
	f("wild.example.", "secure.example. *.wild.example.")
	f("a.wild.example.", `*.wild.example. zz\.z.example.`)
	f(`zz\.z.example.`, `zz\.z.example. example.`)
	f(`\255.example.`, `zz\.z.example. example.`)
	f("example.org.", "none")
	f("other.", "none")
	if got := neighbours(db, 2, "example."); got != "none" {
		t.Errorf("neighbours in no zone are %s", got)
	}

	load(t, db, 2, "empty.", nil)
	if got := neighbours(db, 2, "a.empty."); got != "none" {
		t.Errorf("neighbours in an empty zone are %s", got)
	}
	load(t, db, 3, ".", parse(t, ". SOA "+soa+"\n org. NS ns.org.\n ns.org. A 192.0.2.1"))
	if got := neighbours(db, 3, "com.") + "; " + neighbours(db, 3, "a.ns.org."); got != ". org.; org. ." {
		t.Errorf("neighbours in the root zone are %s", got)
	}
	// A zone whose apex has nothing goes in a circle all the same.
	load(t, db, 4, "odd.", parse(t, "b.odd. A 192.0.2.1\n c.odd. NS ns.other.\n a.c.odd. A 192.0.2.1"))
	if got := neighbours(db, 4, "a.odd."); got != "c.odd. b.odd." {
		t.Errorf("neighbours in a zone without apex are %s", got)
	}
}
