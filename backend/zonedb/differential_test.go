package zonedb_test

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"redyn/backend/dns"
	"redyn/backend/zonedb"
)

var seed = flag.Uint64("seed", 0, "seed of the random changes; 0 takes some")

// world makes random changes to a DB and, in the simplest way, to the reference.
type world struct {
	*rand.Rand
	db            *zonedb.DB
	shown, staged refDB
	tsig          map[dns.Name]dns.TSIGKey
}

var apexes = map[dns.ZoneID]dns.Name{
	1: "example.", 2: "a.example.", 3: "b.a.example.", 4: dns.Root, 5: `e\.x.example.`, 6: "other.", 7: "a.example.",
}

func pick[T any](w *world, of ...T) T { return of[w.IntN(len(of))] }

// name is some name of a zone, or now and then outside of it.
func (w *world) name(apex dns.Name) dns.Name {
	if w.IntN(50) == 0 {
		apex = "other."
	}
	text := strings.TrimPrefix(string(apex), ".")
	for range pick(w, 0, 1, 1, 1, 2, 2, 3, 4) {
		text = pick(w, "a", "a", "b", "b", "aa", "*", `e\.x`, `\200`, `a\000`, "long-label-of-twenty", "long-label-10") + "." + text
	}
	if text == "" {
		return dns.Root
	}
	return dns.MustParseName(text)
}

func (w *world) target() string {
	return pick(w, "a.example.", "WWW.other.", "b.a.example.", `e\.x.example.`, ".", "x.")
}

// rrset is some RRset of a zone, without content now and then.
func (w *world) rrset(apex dns.Name) dns.RRset {
	s := dns.RRset{Name: w.name(apex), TTL: uint32(w.IntN(3))}
	s.Type = pick(w, dns.TypeA, dns.TypeA, dns.TypeAAAA, dns.TypeNS, dns.TypeDS, dns.TypeCNAME,
		dns.TypeDNAME, dns.TypeNS, dns.TypeMX, dns.TypeSRV, dns.TypeHTTPS, dns.TypeALIAS, dns.TypeTXT, dns.TypeRRSIG)
	if w.IntN(15) == 0 {
		s.Name, s.Type = apex, dns.TypeSOA
	}
	if w.IntN(15) == 0 {
		// As a pre-signed zone has it.
		hash := refParams{salt: pick(w, "", "\xff"), iterations: w.IntN(2)}.hash(w.name(apex))
		s.Name, s.Type = hashed(hash, apex), pick(w, dns.TypeRRSIG, dns.TypeRRSIG, dns.TypeNSEC3)
	}
	if w.IntN(5) == 0 {
		return s
	}
	for range 1 + w.IntN(3)/2 {
		content := fmt.Sprint("text", w.IntN(3))
		switch s.Type {
		case dns.TypeSOA:
			content = fmt.Sprintf("a. b. %d 1 1 1 1", w.IntN(1000))
		case dns.TypeNS, dns.TypeCNAME, dns.TypeDNAME, dns.TypeALIAS:
			content = w.target()
		case dns.TypeMX:
			content = "10 " + w.target()
		case dns.TypeSRV:
			content = "1 2 3 " + w.target()
		case dns.TypeHTTPS:
			content = "1 " + w.target() + " alpn=h2"
		}
		s.Content = append(s.Content, content)
	}
	return dns.NewRRset(s.Name, s.Type, s.TTL, s.Content...)
}

// entry is a change to some zones, and makes it to the reference.
func (w *world) entry() dns.Entry {
	var e dns.Entry
	for _, id := range slices.Sorted(maps.Keys(apexes)) {
		if w.IntN(3) > 0 {
			continue
		}
		part := dns.ZoneEntry{ID: id, Name: apexes[id], Deleted: w.IntN(100) == 0}
		for range pick(w, 1, 2, 3, 30) {
			part.RRsets = append(part.RRsets, w.change(w.current(id), part.Name))
		}
		if w.IntN(5) == 0 {
			part.Metadata = w.metadata()
		}
		if w.IntN(5) == 0 {
			part.Keys = map[dns.KeyID]*dns.Key{w.key().ID: nil}
			key := w.key()
			part.Keys[key.ID] = &key
		}
		e.Zones = append(e.Zones, part)
		w.refer(part)
	}
	if w.IntN(5) == 0 {
		gone := pick(w, dns.Name("k."), "a.", "z.")
		delete(w.tsig, gone)
		key := dns.TSIGKey{Name: pick(w, dns.Name("k."), "a.", "z."), Algorithm: "hmac-sha256.", Secret: fmt.Sprint(w.IntN(100))}
		e.Server.TSIG = map[dns.Name]*dns.TSIGKey{gone: nil}
		e.Server.TSIG[key.Name], w.tsig[key.Name] = &key, key
	}
	return e
}

// change is some RRset, or as often one that is there and goes.
func (w *world) change(z *refZone, apex dns.Name) dns.RRset {
	if z != nil && len(z.sets) > 0 && w.IntN(2) == 0 {
		gone := z.sets[pick(w, slices.Sorted(maps.Keys(z.sets))...)]
		return dns.RRset{Name: gone.Name, Type: gone.Type}
	}
	return w.rrset(apex)
}

func (w *world) current(id dns.ZoneID) *refZone {
	if z, staged := w.staged[id]; staged {
		return z
	}
	return w.shown[id]
}

func (w *world) refer(part dns.ZoneEntry) {
	z := w.current(part.ID)
	_, staged := w.staged[part.ID]
	switch {
	case z == nil:
		return
	case part.Deleted && staged:
		w.staged[part.ID] = nil
		return
	case part.Deleted:
		delete(w.shown, part.ID)
		return
	}
	for _, s := range part.RRsets {
		z.set(s)
	}
	for id, key := range part.Keys {
		if key == nil {
			delete(z.keys, id)
		} else {
			z.keys[id] = *key
		}
	}
	for kind, values := range part.Metadata {
		if values == nil {
			delete(z.meta, kind)
		} else {
			z.meta[kind] = values
		}
	}
}

// metadata is some metadata to change, mostly what the NSEC3 chain depends on.
func (w *world) metadata() dns.Metadata {
	meta := make(dns.Metadata)
	if w.IntN(2) == 0 {
		meta["NSEC3PARAM"] = pick(w, nil, []string{"1 0 0 -"}, []string{"1 0 2 abCD"}, []string{"1 1 0 -"},
			[]string{"1 1 0 -"}, []string{"2 3 1 ff", "1 0 0 -"}, []string{"1 0 150 aa"}, []string{"1 0"})
	}
	if w.IntN(4) == 0 {
		meta["NSEC3NARROW"] = pick(w, nil, nil, []string{"0"}, []string{"1"})
	}
	if w.IntN(4) == 0 {
		meta["PRESIGNED"] = pick(w, nil, []string{"1"})
	}
	if w.IntN(4) == 0 {
		meta["X"] = pick(w, nil, []string{"1"}, []string{"2", "3"})
	}
	return meta
}

func (w *world) key() dns.Key {
	return dns.Key{ID: dns.KeyID(1 + w.IntN(4)), Flags: 257, Active: w.IntN(2) == 0, Content: fmt.Sprint(w.IntN(100))}
}

// stage stages a zone, as it is or somewhat changed, with leftovers as a scan of Redis may have them:
// older values first.
func (w *world) stage(t *testing.T, id dns.ZoneID) {
	z := &refZone{id: id, name: apexes[id], meta: w.metadata(), keys: map[dns.KeyID]dns.Key{}, sets: map[string]dns.RRset{}}
	if old := w.shown[id]; old != nil && w.IntN(4) > 0 {
		z = old.clone()
	}
	var sets []dns.RRset
	for range w.IntN(40) {
		if s := w.rrset(z.name); len(s.Content) > 0 {
			z.set(s)
			sets = append(sets, s)
		}
	}
	for _, s := range z.sets {
		if w.IntN(3) == 0 {
			sets = append(sets, dns.RRset{Name: s.Name, Type: s.Type, Content: []string{"text0"}})
		}
		sets = append(sets, s)
	}
	if err := w.db.Stage(z.data(), yields(sets)); err != nil {
		t.Fatal(err)
	}
	w.staged[id] = z
}

func (w *world) show(id dns.ZoneID) {
	w.db.Show(id)
	z, ok := w.staged[id]
	if !ok {
		return
	}
	delete(w.staged, id)
	delete(w.shown, id)
	if z != nil {
		maps.DeleteFunc(w.shown, func(_ dns.ZoneID, other *refZone) bool { return other.name == z.name })
		w.shown[id] = z
	}
}

func (w *world) showAll() {
	w.db.StageServer(w.server())
	if w.staged[2] != nil { // of the same name as 7
		w.db.Apply(dns.Entry{Zones: []dns.ZoneEntry{{ID: 7, Deleted: true}}})
		w.refer(dns.ZoneEntry{ID: 7, Deleted: true})
	}
	w.db.ShowAll()
	maps.DeleteFunc(w.staged, func(_ dns.ZoneID, z *refZone) bool { return z == nil })
	w.shown, w.staged = w.staged, refDB{}
}

func (w *world) step(t *testing.T) {
	id := dns.ZoneID(1 + w.IntN(len(apexes)))
	switch n := w.IntN(100); {
	case n < 80:
		w.db.Apply(w.entry())
	case n < 88:
		w.stage(t, id)
	case n < 96:
		w.show(id)
	case n < 97:
		w.db.Forget()
		w.staged = refDB{}
	default:
		for range w.IntN(5) {
			w.stage(t, dns.ZoneID(1+w.IntN(len(apexes))))
		}
		w.showAll()
	}
}

// check compares db with the reference.
func (w *world) check(t *testing.T, db *zonedb.DB) {
	t.Helper()
	var zones []dns.Name
	for z := range db.Zones() {
		zones = append(zones, z.Name)
		if r := w.shown[z.ID]; r == nil || r.name != z.Name {
			t.Errorf("zone %d %s is there", z.ID, z.Name)
		}
	}
	tsig, err := db.TSIGKeys()
	if err != nil || len(tsig) != len(w.tsig) {
		t.Errorf("TSIG keys %v, %v; want %v", tsig, err, w.tsig)
	}
	for name, want := range w.tsig {
		if got, err := db.TSIGKey(name); err != nil || got != want || !slices.Contains(tsig, want) {
			t.Errorf("TSIG key %v, %v; want %v", got, err, want)
		}
	}
	if !slices.IsSortedFunc(zones, compare) || len(zones) != len(w.shown) {
		t.Errorf("zones %v, want %d", zones, len(w.shown))
	}
	for id, z := range w.shown {
		same(t, "list "+string(z.name), write(list(t, db, id, z.name)), write(z.list()))
		if got, _ := db.Metadata(z.name); len(got)+len(z.meta) > 0 && fmt.Sprint(got) != fmt.Sprint(z.meta) {
			t.Errorf("metadata of %s: %v, want %v", z.name, got, z.meta)
		}
		if got, err := db.Keys(z.name); err != nil || !slices.Equal(got, z.data().Keys) {
			t.Errorf("keys of %s: %v, %v; want %v", z.name, got, err, z.keys)
		}
		var serial dns.Serial
		for _, a := range z.lookup(z.name, dns.TypeSOA) {
			soa, _ := dns.ParseSOA(a.Content[len(a.Content)-1])
			serial = soa.Serial
		}
		if got, ok := db.Zone(z.name); !ok || got.Serial != serial {
			t.Errorf("serial of %s: %v, want %d", z.name, got, serial)
		}
	}
	for range 50 {
		id := dns.ZoneID(1 + w.IntN(len(apexes)))
		name := w.name(apexes[id])
		id = pick(w, id, dns.AnyZone)
		typ := pick(w, dns.TypeANY, dns.TypeANY, dns.TypeSOA, dns.TypeNS, dns.TypeA)
		same(t, fmt.Sprint("lookup ", name, typ, id), write(look(db, name, typ, id)), write(w.shown.lookup(name, typ, id)))
		target := dns.MustParseName(w.target())
		if target != dns.Root {
			same(t, "referrers "+string(target), referrers(db, target), w.shown.referrers(target))
		}
	}
	for range 50 {
		id := dns.ZoneID(1 + w.IntN(len(apexes)))
		w.checkNeighbours(t, db, id, w.name(apexes[id]))
	}
	names, records := w.shown.records()
	if got, want := db.Stats(), (zonedb.Stats{Zones: len(w.shown), Names: names, Records: records}); got != want {
		t.Errorf("stats %+v, want %+v", got, want)
	}
}

func referrers(db *zonedb.DB, target dns.Name) string {
	var lines []string
	for owner, typ := range db.Referrers(target) {
		lines = append(lines, fmt.Sprintln(owner, typ))
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// fresh returns a DB into which the zones that are shown were loaded.
func (w *world) fresh(t *testing.T) *zonedb.DB {
	db := zonedb.New()
	for _, z := range w.shown {
		if err := db.Stage(z.data(), yields(slices.Collect(maps.Values(z.sets)))); err != nil {
			t.Fatal(err)
		}
	}
	db.StageServer(w.server())
	db.ShowAll()
	return db
}

func (w *world) server() dns.ServerData {
	return dns.ServerData{TSIG: slices.Collect(maps.Values(w.tsig))}
}

// A copy that followed random changes answers as one loaded fresh, and both as the reference.
func TestDifferential(t *testing.T) {
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	t.Logf("-seed %d", *seed)
	w := &world{rand.New(rand.NewPCG(*seed, 0)), zonedb.New(), refDB{}, refDB{}, map[dns.Name]dns.TSIGKey{}}
	steps := 2000
	if testing.Short() {
		steps = 400
	}
	for i := range steps {
		w.step(t)
		if i%10 == 0 {
			w.check(t, w.db)
		}
		if i%100 == 99 {
			w.db.Forget()
			w.staged = refDB{}
			fresh := w.fresh(t)
			w.check(t, fresh)
			if got, want := w.db.Inside(), fresh.Inside(); got != want {
				t.Errorf("inside is\n%swant\n%s", got, want)
			}
			if got := w.db.ZonesOfRefs(); got > len(w.shown) {
				t.Errorf("referrers of %d zones, but there are %d", got, len(w.shown))
			}
		}
		if t.Failed() {
			t.Fatalf("at step %d", i)
		}
	}
}
