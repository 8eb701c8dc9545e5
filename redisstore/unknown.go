package redisstore

import (
	"context"
	"errors"

	"github.com/redis/go-redis/v9"

	"redyn/backend/dns"
)

// unreadable is what is wrong with what stands in Redis, as against an error of reading it.
type unreadable struct{ error }

func (u unreadable) Unwrap() []error { return []error{u.error, dns.ErrUnknown} }

// isUnreadable reports whether to read again could not help: a value is not what it should be, or its
// key is of another type.
func isUnreadable(err error) bool {
	var u unreadable
	return errors.As(err, &u) || redis.HasErrorPrefix(err, "WRONGTYPE")
}

// stageKnown stages the zones. One that cannot be read goes on as it is, or if there is none yet it is
// staged that it is not known; name tells what the zones are called.
func (f *Follower) stageKnown(ctx context.Context, ids []dns.ZoneID, l *loading, name func(dns.ZoneID) dns.Name) error {
	err := f.stage(ctx, ids, l, name)
	switch {
	case err == nil || !isUnreadable(err):
		return err
	case len(ids) == 1:
		f.stageUnknown(ctx, ids[0], name(ids[0]), err)
		return nil
	}
	for i := range ids {
		if err := f.stageKnown(ctx, ids[i:i+1], l, name); err != nil {
			return err
		}
	}
	return nil
}

// stageUnknown stages a zone that cannot be read, which is logged once.
func (f *Follower) stageUnknown(ctx context.Context, id dns.ZoneID, name dns.Name, why error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	instead := "its copy of before"
	if !f.copy.Keep(id) {
		instead = "an error"
		nothing := func(func(dns.RRset, error) bool) {}
		_ = f.copy.Stage(dns.ZoneData{Zone: dns.Zone{ID: id, Name: name, Unknown: true}}, nothing) // nothing fails
	}
	if f.unknown[id] == why.Error() {
		return
	}
	f.unknown[id] = why.Error()
	f.log.ErrorContext(ctx, "a zone cannot be read; it is answered with "+instead, "zone", name, "id", id, "err", why)
}

// readAgain notes that a zone could be read.
func (f *Follower) readAgain(ctx context.Context, z dns.Zone) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.unknown[z.ID] == "" {
		return
	}
	delete(f.unknown, z.ID)
	f.log.InfoContext(ctx, "the zone can be read again", "zone", z.Name, "id", z.ID)
}
