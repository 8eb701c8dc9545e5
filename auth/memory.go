package auth

import (
	"container/list"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"sync"
)

// memory remembers which password was verified for a credential, so that it is not hashed
// again at every request. It saves the hashing and nothing else: whether the credential is still
// valid is asked each time, and a new stored hash is a new question. It does not hold passwords,
// but their HMAC under a key that no one else has. The least recently used are forgotten.
type memory struct {
	key  [sha256.Size]byte
	size int

	mu    sync.Mutex
	byID  map[string]*list.Element
	order list.List // of *memorised, latest use first
}

type memorised struct {
	id  string
	mac [sha256.Size]byte
}

// newMemory returns a memory for size credentials; none if size is not positive.
func newMemory(size int) *memory {
	m := &memory{size: size, byID: make(map[string]*list.Element)}
	_, _ = rand.Read(m.key[:])
	return m
}

// has reports whether the secret was verified for the credential as it is stored now.
func (m *memory) has(c *Credential, secret Secret) bool {
	if m.size <= 0 {
		return false
	}
	mac := m.mac(c, secret)
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.byID[c.ID]
	if !ok || !hmac.Equal(e.Value.(*memorised).mac[:], mac[:]) {
		return false
	}
	m.order.MoveToFront(e)
	return true
}

// add remembers that the secret is the credential's.
func (m *memory) add(c *Credential, secret Secret) {
	if m.size <= 0 {
		return
	}
	mac := m.mac(c, secret)
	m.mu.Lock()
	defer m.mu.Unlock()
	if e, ok := m.byID[c.ID]; ok {
		e.Value.(*memorised).mac = mac
		m.order.MoveToFront(e)
		return
	}
	if m.order.Len() >= m.size {
		last := m.order.Back()
		delete(m.byID, last.Value.(*memorised).id)
		m.order.Remove(last)
	}
	m.byID[c.ID] = m.order.PushFront(&memorised{c.ID, mac})
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
