package redisstore

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"redyn/auth"
	"redyn/backend/dns"
)

// storedCredential is a credential and its text in cred:<id>.
type storedCredential struct {
	auth.Credential
	text string
}

// storedCredentials returns the credentials with these ids that are there, from the primary.
func (s *Store) storedCredentials(ctx context.Context, ids []string) ([]storedCredential, error) {
	found := make([]*redis.SliceCmd, len(ids))
	_, err := s.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, id := range ids {
			found[i] = p.HMGet(ctx, s.keys.cred(id), "value", "last_use")
		}
		return nil
	})
	if err != nil {
		return nil, explain(err)
	}
	var all []storedCredential
	for _, cmd := range found {
		text, _ := cmd.Val()[0].(string)
		lastUse, _ := cmd.Val()[1].(string)
		if text == "" {
			continue
		}
		c, err := parseCredential(text, lastUse)
		if err != nil {
			return nil, err
		}
		all = append(all, storedCredential{c, text})
	}
	return all, nil
}

// replace puts one credential in the place of another with its id; nil is none.
func (s *Store) replace(hs *hashes, old *storedCredential, c *auth.Credential) error {
	var there *auth.Credential
	before, after, kind, public := "", "", "", ""
	if old != nil {
		there, before = &old.Credential, old.text
	}
	if c != nil {
		bare := *c
		bare.LastUse = time.Time{}
		text, err := bare.Encode()
		if err != nil {
			return err
		}
		shown, err := bare.MarshalJSON()
		if err != nil {
			return err
		}
		after, kind, public = string(text), string(c.Kind), string(shown)
	}
	id := cmp.Or(there, c).ID
	key := s.keys.cred(id)
	hs.expect(key, "value", before)
	hs.set(key, "value", after)
	if c == nil {
		hs.set(key, "last_use", "")
	}
	hs.set(s.keys.creds(), id, kind)
	hs.tell("credential "+id, public)
	s.index(hs, there, c)
	return nil
}

// index makes that c is found in the place of old.
func (s *Store) index(hs *hashes, old, c *auth.Credential) {
	entries := make(map[fieldValue]string) // value by key and field
	if old != nil {
		for name := range granted(old) {
			entries[fieldValue{s.keys.grants(name), old.ID}] = ""
		}
		if hash := old.TokenHash(); hash != "" {
			entries[fieldValue{s.keys.tokens(), hash}] = ""
		}
	}
	if c != nil {
		for name, what := range granted(c) {
			entries[fieldValue{s.keys.grants(name), c.ID}] = what
		}
		if hash := c.TokenHash(); hash != "" {
			entries[fieldValue{s.keys.tokens(), hash}] = c.ID
		}
	}
	for at, value := range entries {
		hs.set(at.field, at.value, value)
	}
}

// granted returns what grants:<name> says of the credential, for each name that it grants.
func granted(c *auth.Credential) map[dns.Name]string {
	all := make(map[dns.Name]string)
	for _, a := range c.Grant.Hosts {
		switch {
		case a.Below:
			all[a.Name] = string(c.Kind) + below
		case all[a.Name] == "":
			all[a.Name] = string(c.Kind)
		}
	}
	for _, a := range c.Grant.Zones {
		all[a.Name] = string(c.Kind) + below
	}
	return all
}

// below marks those that grant what is below the name.
const below = " below"

// maxWithdrawn is how many credentials may lose a host at once.
const maxWithdrawn = 200

// withdraw takes away what credentials grant as the host. It returns the ids of those that grant
// nothing else, and go.
func (s *Store) withdraw(ctx context.Context, hs *hashes, h auth.Host) (gone []string, err error) {
	key := s.keys.grants(h.Name)
	grants, err := s.rdb.HGetAll(ctx, key).Result()
	if err != nil {
		return nil, explain(err)
	}
	hs.of(key).fields = len(grants)
	for id, kind := range grants {
		hs.expect(key, id, kind)
	}
	there, err := s.storedCredentials(ctx, slices.Sorted(maps.Keys(grants)))
	if err != nil {
		return nil, err
	}
	count := 0
	for _, old := range there {
		c := old.Credential
		if c.Grant = old.Grant.WithoutHost(h.ID); len(c.Grant.Hosts) == len(old.Grant.Hosts) {
			continue
		}
		if count++; count > maxWithdrawn {
			return nil, fmt.Errorf("more than %d credentials grant it; delete some of them first", maxWithdrawn)
		}
		left := &c
		if c.Grant.IsZero() {
			left = nil
			gone = append(gone, c.ID)
		}
		if err := s.replace(hs, &old, left); err != nil {
			return nil, err
		}
	}
	return gone, nil
}
