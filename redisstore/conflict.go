package redisstore

import (
	"errors"

	"redyn/backend/dns"
)

// conflictTries is how often a change is computed anew because somebody else was faster.
const conflictTries = 50

// anew computes and makes a change until nobody has changed meanwhile what it was computed from.
func anew(change func() (Result, error)) (r Result, err error) {
	for range conflictTries {
		if r, err = change(); !errors.Is(err, dns.ErrConflict) {
			break
		}
	}
	return r, err
}

// hashes gathers what a change does to hashes, one part for each.
type hashes struct {
	list []hashChange
	at   map[string]int
	told []any
}

func (h *hashes) of(key string) *hashChange {
	if h.at == nil {
		h.at = make(map[string]int)
	}
	i, ok := h.at[key]
	if !ok {
		i = len(h.list)
		h.at[key] = i
		h.list = append(h.list, hashChange{key: key})
	}
	return &h.list[i]
}

func (h *hashes) expect(key, field, value string) {
	c := h.of(key)
	c.expect = append(c.expect, field, value)
}

func (h *hashes) set(key, field, value string) {
	c := h.of(key)
	c.set = append(c.set, field, value)
}

// tell adds a field to the entry in the log.
func (h *hashes) tell(field, value string) { h.told = append(h.told, field, value) }

func (h *hashes) besides() besides { return besides{hashes: h.list, told: h.told} }
