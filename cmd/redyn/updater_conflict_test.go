package main_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
)

// Many who change the challenges of one name at the same time all come through, at two nodes.
func TestChallengesAtOnce(t *testing.T) {
	t.Parallel()
	needPrograms(t, "redis-server", "redis-cli")
	buildProgram(t)
	r := startHosts(t)
	_, token := r.credential(t, "--zone", "example.org", "--kind", "token", "--type", "TXT")
	nodes := []*updaterNode{startUpdater(t, r, unlimited...), startUpdater(t, r, append(unlimited, "--node-name", "two")...)}
	bearer := func(q *http.Request) {
		q.Header.Set("Authorization", "Bearer "+token)
		q.Header.Set("Content-Type", "application/json")
	}
	const rounds, clients = 10, 12
	for round := range rounds {
		for _, path := range []string{"/present", "/cleanup"} {
			var all sync.WaitGroup
			for i := range clients {
				all.Go(func() {
					body := fmt.Sprintf(`{"fqdn":"_acme-challenge.home.example.org.","value":"r%dc%d"}`, round, i)
					if status, text, err := nodes[i%2].do("POST", path, body, bearer); err != nil || status != 200 {
						t.Errorf("%s: %d %s, %v", path, status, text, err)
					}
				})
			}
			all.Wait()
		}
	}
}
