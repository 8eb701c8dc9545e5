package zonedb_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"redyn/backend/zonedb"
)

// testdata holds name and ordername of the records of rectify.zone, as pdnsutil rectify-zone of
// PowerDNS 4.7.3 wrote them into gsqlite3 with these settings of NSEC3.
func TestChainIsAsRectified(t *testing.T) {
	read := func(name string) string {
		text, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	sets := parse(t, read("rectify.zone"))
	for _, param := range []string{"1 0 1 ab", "1 1 1 ab"} {
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
		same(t, "chain with "+param, got.String(), read("rectify-"+strings.ReplaceAll(param, " ", "-")+".txt"))
	}
}
