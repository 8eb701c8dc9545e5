package redisstore

import (
	"context"
	"time"

	"redyn/backend/dns"
)

// SetFeedingTTL sets how long records that are being fed outlive the process.
func (s *Store) SetFeedingTTL(ttl time.Duration) { s.feedingTTL = ttl }

// Die ends what the process does for a Replacement, and leaves what is in the store.
func (r *Replacement) Die() {
	r.stop()
	<-r.stopped
}

// FeedLate sends RRsets as a command does that was given up and arrives after all.
func (r *Replacement) FeedLate(ctx context.Context, sets ...dns.RRset) error {
	return r.feed(ctx, sets)
}

// HoldLate does likewise with what keeps the records from expiring, or takes them away.
func (r *Replacement) HoldLate(ctx context.Context, ttl time.Duration) error { return r.hold(ctx, ttl) }

// FlushUses writes the uses noted until now.
func (s *Store) FlushUses() { s.writeUses(context.Background()) }
