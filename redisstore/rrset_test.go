package redisstore

import (
	"encoding/json"
	"slices"
	"testing"
	"unicode/utf8"

	"redyn/backend/dns"
)

func TestEncodeRRset(t *testing.T) {
	f := func(set dns.RRset, want string) {
		t.Helper()
		if got := encodeRRset(set); got != want {
			t.Errorf("%v is written %s, want %s", set, got, want)
		}
	}
	f(dns.NewRRset("a.", dns.TypeA, 60, "192.0.2.1"), `{"ttl":60,"content":["192.0.2.1"]}`)
	f(dns.NewRRset("a.", dns.TypeA, 0, "192.0.2.2", "192.0.2.1"), `{"ttl":0,"content":["192.0.2.1","192.0.2.2"]}`)
	f(dns.RRset{Name: "a.", Type: dns.TypeA, TTL: 1, Content: []string{"b", "a", "b"}}, `{"ttl":1,"content":["a","b"]}`)
	f(dns.NewRRset("a.", dns.TypeTXT, 60, `"say \"x\""`, "tab\t"), `{"ttl":60,"content":["\"say \\\"x\\\"\"","tab\u0009"]}`)
	f(dns.NewRRset("a.", dns.TypeA, 60), "")
}

func TestDecodeRRset(t *testing.T) {
	f := func(text string, ttl uint32, content ...string) {
		t.Helper()
		set, err := decodeRRset("a.", dns.TypeTXT, text)
		if err != nil || set.TTL != ttl || !slices.Equal(set.Content, content) {
			t.Errorf("%s is read as %v, %v", text, set, err)
		}
	}
	f(`{"ttl":60,"content":["192.0.2.1"]}`, 60, "192.0.2.1")
	f(`{"ttl":4294967295,"content":["a","b","c"]}`, 4294967295, "a", "b", "c")
	f(`{"ttl":60,"content":["\"say \\\"x\\\"\""]}`, 60, `"say \"x\""`)
	f(` { "content" : [ "b", "a", "a" ], "more": {}, "ttl" : 60 } `, 60, "a", "b")
	f(`{"ttl":60,"content":["tab\tuni\u00fc","\u0009"]}`, 60, "\t", "tab\tuniü")
	f("", 0)
	for _, bad := range []string{
		"{}", `{"ttl":60,"content":[]}`, `{"ttl":60}`, `{"ttl":-1,"content":["a"]}`, `{"ttl":4294967296,"content":["a"]}`,
		`{"ttl":60,"content":["a]}`, `{"ttl":60,"content":["a"}`, `{"ttl":60,"content":["a",]}`, `{"ttl":60,"content":["a"]}x`,
		`{"ttl":060,"content":["a"]}`, `{"ttl":60,"content":"a"}`, "192.0.2.1", `{"ttl":60,"content":["\`,
	} {
		if set, err := decodeRRset("a.", dns.TypeA, bad); err == nil {
			t.Errorf("%s is read as %v", bad, set)
		}
	}
}

// FuzzDecodeRRset compares the quick decoder with encoding/json, and reads what is written.
func FuzzDecodeRRset(f *testing.F) {
	f.Add(`{"ttl":60,"content":["192.0.2.1"]}`)
	f.Add(`{"ttl":60,"content":["\"x\" \\ y","b\u0000","ü"]}`)
	f.Add("{\"ttl\":60,\"content\":[\"\xff\",\"b\"]}")
	f.Add(`{"ttl":0,"content":["a","b","a"]}`)
	f.Fuzz(func(t *testing.T, text string) {
		ttl, content, ok := decodePlain(text)
		var v struct {
			TTL     uint32
			Content []string
		}
		if ok && (json.Unmarshal([]byte(text), &v) != nil || v.TTL != ttl || !slices.Equal(v.Content, content)) {
			t.Fatalf("%q is read as %d %q, by encoding/json as %+v", text, ttl, content, v)
		}
		set, err := decodeRRset("a.", dns.TypeTXT, text)
		if err != nil {
			return
		}
		again, err := decodeRRset("a.", dns.TypeTXT, encodeRRset(set))
		if err != nil || !again.Equal(set) {
			t.Fatalf("%q is read as %v, and what is written of it as %v, %v", text, set, again, err)
		}
	})
}

// FuzzEncodeRRset reads what is written, by encoding/json too.
func FuzzEncodeRRset(f *testing.F) {
	f.Add(uint32(60), `"x\y"`, "ü\x00")
	f.Fuzz(func(t *testing.T, ttl uint32, a, b string) {
		if !utf8.ValidString(a) || !utf8.ValidString(b) {
			return
		}
		set := dns.NewRRset("a.", dns.TypeTXT, ttl, a, b)
		text := encodeRRset(set)
		if _, err := decodeRRset("a.", dns.TypeTXT, text); err != nil || !json.Valid([]byte(text)) {
			t.Fatalf("%v is written %q: %v", set, text, err)
		}
		if got, _ := decodeRRset("a.", dns.TypeTXT, text); !got.Equal(set) {
			t.Fatalf("%v is written %q and read %v", set, text, got)
		}
	})
}

func BenchmarkDecodeRRset(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := parseRRset("host-123456.example.org. A", `{"ttl":60,"content":["192.0.2.1"]}`); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeRRset(b *testing.B) {
	set := dns.NewRRset("host-123456.example.org.", dns.TypeA, 60, "192.0.2.1")
	b.ReportAllocs()
	for b.Loop() {
		encodeRRset(set)
	}
}
