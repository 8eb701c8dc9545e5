package zonedb_test

import (
	"errors"
	"testing"

	"redyn/backend/dns"
	"redyn/backend/zonedb"
)

func TestList(t *testing.T) {
	db := zonedb.New()
	load(t, db, 1, "example.", parse(t, `
		z        A     192.0.2.1
		@        A     192.0.2.1
		@        SOA   `+soa+`
		*        A     192.0.2.1
		a.b.c    A     192.0.2.1
		b.c      A     192.0.2.1
		sub      NS    ns.sub.example.
		sub      DS    1 13 2 00
		ns.sub   A     192.0.2.1
		x.y.sub  A     192.0.2.1
		sub2     A     192.0.2.1
		d.e.f    NS    ns.other.
		\200     A     192.0.2.1
	`))
	// RFC 4034 section 6.1: by labels from the right, not as texts.
	const want = `
		1 example. SOA auth ` + soa + `
		1 example. A auth 192.0.2.1
		1 *.example. A auth 192.0.2.1
		1 c.example. ENT auth
		1 b.c.example. A auth 192.0.2.1
		1 a.b.c.example. A auth 192.0.2.1
		1 f.example. ENT auth
		1 e.f.example. ENT auth
		1 d.e.f.example. NS - ns.other.
		1 sub.example. NS - ns.sub.example.
		1 sub.example. DS auth 1 13 2 00
		1 ns.sub.example. A - 192.0.2.1
		1 y.sub.example. ENT -
		1 x.y.sub.example. A - 192.0.2.1
		1 sub2.example. A auth 192.0.2.1
		1 z.example. A auth 192.0.2.1
		1 \200.example. A auth 192.0.2.1`
	same(t, "list", write(list(t, db, 1, "example.")), want)
	same(t, "list", write(list(t, db, dns.AnyZone, "example.")), want)

	// A list is of one moment, that of the call.
	answers, _ := db.List(1, "example.")
	db.Apply(dns.Entry{Zones: []dns.ZoneEntry{{ID: 1, RRsets: parse(t, `
		b.c      A
		a.b.c    A     192.0.2.9
		new      A     192.0.2.9
		sub      NS
	`)}}})
	var got []dns.Answer
	for a := range answers {
		got = append(got, a)
	}
	same(t, "list from before", write(got), want)
	for a := range answers {
		if a.Type == dns.TypeENT {
			break
		}
	}

	for _, q := range []struct {
		id   dns.ZoneID
		name dns.Name
	}{{2, "example."}, {1, "other."}, {dns.AnyZone, "www.example."}, {dns.AnyZone, dns.Root}} {
		if _, err := db.List(q.id, q.name); !errors.Is(err, dns.ErrNotFound) {
			t.Errorf("there is a zone %d %s", q.id, q.name)
		}
	}
}
