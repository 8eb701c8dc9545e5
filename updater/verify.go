package updater

import (
	"context"

	"redyn/auth"
)

// verify proves the proof against what the store found. Its error is a denial, or: not known.
func (a *attempt) verify(ctx context.Context, q auth.Request) (auth.Verified, error) {
	p, v := &a.wish.proof, a.u.Verifier
	candidates := p.candidates(a.found)
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
