package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"

	lru "github.com/hashicorp/golang-lru/v2"
)

// memory remembers which password was verified for a credential, so that it is not hashed
// again at every request. It saves the hashing and nothing else: whether the credential is still
// valid is asked or compared each time, and a new stored hash is a new question. It does not hold
// passwords, but their HMAC under a key that no one else has. The least recently used are forgotten.
type memory struct {
	key  [sha256.Size]byte
	macs *lru.Cache[string, [sha256.Size]byte] // by the id of the credential; nil: nothing is remembered
}

// newMemory returns a memory for size credentials; none if size is not positive.
func newMemory(size int) *memory {
	m := new(memory)
	_, _ = rand.Read(m.key[:])
	if size > 0 {
		m.macs, _ = lru.New[string, [sha256.Size]byte](size) // which fails if size is not positive
	}
	return m
}

// has reports whether the secret was verified for the credential as it is stored now.
func (m *memory) has(c *Credential, secret Secret) bool {
	if m.macs == nil {
		return false
	}
	known, ok := m.macs.Peek(c.ID)
	mac := m.mac(c, secret)
	if !ok || !hmac.Equal(known[:], mac[:]) {
		return false
	}
	m.macs.Get(c.ID) // which keeps it; what is wrong does not
	return true
}

// add remembers that the secret is the credential's.
func (m *memory) add(c *Credential, secret Secret) {
	if m.macs != nil {
		m.macs.Add(c.ID, m.mac(c, secret))
	}
}

// mac is over id, stored hash and secret, each with its length in front.
func (m *memory) mac(c *Credential, secret Secret) (sum [sha256.Size]byte) {
	h := hmac.New(sha256.New, m.key[:])
	for _, text := range []string{c.ID, c.verifier, secret.Reveal()} {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(text))))
		h.Write([]byte(text))
	}
	h.Sum(sum[:0])
	return sum
}
