package redisstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"redyn/backend/dns"
)

// beginPause is how long a store without data set is watched before one is begun: nodes that hold
// zones of a lost one notice the loss, and tell, within blockTime and what the lease takes.
const beginPause = 4 * blockTime

// mayBegin refuses to begin a data set while live nodes hold zones of another.
func (s *Store) mayBegin(ctx context.Context) error {
	for end := time.Now().Add(beginPause); ; {
		nodes, err := s.Nodes(ctx)
		if err != nil {
			return err
		}
		for _, n := range nodes {
			if n.Zones > 0 {
				return fmt.Errorf("%w, and node %s still holds %d of its zones; restore the data, or begin anew and let the nodes drop them", dns.ErrLost, n.Name, n.Zones)
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
	t, err := f.s.primary().tail(ctx)
	if err != nil {
		return fmt.Errorf("the read server has no data set, and the primary cannot be asked: %w", err)
	}
	if t.epoch != "" {
		return errors.New("the read server has no data set yet, and the primary has: a replica that is being filled")
	}
	nodes, err := f.s.Nodes(ctx)
	if err != nil {
		return err
	}
	for _, n := range nodes {
		if n.Zones > 0 && n.Name != f.o.Name {
			return fmt.Errorf("the data set is lost: node %s still holds %d of its zones; restore the data, or begin anew", n.Name, n.Zones)
		}
	}
	return nil
}
