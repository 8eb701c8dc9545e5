package auth

import (
	"crypto/rand"
	"runtime"
	"sync/atomic"

	"golang.org/x/sync/semaphore"
)

// Options are a Verifier's settings; the zero value is a good one.
type Options struct {
	// Sealer opens hmac secrets; nil if they are plain.
	Sealer *Sealer
	// Cost is that of new password hashes; the zero Cost is DefaultCost. A verified password whose
	// hash has another is to be hashed anew.
	Cost Cost
	// Hashings is how many passwords are hashed at a time; 0: as many as there are processors.
	Hashings int
	// Remember is how many verified passwords are remembered; 0: 10,000; negative: none.
	Remember int
	// RawDigestOnly refuses HMAC signatures that are the base64 of a digest in hex.
	RawDigestOnly bool
}

// Verifier tells whether a request proves that it holds a credential. It may be used by several
// goroutines.
type Verifier struct {
	options Options
	slots   *semaphore.Weighted
	memory  *memory
	dummy   dummies
	// bcryptSeen is when there was a bcrypt hash of each cost last, in Unix time; 0: never.
	bcryptSeen [maxModestBcrypt + 1]atomic.Int64

	hashings, remembered atomic.Uint64
}

// dummies are what strangers' secrets are compared with, so that an unknown credential takes the
// same time as a known one.
type dummies struct {
	salt   [saltLen]byte
	secret Secret
}

// Verified is a proven credential, and what is to be done because of it.
type Verified struct {
	Credential Credential
	// Upgrade says that the password's hash is of an old kind: store the one that
	// Verifier.Hash returns for the same secret.
	Upgrade bool
	// Replay is what must be stored together with a change, and refuses it if it is there; nil if
	// nothing need be.
	Replay *Replay
}

// NewVerifier returns a Verifier.
func NewVerifier(o Options) *Verifier {
	if o.Cost == (Cost{}) {
		o.Cost = DefaultCost
	}
	if o.Hashings <= 0 {
		o.Hashings = runtime.GOMAXPROCS(0)
	}
	if o.Remember == 0 {
		o.Remember = 10_000
	}
	v := &Verifier{options: o, slots: semaphore.NewWeighted(int64(o.Hashings)), memory: newMemory(o.Remember)}
	_, _ = rand.Read(v.dummy.salt[:])
	v.dummy.secret = GenerateHMACSecret()
	return v
}

// Stats are counts since the start.
type Stats struct {
	Hashings   uint64 // passwords hashed, dummies too
	Remembered uint64 // hashings saved, since the same password was verified before
}

// Stats returns the counts.
func (v *Verifier) Stats() Stats {
	return Stats{Hashings: v.hashings.Load(), Remembered: v.remembered.Load()}
}

// MaxCandidates is how many passwords, or keys, that allow a request are tried; those further back in
// the list of candidates are not.
const MaxCandidates = 8

// denialTries is how many passwords are hashed at least before one is denied: a host has one, or two
// while it is being changed, and neither number may be seen from outside.
const denialTries = 2

// attempt is a candidate to try, and why it does not allow the request, if so.
type attempt struct {
	c      *Credential
	reason Reason
}

// attempts returns the candidates of a kind to try: those that allow the request, then as many of
// the others as a denial has time for. These only tell the audit log what happened.
func attempts(candidates []Credential, kind Kind, r Request) []attempt {
	var live, dead []attempt
	for i := range candidates {
		c := &candidates[i]
		if c.Kind != kind {
			continue
		}
		if reason := c.refuse(r); reason != "" {
			dead = append(dead, attempt{c, reason})
		} else {
			live = append(live, attempt{c, ""})
		}
	}
	live = live[:min(len(live), MaxCandidates)]
	return append(live, dead[:min(len(dead), max(0, denialTries-len(live)))]...)
}

// findings gather why no candidate would do. One whose secret was right, but that does not allow
// the request, says more than one whose secret was wrong.
type findings struct {
	Denial
	right bool
}

func (f *findings) mismatch(c *Credential) {
	if !f.right {
		f.Denial = Denial{Reason: ReasonSecret, Credential: c.ID}
	}
}

func (f *findings) refused(c *Credential, reason Reason) {
	f.right = true
	f.Denial = Denial{Reason: reason, Credential: c.ID}
}

// sane reports whether the secret can be one at all, whosever it is.
func (f *findings) sane(secret Secret) bool {
	if secret.Reveal() != "" && len(secret.Reveal()) <= maxSecretLen {
		return true
	}
	f.Reason = ReasonMalformed
	return false
}

func (f *findings) denial() error {
	if f.Reason == "" {
		f.Reason = ReasonUnknown
	}
	d := f.Denial
	return &d
}
