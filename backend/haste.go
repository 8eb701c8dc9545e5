package backend

// haste tells whether to read once more at once, as the next question may be there already: it is about
// every second time if there are many connections and the processors are busy, and then to read is
// cheaper than to be woken. It learns from what such reads found, and seldom tries if that was nothing.
type haste struct {
	trust int8  // grows with each question found, and falls with each read in vain
	idle  uint8 // questions since the last try without trust
}

const (
	mostTrust  = 16
	foundTrust = 2 // so trust lasts if every third read finds a question
	idleRounds = 61
)

func (h *haste) tries() bool {
	if h.trust > 0 {
		return true
	}
	h.idle = (h.idle + 1) % idleRounds
	return h.idle == 0
}

func (h *haste) learn(found bool) {
	if found {
		h.trust = min(h.trust+foundTrust, mostTrust)
	} else {
		h.trust = max(h.trust-1, 0)
	}
}
