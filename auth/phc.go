package auth

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

// Cost is what one argon2id hashing takes (RFC 9106).
type Cost struct {
	Memory  uint32 // KiB
	Passes  uint32
	Threads uint8
}

// DefaultCost is OWASP's recommendation for argon2id: 19 MiB, two passes, one thread.
var DefaultCost = Cost{Memory: 19 * 1024, Passes: 2, Threads: 1}

// Bounds for hashes from elsewhere: one verification must not take all memory or many seconds.
const (
	maxMemory     = 256 * 1024 // KiB
	maxPasses     = 16
	maxThreads    = 16
	maxBcryptCost = 14
	maxHashText   = 256
)

// Bounds for hashes from those whom others' log-ins need not wait for; what RFC 9106 recommends for
// little memory is within them.
const (
	maxModestMemory  = 64 * 1024 // KiB
	maxModestWork    = 3 * maxModestMemory
	maxModestThreads = 4
	maxModestBcrypt  = 12
)

// Lengths of what HashPassword makes, in bytes.
const (
	saltLen = 16
	sumLen  = 32
)

// bcryptLen is how many bytes of a password bcrypt looks at.
const bcryptLen = 72

// hash is a stored password hash.
type hash struct {
	text string
	// bcrypt is the cost; 0 for argon2id, which has the rest.
	bcrypt int
	cost   Cost
	salt   []byte
	sum    []byte
}

// HashPassword returns the argon2id hash of a password as a PHC string.
func HashPassword(password Secret, cost Cost) string {
	var salt [saltLen]byte
	_, _ = rand.Read(salt[:])
	sum := cost.sum(password, salt[:], sumLen)
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		cost.Memory, cost.Passes, cost.Threads,
		base64.RawStdEncoding.EncodeToString(salt[:]), base64.RawStdEncoding.EncodeToString(sum))
}

func (c Cost) sum(password Secret, salt []byte, size int) []byte {
	return argon2.IDKey([]byte(password.Reveal()), salt, c.Passes, c.Memory, c.Threads, uint32(size))
}

// CheckPasswordHash reports what is wrong with a hash that somebody brings: it must be argon2id as a
// PHC string, or bcrypt.
func CheckPasswordHash(text string) error {
	_, err := parseHash(text)
	return err
}

// CheckModestHash is CheckPasswordHash for a hash from somebody who must not make others wait: it must
// not be dear either.
func CheckModestHash(text string) error {
	h, err := parseHash(text)
	if err != nil {
		return err
	}
	c := h.cost
	if h.bcrypt > maxModestBcrypt || c.Memory > maxModestMemory || c.Memory*c.Passes > maxModestWork || c.Threads > maxModestThreads {
		return fmt.Errorf("the password hash (%s) is too dear; expected argon2id with m up to %d, m*t up to %d and p up to %d, or bcrypt of cost up to %d",
			h.describe(), maxModestMemory, maxModestWork, maxModestThreads, maxModestBcrypt)
	}
	return nil
}

func parseHash(text string) (hash, error) {
	h := hash{text: text}
	var ok bool
	switch {
	case len(text) > maxHashText:
	case strings.HasPrefix(text, "$argon2id$"):
		ok = h.parseArgon2id(strings.Split(text[1:], "$"))
	case strings.HasPrefix(text, "$2"):
		ok = h.parseBcrypt()
	}
	if !ok {
		return hash{}, fmt.Errorf("the password hash is not one of $argon2id$v=19$m=..,t=..,p=..$salt$hash (m up to %d, t up to %d, p up to %d) or bcrypt $2a$, $2b$, $2y$ (cost 4 to %d)",
			maxMemory, maxPasses, maxThreads, maxBcryptCost)
	}
	return h, nil
}

func (h *hash) parseArgon2id(parts []string) bool {
	if len(parts) != 5 || parts[1] != "v="+strconv.Itoa(argon2.Version) {
		return false
	}
	params := strings.Split(parts[2], ",")
	if len(params) != 3 {
		return false
	}
	m, t, p := phcNumber(params[0], "m=", maxMemory), phcNumber(params[1], "t=", maxPasses), phcNumber(params[2], "p=", maxThreads)
	if t == 0 || p == 0 || m < 8*p {
		return false
	}
	h.cost = Cost{Memory: m, Passes: t, Threads: uint8(p)}
	b64 := base64.RawStdEncoding.Strict()
	var err, err2 error
	h.salt, err = b64.DecodeString(parts[3])
	h.sum, err2 = b64.DecodeString(parts[4])
	return err == nil && err2 == nil && !strings.ContainsAny(h.text, "\r\n") &&
		8 <= len(h.salt) && len(h.salt) <= 64 && 16 <= len(h.sum) && len(h.sum) <= 64
}

// phcNumber returns 0 if text is not prefix and a number from 1 to most without leading zeros.
func phcNumber(text, prefix string, most uint64) uint32 {
	digits, ok := strings.CutPrefix(text, prefix)
	n, err := strconv.ParseUint(digits, 10, 32)
	if !ok || err != nil || n > most || digits[0] == '0' || digits[0] == '+' {
		return 0
	}
	return uint32(n)
}

// parseBcrypt accepts what PHP and others write: $2y$10$, 22 characters of salt and 31 of hash.
func (h *hash) parseBcrypt() bool {
	if len(h.text) != 60 || !strings.Contains("aby", h.text[2:3]) || h.text[3] != '$' || h.text[6] != '$' {
		return false
	}
	for i := 7; i < len(h.text); i++ {
		c := h.text[i]
		if c != '.' && c != '/' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	cost, err := strconv.ParseUint(h.text[4:6], 10, 8)
	h.bcrypt = int(cost)
	return err == nil && bcrypt.MinCost <= h.bcrypt && h.bcrypt <= maxBcryptCost
}

// matches hashes the password and compares.
func (h *hash) matches(password Secret) bool {
	if h.bcrypt == 0 {
		return subtle.ConstantTimeCompare(h.cost.sum(password, h.salt, len(h.sum)), h.sum) == 1
	}
	// bcrypt takes no more than 72 bytes and ends at a NUL. PHP, which made these hashes, leaves the
	// rest of a longer password out, and so its owner goes on sending all of it. A NUL would match
	// what is shorter: no.
	text := []byte(password.Reveal()[:min(len(password.Reveal()), bcryptLen)])
	matched := bcrypt.CompareHashAndPassword([]byte(h.text), text) == nil
	return matched && !strings.Contains(password.Reveal(), "\x00")
}

// outdated reports whether the password should be hashed anew at that cost. One that bcrypt saw only
// a part of must not: the rest was never verified.
func (h *hash) outdated(password Secret, cost Cost) bool {
	if h.bcrypt != 0 {
		return len(password.Reveal()) <= bcryptLen
	}
	return h.cost != cost
}

func (h *hash) describe() string {
	if h.bcrypt != 0 {
		return fmt.Sprintf("bcrypt, cost %d", h.bcrypt)
	}
	return fmt.Sprintf("argon2id, m=%d,t=%d,p=%d", h.cost.Memory, h.cost.Passes, h.cost.Threads)
}
