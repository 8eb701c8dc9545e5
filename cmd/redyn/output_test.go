package main

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestProgress(t *testing.T) {
	f := func(terminal bool, want string) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			var out bytes.Buffer
			p := newProgress(&out, "import example.org.")
			p.terminal = terminal
			for n := range 11 {
				p.at(n * 1000)
				time.Sleep(time.Second)
			}
			p.done()
			if got := strings.ReplaceAll(out.String(), "\r", "|"); got != want {
				t.Errorf("progress is %q; want %q", got, want)
			}
		})
	}
	line := "import example.org.: "
	f(false, line+"5000 records, 5 s\n"+line+"10000 records, 10 s\n")
	f(true, line+"1000 records, 1 s|"+line+"2000 records, 2 s|"+line+"3000 records, 3 s|"+line+"4000 records, 4 s|"+
		line+"5000 records, 5 s|"+line+"6000 records, 6 s|"+line+"7000 records, 7 s|"+line+"8000 records, 8 s|"+
		line+"9000 records, 9 s|"+line+"10000 records, 10 s|\n")
}

func TestPrintTable(t *testing.T) {
	var out bytes.Buffer
	if err := printTable(&out, []string{"NAME", "ID"}, [][]string{{"a", "1"}, {"longer"}}); err != nil {
		t.Fatal(err)
	}
	if want := "NAME    ID\na       1\nlonger\n"; out.String() != want {
		t.Errorf("table is\n%s; want\n%s", &out, want)
	}
}
