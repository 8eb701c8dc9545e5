package auth

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// Secret verifies a token or a password, as Basic authentication and queries carry it, against the
// candidates of both kinds: tokens found by HashToken, passwords by the user name. It fails with
// the context's error if ctx ends before all is hashed that is to be; otherwise as the package says.
//
// A denial takes the time of two hashings at least, whatever the reason. Only a remembered password
// of a credential that allows the request saves them. For an hour after there was a bcrypt hash among
// candidates, every denial takes the time of the slowest such hash, too, up to that of cost 12. A
// dearer one takes its own time, and so does an argon2id hash of a cost other than Options.Cost, until
// its first success asks for an upgrade.
func (v *Verifier) Secret(ctx context.Context, candidates []Credential, secret Secret, r Request) (Verified, error) {
	var f findings
	if !f.sane(secret) {
		return Verified{}, f.denial()
	}
	verified, work, ok := v.recall(&f, candidates, secret, r)
	if ok {
		return verified, nil
	}
	if err := v.slots.Acquire(ctx, 1); err != nil {
		return Verified{}, fmt.Errorf("wait to hash a password: %w", err)
	}
	defer v.slots.Release(1)
	w, err := v.try(ctx, &f, work, secret, r.Now)
	switch {
	case err != nil:
		return Verified{}, fmt.Errorf("hash a password: %w", err)
	case w != nil:
		return w.verified(secret, v.options.Cost), nil
	}
	return Verified{}, f.denial()
}

// Recall is Secret as far as no password is hashed for it: it returns false if the secret is no token,
// and no password that is remembered, of a credential that allows the request.
func (v *Verifier) Recall(candidates []Credential, secret Secret, r Request) (Verified, bool) {
	var f findings
	if !f.sane(secret) {
		return Verified{}, false
	}
	verified, _, ok := v.recall(&f, candidates, secret, r)
	return verified, ok
}

// recall returns false, and the passwords to try, if hashing alone can tell.
func (v *Verifier) recall(f *findings, candidates []Credential, secret Secret, r Request) (Verified, []passwordAttempt, bool) {
	if c := f.token(candidates, secret, r); c != nil {
		return Verified{Credential: *c}, nil, true
	}
	work := v.passwords(candidates, r)
	for _, w := range work {
		if w.reason == "" && v.memory.has(w.c, secret) {
			v.remembered.Add(1)
			return w.verified(secret, v.options.Cost), nil, true
		}
	}
	return Verified{}, work, false
}

// passwordAttempt is an attempt with the stored hash.
type passwordAttempt struct {
	attempt
	hash hash
}

func (v *Verifier) passwords(candidates []Credential, r Request) []passwordAttempt {
	var work []passwordAttempt
	for _, a := range attempts(candidates, Password, r) {
		if h, err := parseHash(a.c.verifier); err == nil {
			v.see(h, r.Now)
			work = append(work, passwordAttempt{a, h})
		}
	}
	return work
}

// bcryptMemory is how long denials take the time of a bcrypt hash that was seen.
const bcryptMemory = time.Hour

// see notes when there was a bcrypt hash of that cost.
func (v *Verifier) see(h hash, now time.Time) {
	if h.bcrypt != 0 {
		v.bcryptSeen[min(h.bcrypt, maxModestBcrypt)].Store(now.Unix())
	}
}

// bcryptCost returns the greatest cost of the bcrypt hashes that were seen of late; 0: there were none.
func (v *Verifier) bcryptCost(now time.Time) int {
	for cost := maxModestBcrypt; cost > 0; cost-- {
		if seen := v.bcryptSeen[cost].Load(); seen != 0 && now.Unix()-seen < int64(bcryptMemory/time.Second) {
			return cost
		}
	}
	return 0
}

func (a *passwordAttempt) verified(secret Secret, cost Cost) Verified {
	return Verified{Credential: *a.c, Upgrade: a.hash.outdated(secret, cost)}
}

// try hashes the secret for each attempt, and then for nobody until it has taken the time of a
// denial. It returns the attempt that succeeds, or nil.
func (v *Verifier) try(ctx context.Context, f *findings, work []passwordAttempt, secret Secret, now time.Time) (*passwordAttempt, error) {
	var argon, rounds int
	for i := range work {
		w := &work[i]
		if w.reason == "" && v.memory.has(w.c, secret) { // verified while we waited for our turn
			v.remembered.Add(1)
			return w, nil
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if w.hash.bcrypt != 0 {
			rounds += 1 << w.hash.bcrypt
		} else {
			argon++
		}
		v.hashings.Add(1)
		matched := w.hash.matches(secret)
		switch {
		case !matched:
			f.mismatch(w.c)
		case w.reason != "":
			f.refused(w.c, w.reason)
		default:
			v.memory.add(w.c, secret)
			return w, nil
		}
	}
	return nil, v.waste(ctx, argon, 1<<v.bcryptCost(now)-rounds, secret)
}

// waste hashes the secret for nobody as often as a denial still lacks, of which argon hashings are done
// and rounds of bcrypt are not.
func (v *Verifier) waste(ctx context.Context, argon, rounds int, secret Secret) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	v.wasteBcrypt(rounds, secret)
	for ; argon < denialTries; argon++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		v.hashings.Add(1)
		v.options.Cost.sum(secret, v.dummy.salt[:], sumLen)
	}
	return nil
}

// wasteBcrypt takes so many rounds, of which a hash takes 2 to the power of its cost.
func (v *Verifier) wasteBcrypt(rounds int, secret Secret) {
	text := []byte(secret.Reveal()[:min(len(secret.Reveal()), bcryptLen)])
	for cost := bcrypt.MinCost; rounds>>cost > 0; cost++ {
		if rounds>>cost&1 == 1 {
			v.hashings.Add(1)
			_, _ = bcrypt.GenerateFromPassword(text, cost)
		}
	}
}

// Hash returns the argon2id hash of a password at the Verifier's cost, when it is its turn to hash.
// It fails with the context's error if ctx ends before that.
func (v *Verifier) Hash(ctx context.Context, password Secret) (string, error) {
	if err := v.slots.Acquire(ctx, 1); err != nil {
		return "", fmt.Errorf("wait to hash a password: %w", err)
	}
	defer v.slots.Release(1)
	v.hashings.Add(1)
	return HashPassword(password, v.options.Cost), nil
}
