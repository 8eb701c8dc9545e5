package backend

import (
	"testing"
	"time"

	"redyn/backend/dns"
)

func TestRecentOfHotName(t *testing.T) {
	r := recent{now: 10_000, names: make(map[uint32]uint32)}
	r.note(1, 9_900)
	r.note(1, 6_000) // an older question for the same
	if got, want := r.wait(nil, true, lately), lately-100*time.Microsecond; got != want {
		t.Errorf("waits %s; want %s", got, want)
	}
}

// Requests that came together are answered together.
func TestTrailTogether(t *testing.T) {
	var all traffic
	one := all.join()
	one.begin()
	one.name("a.")
	one.begin()
	one.name("b.")
	if one.state.Load()%2 == 0 {
		t.Error("no reply is under way")
	}
	one.end()
	if one.state.Load()%2 == 1 {
		t.Error("a reply is under way that was written")
	}
	r := all.recent(time.Minute)
	for _, name := range []dns.Name{"a.", "b."} {
		if _, known := r.names[hashName(name)]; !known {
			t.Errorf("%s was not asked for lately", name)
		}
	}
}
