package redisstore

import (
	"errors"
	"testing"

	"github.com/redis/go-redis/v9"

	"redyn/backend/dns"
)

func message(fields ...string) redis.XMessage {
	m := redis.XMessage{ID: "5-0", Values: make(map[string]any)}
	for i := 0; i+1 < len(fields); i += 2 {
		m.Values[fields[i]] = fields[i+1]
	}
	return m
}

func TestDecodeEntry(t *testing.T) {
	e, l, err := decodeEntry(message(
		"epoch", "e", "prev", "4-0", "change", "c", "who", "w", "from", "192.0.2.9", "time", "2026-11-22T12:00:00Z",
		"zone 18", "example.com.", "data 18", "*",
		"zone 17", "example.org.", "serial 17", "2", "rr 17 www.example.org. A", `{"ttl":60,"content":["192.0.2.1"]}`,
		"rr 17 gone.example.org. TXT", "", "meta 17 TSIG-ALLOW-AXFR", `["key"]`, "meta 17 NSEC3PARAM", "",
		"zone 19", "example.net.", "data 19", "gone", "host 4", "of another version",
	))
	if err != nil || l != (link{"e", "4-0"}) || e.ID != "5-0" || e.Change != "c" || e.Who != "w" || e.From != "192.0.2.9" || len(e.Zones) != 3 {
		t.Fatalf("entry is %+v, %+v, %v", e, l, err)
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
	if !com.Reload || com.Deleted || !net.Deleted || net.Reload {
		t.Errorf("example.com. is %+v, example.net. %+v", com, net)
	}
}

func TestDecodeEntryRefuses(t *testing.T) {
	f := func(fields ...string) {
		t.Helper()
		if e, _, err := decodeEntry(message(fields...)); !errors.Is(err, errEntry) {
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
}

func FuzzDecodeEntry(f *testing.F) {
	f.Add("zone 17", "example.", "rr 17 a.example. A", `{"ttl":60,"content":["192.0.2.1"]}`)
	f.Add("zone 17", "example.", "data 17", "*")
	f.Add("meta 17 X", `["y"]`, "zone 17", "example.")
	f.Add("rr 17 ", "", "rr  17", "x")
	f.Fuzz(func(t *testing.T, name1, value1, name2, value2 string) {
		e, _, err := decodeEntry(message("epoch", "e", name1, value1, name2, value2))
		if err != nil {
			return
		}
		for _, z := range e.Zones {
			if z.ID <= 0 || z.Name == "" {
				t.Fatalf("zone %+v", z)
			}
			for _, set := range z.RRsets {
				if name, err := dns.ParseName(string(set.Name)); err != nil || name != set.Name || set.Type == dns.TypeENT {
					t.Fatalf("RRset %+v", set)
				}
			}
		}
	})
}
