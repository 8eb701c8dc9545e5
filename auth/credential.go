package auth

import (
	"errors"
	"fmt"
	"net/netip"
	"time"
	"unicode/utf8"

	"redyn/backend/dns"
)

// Kind is how a credential is proved.
type Kind string

// The kinds of credentials.
const (
	Token     Kind = "token"     // a generated secret, stored as its SHA-256
	Password  Kind = "password"  // a chosen secret, stored as argon2id or bcrypt
	PublicKey Kind = "publickey" // a key whose owner signs one-time tokens
	HMAC      Kind = "hmac"      // a shared secret that signs requests
)

// ParseKind reads a kind.
func ParseKind(text string) (Kind, error) {
	switch k := Kind(text); k {
	case Token, Password, PublicKey, HMAC:
		return k, nil
	}
	return "", fmt.Errorf("kind %.40q is unknown; expected token, password, publickey or hmac", text)
}

// Credential is a right to change something, and what verifies the secret of its holder. Its
// JSON is for people: it does not hold the verifier. Encode writes all of it.
type Credential struct {
	ID    string
	Kind  Kind
	Grant Grant
	// Expires is when it ends; the zero time is never.
	Expires time.Time
	// ReadOnly allows to see what is granted, and no change.
	ReadOnly bool
	Revoked  bool
	Created  time.Time
	// LastUse is the zero time until the first use. A store that writes uses in batches keeps
	// it beside what Encode returns.
	LastUse time.Time

	// verifier is, by Kind: SHA-256 in hex; PHC string or bcrypt; PEM; sealed or plain secret.
	verifier string
}

// NewTokenCredential returns a credential for secret, with a new id and nothing granted.
func NewTokenCredential(secret Secret) (Credential, error) {
	if n := len(secret.Reveal()); n < tokenLen || n > maxSecretLen {
		return Credential{}, fmt.Errorf("a token has %d to %d characters, not %d", tokenLen, maxSecretLen, n)
	}
	return Credential{ID: NewID(), Kind: Token, verifier: HashToken(secret)}, nil
}

// NewPasswordCredential returns a credential for the password with that hash, argon2id in PHC form
// or bcrypt, with a new id and nothing granted.
func NewPasswordCredential(hash string) (Credential, error) {
	if _, err := parseHash(hash); err != nil {
		return Credential{}, err
	}
	return Credential{ID: NewID(), Kind: Password, verifier: hash}, nil
}

// NewPublicKeyCredential returns a credential for the key in that PEM text, with a new id and
// nothing granted.
func NewPublicKeyCredential(pem string) (Credential, error) {
	key, err := ParsePublicKey(pem)
	if err != nil {
		return Credential{}, err
	}
	return Credential{ID: NewID(), Kind: PublicKey, verifier: key.PEM()}, nil
}

// NewHMACCredential returns a credential for an hmac secret, sealed by s, with nothing granted. The
// id is part of what clients sign; an empty one becomes a new id.
func NewHMACCredential(id string, secret Secret, s *Sealer) (Credential, error) {
	if id == "" {
		id = NewID()
	}
	if err := checkID(id); err != nil {
		return Credential{}, err
	}
	if n := len(secret.Reveal()); n < minHMACSecretLen || n > maxSecretLen {
		return Credential{}, fmt.Errorf("an hmac secret has %d to %d characters, not %d", minHMACSecretLen, maxSecretLen, n)
	}
	if !utf8.ValidString(secret.Reveal()) {
		return Credential{}, errors.New("an hmac secret is text in UTF-8")
	}
	sealed, err := s.Seal(secretPlace(id), secret)
	if err != nil {
		return Credential{}, err
	}
	return Credential{ID: id, Kind: HMAC, verifier: sealed}, nil
}

// maxSecretLen bounds what is hashed for a stranger, in bytes.
const maxSecretLen = 1024

// minHMACSecretLen is 64 bits as hex digits: short secrets could be guessed from one signature.
const minHMACSecretLen = 16

// secretPlace is where a credential's sealed secret belongs.
func secretPlace(id string) string { return "credential/" + id }

// checkID keeps ids readable and free of what separates them elsewhere.
func checkID(id string) error {
	const most = 64
	ok := id != "" && len(id) <= most
	for i := 0; i < len(id) && ok; i++ {
		c := id[i]
		ok = 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_'
	}
	if !ok {
		return fmt.Errorf("credential id %.70q is not 1 to %d letters, digits, - and _", id, most)
	}
	return nil
}

// Request is who asks for what, as far as it is known. Its zero value asks to change nothing in
// particular, from nowhere.
type Request struct {
	Now  time.Time
	From netip.Addr
	// User is the user name sent beside the secret, if it is a domain name: it must be one of the
	// credential's hosts or zones, or below one.
	User dns.Name
	// Reads says that nothing is to be changed.
	Reads bool
	// Targets are what is to be changed, or seen.
	Targets []Target
}

// Check returns nil if the credential allows the request, else a *Denial. It does not ask for the
// secret: that is a Verifier's.
func (c *Credential) Check(r Request) error {
	if reason := c.refuse(r); reason != "" {
		return &Denial{Reason: reason, Credential: c.ID}
	}
	return nil
}

func (c *Credential) refuse(r Request) Reason {
	switch {
	case c.Revoked:
		return ReasonRevoked
	case c.expired(r.Now):
		return ReasonExpired
	case !c.Grant.From(r.From):
		return ReasonNetwork
	case c.ReadOnly && !r.Reads:
		return ReasonReadOnly
	case r.User != "" && !c.Grant.Near(r.User):
		return ReasonUser
	}
	for _, t := range r.Targets {
		if reason := c.Grant.refuse(t); reason != "" {
			return reason
		}
	}
	return ""
}

// expired holds at the very time of the end too, and for an unknown time.
func (c *Credential) expired(now time.Time) bool {
	return !c.Expires.IsZero() && (now.IsZero() || !now.Before(c.Expires))
}

// Covers reports whether other allows nothing that c does not allow, so that whoever holds c may
// hand out other. zoneOf returns the zone that holds a name, the empty name if none does.
func (c *Credential) Covers(other Credential, zoneOf func(dns.Name) dns.Name) bool {
	if c.ReadOnly && !other.ReadOnly {
		return false
	}
	if !c.Expires.IsZero() && (other.Expires.IsZero() || other.Expires.After(c.Expires)) {
		return false
	}
	return c.Grant.Covers(other.Grant, zoneOf)
}

// TokenHash is what HashToken returns for a token's secret; empty for other kinds. A store finds
// the credential by it.
func (c *Credential) TokenHash() string {
	if c.Kind != Token {
		return ""
	}
	return c.verifier
}

// WithPasswordHash returns the credential with another hash, for when Verified.Upgrade asks for one.
func (c Credential) WithPasswordHash(hash string) (Credential, error) {
	if c.Kind != Password {
		return c, fmt.Errorf("credential %s is no password", c.ID)
	}
	if _, err := parseHash(hash); err != nil {
		return c, err
	}
	c.verifier = hash
	return c, nil
}

// Reseal returns the credential with its secret sealed under the first key of s, and whether that
// is something new. Kinds without a sealed secret never change.
func (c Credential) Reseal(s *Sealer) (Credential, bool, error) {
	if c.Kind != HMAC || s.Current(c.verifier) {
		return c, false, nil
	}
	secret, err := s.Open(secretPlace(c.ID), c.verifier)
	if err != nil {
		return c, false, err
	}
	sealed, err := s.Seal(secretPlace(c.ID), secret)
	if err != nil {
		return c, false, err
	}
	c.verifier = sealed
	return c, true, nil
}

// Sealed reports whether the secret is kept sealed, as only that of an hmac credential can be.
func (c *Credential) Sealed() bool { return c.Kind == HMAC && IsSealed(c.verifier) }

// Detail describes what verifies the secret, for people, without giving any of it away: a key's
// type and fingerprint, a hash's parameters, whether an hmac secret is sealed.
func (c *Credential) Detail() string {
	switch c.Kind {
	case Password:
		if h, err := parseHash(c.verifier); err == nil {
			return h.describe()
		}
	case PublicKey:
		if key, err := ParsePublicKey(c.verifier); err == nil {
			return key.String()
		}
	case HMAC:
		if c.Sealed() {
			return "HMAC-SHA-256, sealed"
		}
		return "HMAC-SHA-256, not sealed"
	case Token:
		return "SHA-256"
	}
	return ""
}
