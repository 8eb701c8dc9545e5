package backend

import (
	"testing"
	"time"
)

// Of lookups as PowerDNS writes them one in sample is timed, for all; of what else it asks, each.
func TestTiming(t *testing.T) {
	var timing timing
	var lookups, others series
	ask := func(line string, s *series, n int) (nth int) {
		for range n {
			if timing.begin([]byte(line)) {
				nth++
			}
			timing.end(s)
		}
		return nth
	}
	counted := func(s *series) (n uint64) {
		for i := range s.buckets {
			n += s.buckets[i].Load()
		}
		return n
	}
	f := func(line string, s *series, n, wantNth int, want uint64) {
		t.Helper()
		nth := ask(line, s, n)
		if got := counted(s); got != want || nth != wantNth {
			t.Errorf("%d of %s: %d are timed so far, %d of them by their number; want %d, %d", n, line, got, nth, want, wantNth)
		}
	}
	f(benchLine, &lookups, 1, 1, 1)
	f(benchLine, &lookups, sample-1, 0, 1)
	f(benchLine, &lookups, 1, 1, 1+sample)
	f(`{"method": "getDomainInfo"}`, &others, sample, 1, sample)
	f(benchLine, &lookups, 3*sample, 3, 1+4*sample)

	others.observe(time.Microsecond, 3)
	if nanos := others.nanos.Load(); nanos < 3000 {
		t.Errorf("3 of a microsecond are %d ns", nanos)
	}
}

// What is known to come at a time is weighed the same way.
func TestWeigh(t *testing.T) {
	var timing timing
	for i := range 3 * sample {
		want := uint64(0)
		switch {
		case i == 0:
			want = 1
		case i%sample == 0:
			want = sample
		}
		if got := timing.weigh(true); got != want {
			t.Errorf("lookup %d counts for %d; want %d", i, got, want)
		}
		if got := timing.weigh(false); got != 1 {
			t.Errorf("another counts for %d; want 1", got)
		}
	}
}
