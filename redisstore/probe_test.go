package redisstore_test

import (
	"context"
	"testing"

	"redyn/backend/dns"
	"redyn/redisstore"
)

func TestProbe(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		s := open(t, redisstore.Options{URL: srv.url})
		primary, read, err := s.Probe(ctx)
		if err != nil || primary != read {
			t.Errorf("probe: %+v, %+v, %v", primary, read, err)
		}
		if srv.real != nil && (primary.Version == "" || primary.Role != "master" || primary.Durable) {
			t.Errorf("a redis-server without persistence tells %+v", primary)
		}
		if keys, err := srv.rdb.Keys(ctx, "*").Result(); err != nil || len(keys) > 0 {
			t.Errorf("probe leaves %q, %v", keys, err)
		}

		if at, err := s.Position(ctx); at != "" || err != nil {
			t.Errorf("position in an empty store: %q, %v", at, err)
		}
		create(t, s, org, orgSets()...)
		before, _ := s.Position(ctx)
		apply(t, s, org, dns.NewRRset("www.example.org.", dns.TypeA, 60, "192.0.2.9"))
		if after, err := s.Position(ctx); before == "" || after == before || err != nil {
			t.Errorf("position was %q and is %q after a change, %v", before, after, err)
		}
	})
}
