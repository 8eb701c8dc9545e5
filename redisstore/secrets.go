package redisstore

import (
	"errors"
	"strconv"

	"github.com/goccy/go-json"

	"redyn/auth"
	"redyn/backend/dns"
)

// sealer keeps secrets from those who can read Redis, its log or a copy of its data. The place of a
// secret is authenticated with it, so that a sealed text is of no use at another place. An
// auth.Sealer is one.
type sealer interface {
	// Seal returns what is to be stored at place for the secret; another text each time.
	Seal(place string, secret auth.Secret) (string, error)
	// Open returns the secret that was sealed for place. A text that is not sealed is the secret.
	Open(place, text string) (auth.Secret, error)
	// Current reports whether text is sealed as Seal would do it now.
	Current(text string) bool
}

// secrets writes and reads the values that hold secrets, as the store keeps them.
type secrets struct{ sealer }

// seal returns old if it holds the secret already, so that equal secrets have equal texts.
func (s secrets) seal(place, plain, old string) (string, error) {
	secret := auth.NewSecret(plain)
	if old != "" && s.Current(old) {
		if there, err := s.Open(place, old); err == nil && there.Equal(secret) {
			return old, nil
		}
	}
	return s.Seal(place, secret)
}

// storedKey is a value in key:<id>.
type storedKey struct {
	Flags     uint16 `json:"flags"`
	Active    bool   `json:"active"`
	Published bool   `json:"published"`
	Content   string `json:"content"` // sealed
}

// storedTSIG is a value in tsig.
type storedTSIG struct {
	Algorithm string `json:"algorithm"`
	Secret    string `json:"secret"` // sealed
}

// storedAutoprimary is a value in autoprimaries.
type storedAutoprimary struct {
	Account string `json:"account"`
}

// Places of secrets. The id of a zone is given to no other zone.
func keyPlace(zone dns.ZoneID, id dns.KeyID) string { return "key:" + idText(zone) + " " + keyText(id) }
func tsigPlace(name dns.Name) string                { return "tsig " + string(name) }

func keyText(id dns.KeyID) string { return strconv.Itoa(int(id)) }

// encodeKey writes a DNSSEC key; old is the value in its place.
func (s secrets) encodeKey(zone dns.ZoneID, id dns.KeyID, key dns.Key, old string) (string, error) {
	var there storedKey
	_ = json.Unmarshal([]byte(old), &there) // what cannot be read is sealed anew
	sealed, err := s.seal(keyPlace(zone, id), key.Content, there.Content)
	if err != nil {
		return "", err
	}
	return encode(storedKey{key.Flags, key.Active, key.Published, sealed}), nil
}

func (s secrets) decodeKey(zone dns.ZoneID, id dns.KeyID, text string) (dns.Key, error) {
	var v storedKey
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return dns.Key{}, err
	}
	secret, err := s.Open(keyPlace(zone, id), v.Content)
	if err == nil && secret.IsZero() {
		err = errEmpty
	}
	if err != nil {
		return dns.Key{}, err
	}
	return dns.Key{ID: id, Flags: v.Flags, Active: v.Active, Published: v.Published, Content: secret.Reveal()}, nil
}

var errEmpty = errors.New("the secret is empty")

// encodeTSIG writes a TSIG key; old is the value in its place.
func (s secrets) encodeTSIG(name dns.Name, key dns.TSIGKey, old string) (string, error) {
	var there storedTSIG
	_ = json.Unmarshal([]byte(old), &there)
	sealed, err := s.seal(tsigPlace(name), key.Secret, there.Secret)
	if err != nil {
		return "", err
	}
	return encode(storedTSIG{string(key.Algorithm), sealed}), nil
}

func (s secrets) decodeTSIG(name dns.Name, text string) (dns.TSIGKey, error) {
	var v storedTSIG
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return dns.TSIGKey{}, err
	}
	algorithm, err := dns.ParseName(v.Algorithm)
	if err != nil {
		return dns.TSIGKey{}, err
	}
	secret, err := s.Open(tsigPlace(name), v.Secret)
	if err == nil && secret.IsZero() {
		err = errEmpty
	}
	if err != nil {
		return dns.TSIGKey{}, err
	}
	return dns.TSIGKey{Name: name, Algorithm: algorithm, Secret: secret.Reveal()}, nil
}

// encode writes v, made of texts and numbers, as JSON.
func encode(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // there is nothing in it that could fail
	}
	return string(b)
}
