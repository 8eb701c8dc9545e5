package redisstore

import (
	"context"
	"fmt"

	"github.com/goccy/go-json"

	"redyn/auth"
)

// Secrets tells how DNSSEC keys, TSIG secrets and the secrets of hmac credentials are stored.
type Secrets struct {
	Keys, TSIG, HMAC int // how many there are
	Plain            int // of all, that are not sealed
	Old              int // of all, that are sealed, but not as they would be now
	Unreadable       int // of all
	Err              error
}

// Secrets looks at all secrets, on the primary. It fails with dns.ErrLost if there is no data set.
func (s *Store) Secrets(ctx context.Context) (Secrets, error) {
	var found Secrets
	tsig, _, err := s.ofServer(ctx)
	if err != nil {
		return found, fmt.Errorf("secrets: %w", err)
	}
	for _, text := range tsig {
		var v storedTSIG
		_ = json.Unmarshal([]byte(text), &v) // the reads tell of it
		found.note(v.Secret, s.secrets)
	}
	_, reads := s.secrets.decodeTSIGKeys(tsig)
	found.TSIG = len(tsig)
	found.noteReads(reads)
	err = s.primary().inBatches(ctx, func(batch []*header) error {
		texts, err := s.primary().keyTexts(ctx, idsOf(batch))
		for i, keys := range texts {
			for _, text := range keys {
				var v storedKey
				_ = json.Unmarshal([]byte(text), &v)
				found.note(v.Content, s.secrets)
			}
			_, reads := s.secrets.decodeKeys(batch[i].ID, keys)
			found.Keys += len(keys)
			found.noteReads(reads)
		}
		return err
	})
	if err == nil {
		err = s.noteHMAC(ctx, &found)
	}
	if err != nil {
		return found, fmt.Errorf("secrets: %w", err)
	}
	return found, nil
}

func (s *Store) noteHMAC(ctx context.Context, found *Secrets) error {
	all, err := s.hmacCredentials(ctx)
	for _, c := range all {
		_, changed, err := c.Reseal(s.o.Sealer)
		switch {
		case !c.Sealed():
			found.Plain++
		case changed || err != nil:
			found.Old++
		}
		found.noteReads([]secretRead{{err: err}})
	}
	found.HMAC = len(all)
	return err
}

// CountHMAC returns how many hmac credentials there are, on the primary.
func (s *Store) CountHMAC(ctx context.Context) (n int, err error) {
	kinds, err := s.fields(ctx, s.keys.creds())
	if err != nil {
		return 0, fmt.Errorf("count hmac credentials: %w", err)
	}
	for _, f := range kinds {
		if auth.Kind(f.value) == auth.HMAC {
			n++
		}
	}
	return n, nil
}

// hmacCredentials returns the credentials whose secrets can be read again.
func (s *Store) hmacCredentials(ctx context.Context) ([]storedCredential, error) {
	return s.allCredentials(ctx, func(k auth.Kind) bool { return k == auth.HMAC })
}

func (found *Secrets) note(text string, s secrets) {
	switch {
	case !auth.IsSealed(text):
		found.Plain++
	case !s.Current(text):
		found.Old++
	}
}

func (found *Secrets) noteReads(reads []secretRead) {
	for _, read := range reads {
		if read.err != nil {
			found.Unreadable++
			found.Err = read.err
		}
	}
}
