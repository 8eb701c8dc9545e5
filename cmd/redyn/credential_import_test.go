package main

import (
	"maps"
	"strings"
	"testing"

	"redyn/auth"
	"redyn/backend/dns"
)

func TestParseHostNames(t *testing.T) {
	got, err := parseHostNames(strings.NewReader("# domains\n12\tHome.example.org\n\n007 office.example.org.\n"))
	want := map[auth.HostID]dns.Name{12: "home.example.org.", 7: "office.example.org."}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("names are %v, %v; want %v", got, err, want)
	}
	f := func(text, want string) {
		t.Helper()
		if got, err := parseHostNames(strings.NewReader(text)); err == nil || err.Error() != want {
			t.Errorf("%q is read as %v, %v; want %s", text, got, err, want)
		}
	}
	f("12\n", "1: expected NUMBER NAME")
	f("1 a.\n\n0 b.\n", `3: host id "0" is not a positive number`)
	f("1 a.\n1 b.\n", "2: host 1 is given twice")
	f("1 a.\n2 A\n", "2: a. is host 1 already")
	f("1 a.\n2 "+strings.Repeat("x", 1<<17), "2: bufio.Scanner: token too long")
}

func FuzzParseHostNames(f *testing.F) {
	f.Add("12\tHome.example.org\n# x\n7 a\\.b.example.\r\n")
	f.Add("1 a\n01 b\n")
	f.Fuzz(func(t *testing.T, text string) {
		names, err := parseHostNames(strings.NewReader(text))
		if err != nil && names != nil {
			t.Fatalf("%v and %v", names, err)
		}
		for id, name := range names {
			if parsed, err := dns.ParseName(string(name)); id <= 0 || err != nil || parsed != name {
				t.Fatalf("host %d is %q", id, name)
			}
		}
	})
}
