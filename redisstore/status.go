package redisstore

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"redyn/backend/dns"
)

// Status tells how a Follower fares.
type Status struct {
	// Epoch and Position are the data set and the log entry that the copy shows. Without an Epoch
	// the copy never was loaded: nothing is known of any zone.
	Epoch, Position string
	// Zones is the number of zones in the copy.
	Zones int
	// Loading says that all zones are being loaded; Reloading is the number of single zones that are.
	Loading   bool
	Reloading int
	// Empty says that the store is there and has no data set, as nobody has begun one; Lost that it has
	// none any more: the copy is the last one known.
	Empty, Lost bool
	// Contact is when the read server last showed that the copy is what it holds. It does so at
	// least four times a second while it is well.
	Contact time.Time
	// Since is when this follower was made.
	Since time.Time
	// Unreadable is how many DNSSEC and TSIG keys could not be read, for want of the key that they
	// are sealed with perhaps. What needs them is unknown, not absent.
	Unreadable int
	// Unknown is how many zones could not be read. They are what they were before; if they were not there
	// before, all that is asked of them is unknown.
	Unknown int
	// LastError is what goes wrong, since LastErrorTime; empty once the copy follows the store again, or
	// the store is known to hold no data set.
	LastError     string
	LastErrorTime time.Time
	// Behind is since when the primary has entries that the copy lacks; zero: it has none.
	Behind time.Time

	// Counters since the start: log entries applied, loads of all zones, loads of single zones,
	// errors of the store, times that the data set was found lost.
	Entries, Reloads, ZoneReloads, Errors, Losses uint64
}

// Lag is the longest time that a change may have been made and not be in the copy.
func (s Status) Lag(now time.Time) time.Duration {
	if s.Contact.IsZero() {
		return now.Sub(s.Since)
	}
	lag := now.Sub(s.Contact)
	if !s.Behind.IsZero() {
		lag = max(lag, now.Sub(s.Behind))
	}
	return lag
}

// Status returns how the follower fares now.
func (f *Follower) Status() Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	st := f.status
	st.Epoch, st.Position = f.at.epoch, f.at.log
	st.Zones, st.Reloading = len(f.shown), len(f.zones)
	st.Unreadable, st.Unknown = f.unread.count(), len(f.unknown)
	return st
}

// Wait returns once the copy shows what r is the result of, and that is settled.
func (f *Follower) Wait(ctx context.Context, r Result) error {
	shown, last := false, uint64(0)
	for {
		f.mu.Lock()
		if !shown && f.holds(r) {
			shown, last = true, f.changes
		}
		concerns := func(u unsettled) bool { return u.concerns(r, last) }
		holds, moved := shown && !slices.ContainsFunc(f.unsettled, concerns), f.moved
		f.mu.Unlock()
		if holds {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// holds reports whether the copy shows what r is the result of; f.mu is held.
func (f *Follower) holds(r Result) bool {
	loading := func(id dns.ZoneID) bool { return f.zones[id] != nil }
	return r.at == "" || f.recent.has(r.at) && !slices.ContainsFunc(r.zones, loading)
}

func (f *Follower) setLoading(on bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.status.Loading = on
	f.changed()
}

// current notes that the copy was at the tail at the time now.
func (f *Follower) current(ctx context.Context, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.status.Contact = now
	if f.status.Lost {
		f.log.InfoContext(ctx, "data set is back", "epoch", f.at.epoch)
		f.status.Lost = false
		f.changed()
	}
}

// lost notes that the store has no data set.
func (f *Follower) lost(ctx context.Context) {
	f.mu.Lock()
	defer f.mu.Unlock()
	once(f.looked)
	if f.status.Empty || f.status.Lost {
		return
	}
	if f.at.epoch == "" {
		f.log.InfoContext(ctx, "store has no data set yet: zone create or zone import begins one")
		f.status.Empty = true
	} else {
		f.log.ErrorContext(ctx, "store has lost its data set; answering from the last copy", "epoch", f.at.epoch, "zones", len(f.shown))
		f.status.Lost = true
		f.status.Losses++
	}
	f.changed()
}

// once closes a channel, if it is not closed yet; f.mu is held.
func once(c chan struct{}) {
	select {
	case <-c:
	default:
		close(c)
	}
}

// answered notes that the store answers with what there should be, or is known to have lost it.
func (f *Follower) answered(ctx context.Context) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.status.LastError != "" {
		f.log.InfoContext(ctx, "store answers again", "dur", time.Since(f.status.LastErrorTime))
		f.status.LastError = ""
		f.changed()
	}
}

// failed notes an error; it is logged when it is of another kind than before.
func (f *Follower) failed(ctx context.Context, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.status.Errors++
	text, kind := err.Error(), errorKind(err)
	if f.status.LastError == "" {
		f.status.LastErrorTime = time.Now()
	}
	if f.status.LastError == "" || kind != f.errorKind {
		what := "cannot follow the store; answering from the last copy"
		if f.at.epoch == "" {
			what = "cannot load zones from the store yet"
		}
		f.log.WarnContext(ctx, what, "err", text)
	}
	f.status.LastError, f.errorKind = text, kind
}

// errorKind is the word that the server refuses with, such as NOAUTH; without one it tells whether the
// server was not reached or what it holds is wrong.
func errorKind(err error) string {
	var reply redis.Error
	var unreached net.Error
	switch {
	case errors.As(err, &reply):
		word, _, _ := strings.Cut(reply.Error(), " ")
		return word
	case errors.As(err, &unreached), ended(err):
		return "unreached"
	}
	return ""
}
