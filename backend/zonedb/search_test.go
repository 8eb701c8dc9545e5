package zonedb_test

import (
	"slices"
	"strings"
	"testing"

	"redyn/backend/zonedb"
)

func TestSearch(t *testing.T) {
	db := zonedb.New()
	load(t, db, 1, "example.", parse(t, `
		@     SOA   `+soa+`
		www   A     192.0.2.1
		www   A     192.0.2.2
		WWW2  A     192.0.2.3
		mail  MX    10 Mx.Example.
		a.b   TXT   "a*b"
	`))
	load(t, db, 2, "other.", parse(t, `www.other. A 192.0.2.1`))
	f := func(pattern string, limit int, want string) {
		t.Helper()
		same(t, "search "+pattern, write(slices.Collect(db.Search(pattern, limit))), want)
	}
	const www, www2, other = "1 www.example. A auth 192.0.2.1, 192.0.2.2\n", "1 www2.example. A auth 192.0.2.3\n", "2 www.other. A auth 192.0.2.1\n"
	f("www.example", 9, www)
	f("Www.Example.", 9, www)
	f("www", 9, "")
	f("www*", 9, www+www2+other)
	f("www?.*", 9, www2)
	f("*www*", 1, "1 www.example. A auth 192.0.2.1")
	f("*www*", 3, www+www2)
	f("*www*", 0, "")
	f("192.0.2.1", 9, "1 www.example. A auth 192.0.2.1\n"+other)
	f("192.0.2.1", 1, "1 www.example. A auth 192.0.2.1\n")
	f("192.?.2.*", 9, www+www2+other)
	f("* mx.example.", 9, "1 mail.example. MX auth 10 Mx.Example.")
	f(`"a*b"`, 9, `1 a.b.example. TXT auth "a*b"`)
	f("b.example", 9, "")
	f("", 9, "")
	f("**.*.**", 1, "1 example. SOA auth "+soa)

	for range db.Search("*", 99) {
		break
	}
}

func FuzzSearch(f *testing.F) {
	f.Add("a*b", "axxb")
	f.Add("*a?*", "ba.")
	f.Add("", ".")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if len(pattern) > 12 || len(text) > 12 {
			return // naive takes too long
		}
		if got, want := zonedb.Matches(pattern, text), naive([]byte(pattern), []byte(strings.TrimSuffix(text, "."))); got != want {
			t.Errorf("%q matches %q: %v, want %v", pattern, text, got, want)
		}
	})
}

// naive tries everything.
func naive(pattern, text []byte) bool {
	if len(pattern) == 0 {
		return len(text) == 0
	}
	if pattern[0] == '*' && naive(pattern[1:], text) {
		return true
	}
	if len(text) == 0 {
		return false
	}
	switch p, t := pattern[0], text[0]; {
	case p == '*':
		return naive(pattern, text[1:])
	case p == '?' || p == t || 'A' <= p&^0x20 && p&^0x20 <= 'Z' && p&^0x20 == t&^0x20:
		return naive(pattern[1:], text[1:])
	}
	return false
}
