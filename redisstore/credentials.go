package redisstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

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
