package zonedb_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"redyn/backend/dns"
	"redyn/backend/zonedb"
)

// told returns what a change makes stale, each kind in a line of its own.
func told(s dns.Stale) string {
	var b strings.Builder
	if s.All {
		fmt.Fprintln(&b, "all")
	}
	for _, kind := range []struct {
		word  string
		names []dns.Name
	}{{"name", s.Names}, {"tree", s.Trees}, {"serial", s.Serials}, {"zone", s.Zones}} {
		if slices.Sort(kind.names); len(kind.names) > 0 {
			fmt.Fprintln(&b, kind.word, strings.Trim(fmt.Sprint(kind.names), "[]"))
		}
	}
	return b.String()
}

// What usual changes make stale, to the name.
func TestStaleExactly(t *testing.T) {
	const zone = `
		@           SOA   ns. host. 1 1 1 1 60
		@           NS    ns
		@           MX    10 mail
		ns          A     192.0.2.1
		mail        A     192.0.2.2
		www         CNAME mail
		*.wild      CNAME mail
		w2          CNAME www
		host        A     192.0.2.3
		_sip._tcp   SRV   1 2 3 host
		svc         HTTPS 0 svc2
		svc2        HTTPS 1 host
		sub         NS    ns.sub
		ns.sub      A     192.0.2.4
		sub2        NS    ns
		a.ent       A     192.0.2.5
		tree        DNAME t.other.
		alias       ALIAS host
		tel         NAPTR 1 2 "s" "" "" _sip._tcp
		tel2        NAPTR 1 2 "a" "" "" host
		tel3        NAPTR 1 2 "s" "" "" tel2
	`
	const other = `
		other.      SOA   ns. host. 1 1 1 1 60
		a.t.other.  A     192.0.2.6
		far.other.  CNAME host.example.
		away.other. CNAME nope.example.
		both.other. CNAME ns.example.
		both.other. MX    10 mail.example.
		mail.other. MX    10 mail.example.
	`
	full := strings.NewReplacer(" ns\n", " ns.example.\n", " mail\n", " mail.example.\n", " www\n", " www.example.\n",
		" host\n", " host.example.\n", " svc2\n", " svc2.example.\n", " ns.sub\n", " ns.sub.example.\n",
		" _sip._tcp\n", " _sip._tcp.example.\n", " tel2\n", " tel2.example.\n").Replace(zone)
	var got dns.Stale
	f := func(meta dns.Metadata, id dns.ZoneID, lines, want string) {
		t.Helper()
		db := zonedb.New()
		db.TellStale(func(s dns.Stale) { got = s })
		load(t, db, 1, "example.", parse(t, full))
		load(t, db, 2, "other.", parse(t, other))
		change(db, meta)
		if meta != nil {
			db.Apply(dns.Entry{Zones: []dns.ZoneEntry{{ID: 1, Keys: map[dns.KeyID]*dns.Key{1: {ID: 1}}}}})
		}
		got = dns.Stale{}
		db.Apply(dns.Entry{Zones: []dns.ZoneEntry{{ID: id, RRsets: parse(t, lines)}}})
		same(t, lines, told(got), want)
		if signed := meta != nil && id == 1; got.Signed != signed {
			t.Errorf("%s: the answers are signed: %t; want %t", lines, got.Signed, signed)
		}
	}
	const soa = "\n@ SOA ns. host. 2 1 1 1 60"
	nsec, nsec3 := dns.Metadata{"X": {"1"}}, dns.Metadata{"NSEC3PARAM": {"1 0 0 -"}}

	f(nil, 1, "host A 192.0.2.9"+soa, `
		name _sip._tcp.example. alias.example. far.other. host.example. svc.example. svc2.example. tel.example. tel2.example.
		serial example.`)
	f(nil, 1, "host A 192.0.2.3", "")
	f(nil, 1, "host TXT x", "name alias.example. far.other. host.example.")
	f(nil, 1, "_sip._tcp SRV 1 2 4 host.example.", "name _sip._tcp.example. tel.example.")
	f(nil, 1, "mail A 192.0.2.9", `
		name both.other. example. mail.example. w2.example. www.example.
		tree wild.example.`)
	f(nil, 1, "www CNAME host.example.", "name w2.example. www.example.")
	f(nil, 1, "new A 192.0.2.9", "name new.example.")
	f(nil, 1, "x.new A 192.0.2.9", "name new.example. x.new.example.")
	f(nil, 1, "a.ent A", "name a.ent.example. ent.example.")
	f(nil, 1, "nope A 192.0.2.9", "name away.other. nope.example.")
	f(nil, 1, "x.y.wild A 192.0.2.9", "tree y.wild.example.")
	f(nil, 1, "*.wild A 192.0.2.9", "tree wild.example.")
	f(nil, 1, "*.new A 192.0.2.9", "tree new.example.")
	f(nil, 1, "* A 192.0.2.9", "name away.other. both.other. far.other.\ntree example.")
	f(nil, 1, "ns.sub A 192.0.2.9", "tree sub.example.")
	f(nil, 1, "ns A 192.0.2.9", "name both.other. example. ns.example.\ntree sub2.example.")
	f(nil, 1, "sub DS 1 2 3 4", "tree sub.example.")
	f(nil, 1, "host NS ns.other.", "name alias.example. far.other.\ntree host.example.")
	f(nil, 1, "tree DNAME s.other.", "tree tree.example.")
	f(nil, 2, "a.t.other. A 192.0.2.9", "name a.t.other. a.tree.example.")
	f(nil, 2, "*.t.other. A 192.0.2.9", "tree t.other. tree.example.")
	f(nil, 1, "@ SOA ns. host. 2 1 1 1 61", "name away.other. both.other. far.other.\ntree example.")

	f(nsec, 1, "new A 192.0.2.9", "name mail.example. new.example. w2.example. www.example.\ntree wild.example.")
	f(nsec, 1, "host A", "name _sip._tcp.example. a.ent.example. alias.example. far.other. host.example. svc.example. svc2.example. tel.example. tel2.example.")
	f(nsec3, 1, "new A 192.0.2.9", "name new.example.")
}

// Zones that come and go, or are read anew.
func TestStaleZones(t *testing.T) {
	var got dns.Stale
	db := zonedb.New()
	db.TellStale(func(s dns.Stale) { got = s })
	expect := func(what, want string) {
		t.Helper()
		same(t, what, told(got), want)
		got = dns.Stale{}
	}
	sets := parse(t, "@ SOA ns. host. 1 1 1 1 60\nwww A 192.0.2.1\nx.other. CNAME www")
	load(t, db, 1, "example.", sets)
	expect("a zone comes", "tree example.\nzone example.")
	load(t, db, 1, "example.", sets)
	expect("it is read again", "")
	load(t, db, 1, "example.", parse(t, "@ SOA ns. host. 2 1 1 1 60\na.b A 192.0.2.2"))
	expect("another comes in its place", "name a.b.example. b.example. www.example.\nserial example.")
	load(t, db, 2, "example.", parse(t, "@ SOA ns. host. 2 1 1 1 60"))
	expect("it is created anew", "tree example.\nzone example.")
	stage(t, db, 2, "example.", sets)
	db.Apply(dns.Entry{Zones: []dns.ZoneEntry{{ID: 2, Deleted: true}}})
	expect("it is deleted while it is read", "")
	db.Show(2)
	expect("and then shown", "tree example.")
	load(t, db, 3, "example.", sets)
	got = dns.Stale{}
	db.Apply(dns.Entry{Zones: []dns.ZoneEntry{{ID: 3, Metadata: dns.Metadata{"ALSO-NOTIFY": {"192.0.2.1"}}}}})
	expect("metadata", "name example.")
	db.Apply(dns.Entry{Zones: []dns.ZoneEntry{{ID: 3, Metadata: dns.Metadata{"PRESIGNED": {"1"}}}}})
	expect("metadata that answers depend on", "tree example.")
	db.Apply(dns.Entry{Zones: []dns.ZoneEntry{{ID: 3, Keys: map[dns.KeyID]*dns.Key{1: {ID: 1}}}}})
	expect("keys", "tree example.")
	db.Apply(dns.Entry{Zones: []dns.ZoneEntry{{ID: 3, Deleted: true}}})
	expect("it goes", "tree example.")

	var many []dns.RRset
	for i := range 2000 {
		many = append(many, dns.RRset{Name: host(i) + "example.", Type: dns.TypeA, Content: []string{"192.0.2.1"}})
	}
	stage(t, db, 4, "example.", append(many, sets...))
	stage(t, db, 5, "other.", nil)
	db.ShowAll()
	expect("all are loaded first", "all")
	stage(t, db, 4, "example.", sets)
	stage(t, db, 6, "new.", nil)
	db.ShowAll()
	expect("all are loaded again", "tree example. new. other.\nzone new.")
	db.Keep(4)
	db.Keep(6)
	db.Apply(dns.Entry{Zones: []dns.ZoneEntry{{ID: 6, Deleted: true}}})
	expect("one goes that is kept", "tree new.")
	db.ShowAll()
	expect("the others are kept", "")
}

// DNAMEs that lead to one another make names without end: then trees are told.
func TestStaleDNAMEs(t *testing.T) {
	var got dns.Stale
	db := zonedb.New()
	db.TellStale(func(s dns.Stale) { got = s })
	load(t, db, 1, "example.", parse(t, "x.a DNAME a.example.\ny.a DNAME a.example.\nz.a DNAME a.example."))
	db.Apply(dns.Entry{Zones: []dns.ZoneEntry{{ID: 1, RRsets: parse(t, "h.a A 192.0.2.1")}}})
	if len(got.Names) > 1000 || !slices.Contains(got.Names, "h.y.x.a.example.") && !slices.Contains(got.Trees, "x.a.example.") {
		t.Errorf("told %d names and %v", len(got.Names), got.Trees)
	}
}
