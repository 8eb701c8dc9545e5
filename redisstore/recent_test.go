package redisstore

import (
	"fmt"
	"testing"
)

func TestRecent(t *testing.T) {
	var r recent
	most := len(r.ids)
	f := func(id string, want bool) {
		t.Helper()
		if got := r.has(id); got != want || len(r.all) > most {
			t.Errorf("has(%q) is %v, of %d", id, got, len(r.all))
		}
	}
	f("", false)
	f("0", false)
	for i := range most {
		r.add(fmt.Sprint(i))
	}
	f("0", true)
	r.add(fmt.Sprint(most - 1)) // again
	f("0", true)
	r.add("new")
	f("0", false)
	f("1", true)
	f("new", true)
	for i := range 2 * most {
		r.add(fmt.Sprint("more ", i))
	}
	f("new", false)
	f(fmt.Sprint("more ", most-1), false)
	f(fmt.Sprint("more ", most), true)
}
