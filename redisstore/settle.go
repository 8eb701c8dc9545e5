package redisstore

import (
	"slices"

	"redyn/backend/dns"
)

// unsettled is a change that the copy shows, while answers from before it may still come out of caches
// in front of the copy. Others are not told of it.
type unsettled struct {
	number uint64
	id     string     // of the entry; "": it was none
	zone   dns.ZoneID // that was read anew; 0: it was no single one
	before tail       // what the copy showed before
}

// settle has what is in front of the copy settled after a change, before f.at is moved on. Its zone, or
// its entry, is named as in unsettled; f.mu is held.
func (f *Follower) settle(id string, zone dns.ZoneID) {
	number := f.changes + 1
	if f.o.Settle != nil && f.o.Settle(func() { f.settled(number) }) {
		f.changes = number
		f.unsettled = append(f.unsettled, unsettled{number, id, zone, f.at})
	}
}

func (f *Follower) settled(number uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.unsettled = slices.DeleteFunc(f.unsettled, func(u unsettled) bool { return u.number == number })
	f.changed()
}

// settledAt is what the copy shows and is settled, all of it; f.mu is held.
func (f *Follower) settledAt() tail {
	if len(f.unsettled) > 0 {
		return f.unsettled[0].before
	}
	return f.at
}

// concerns reports whether who waits for r has to wait for u. It may be that r changed nothing, as
// another change had been made before: that is one of those up to the number last.
func (u unsettled) concerns(r Result, last uint64) bool {
	switch {
	case u.number > last:
		return false
	case u.id != "" && r.ID != "":
		return u.id == r.ID
	case u.zone != 0:
		return slices.Contains(r.zones, u.zone)
	}
	return true
}
