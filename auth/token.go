package auth

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
)

// HashToken returns what is stored for a token, and what a store finds its credential by: SHA-256
// in lower-case hex. A plain hash does, since tokens have 160 bits or more, and a search by it
// tells nothing about the token.
func HashToken(secret Secret) string {
	sum := sha256.Sum256([]byte(secret.Reveal()))
	return hex.EncodeToString(sum[:])
}

// Token verifies a secret that can only be a token (Authorization: Token or Bearer) against the
// candidates of that kind. It never hashes a password.
func (v *Verifier) Token(candidates []Credential, secret Secret, r Request) (Verified, error) {
	var f findings
	if !f.sane(secret) {
		return Verified{}, f.denial()
	}
	if c := f.token(candidates, secret, r); c != nil {
		return Verified{Credential: *c}, nil
	}
	return Verified{}, f.denial()
}

// token returns the candidate whose secret it is and that allows the request, or nil.
func (f *findings) token(candidates []Credential, secret Secret, r Request) *Credential {
	hash := []byte(HashToken(secret))
	for i := range candidates {
		c := &candidates[i]
		if c.Kind != Token {
			continue
		}
		if subtle.ConstantTimeCompare([]byte(c.verifier), hash) != 1 {
			f.mismatch(c)
			continue
		}
		if reason := c.refuse(r); reason != "" {
			f.refused(c, reason)
			continue
		}
		return c
	}
	return nil
}
