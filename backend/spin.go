package backend

import (
	"sync/atomic"
	"syscall"
	"time"
)

// spin says when a connection that has nothing to read is looked at again and again for a moment before
// it sleeps. To be woken costs more than a lookup, and a single connection that asks without pause, as
// pdnsutil's does or that of a single distributor thread, waits for that every time. Where there are
// others who ask, the processor is theirs.
type spin struct {
	id    uint64        // tells connections apart; not 0
	at    time.Duration // since epoch, when it was looked last at what follows
	alone bool          // nobody else asked since it was looked before
	quick bool          // questions came one after the other since
	rest  int           // how many of those times are let pass
}

const (
	// spinTime is how long it is looked for a question. Most of it may pass until the one who asked before
	// is woken by the answer, on another processor.
	spinTime = 40 * time.Microsecond
	// spinGap is how soon, on an average of sample, a question has to follow the one before, to be woken
	// for it included.
	spinGap = 80 * time.Microsecond
	// spinRest is how long not to spin after it was in vain.
	spinRest = 4
)

// spinners is what connections know of each other.
type spinners struct {
	never bool          // the peer needs the only processor
	conns atomic.Uint64 // how many there were
	last  atomic.Uint64 // who asked last, as far as that is noted
}

func (s *spinners) join() spin { return spin{id: s.conns.Add(1)} }

// asked notes when every sample-th question was read.
func (s *spin) asked(at time.Duration, all *spinners) {
	s.quick = at-s.at < sample*spinGap
	s.at = at
	if s.alone = all.last.Load() == s.id; !s.alone {
		all.last.Store(s.id)
	}
	s.rest = max(s.rest-1, 0)
}

// worth reports whether to spin now.
func (s *spin) worth(all *spinners) bool { return s.quick && s.alone && s.rest == 0 && !all.never }

// receive reads by read as soon as there is something within spinTime; else it returns EAGAIN, as read does.
func (s *spin) receive(read func([]byte) (int, error), p []byte) (n int, err error) {
	const looks = 8 // for each at the clock
	for end := time.Since(epoch) + spinTime; time.Since(epoch) < end; {
		for range looks {
			if n, err = read(p); err != syscall.EAGAIN {
				return n, err
			}
		}
	}
	s.rest = spinRest
	return 0, syscall.EAGAIN
}
