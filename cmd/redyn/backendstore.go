package main

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"redyn/backend"
	"redyn/backend/dns"
	"redyn/redisstore"
)

// backendStore is where PowerDNS's writes go. A write returns once this node's own copy shows it; one
// that is durable and not shown in time is done all the same.
type backendStore struct {
	*redisstore.Store
	follower *redisstore.Follower
	log      *slog.Logger
	late     atomic.Uint64 // writes that were not shown in time
}

// showWithin is how long a write waits for this node's copy to show it.
const showWithin = time.Second

// shown waits until this node's copy shows what r is the result of.
func (s *backendStore) shown(ctx context.Context, r redisstore.Result) {
	ctx, cancel := context.WithTimeout(ctx, showWithin)
	defer cancel()
	if err := s.follower.Wait(ctx, r); err != nil {
		s.late.Add(1)
		s.log.WarnContext(ctx, "a change is written and not shown here yet", "entry", r.ID, "err", err)
	}
}

func (s *backendStore) Apply(ctx context.Context, c dns.Change) error {
	r, err := s.Store.Apply(ctx, c)
	if err != nil {
		return err
	}
	s.shown(ctx, r)
	return nil
}

func (s *backendStore) CreateZone(ctx context.Context, z dns.Zone, who, from string) error {
	_, r, err := s.Store.CreateZone(ctx, z, nil, redisstore.CreateOptions{Who: who, From: from})
	if err != nil {
		return err
	}
	s.shown(ctx, r)
	return nil
}

func (s *backendStore) BeginReplace(ctx context.Context, zone dns.Name, who, from string) (backend.Replacement, error) {
	r, err := s.Store.BeginReplace(ctx, zone, redisstore.ReplaceOptions{Who: who, From: from})
	if err != nil {
		return nil, err
	}
	return &backendReplacement{r, s}, nil
}

// backendReplacement is a zone that PowerDNS replaces.
type backendReplacement struct {
	*redisstore.Replacement
	s *backendStore
}

func (r *backendReplacement) Commit(ctx context.Context) error {
	result, err := r.Replacement.Commit(ctx)
	if err != nil {
		return err
	}
	r.s.shown(ctx, result)
	return nil
}
