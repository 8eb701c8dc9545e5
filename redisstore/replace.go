package redisstore

import (
	"context"
	_ "embed"
	"errors"
	"iter"
	"math/rand/v2"
	"time"

	"redyn/backend/dns"
)

var (
	//go:embed commit.lua
	commitLua string
	//go:embed delete.lua
	deleteLua string

	commitScript = newScript(commitLua)
	deleteScript = newScript(deleteLua)
)

// CreateOptions say how a zone is created.
type CreateOptions struct {
	// BeginAnew begins a data set in a store without one even while live nodes hold zones of
	// another, which they then drop.
	BeginAnew bool
	// Who asks for it, and From where.
	Who, From string
}

// ReplaceOptions say how the records of a zone are replaced.
type ReplaceOptions struct {
	// Create has what is known of the zone if it may have to be created; nil: it is there.
	Create *dns.Zone
	// New says that the zone must not be there yet.
	New bool
	// BeginAnew, Who and From are as in CreateOptions.
	BeginAnew bool
	Who, From string
	// Progress is told from time to time how many records have been fed.
	Progress func(records int)
}

// CreateZone creates a zone with the RRsets given. It fails with dns.ErrExists if the zone is there.
// In a store without a data set it begins one.
func (s *Store) CreateZone(ctx context.Context, z dns.Zone, sets []dns.RRset, o CreateOptions) (dns.Zone, Result, error) {
	all := func(yield func(dns.RRset, error) bool) {
		for _, set := range sets {
			if !yield(set, nil) {
				return
			}
		}
	}
	return s.ReplaceZone(ctx, z.Name, all, ReplaceOptions{Create: &z, New: true, BeginAnew: o.BeginAnew, Who: o.Who, From: o.From})
}

// ReplaceZone puts sets in the place of all records of a zone, and creates the zone if that is
// wanted. They are fed in chunks; readers see the whole at once or, if sets yields an error or
// anything else fails, nothing. It is a Replacement in one go, and fails as that does.
func (s *Store) ReplaceZone(ctx context.Context, name dns.Name, sets iter.Seq2[dns.RRset, error], o ReplaceOptions) (dns.Zone, Result, error) {
	r, err := s.BeginReplace(ctx, name, o)
	if err != nil {
		return dns.Zone{}, Result{}, err
	}
	defer r.Abandon(ctx)
	for set, err := range sets {
		if err != nil {
			return dns.Zone{}, Result{}, r.failure(err)
		}
		if err := r.Add(ctx, set); err != nil {
			return dns.Zone{}, Result{}, err
		}
	}
	result, err := r.Commit(ctx)
	if err != nil {
		return dns.Zone{}, Result{}, err
	}
	return r.Zone(), result, nil
}

// prepare looks up the zone, or gives it an id.
func (r *Replacement) prepare(ctx context.Context, name dns.Name) error {
	s, o := r.s, r.o
	h, err := s.header(ctx, name)
	switch {
	case err == nil && o.New:
		return dns.ErrExists
	case err == nil:
		r.zone, r.old = h.Zone, h.gen
		return nil
	case o.Create == nil || !errors.Is(err, dns.ErrNotFound) && !errors.Is(err, dns.ErrLost):
		return err
	}
	if r.zone, err = newZone(name, *o.Create, s.o.Now()); err != nil {
		return err
	}
	t, err := s.primary().tail(ctx)
	if err != nil {
		return err
	}
	if t.epoch == "" {
		if !o.BeginAnew {
			if err := s.mayBegin(ctx); err != nil {
				return err
			}
		}
		r.begin = randomID(8)
	}
	return r.giveID(ctx)
}

// giveID gives the zone the next id, in a new data set any.
func (r *Replacement) giveID(ctx context.Context) error {
	if r.begin != "" {
		r.zone.ID = dns.ZoneID(1 + rand.Int32N(1<<30))
		return nil
	}
	id, err := r.s.rdb.HIncrBy(ctx, r.s.keys.epoch(), "last_zone", 1).Result()
	r.zone.ID = dns.ZoneID(id)
	return explain(err)
}

// newZone returns what is to be known of a zone created at the time now.
func newZone(name dns.Name, z dns.Zone, now time.Time) (_ dns.Zone, err error) {
	z.Name = name
	if z.Kind, err = dns.ParseKind(string(z.Kind)); err != nil {
		return z, err
	}
	if z.Policy, err = dns.ParseSerialPolicy(string(z.Policy)); err != nil {
		return z, err
	}
	if z.Created.IsZero() {
		z.Created = now.UTC().Truncate(time.Second)
	}
	return z, checkMasters(z.Masters)
}
