package redisstore

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"redyn/auth"
	"redyn/backend/dns"
)

// storedHost is what the log tells of a host besides its number and name.
type storedHost struct {
	Policy auth.HostPolicy `json:"policy,omitempty"`
}

// maxHostID is the greatest number of a host: one that JSON's readers have, too.
const maxHostID = 1<<53 - 1

// AddHost makes a name a dynamic host, and returns it with its number: that given, or else the next
// one. It fails with dns.ErrExists if the name or the number is a host's, and with dns.ErrNotFound if
// no zone holds the name.
func (s *Store) AddHost(ctx context.Context, h auth.Host, who, from string) (auth.Host, Result, error) {
	doing := fmt.Sprintf("add host %s", h.Name)
	if h.ID < 0 || h.ID > maxHostID {
		return h, Result{}, fmt.Errorf("%s: its number %d is not from 1 to %d", doing, h.ID, int64(maxHostID))
	}
	if h.Created.IsZero() {
		h.Created = s.o.Now().UTC().Truncate(time.Second)
	}
	added := h
	r, err := anew(func() (Result, error) {
		hs, host, err := s.newHost(ctx, h)
		if err != nil {
			return Result{}, fmt.Errorf("%s: %w", doing, err)
		}
		added = host
		return s.change(ctx, doing, dns.Change{Who: who, From: from}, hs.besides())
	})
	return added, r, err
}

// newHost computes what adding the host is.
func (s *Store) newHost(ctx context.Context, h auth.Host) (hs hashes, _ auth.Host, err error) {
	zone, err := s.holder(ctx, h.Name)
	if err != nil {
		return hs, h, err
	}
	if zone.Kind == dns.Slave {
		return hs, h, fmt.Errorf("zone %s is a slave: its records come from its primary", zone.Name)
	}
	there, err := s.Find(ctx, auth.Query{Hosts: []auth.HostID{h.ID}, HostNames: []dns.Name{h.Name}})
	if err != nil {
		return hs, h, err
	}
	if len(there.Hosts) > 0 {
		other := there.Hosts[0]
		return hs, h, fmt.Errorf("host %d is %s: %w", other.ID, other.Name, dns.ErrExists)
	}
	before, last, err := s.lastHost(ctx)
	if err != nil {
		return hs, h, err
	}
	if h.ID == 0 {
		h.ID = auth.HostID(last + 1)
	}
	hs.expect(s.keys.zones(), string(zone.Name), idText(zone.ID))
	hs.expect(s.keys.epoch(), "last_host", before)
	hs.set(s.keys.epoch(), "last_host", auth.HostID(max(last, int64(h.ID))).String())
	hs.expect(s.keys.hosts(), string(h.Name), "")
	hs.set(s.keys.hosts(), string(h.Name), h.ID.String())
	hs.expect(s.keys.host(h.ID), "name", "")
	for field, value := range hostFields(h) {
		hs.set(s.keys.host(h.ID), field, value)
	}
	hs.tell(hostEntry(h), encode(storedHost{h.Policy}))
	return hs, h, nil
}

// lastHost returns the number given last, as text and as it counts: in a data set that was begun where
// hosts of another are left, it is the greatest of theirs.
func (s *Store) lastHost(ctx context.Context) (text string, last int64, err error) {
	text, err = s.rdb.HGet(ctx, s.keys.epoch(), "last_host").Result()
	if err == nil {
		last, _ = strconv.ParseInt(text, 10, 64)
		return text, last, nil
	}
	if !errors.Is(err, redis.Nil) {
		return "", 0, explain(err)
	}
	hosts, err := s.rdb.HVals(ctx, s.keys.hosts()).Result()
	for _, id := range hosts {
		n, _ := strconv.ParseInt(id, 10, 64)
		last = max(last, n)
	}
	return "", last, explain(err)
}

func hostFields(h auth.Host) map[string]string {
	return map[string]string{
		"name": string(h.Name), "policy": string(h.Policy), "created": timeText(h.Created), "changed": timeText(h.Changed),
	}
}

// hostEntry is the field of the log that tells of a host.
func hostEntry(h auth.Host) string { return fmt.Sprintf("host %d %s", h.ID, h.Name) }

// SetHostPolicy gives a host another policy. It fails with dns.ErrNotFound if there is no such host.
func (s *Store) SetHostPolicy(ctx context.Context, id auth.HostID, p auth.HostPolicy, who, from string) (Result, error) {
	doing := fmt.Sprintf("set host %d", id)
	return anew(func() (Result, error) {
		h, err := s.Host(ctx, id)
		if err != nil {
			return Result{}, fmt.Errorf("%s: %w", doing, err)
		}
		var hs hashes
		hs.expect(s.keys.host(id), "name", string(h.Name))
		hs.set(s.keys.host(id), "policy", string(p))
		hs.tell(hostEntry(h), encode(storedHost{p}))
		return s.change(ctx, doing, dns.Change{Who: who, From: from}, hs.besides())
	})
}

// DeleteHost takes the host away, what credentials grant as that host, and the credentials that grant
// nothing else, whose ids it returns; with addresses its A and AAAA records, too. It fails with
// dns.ErrNotFound if there is no such host.
func (s *Store) DeleteHost(ctx context.Context, id auth.HostID, addresses bool, who, from string) (gone []string, r Result, err error) {
	doing := fmt.Sprintf("delete host %d", id)
	r, err = anew(func() (Result, error) {
		c := dns.Change{Who: who, From: from}
		h, err := s.Host(ctx, id)
		if err == nil && addresses {
			c.Zones, err = s.withoutAddresses(ctx, h.Name)
		}
		var hs hashes
		if err == nil {
			gone, err = s.withdraw(ctx, &hs, h)
		}
		if err != nil {
			return Result{}, fmt.Errorf("%s: %w", doing, err)
		}
		hs.expect(s.keys.host(id), "name", string(h.Name))
		for field := range hostFields(h) {
			hs.set(s.keys.host(id), field, "")
		}
		hs.set(s.keys.hosts(), string(h.Name), "")
		hs.tell(hostEntry(h), "")
		return s.change(ctx, doing, c, hs.besides())
	})
	return gone, r, err
}

// withoutAddresses is the change that takes a host's addresses away, none if no zone holds it.
func (s *Store) withoutAddresses(ctx context.Context, name dns.Name) ([]dns.ZoneChange, error) {
	zone, err := s.holder(ctx, name)
	if errors.Is(err, dns.ErrNotFound) {
		return nil, nil
	}
	return []dns.ZoneChange{{Zone: zone.Name, RRsets: []dns.RRset{{Name: name, Type: dns.TypeA}, {Name: name, Type: dns.TypeAAAA}}}}, err
}

// Host returns the host with that number, from the primary, or dns.ErrNotFound.
func (s *Store) Host(ctx context.Context, id auth.HostID) (auth.Host, error) {
	return s.oneHost(ctx, fmt.Sprintf("host %d", id), auth.Query{Hosts: []auth.HostID{id}})
}

// HostNamed returns the host with that name, from the primary, or dns.ErrNotFound.
func (s *Store) HostNamed(ctx context.Context, name dns.Name) (auth.Host, error) {
	return s.oneHost(ctx, fmt.Sprintf("host %s", name), auth.Query{HostNames: []dns.Name{name}})
}

func (s *Store) oneHost(ctx context.Context, what string, q auth.Query) (auth.Host, error) {
	found, err := s.Find(ctx, q)
	if err == nil && len(found.Hosts) == 0 {
		err = dns.ErrNotFound
	}
	if err != nil {
		return auth.Host{}, fmt.Errorf("%s: %w", what, err)
	}
	return found.Hosts[0], nil
}

// hostBatch is how many hosts or credentials are asked for at once.
const hostBatch = 500

// Hosts returns all hosts, from the primary, in canonical order of their names. It fails with
// dns.ErrLost if there is no data set.
func (s *Store) Hosts(ctx context.Context) ([]auth.Host, error) {
	return s.HostsAmong(ctx, func(dns.Name) bool { return true }, math.MaxInt)
}

// HostsAmong is Hosts for the first of those whose names are wanted, at most limit of them. It keeps no
// more names than it needs.
func (s *Store) HostsAmong(ctx context.Context, wanted func(dns.Name) bool, limit int) ([]auth.Host, error) {
	var names []dns.Name
	err := s.eachField(ctx, s.keys.hosts(), func(field, _ string) {
		if name := dns.Name(field); wanted(name) {
			names = append(names, name)
		}
		if len(names)-hostBatch > limit {
			names = firstNames(names, limit)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("list hosts: %w", err)
	}
	names = firstNames(names, limit)
	hosts := make([]auth.Host, 0, len(names))
	for batch := range slices.Chunk(names, hostBatch) {
		found, err := s.Find(ctx, auth.Query{HostNames: batch})
		if err != nil {
			return nil, fmt.Errorf("list hosts: %w", err)
		}
		hosts = append(hosts, found.Hosts...)
	}
	slices.SortFunc(hosts, func(a, b auth.Host) int { return dns.Compare(a.Name, b.Name) })
	return hosts, nil
}

// firstNames returns the first of names in canonical order, at most limit of them.
func firstNames(names []dns.Name, limit int) []dns.Name {
	slices.SortFunc(names, dns.Compare)
	names = slices.Compact(names)
	return names[:min(len(names), limit)]
}

type fieldValue struct{ field, value string }

// fields returns what there is in a hash of a store that has a data set.
func (s *Store) fields(ctx context.Context, key string) (all []fieldValue, err error) {
	seen := make(map[string]bool)
	err = s.eachField(ctx, key, func(field, value string) {
		if !seen[field] {
			seen[field] = true
			all = append(all, fieldValue{field, value})
		}
	})
	return all, err
}

// eachField calls visit with what there is in a hash of a store that has a data set. Some may come twice.
func (s *Store) eachField(ctx context.Context, key string, visit func(field, value string)) error {
	r := s.primary()
	t, err := r.tail(ctx)
	if err == nil && t.epoch == "" {
		err = dns.ErrLost
	}
	if err != nil {
		return err
	}
	for page, err := range r.scan(ctx, key, 0) {
		if err != nil {
			return err
		}
		for i := 0; i+1 < len(page); i += 2 {
			visit(page[i], page[i+1])
		}
	}
	return nil
}

// holder returns the zone that a name belongs to, the longest one, or dns.ErrNotFound.
func (s *Store) holder(ctx context.Context, name dns.Name) (header, error) {
	names := []string{string(name)}
	for at := name; at != dns.Root; {
		at = at.Parent()
		names = append(names, string(at))
	}
	ids, err := s.values(ctx, s.keys.zones(), names)
	if err != nil {
		return header{}, err
	}
	for i, id := range ids {
		if id != "" {
			return s.header(ctx, dns.Name(names[i]))
		}
	}
	t, err := s.primary().tail(ctx)
	switch {
	case err != nil:
		return header{}, err
	case t.epoch == "":
		return header{}, dns.ErrLost
	}
	return header{}, fmt.Errorf("a zone that holds %s: %w", name, dns.ErrNotFound)
}
