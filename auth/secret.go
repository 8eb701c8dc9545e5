package auth

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// redacted is what every way to print a Secret prints.
const redacted = "REDACTED"

// Secret is a text that must not be seen: it prints as REDACTED wherever it is formatted, logged
// or encoded. The zero Secret is empty. Compare Secrets with Equal: == compares something else.
type Secret struct {
	// text is behind a pointer because package fmt does not ask a Secret in an unexported field how
	// it wants to be printed, nor any Secret for %p; what it prints then is the pointer.
	text *string
}

// NewSecret keeps text from being seen.
func NewSecret(text string) Secret { return Secret{&text} }

// Reveal returns the text itself.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsZero reports whether there is no text.
func (s Secret) IsZero() bool { return s.Reveal() == "" }

// Equal compares in a time that depends on the lengths alone.
func (s Secret) Equal(o Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(o.Reveal())) == 1
}

func (Secret) String() string { return redacted }

// GoString is what %#v prints.
func (Secret) GoString() string { return redacted }

// Format prints the same for every verb: those that look inside a struct would show the text.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue is what a slog.Logger writes.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText is what encoders write, encoding/json among them.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// alphabet is 32 letters and digits that are not mistaken for each other and need no escaping in
// URLs, forms, shells and JSON: 5 bits each.
const alphabet = "abcdefghijkmnpqrstuvwxyz23456789"

// Lengths of generated secrets in characters.
const (
	tokenLen    = 32 // 160 bits
	passwordLen = 24 // 120 bits
)

// GenerateToken returns a new secret for a token: 32 characters, 160 bits.
func GenerateToken() Secret { return GenerateSecret(tokenLen) }

// GeneratePassword returns a new password: 24 characters, 120 bits.
func GeneratePassword() Secret { return GenerateSecret(passwordLen) }

// GenerateSecret returns that many random characters of 5 bits each, lower-case letters and digits.
func GenerateSecret(chars int) Secret {
	random := make([]byte, chars)
	_, _ = rand.Read(random) // never fails: crypto/rand ends the program instead
	for i, b := range random {
		random[i] = alphabet[b%byte(len(alphabet))]
	}
	return NewSecret(string(random))
}

// GenerateHMACSecret returns a new secret for an hmac key: 64 hex digits, 256 bits, used as text.
func GenerateHMACSecret() Secret {
	var random [32]byte
	_, _ = rand.Read(random[:])
	return NewSecret(hex.EncodeToString(random[:]))
}

// GenerateOneTimeToken returns what a client is to sign with its key: 32 random bytes in base64.
// It is no secret.
func GenerateOneTimeToken() string {
	var random [32]byte
	_, _ = rand.Read(random[:])
	return base64.StdEncoding.EncodeToString(random[:])
}

// idLen is the length of a generated id: that of PHP's uniqid, which HMAC clients know.
const idLen = 13

// NewID returns an id for a credential: 13 hex digits, at least one of them a letter, so that it
// never reads as the number of a host.
func NewID() string {
	for {
		var random [(idLen + 1) / 2]byte
		_, _ = rand.Read(random[:])
		id := hex.EncodeToString(random[:])[:idLen]
		if strings.ContainsAny(id, "abcdef") {
			return id
		}
	}
}
