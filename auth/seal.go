package auth

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// sealedPrefix begins every sealed text; then come the id of the key, a colon, and nonce and
// ciphertext in base64url. It holds what neither base64 nor hex nor a DNSSEC private key begins with.
const sealedPrefix = "sealed:1:"

// keyLen is the length of a key for AES-256, in bytes.
const keyLen = 32

// Sealer keeps secrets that have to be readable again: AES-256-GCM with a random nonce, the place
// of the secret as associated data, so that a sealed text is of no use at another place. A nil or
// zero Sealer has no key: it leaves texts as they are, and cannot open sealed ones. It may be used
// by several goroutines.
type Sealer struct{ keys []sealKey }

type sealKey struct {
	id   string // of the key, from its hash
	aead cipher.AEAD
}

// ParseSealer reads a key file. It holds 32 bytes and nothing else, or lines of text, each a key
// of 32 bytes as 64 hex digits or as base64; empty lines and those that begin with # are left out.
// The first key seals, all open: to change the key, put a new one in front and keep the old ones
// until everything is sealed anew. GenerateSealKey makes a key.
func ParseSealer(file []byte) (*Sealer, error) {
	if len(file) == keyLen && !isText(file) {
		return newSealer([][]byte{file})
	}
	var keys [][]byte
	for i, line := range strings.Split(string(file), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		key := parseSealKey(line)
		if key == nil {
			return nil, fmt.Errorf("line %d of the secrets key file is not a key: expected 32 bytes as 64 hex digits or as base64, or a file of exactly 32 raw bytes", i+1)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, errors.New("the secrets key file holds no key: expected 32 bytes as 64 hex digits or as base64, or a file of exactly 32 raw bytes")
	}
	return newSealer(keys)
}

func isText(b []byte) bool {
	return !slices.ContainsFunc(b, func(c byte) bool { return c != '\n' && c != '\r' && c != '\t' && (c < ' ' || c > '~') })
}

// parseSealKey returns nil if line is no key.
func parseSealKey(line string) []byte {
	if len(line) == 2*keyLen {
		if key, err := hex.DecodeString(line); err == nil {
			return key
		}
	}
	key, err := base64.RawStdEncoding.Strict().DecodeString(stdAlphabet(strings.TrimSuffix(line, "=")))
	if err != nil || len(key) != keyLen {
		return nil
	}
	return key
}

// stdAlphabet turns base64's URL alphabet into the standard one.
func stdAlphabet(text string) string {
	return strings.NewReplacer("-", "+", "_", "/").Replace(text)
}

func newSealer(keys [][]byte) (*Sealer, error) {
	s := new(Sealer)
	for _, key := range keys {
		if bytes.Count(key, key[:1]) == len(key) {
			return nil, errors.New("a key of the secrets key file is one byte repeated")
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, err
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(append([]byte("redyn seal key "), key...))
		id := hex.EncodeToString(sum[:4])
		if s.key(id) != nil {
			return nil, errors.New("the secrets key file holds one key twice")
		}
		s.keys = append(s.keys, sealKey{id, aead})
	}
	return s, nil
}

// GenerateSealKey returns a new line for a key file, 64 hex digits.
func GenerateSealKey() Secret {
	var key [keyLen]byte
	_, _ = rand.Read(key[:])
	return NewSecret(hex.EncodeToString(key[:]))
}

// plain reports whether there is no key.
func (s *Sealer) plain() bool { return s == nil || len(s.keys) == 0 }

func (s *Sealer) key(id string) *sealKey {
	for i := range s.keys {
		if s.keys[i].id == id {
			return &s.keys[i]
		}
	}
	return nil
}

// Seal returns what is to be stored at place for the secret. Without a key that is the secret
// itself, unless it begins as sealed texts do and could never be read again.
func (s *Sealer) Seal(place string, secret Secret) (string, error) {
	if s.plain() {
		if IsSealed(secret.Reveal()) {
			return "", fmt.Errorf("seal %s: without a secrets key file a secret cannot begin with %q", place, sealedPrefix)
		}
		return secret.Reveal(), nil
	}
	k := &s.keys[0]
	sealed := k.aead.Seal(nil, nil, []byte(secret.Reveal()), associated(k.id, place))
	return sealedPrefix + k.id + ":" + base64.RawURLEncoding.EncodeToString(sealed), nil
}

// associated is what is authenticated beside a secret.
func associated(id, place string) []byte { return []byte(sealedPrefix + id + ":" + place) }

// Open returns the secret that was sealed for place. A text that is not sealed is the secret
// itself, so that secrets from before there was a key stay valid.
func (s *Sealer) Open(place, text string) (Secret, error) {
	if !IsSealed(text) {
		return NewSecret(text), nil
	}
	if s.plain() {
		return Secret{}, fmt.Errorf("open %s: the secret is sealed and no secrets key file is given", place)
	}
	id, body, _ := strings.Cut(text[len(sealedPrefix):], ":")
	k := s.key(id)
	if k == nil {
		return Secret{}, fmt.Errorf("open %s: the secret is sealed under key %.16q, which is not in the secrets key file", place, id)
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(body)
	if err != nil {
		return Secret{}, fmt.Errorf("open %s: the sealed secret is broken", place)
	}
	plain, err := k.aead.Open(nil, nil, sealed, associated(id, place))
	if err != nil {
		return Secret{}, fmt.Errorf("open %s: the sealed secret is broken or belongs elsewhere", place)
	}
	return NewSecret(string(plain)), nil
}

// IsSealed reports whether text is a sealed secret and no plain one.
func IsSealed(text string) bool { return strings.HasPrefix(text, sealedPrefix) }

// Current reports whether text is as Seal would write it now: under the first key, or plain
// without any. What is not should be opened and sealed again.
func (s *Sealer) Current(text string) bool {
	if s.plain() {
		return !IsSealed(text)
	}
	return strings.HasPrefix(text, sealedPrefix+s.keys[0].id+":")
}
