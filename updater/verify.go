package updater

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"redyn/auth"
)

// verify proves the proof against what the store found. Its error is a denial, or: not known.
func (a *attempt) verify(ctx context.Context, q auth.Request) (auth.Verified, error) {
	p, v := &a.wish.proof, a.u.Verifier
	candidates := p.candidates(a.found)
	if err := a.slow(ctx, a.guesses(candidates)); err != nil {
		return auth.Verified{}, err
	}
	switch p.kind {
	case tokenProof:
		return v.Token(candidates, p.secret, q)
	case secretProof:
		return v.Secret(ctx, candidates, p.secret, q)
	case hmacProof:
		return v.HMAC(candidates, p.hmac, a.u.signedPart(a.r), q)
	case signedProof:
		return v.Signature(candidates, a.signed(), q)
	}
	return auth.Verified{}, p.broken
}

// How long each failure above the limit makes everybody wait who shows a password, and at most.
const (
	slowStep = 100 * time.Millisecond
	mostSlow = 2 * time.Second
)

// slow waits before a password is looked at that somebody guesses at from many addresses, after so many
// failures. It is no lock: whoever knows the password only waits, too.
func (a *attempt) slow(ctx context.Context, failures int) error {
	over := failures - a.u.FailureLimit.Count
	if a.u.FailureLimit.Count == 0 || over <= 0 {
		return nil
	}
	select {
	case <-time.After(min(time.Duration(over)*slowStep, mostSlow)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// guesses returns how often somebody guessed at one of the passwords that a secret may be.
func (a *attempt) guesses(candidates []auth.Credential) (most int) {
	if a.wish.proof.kind != secretProof {
		return 0
	}
	for _, c := range candidates {
		if c.Kind == auth.Password {
			most = max(most, a.found.Failures[c.ID])
		}
	}
	return most
}

// stranger names the user of a secret who has no password. Guessing at it is slowed down as if there
// were one, lest the wait tell who has; but only when it has failed, as others with that user have tokens.
func (a *attempt) stranger() string {
	p := &a.wish.proof
	if p.kind != secretProof || p.user == "" || a.verified.Credential.ID != "" ||
		slices.ContainsFunc(p.candidates(a.found), func(c auth.Credential) bool { return c.Kind == auth.Password }) {
		return ""
	}
	text := p.user
	if name, ok := userName(text); ok {
		text = string(name)
	}
	sum := sha256.Sum256([]byte(text))
	return "user:" + hex.EncodeToString(sum[:8])
}

// signedPart is what an HMAC client signs of a request.
func (u *Updater) signedPart(r *request) auth.HMACRequest {
	return auth.HMACRequest{Method: r.method, Path: u.SignedPathPrefix + r.path, Params: r.params}
}

// signed is what the owner of a host's key signs. For a host that is not known there is no token, and
// any number does.
func (a *attempt) signed() auth.Signed {
	s := a.wish.proof.signed
	s.Host = max(a.wish.hosts[0].id, 1)
	s.Token = a.found.Tokens[a.wish.hosts[0].id]
	return s
}
