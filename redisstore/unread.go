package redisstore

import (
	"context"

	"redyn/backend/dns"
)

// unread are the secrets that could not be read, by their place.
type unread map[string]*unreadSecret

type unreadSecret struct {
	zone dns.ZoneID // 0: a TSIG key
	now  bool       // false: it was so when it was looked at before, and that was logged
}

// ofServer stands for the TSIG keys where else the id of a zone does.
const ofServer dns.ZoneID = 0

// note takes what came of reading secrets; f.mu is held. A secret that cannot be read is logged once.
func (f *Follower) note(ctx context.Context, reads []secretRead) {
	for _, read := range reads {
		if read.err == nil {
			delete(f.unread, read.place)
			continue
		}
		if f.unread[read.place] == nil {
			f.unread[read.place] = &unreadSecret{zone: read.zone}
			f.log.ErrorContext(ctx, "a secret cannot be read; what needs it is answered with an error", "place", read.place, "err", read.err)
		}
		f.unread[read.place].now = true
	}
}

// again is called before secrets are all read again: those of a zone; f.mu is held.
func (u unread) again(zone dns.ZoneID) {
	for _, secret := range u {
		secret.now = secret.now && secret.zone != zone
	}
}

// drop forgets the secrets of a zone that is gone.
func (u unread) drop(zone dns.ZoneID) {
	for place, secret := range u {
		if secret.zone == zone {
			delete(u, place)
		}
	}
}

func (u unread) count() (n int) {
	for _, secret := range u {
		if secret.now {
			n++
		}
	}
	return n
}

// in reports whether there is one of the zone's.
func (u unread) in(zone dns.ZoneID) bool {
	for _, secret := range u {
		if secret.zone == zone && secret.now {
			return true
		}
	}
	return false
}

// judge notes the secrets of an entry. Where there were secrets that could not be read, and none is
// any more, all are to be read again: it marks the zone, and reports true for those of the server.
// f.mu is held.
func (f *Follower) judge(ctx context.Context, e *entry) (server bool) {
	if len(e.secrets) == 0 {
		return false
	}
	before := make([]bool, len(e.Zones))
	for i, z := range e.Zones {
		before[i] = len(z.Keys) > 0 && f.unread.in(z.ID)
	}
	server = len(e.Server.TSIG) > 0 && f.unread.in(ofServer)
	f.note(ctx, e.secrets)
	for i, z := range e.Zones {
		if before[i] && !f.unread.in(z.ID) {
			e.Zones[i].Reload = true
		}
	}
	return server && !f.unread.in(ofServer)
}
