package redisstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"redyn/backend/dns"
)

// beginPause is how long a store without data set is watched before one is begun: nodes that hold
// zones of a lost one tell, at the latest, blockTime after they reach the primary, and that may be a
// second after it is back: so long go-redis waits between dials.
const beginPause = 8 * blockTime

// ErrHeld says that the data set is lost, and that nodes still hold its zones. It is a dns.ErrLost, too.
var ErrHeld = fmt.Errorf("%w, which a node still holds", dns.ErrLost)

// mayBegin refuses to begin a data set while live nodes hold zones of another.
func (s *Store) mayBegin(ctx context.Context) error {
	for end := time.Now().Add(beginPause); ; {
		nodes, err := s.Nodes(ctx)
		if err != nil {
			return err
		}
		for _, n := range nodes {
			if n.Zones > 0 {
				return fmt.Errorf("%w: node %s has %d of its zones; restore the data, or begin anew and let the nodes drop them", ErrHeld, n.Name, n.Zones)
			}
		}
		if time.Now().After(end) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(blockTime / 5):
		}
	}
}

// nothingYet makes sure, for a node that never loaded anything, that a read server without a data set
// means a store that nobody has begun: not a replica that is still to be filled, nor a loss.
func (f *Follower) nothingYet(ctx context.Context) error {
	select {
	case <-f.looked:
		return nil
	default:
	}
	if err := f.primaryHasNone(ctx); err != nil {
		return err
	}
	if err := f.s.mayBegin(ctx); err != nil {
		return err
	}
	return f.primaryHasNone(ctx) // one may have been begun meanwhile
}

func (f *Follower) primaryHasNone(ctx context.Context) error {
	t, err := f.s.primary().tail(ctx)
	if err != nil {
		return fmt.Errorf("the read server has no data set, and the primary cannot be asked: %w", err)
	}
	if t.epoch != "" {
		return errors.New("the read server had no data set, and the primary has: begun just now, or a replica is being filled")
	}
	return nil
}
