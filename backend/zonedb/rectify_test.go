package zonedb_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"redyn/backend/zonedb"
)

// testdata holds name and ordername of the records of rectify.zone, as pdnsutil rectify-zone of
// PowerDNS 4.7.3 wrote them into gsqlite3 with these settings of NSEC3. With opt-out that leaves out
// the empty non-terminals above unsigned delegations, of which its backends make up an NSEC3 when
// they are asked for it.
func TestChainIsAsRectified(t *testing.T) {
	read := func(name string) string {
		text, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	sets := parse(t, read("rectify.zone"))
	for param, more := range map[string]string{
		"1 0 1 ab": "",
		"1 1 1 ab": "e3.e4.example h39cuk8mgcdc1uutj3b5kn3spvtt6g4p\ne4.example ptsin7dm704pr5jt92rm7om062iv3blr\n",
	} {
		db := zonedb.New()
		load3(t, db, param, sets)
		var got strings.Builder
		for hash := strings.Repeat("0", 32); ; {
			_, _, after, ok := db.HashNeighbours(1, hash)
			if !ok || after <= hash {
				break
			}
			hash = after
			_, name, _, _ := db.HashNeighbours(1, hash)
			fmt.Fprintln(&got, strings.TrimSuffix(string(name), "."), hash)
		}
		want := strings.SplitAfter(read("rectify-"+strings.ReplaceAll(param, " ", "-")+".txt")+more, "\n")
		slices.SortFunc(want, func(a, b string) int { return strings.Compare(hashIn(a), hashIn(b)) })
		same(t, "chain with "+param, got.String(), strings.Join(want, ""))
	}
}

// hashIn returns the hash in a line of name and hash.
func hashIn(line string) string {
	_, hash, _ := strings.Cut(line, " ")
	return hash
}
