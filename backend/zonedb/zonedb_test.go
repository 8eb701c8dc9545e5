package zonedb_test

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"redyn/backend/dns"
	"redyn/backend/zonedb"
)

// parse reads lines of owner, type and content, with "example." as origin of relative owners. Lines
// of one owner and type are one RRset.
func parse(t testing.TB, lines string) []dns.RRset {
	t.Helper()
	var sets []dns.RRset
	for line := range strings.Lines(lines) {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		owner := f[0]
		if owner == "@" {
			owner = "example."
		} else if !strings.HasSuffix(owner, ".") || strings.HasSuffix(owner, `\.`) {
			owner += ".example."
		}
		name, err := dns.ParseName(owner)
		if err != nil {
			t.Fatal(err)
		}
		typ, err := dns.ParseType(f[1])
		if err != nil {
			t.Fatal(err)
		}
		content := strings.Join(f[2:], " ")
		i := slices.IndexFunc(sets, func(s dns.RRset) bool { return s.Name == name && s.Type == typ })
		switch {
		case i < 0 && content == "":
			sets = append(sets, dns.RRset{Name: name, Type: typ})
		case i < 0:
			sets = append(sets, dns.NewRRset(name, typ, 60, content))
		default:
			sets[i] = dns.NewRRset(name, typ, 60, append(sets[i].Content, content)...)
		}
	}
	return sets
}

func yields(sets []dns.RRset) iter.Seq2[dns.RRset, error] {
	return func(yield func(dns.RRset, error) bool) {
		for _, set := range sets {
			if !yield(set, nil) {
				return
			}
		}
	}
}

func load(t testing.TB, db *zonedb.DB, id dns.ZoneID, name dns.Name, sets []dns.RRset) {
	t.Helper()
	stage(t, db, id, name, sets)
	db.Show(id)
}

func stage(t testing.TB, db *zonedb.DB, id dns.ZoneID, name dns.Name, sets []dns.RRset) {
	t.Helper()
	if err := db.Stage(dns.ZoneData{Zone: dns.Zone{ID: id, Name: name, Kind: dns.Native}}, yields(sets)); err != nil {
		t.Fatal(err)
	}
}

// write renders answers one a line, as "zone owner type auth content, content".
func write(answers []dns.Answer) string {
	var b strings.Builder
	for _, a := range answers {
		typ, auth := a.Type.String(), "auth"
		if a.Type == dns.TypeENT {
			typ = "ENT"
		}
		if !a.Auth {
			auth = "-"
		}
		fmt.Fprintln(&b, strings.TrimSpace(fmt.Sprintf("%d %s %s %s %s", a.Zone, a.Name, typ, auth, strings.Join(a.Content, ", "))))
	}
	return b.String()
}

// same reports what differs, without regard to how lines are indented.
func same(t testing.TB, what, got, want string) {
	t.Helper()
	var lines []string
	for line := range strings.Lines(want) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line+"\n")
		}
	}
	if want = strings.Join(lines, ""); got != want {
		t.Errorf("%s:\n%swant\n%s", what, got, want)
	}
}

func list(t testing.TB, db *zonedb.DB, id dns.ZoneID, name dns.Name) []dns.Answer {
	t.Helper()
	answers, err := db.List(id, name)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Collect(answers)
}

// look is a Lookup that must not fail.
func look(db *zonedb.DB, name dns.Name, typ dns.Type, id dns.ZoneID) []dns.Answer {
	answers, err := db.Lookup(nil, name, typ, id)
	if err != nil {
		panic(err)
	}
	return answers
}
