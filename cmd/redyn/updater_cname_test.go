package main_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// Of an alias and addresses for one name, wanted at the same time at two nodes, there is one.
func TestNoCNAMEBesideAddresses(t *testing.T) {
	t.Parallel()
	needPrograms(t, "redis-server", "redis-cli")
	buildProgram(t)
	r := startHosts(t)
	_, token := r.credential(t, "--zone", "example.org", "--kind", "token", "--type", "ANY")
	nodes := []*updaterNode{startUpdater(t, r, unlimited...), startUpdater(t, r, append(unlimited, "--node-name", "two")...)}
	bearer := func(q *http.Request) { q.Header.Set("Authorization", "Bearer "+token) }
	const names = 50
	for i := range names {
		name := fmt.Sprintf("h%d.example.org", i)
		var all sync.WaitGroup
		for k, n := range nodes {
			all.Go(func() {
				_, _, _ = n.do("GET", "/?myip=192.0.2.1&hostname="+name, "", bearer)
			})
			all.Go(func() {
				_, _, _ = nodes[1-k].do("PUT", "/api/v1/zones/example.org/rrsets/"+name+"/CNAME", `{"content":["www.example.org"]}`, bearer)
			})
		}
		all.Wait()
	}
	found := make(map[string]int)
	for line := range strings.Lines(r.redyn(t, "record", "list", "example.org")) {
		if fields := strings.Fields(line); len(fields) > 3 && (fields[3] == "A" || fields[3] == "CNAME") {
			found[fields[0]]++
		}
	}
	if len(found) != names {
		t.Errorf("%d names have records; want %d", len(found), names)
	}
	for name, n := range found {
		if n != 1 {
			t.Errorf("%s has %d RRsets; want 1", name, n)
		}
	}
}
