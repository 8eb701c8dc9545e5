package updater

import (
	"context"
	"time"

	"redyn/auth"
)

// verify proves the proof against what the store found. Its error is a denial, or: not known.
func (a *attempt) verify(ctx context.Context, q auth.Request) (auth.Verified, error) {
	p, v := &a.wish.proof, a.u.Verifier
	candidates := p.candidates(a.found)
	if err := a.slowDown(ctx, candidates); err != nil {
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

// slowDown waits before a password is looked at that somebody guesses at from many addresses. It is no
// lock: whoever knows the password only waits, too.
func (a *attempt) slowDown(ctx context.Context, candidates []auth.Credential) error {
	worst := 0
	for _, c := range candidates {
		if c.Kind == auth.Password {
			worst = max(worst, a.found.Failures[c.ID]-a.u.FailureLimit.Count)
		}
	}
	if a.wish.proof.kind != secretProof || worst <= 0 {
		return nil
	}
	select {
	case <-time.After(min(time.Duration(worst)*slowStep, mostSlow)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
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
