package backend

import (
	"maps"
	"time"

	"redyn/backend/dns"
)

const (
	// serialPause is how long a serial may be old in PowerDNS's cache where a zone changes all the time.
	// The next purge comes before the first one would be done again, and so instead of that.
	serialPause = 15 * time.Millisecond
	// serialBurst is how many changes of a zone in a row are purged at once even so.
	serialBurst = 10
)

// serials spaces out purges of apexes for no more than a new serial. They cost as much as ten others
// where a zone changes all the time: every question that PowerDNS has no answer for needs the SOA, and
// with the apex it forgets the zone's metadata and keys.
type serials struct {
	spent map[dns.Name]time.Time // until when what a zone has used up of its burst is spent
	late  []lateSerial           // those due first first
	waits map[dns.Name]struct{}  // that are in late
	sweep int                    // how many in spent are too many to keep those that are over
}

type lateSerial struct {
	apex dns.Name
	due  time.Time
}

// admit returns which apexes to purge now. The others are due later.
func (s *serials) admit(apexes []dns.Name, now time.Time) (at []dns.Name) {
	for _, apex := range apexes {
		if _, waits := s.waits[apex]; waits {
			continue
		}
		if s.spent[apex].Sub(now) > (serialBurst-1)*serialPause {
			put(&s.waits, apex)
			s.late = append(s.late, lateSerial{apex, now.Add(serialPause)})
			continue
		}
		s.spend(apex, now)
		at = append(at, apex)
	}
	return at
}

func (s *serials) spend(apex dns.Name, now time.Time) {
	if len(s.spent) > s.sweep {
		maps.DeleteFunc(s.spent, func(_ dns.Name, until time.Time) bool { return until.Before(now) })
		s.sweep = max(1000, 2*len(s.spent))
	}
	if s.spent == nil {
		s.spent = make(map[dns.Name]time.Time)
	}
	until := s.spent[apex]
	if until.Before(now) {
		until = now
	}
	s.spent[apex] = until.Add(serialPause)
}

// take returns those that are due.
func (s *serials) take(now time.Time) (due []dns.Name) {
	for len(s.late) > 0 && !s.late[0].due.After(now) {
		apex := s.late[0].apex
		s.late = s.late[1:]
		delete(s.waits, apex)
		s.spent[apex] = now.Add(serialBurst * serialPause)
		due = append(due, apex)
	}
	return due
}

// next returns when the next is due; the zero Time is never.
func (s *serials) next() time.Time {
	if len(s.late) == 0 {
		return time.Time{}
	}
	return s.late[0].due
}
