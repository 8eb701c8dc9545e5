package main

import (
	"context"

	"redyn/auth"
	"redyn/backend/dns"
	"redyn/redisstore"
)

// apiStore is where the REST API keeps zones, hosts and credentials. A change returns once this node's
// own copy shows it.
type apiStore struct{ *backendStore }

// shows waits until a change that is made is seen here.
func (s apiStore) shows(ctx context.Context, r redisstore.Result, err error) error {
	if err == nil {
		s.shown(ctx, r)
	}
	return err
}

func (s apiStore) CreateZone(ctx context.Context, z dns.Zone, sets []dns.RRset, who, from string) error {
	_, r, err := s.Store.CreateZone(ctx, z, sets, redisstore.CreateOptions{Who: who, From: from})
	return s.shows(ctx, r, err)
}

func (s apiStore) DeleteZone(ctx context.Context, name dns.Name, who, from string) error {
	r, err := s.Store.DeleteZone(ctx, name, who, from)
	return s.shows(ctx, r, err)
}

func (s apiStore) AddHost(ctx context.Context, h auth.Host, who, from string) (auth.Host, error) {
	h, r, err := s.Store.AddHost(ctx, h, who, from)
	return h, s.shows(ctx, r, err)
}

func (s apiStore) SetHostPolicy(ctx context.Context, id auth.HostID, p auth.HostPolicy, who, from string) error {
	r, err := s.Store.SetHostPolicy(ctx, id, p, who, from)
	return s.shows(ctx, r, err)
}

func (s apiStore) DeleteHost(ctx context.Context, id auth.HostID, addresses bool, who, from string) error {
	_, r, err := s.Store.DeleteHost(ctx, id, addresses, who, from)
	return s.shows(ctx, r, err)
}

func (s apiStore) CreateCredential(ctx context.Context, c auth.Credential, who, from string) error {
	r, err := s.Store.AddCredential(ctx, c, who, from)
	return s.shows(ctx, r, err)
}

func (s apiStore) RevokeCredential(ctx context.Context, id, who, from string) error {
	r, err := s.Store.RevokeCredential(ctx, id, who, from)
	return s.shows(ctx, r, err)
}

func (s apiStore) DeleteCredential(ctx context.Context, id, who, from string) error {
	r, err := s.Store.DeleteCredential(ctx, id, who, from)
	return s.shows(ctx, r, err)
}
