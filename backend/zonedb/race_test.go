package zonedb_test

import (
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"testing"

	"redyn/backend/dns"
	"redyn/backend/zonedb"
)

// Each change sets two names of a zone to the same number. A reader that sees a number at the first
// must see it or a later one at the second, and a list the same at both. Meanwhile another zone is
// loaded again and again, and this one too.
func TestReadersSeeAllOrNothing(t *testing.T) {
	const changes = 3000
	names := [2]dns.Name{"a.example.", "z.example."}
	numbered := func(n int) []dns.RRset {
		content := []string{strconv.Itoa(n)}
		sets := []dns.RRset{
			{Name: names[0], Type: dns.TypeTXT, Content: content},
			{Name: names[1], Type: dns.TypeTXT, Content: content},
			{Name: "m.m.example.", Type: dns.TypeCNAME, Content: []string{fmt.Sprintf("t%d.example.", n%3)}},
			{Name: "cut.example.", Type: dns.TypeNS},
		}
		if n%2 == 0 {
			sets[3].Content = []string{"ns.other."}
		}
		return sets
	}
	nsec3 := func(n int) dns.Metadata {
		switch n % 10 {
		case 0:
			return dns.Metadata{"NSEC3PARAM": nil}
		case 1:
			return dns.Metadata{"NSEC3PARAM": {"1 0 0 -"}}
		case 5:
			return dns.Metadata{"NSEC3PARAM": {"1 1 0 -"}}
		}
		return nil
	}
	number := func(content []string) int {
		n, err := strconv.Atoi(content[0])
		if err != nil {
			t.Error(err)
		}
		return n
	}
	db := zonedb.New()
	load(t, db, 1, "example.", numbered(0))

	var readers sync.WaitGroup
	done := make(chan struct{})
	reader := func(read func()) {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					read()
					runtime.Gosched() // readers do not wait for anybody, and would leave the writer little time
				}
			}
		})
	}
	for _, id := range []dns.ZoneID{1, dns.AnyZone} {
		var first, second []dns.Answer
		reader(func() {
			first, _ = db.Lookup(first[:0], names[0], dns.TypeANY, id)
			second, _ = db.Lookup(second[:0], names[1], dns.TypeTXT, id)
			if len(first) != 1 || len(second) != 1 {
				t.Errorf("got %v and %v", first, second)
			} else if a, b := number(first[0].Content), number(second[0].Content); a > b {
				t.Errorf("after %d came %d", a, b)
			}
		})
	}
	reader(func() {
		answers, _ := db.List(1, "example.")
		var seen []int
		cut := 0
		for a := range answers {
			switch {
			case a.Type == dns.TypeTXT:
				seen = append(seen, number(a.Content))
			case a.Name == "cut.example.":
				cut = 1
			}
		}
		if len(seen) != 2 || seen[0] != seen[1] || seen[0]%2 == cut {
			t.Errorf("a list of %v, cut %d", seen, cut)
		}
	})
	reader(func() {
		n := 0
		for i := range 3 {
			for range db.Referrers(dns.Name(fmt.Sprintf("t%d.example.", i))) {
				n++
			}
		}
		for range db.Search("*", 10) {
			n++
		}
		for z := range db.Zones() {
			db.Metadata(z.Name)
			db.Keys(z.Name)
			db.TSIGKeys()
			before, after, ok := db.Neighbours(z.ID, "b.example.")
			if hash, name, _, ok := db.HashNeighbours(z.ID, "0123456789abcdef0123456789abcdef"); ok && hash != (refParams{}).hash(name) {
				t.Errorf("hash %s of %s", hash, name)
			}
			if ok && (before != names[0] || after != "m.m.example." && after != "cut.example.") {
				t.Errorf("neighbours %s %s", before, after)
			}
			db.Stats()
		}
	})
	var loader sync.WaitGroup
	loader.Go(func() {
		for i := range changes / 30 {
			stage(t, db, 2, "other.", numbered(i))
		}
	})
	for i := 1; i <= changes; i++ {
		if i%100 == 0 {
			stage(t, db, 1, "example.", numbered(i))
			db.Show(1)
		}
		db.Apply(dns.Entry{Zones: []dns.ZoneEntry{{ID: 1, RRsets: numbered(i), Metadata: nsec3(i)}}})
	}
	loader.Wait()
	stage(t, db, 1, "example.", numbered(changes))
	db.ShowAll()
	close(done)
	readers.Wait()
}
