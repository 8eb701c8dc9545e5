package redisstore

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/redis/go-redis/v9"

	"redyn/auth"
	"redyn/backend/dns"
)

// plain opens secrets that are not sealed.
var plain = secrets{(*auth.Sealer)(nil)}

func message(fields ...string) redis.XMessage {
	m := redis.XMessage{ID: "5-0", Values: make(map[string]any)}
	for i := 0; i+1 < len(fields); i += 2 {
		m.Values[fields[i]] = fields[i+1]
	}
	return m
}

func TestDecodeEntry(t *testing.T) {
	e, err := plain.decodeEntry(message(
		"epoch", "e", "prev", "4-0", "change", "c", "who", "w", "from", "192.0.2.9", "time", "2026-11-22T12:00:00Z",
		"zone 18", "example.com.", "data 18", "*",
		"zone 17", "example.org.", "serial 17", "2", "rr 17 www.example.org. A", `{"ttl":60,"content":["192.0.2.1"]}`,
		"rr 17 gone.example.org. TXT", "", "meta 17 TSIG-ALLOW-AXFR", `["key"]`, "meta 17 NSEC3PARAM", "",
		"zone 19", "example.net.", "data 19", "gone", "host 4", "of another version",
		"host 5 here.example.org.", "{}", "host 6 gone.example.org.", "",
		"key 17 2", `{"flags":257,"active":true,"published":false,"content":"private"}`, "key 17 1", "", "key 19 1", "{",
		"about 17 kind", "master", "about 17 masters", "192.0.2.1 192.0.2.2:53", "about 17 notified_serial", "7", "about 17 last_check", "1000",
		"tsig a.example.", `{"algorithm":"hmac-sha256.","secret":"c2VjcmV0"}`, "tsig b.example.", "", "tsig c.example.", "?",
		"autoprimary 192.0.2.1 ns.example.", `{"account":"me"}`, "autoprimary 2001:db8::1 ns.example.", "",
	))
	if err != nil || e.link != (link{"e", "4-0"}) || e.ID != "5-0" || e.Change != "c" || e.Who != "w" || e.From != "192.0.2.9" || len(e.Zones) != 3 {
		t.Fatalf("entry is %+v, %v", e, err)
	}
	org, com, net := e.Zones[0], e.Zones[1], e.Zones[2]
	if org.ID != 17 || org.Name != "example.org." || len(org.RRsets) != 2 || org.Reload || org.Deleted || len(org.Metadata) != 2 {
		t.Errorf("example.org. is %+v", org)
	}
	for _, set := range org.RRsets {
		want := dns.NewRRset("gone.example.org.", dns.TypeTXT, 0)
		if set.Type == dns.TypeA {
			want = dns.NewRRset("www.example.org.", dns.TypeA, 60, "192.0.2.1")
		}
		if !set.Equal(want) {
			t.Errorf("RRset is %v, want %v", set, want)
		}
	}
	key := dns.Key{ID: 2, Flags: 257, Active: true, Content: "private"}
	if len(org.Keys) != 2 || org.Keys[1] != nil || org.Keys[2] == nil || *org.Keys[2] != key || org.KeysUnknown || !net.KeysUnknown {
		t.Errorf("keys are %v and %v", org.Keys, net.Keys)
	}
	if z := org.Zone; z == nil || z.Name != "example.org." || z.Kind != dns.Master || len(z.Masters) != 2 || z.NotifiedSerial != 7 || z.LastCheck.Unix() != 1000 {
		t.Errorf("zone is %+v", z)
	}
	tsig := dns.TSIGKey{Name: "a.example.", Algorithm: "hmac-sha256.", Secret: "c2VjcmV0"}
	if s := e.Server.TSIG; len(s) != 3 || *s["a.example."] != tsig || s["b.example."] != nil || s["c.example."] != nil || !e.TSIGUnknown {
		t.Errorf("TSIG keys are %v", s)
	}
	a := dns.Autoprimary{IP: netip.MustParseAddr("192.0.2.1"), Nameserver: "ns.example."}
	if s := e.Server.Autoprimaries; len(s) != 2 || s[a] == nil || *s[a] != "me" {
		t.Errorf("autoprimaries are %v", s)
	}
	if h := e.Hosts; len(h) != 2 || !h["here.example.org."] || h["gone.example.org."] {
		t.Errorf("hosts are %v", h)
	}
	if !com.Reload || com.Deleted || !net.Deleted || net.Reload {
		t.Errorf("example.com. is %+v, example.net. %+v", com, net)
	}
}

func TestDecodeEntryRefuses(t *testing.T) {
	f := func(fields ...string) {
		t.Helper()
		if e, err := plain.decodeEntry(message(fields...)); !errors.Is(err, errEntry) {
			t.Errorf("%q is read as %+v, %v", fields, e, err)
		}
	}
	f("prev", "4-0")
	f("epoch", "e", "rr 17 a.example. A", "")
	f("epoch", "e", "zone 17", "a..b")
	f("epoch", "e", "zone 0", "example.")
	f("epoch", "e", "zone 99999999999", "example.")
	f("epoch", "e", "zone 17", "example.", "rr 17 a.example.", "")
	f("epoch", "e", "zone 17", "example.", "rr 17 a.example. A", "192.0.2.1")
	f("epoch", "e", "zone 17", "example.", "rr 17 a.example. TYPE0", "")
	f("epoch", "e", "zone 17", "example.", "meta 17 X", "x")
	f("epoch", "e", "zone 17", "example.", "data 17", "?")
	f("epoch", "e", "zone 17", "example.", "key 17 0", "")
	f("epoch", "e", "zone 17", "example.", "about 17 kind", "catalog")
	f("epoch", "e", "zone 17", "example.", "about x kind", "native")
	f("epoch", "e", "about 17 kind", "native")
	f("epoch", "e", "tsig a..b", "")
	f("epoch", "e", "autoprimary ns.example.", "")
	f("epoch", "e", "autoprimary 192.0.2.1", "")
	f("epoch", "e", "autoprimary 192.0.2.1 ns.example.", "x")
}

func FuzzDecodeEntry(f *testing.F) {
	f.Add("zone 17", "example.", "rr 17 a.example. A", `{"ttl":60,"content":["192.0.2.1"]}`)
	f.Add("zone 17", "example.", "data 17", "*")
	f.Add("meta 17 X", `["y"]`, "zone 17", "example.")
	f.Add("zone 17", "example.", "key 17 3", `{"flags":257,"active":true,"published":true,"content":"sealed:1:x"}`)
	f.Add("zone 17", "example.", "about 17 last_check", "-1")
	f.Add("tsig a.", `{"algorithm":"hmac-md5.","secret":"x"}`, "autoprimary ::1 ns.", `{"account":"x"}`)
	f.Add("rr 17 ", "", "rr  17", "x")
	f.Fuzz(func(t *testing.T, name1, value1, name2, value2 string) {
		e, err := plain.decodeEntry(message("epoch", "e", name1, value1, name2, value2))
		if err != nil {
			return
		}
		for _, z := range e.Zones {
			if z.ID <= 0 || z.Name == "" {
				t.Fatalf("zone %+v", z)
			}
			for id, key := range z.Keys {
				if id <= 0 || key == nil && !z.KeysUnknown && value1 != "" && value2 != "" {
					t.Fatalf("key %d of %+v", id, z)
				}
			}
			if z.Zone != nil && (z.Zone.Name != z.Name || z.Zone.Kind == "" || z.Zone.Policy == "") {
				t.Fatalf("zone %+v", z.Zone)
			}
			for _, set := range z.RRsets {
				if name, err := dns.ParseName(string(set.Name)); err != nil || name != set.Name || set.Type == dns.TypeENT {
					t.Fatalf("RRset %+v", set)
				}
			}
		}
	})
}
