package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"redyn/backend/dns"
	"redyn/redisstore"
)

// A node that begins leaves out what cannot be read, as not known, and has all the rest.
func TestUnreadableZones(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		s := open(t, redisstore.Options{URL: srv.url})
		create(t, s, org, orgSets()...)
		soa := func(zone dns.Name) dns.RRset { return dns.NewRRset(zone, dns.TypeSOA, 3600, soaContent) }
		id := make(map[dns.Name]dns.ZoneID)
		for _, name := range []dns.Name{"rr.example.", "header.example.", "meta.example.", "type.example.", "gone.example.", "id.example.", "gen.example.", "set.example."} {
			id[name] = create(t, s, name, soa(name)).ID
		}
		key := func(kind string, name dns.Name) string { return fmt.Sprintf("{redyn}:%s:%d", kind, id[name]) }
		rr := fmt.Sprintf("%s:%s", key("rr", "rr.example."), srv.rdb.HGet(ctx, key("zone", "rr.example."), "gen").Val())
		for _, err := range []error{
			srv.rdb.HSet(ctx, rr, "www.rr.example. A", "192.0.2.1").Err(),
			srv.rdb.HSet(ctx, key("zone", "header.example."), "kind", "king").Err(),
			srv.rdb.HSet(ctx, key("meta", "meta.example."), "X", "no list").Err(),
			srv.rdb.Del(ctx, key("zone", "type.example.")).Err(),
			srv.rdb.Set(ctx, key("zone", "type.example."), "text", 0).Err(),
			srv.rdb.Del(ctx, key("zone", "gone.example.")).Err(),
			text(srv, fmt.Sprintf("%s:%s", key("rr", "set.example."), srv.rdb.HGet(ctx, key("zone", "set.example."), "gen").Val())),
			srv.rdb.HDel(ctx, key("zone", "gen.example."), "gen").Err(),
			srv.rdb.HSet(ctx, "{redyn}:zones", "id.example.", "many").Err(),
			srv.rdb.HSet(ctx, "{redyn}:zones", "no..name.", "7").Err(),
			srv.rdb.HSet(ctx, "{redyn}:autoprimaries", "192.0.2.1 ns.example.", "no text").Err(),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		f, m := follow(t, s, "node")
		unknown := func(want ...dns.Name) error {
			told := f.Status().Unknown // before the copy is held, which the follower holds after itself
			m.mu.Lock()
			defer m.mu.Unlock()
			var got []dns.Name
			for _, z := range m.shown {
				if z.info.Unknown {
					got = append(got, z.name)
				}
			}
			slices.Sort(got)
			slices.Sort(want)
			return holds(slices.Equal(got, want) && told == len(want), "unknown are %v, and %d; want %v", got, told, want)
		}
		if err := unknown("rr.example.", "header.example.", "meta.example.", "type.example.", "gone.example.", "id.example.", "gen.example.", "set.example."); err != nil {
			t.Error(err)
		}
		if got := m.get(org, "www.example.org.", dns.TypeA); len(got) != 1 {
			t.Errorf("www is %v", got)
		}

		// What mends a zone makes it known, through the log or past it.
		apply(t, s, "rr.example.", dns.NewRRset("www.rr.example.", dns.TypeA, 60, "192.0.2.1"))
		eventually(t, "a record is mended", func() error {
			return unknown("header.example.", "meta.example.", "type.example.", "gone.example.", "id.example.", "gen.example.", "set.example.")
		})
		if err := srv.rdb.HSet(ctx, key("zone", "header.example."), "kind", "native").Err(); err != nil {
			t.Fatal(err)
		}
		f.Reload()
		eventually(t, "a header is mended", func() error {
			return unknown("meta.example.", "type.example.", "gone.example.", "id.example.", "gen.example.", "set.example.")
		})
	})
}

// Zones whose ids are wrong for a while, one after the other, go on as they were, each with its own
// records.
func TestWrongZoneIDs(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		s := open(t, redisstore.Options{URL: srv.url})
		names := []dns.Name{"x.example.", "y.example."}
		right := make(map[dns.Name]string)
		for _, name := range names {
			z := create(t, s, name, dns.NewRRset(name, dns.TypeSOA, 3600, soaContent), dns.NewRRset(name, dns.TypeTXT, 60, `"`+string(name)+`"`))
			right[name] = fmt.Sprint(z.ID)
		}
		list := func(name dns.Name, id string) {
			t.Helper()
			if err := srv.rdb.HSet(context.Background(), "{redyn}:zones", string(name), id).Err(); err != nil {
				t.Fatal(err)
			}
		}
		reload := func(f *redisstore.Follower, unknown int) {
			t.Helper()
			loads := f.Status().Reloads
			f.Reload()
			eventually(t, "zones are loaded anew", func() error {
				st := f.Status()
				return holds(st.Reloads > loads && st.Unknown == unknown, "%+v", st)
			})
		}
		shows := func(m *memory, name dns.Name, want string) {
			t.Helper()
			if got := fmt.Sprint(m.get(name, name, dns.TypeTXT)); got != want {
				t.Errorf("%s shows %s, want %s", name, got, want)
			}
		}

		f, m := follow(t, s, "node")
		for i, wrong := range names {
			list(wrong, "many")
			list(names[1-i], right[names[1-i]])
			reload(f, 1)
			for _, name := range names {
				shows(m, name, `["`+string(name)+`"]`)
			}
		}
		list(names[0], "many")
		begun, n := follow(t, s, "begun")
		list(names[0], right[names[0]])
		reload(begun, 1)
		shows(n, names[0], `["x.example."]`)
		shows(n, names[1], `[]`)
	})
}

// Whatever is wrong with a zone, it is named, and can be deleted and created anew.
func TestDeleteUnreadableZone(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		s := open(t, redisstore.Options{URL: srv.url})
		create(t, s, org, orgSets()...)
		f, m := follow(t, s, "node")
		const name = dns.Name("bad.example.")
		wrong := map[string]func(zone, rr, meta string) error{
			"kind": func(zone, rr, meta string) error { return srv.rdb.HSet(ctx, zone, "kind", "king").Err() },
			"gone": func(zone, rr, meta string) error { return srv.rdb.Del(ctx, zone).Err() },
			"text": func(zone, rr, meta string) error { return text(srv, zone) },
			"gen":  func(zone, rr, meta string) error { return srv.rdb.HDel(ctx, zone, "gen").Err() },
			"rr":   func(zone, rr, meta string) error { return text(srv, rr) },
			"soa":  func(zone, rr, meta string) error { return srv.rdb.HSet(ctx, rr, string(name)+" SOA", "1").Err() },
			"meta": func(zone, rr, meta string) error { return srv.rdb.HSet(ctx, meta, "X", "no list").Err() },
		}
		for what, spoil := range wrong {
			id := create(t, s, name, dns.NewRRset(name, dns.TypeSOA, 3600, soaContent)).ID
			zone := fmt.Sprintf("{redyn}:zone:%d", id)
			rr := fmt.Sprintf("{redyn}:rr:%d:%s", id, srv.rdb.HGet(ctx, zone, "gen").Val())
			if err := spoil(zone, rr, fmt.Sprintf("{redyn}:meta:%d", id)); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Zone(ctx, name); err == nil || errors.Is(err, dns.ErrNotFound) {
				t.Errorf("%s: the zone is read: %v", what, err)
			}
			if _, err := s.Zones(ctx); err == nil || !strings.Contains(err.Error(), "bad.example.") {
				t.Errorf("%s: the list fails with %v", what, err)
			}
			f.Reload()
			eventually(t, "the node cannot read it", func() error { return holds(f.Status().Unknown == 1, "%s: %+v", what, f.Status()) })
			r, err := s.DeleteZone(ctx, name, "", "")
			if err != nil {
				t.Errorf("%s: %v", what, err)
				continue
			}
			shown(t, f, r)
			if zones, err := s.Zones(ctx); err != nil || len(zones) != 1 {
				t.Errorf("%s: left are %v, %v", what, zones, err)
			}
		}
		sameAsStore(t, s, m)
	})
}

// text puts a text in the place of what is there.
func text(srv *server, key string) error {
	ctx := context.Background()
	return errors.Join(srv.rdb.Del(ctx, key).Err(), srv.rdb.Set(ctx, key, "text", 0).Err())
}

// A node begins also where the TSIG keys cannot be read, which are not known then.
func TestUnreadableTSIGKeys(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		s := open(t, redisstore.Options{URL: srv.url})
		create(t, s, org, orgSets()...)
		if err := text(srv, "{redyn}:tsig"); err != nil {
			t.Fatal(err)
		}
		f, m := follow(t, s, "node")
		<-f.Loaded()
		if !m.server.tsigUnknown || m.get(org, "www.example.org.", dns.TypeA) == nil {
			t.Errorf("the copy shows %v", m.dump())
		}
	})
}
