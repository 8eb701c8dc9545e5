package backend

import (
	"bytes"
	"time"
)

// timing says which requests of a connection are timed: all but lookups, of which one in some is, for
// itself and those before it. To look at the clock twice can take a fifth of the time that a lookup does.
type timing struct {
	requests uint
	untimed  uint64 // lookups since the last that was timed
	lookup   bool   // it is one
	timed    bool
	start    time.Duration // since epoch, if it is timed
}

// sample is how many lookups one is timed for.
const sample = 16

// weigh is for a connection of which it is known anyway when a request came. It returns for how many
// requests the one that was answered now counts; 0 if it need not be timed.
func (t *timing) weigh(lookup bool) (requests uint64) {
	if !lookup {
		return 1
	}
	t.untimed++
	if t.requests++; (t.requests-1)%sample != 0 {
		return 0
	}
	requests, t.untimed = t.untimed, 0
	return requests
}

// begin notes that a line of the unix connector was read. It returns true for one in sample; that is timed.
func (t *timing) begin(line []byte) (nth bool) {
	nth = t.requests%sample == 0
	t.requests++
	t.lookup = bytes.HasPrefix(line, usualBeginning)
	t.timed = nth || !t.lookup
	if t.timed {
		t.start = time.Since(epoch)
	}
	return nth
}

// end notes that its answer is made.
func (t *timing) end(s *series) {
	switch {
	case !t.timed:
		t.untimed++
	case t.lookup:
		s.observe(time.Since(epoch)-t.start, 1+t.untimed)
		t.untimed = 0
	default:
		s.observe(time.Since(epoch)-t.start, 1)
	}
}
