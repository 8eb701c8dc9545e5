package zonedb

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"

	"redyn/backend/dns"
)

// A table holds what a map would, however it came to that.
func TestTable(t *testing.T) {
	var tab table
	want := make(map[dns.Name]*node)
	names := make([]dns.Name, 500)
	for i := range names {
		names[i] = dns.Name(fmt.Sprintf("host%d.example.", i))
	}
	compare := func(step int) {
		t.Helper()
		got := make(map[dns.Name]*node)
		for n := range tab.all() {
			got[n.name] = n
		}
		if !maps.Equal(got, want) || tab.count != len(want) {
			t.Fatalf("step %d: %d nodes, counted as %d; want %d", step, len(got), tab.count, len(want))
		}
		for _, name := range names {
			if n := tab.find(name); n != want[name] {
				t.Fatalf("step %d: %s is %v; want %v", step, name, n, want[name])
			}
		}
	}
	compare(-1)
	tab.remove(names[0])
	for step := range 20_000 {
		// It fills, is emptied, and fills again.
		name := names[rand.IntN(len(names))]
		if rand.IntN(10) < 2+6*(step/2500%2) {
			n := &node{name: name}
			tab.put(n)
			want[name] = n
		} else {
			tab.remove(name)
			delete(want, name)
		}
		if step%100 == 0 {
			compare(step)
		}
	}
}

// Whoever reads a table while it is changed finds the node of a name or none, and never another.
func TestTableRead(t *testing.T) {
	var tab table
	names := make([]dns.Name, 100)
	for i := range names {
		names[i] = dns.Name(fmt.Sprintf("host%d.example.", i))
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for range 100_000 {
			name := names[rand.IntN(len(names))]
			if rand.IntN(2) == 0 {
				tab.put(&node{name: name})
			} else {
				tab.remove(name)
			}
		}
	}()
	for found := 0; ; {
		select {
		case <-ended:
			if found == 0 {
				t.Error("nothing is found")
			}
			return
		default:
		}
		name := names[rand.IntN(len(names))]
		if n := tab.find(name); n != nil {
			found++
			if n.name != name {
				t.Fatalf("%s is found for %s", n.name, name)
			}
		}
	}
}
