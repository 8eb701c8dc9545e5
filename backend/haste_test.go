package backend

import "testing"

// A connection that finds nothing stops trying, but for a try now and then; one find brings it back.
func TestHaste(t *testing.T) {
	var h haste
	tries := func(questions int, found func(try int) bool) int {
		n := 0
		for range questions {
			if h.tries() {
				n++
				h.learn(found(n))
			}
		}
		return n
	}
	f := func(what string, got, least, most int) {
		t.Helper()
		if got < least || got > most {
			t.Errorf("%s: %d tries; want %d to %d", what, got, least, most)
		}
	}
	f("never found", tries(6400, func(int) bool { return false }), 90, 110)
	f("every second one found", tries(1000, func(i int) bool { return i%2 == 0 }), 800, 1000)
	f("never again", tries(6400, func(int) bool { return false }), 90, 130)
	f("every tenth one found", tries(6400, func(i int) bool { return i%10 == 0 }), 64, 1500)
}
