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

// AddCredential stores a new credential. It fails with dns.ErrExists if its id or its token is
// another's, and with dns.ErrNotFound if a host or zone that it grants is not there.
func (s *Store) AddCredential(ctx context.Context, c auth.Credential, who, from string) (Result, error) {
	doing := fmt.Sprintf("add credential %s", c.ID)
	if c.Created.IsZero() {
		c.Created = s.o.Now().UTC().Truncate(time.Second)
	}
	return anew(func() (Result, error) {
		var hs hashes
		err := s.isNew(ctx, &hs, c)
		if err == nil {
			err = s.expectGranted(ctx, &hs, c.Grant)
		}
		if err == nil {
			err = s.replace(&hs, nil, &c)
		}
		if err != nil {
			return Result{}, fmt.Errorf("%s: %w", doing, err)
		}
		return s.change(ctx, doing, dns.Change{Who: who, From: from}, hs.besides())
	})
}

// isNew makes sure that there is no credential with the id, or the token, of c.
func (s *Store) isNew(ctx context.Context, hs *hashes, c auth.Credential) error {
	there, err := s.Find(ctx, auth.Query{IDs: []string{c.ID}, TokenHash: c.TokenHash()})
	if err == nil && len(there.Credentials) > 0 {
		err = fmt.Errorf("it is credential %s: %w", there.Credentials[0].ID, dns.ErrExists)
	}
	if hash := c.TokenHash(); hash != "" {
		hs.expect(s.keys.tokens(), hash, "")
	}
	return err
}

// expectGranted makes sure that the hosts and zones that are granted are there, and stay there until
// the change is made.
func (s *Store) expectGranted(ctx context.Context, hs *hashes, g auth.Grant) error {
	for _, a := range g.Hosts {
		if a.Host == 0 {
			continue
		}
		h, err := s.Host(ctx, a.Host)
		if err != nil {
			return err
		}
		if h.Name != a.Name {
			return fmt.Errorf("host %d is %s, not %s", a.Host, h.Name, a.Name)
		}
		hs.expect(s.keys.host(a.Host), "name", string(a.Name))
	}
	for _, a := range g.Zones {
		id, err := s.primary().zoneID(ctx, a.Name)
		if err != nil {
			return fmt.Errorf("zone %s: %w", a.Name, err)
		}
		hs.expect(s.keys.zones(), string(a.Name), idText(id))
	}
	return nil
}

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

// RevokeCredential makes a credential one that proves nothing any more; it stays to be seen. It fails
// with dns.ErrNotFound if there is no such credential.
func (s *Store) RevokeCredential(ctx context.Context, id, who, from string) (Result, error) {
	return s.editCredential(ctx, fmt.Sprintf("revoke credential %s", id), id, who, from, func(c auth.Credential) *auth.Credential {
		c.Revoked = true
		return &c
	})
}

// DeleteCredential takes a credential away. It fails with dns.ErrNotFound if there is no such
// credential.
func (s *Store) DeleteCredential(ctx context.Context, id, who, from string) (Result, error) {
	return s.editCredential(ctx, fmt.Sprintf("delete credential %s", id), id, who, from, func(auth.Credential) *auth.Credential { return nil })
}

func (s *Store) editCredential(ctx context.Context, doing, id, who, from string, edit func(auth.Credential) *auth.Credential) (Result, error) {
	return anew(func() (Result, error) {
		there, err := s.storedCredentials(ctx, []string{id})
		if err == nil && len(there) == 0 {
			err = dns.ErrNotFound
		}
		var hs hashes
		if err == nil {
			err = s.replace(&hs, &there[0], edit(there[0].Credential))
		}
		if err != nil {
			return Result{}, fmt.Errorf("%s: %w", doing, err)
		}
		return s.change(ctx, doing, dns.Change{Who: who, From: from}, hs.besides())
	})
}

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

// Credential returns the credential with that id, from the primary, or dns.ErrNotFound.
func (s *Store) Credential(ctx context.Context, id string) (auth.Credential, error) {
	found, err := s.Find(ctx, auth.Query{IDs: []string{id}})
	if err == nil && len(found.Credentials) == 0 {
		err = dns.ErrNotFound
	}
	if err != nil {
		return auth.Credential{}, fmt.Errorf("credential %.40q: %w", id, err)
	}
	return found.Credentials[0], nil
}

// Credentials returns all credentials, from the primary, the oldest first. It fails with dns.ErrLost
// if there is no data set.
func (s *Store) Credentials(ctx context.Context) ([]auth.Credential, error) {
	there, err := s.allCredentials(ctx, func(auth.Kind) bool { return true })
	if err != nil {
		return nil, fmt.Errorf("list credentials: %w", err)
	}
	all := make([]auth.Credential, len(there))
	for i, c := range there {
		all[i] = c.Credential
	}
	slices.SortFunc(all, func(a, b auth.Credential) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
	})
	return all, nil
}

// allCredentials returns those of the kinds that are wanted.
func (s *Store) allCredentials(ctx context.Context, wanted func(auth.Kind) bool) ([]storedCredential, error) {
	fields, err := s.fields(ctx, s.keys.creds())
	if err != nil {
		return nil, err
	}
	fields = slices.DeleteFunc(fields, func(f fieldValue) bool { return !wanted(auth.Kind(f.value)) })
	var all []storedCredential
	for batch := range slices.Chunk(fields, hostBatch) {
		some, err := s.storedCredentials(ctx, textsOf(batch, func(f fieldValue) string { return f.field }))
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// UpgradePassword gives a password, as Find has told of it, another hash of the same secret. It does
// nothing if the credential was changed meanwhile. The log is not told, since no right changes.
func (s *Store) UpgradePassword(ctx context.Context, c auth.Credential, hash string) error {
	upgraded, err := c.WithPasswordHash(hash)
	if err != nil {
		return err
	}
	c.LastUse, upgraded.LastUse = time.Time{}, time.Time{}
	before, err := c.Encode()
	if err != nil {
		return err
	}
	after, err := upgraded.Encode()
	if err != nil {
		return err
	}
	if err := resealScript.Run(ctx, s.rdb, []string{s.keys.cred(c.ID)}, "value", before, after).Err(); err != nil {
		return fmt.Errorf("upgrade the hash of credential %s: %w", c.ID, explain(err))
	}
	return nil
}
