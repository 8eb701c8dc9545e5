package auth

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/goccy/go-json"

	"redyn/backend/dns"
)

// wireCredential is a Credential as it is written, its fields in that order.
type wireCredential struct {
	ID       string     `json:"id"`
	Kind     string     `json:"kind"`
	Hosts    []wireArea `json:"hosts,omitempty"`
	Zones    []wireArea `json:"zones,omitempty"`
	Types    []string   `json:"types,omitempty"`
	Networks []string   `json:"networks,omitempty"`
	Expires  *wireTime  `json:"expires,omitempty"`
	ReadOnly bool       `json:"read_only,omitempty"`
	Revoked  bool       `json:"revoked,omitempty"`
	Created  *wireTime  `json:"created,omitempty"`
	LastUse  *wireTime  `json:"last_use,omitempty"`
	Detail   string     `json:"detail,omitempty"`
	Verifier string     `json:"verifier,omitempty"`
}

type wireArea struct {
	Host  HostID `json:"host,omitempty"`
	Name  string `json:"name"`
	Below bool   `json:"below,omitempty"`
}

// wireTime is written in UTC and whole seconds.
type wireTime time.Time

func (t wireTime) MarshalText() ([]byte, error) {
	return time.Time(t).UTC().AppendFormat(nil, time.RFC3339), nil
}

func (t *wireTime) UnmarshalText(text []byte) error {
	parsed, err := time.Parse(time.RFC3339, string(text))
	if err != nil {
		return err
	}
	parsed = parsed.Truncate(time.Second).UTC()
	*t = wireTime(parsed)
	return checkTime(parsed)
}

// checkTime allows what RFC 3339 can write, and nothing that could be taken for the zero time.
func checkTime(t time.Time) error {
	if year := t.UTC().Year(); year < 1970 || year > 9999 {
		return fmt.Errorf("the year %d is out of range", year)
	}
	return nil
}

func newWireTime(t time.Time) *wireTime {
	if t.IsZero() {
		return nil
	}
	return (*wireTime)(&t)
}

func (t *wireTime) time() time.Time {
	if t == nil {
		return time.Time{}
	}
	return time.Time(*t)
}

// Encode writes the credential for a store, with its verifier: one line of JSON, the same for equal
// credentials. It fails if DecodeCredential would not read it.
func (c Credential) Encode() ([]byte, error) {
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("encode credential: %w", err)
	}
	w := c.wire()
	w.Verifier = c.verifier
	return json.Marshal(w)
}

// MarshalJSON writes the credential for people, without the verifier.
func (c Credential) MarshalJSON() ([]byte, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	w := c.wire()
	w.Detail = c.Detail()
	return json.Marshal(w)
}

func (c *Credential) wire() wireCredential {
	g := c.Grant.ordered()
	w := wireCredential{
		ID: c.ID, Kind: string(c.Kind), Hosts: wireAreas(g.Hosts), Zones: wireAreas(g.Zones),
		Expires: newWireTime(c.Expires), ReadOnly: c.ReadOnly, Revoked: c.Revoked,
		Created: newWireTime(c.Created), LastUse: newWireTime(c.LastUse),
	}
	for _, t := range g.Types {
		w.Types = append(w.Types, t.String())
	}
	for _, p := range g.Networks {
		w.Networks = append(w.Networks, p.String())
	}
	return w
}

func wireAreas(areas []Area) []wireArea {
	var list []wireArea
	for _, a := range areas {
		list = append(list, wireArea{a.Host, string(a.Name), a.Below})
	}
	return list
}

// DecodeCredential reads what Encode wrote. It fails for a field that it does not know: that may
// be a limit, set by a later version, which must not be overlooked.
func DecodeCredential(text []byte) (Credential, error) {
	var w wireCredential
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	err := d.Decode(&w)
	if err == nil {
		if _, err = d.Token(); err == io.EOF {
			err = nil
		} else {
			err = fmt.Errorf("more than one value")
		}
	}
	var c Credential
	if err == nil {
		c, err = w.credential()
	}
	if err == nil {
		err = c.check()
	}
	if err != nil {
		return Credential{}, fmt.Errorf("decode credential: %w", err)
	}
	return c, nil
}

func (w *wireCredential) credential() (Credential, error) {
	c := Credential{
		ID: w.ID, Kind: Kind(w.Kind), Expires: w.Expires.time(), ReadOnly: w.ReadOnly, Revoked: w.Revoked,
		Created: w.Created.time(), LastUse: w.LastUse.time(), verifier: w.Verifier,
	}
	var err error
	if c.Grant.Hosts, err = parseAreas(w.Hosts); err != nil {
		return c, err
	}
	if c.Grant.Zones, err = parseAreas(w.Zones); err != nil {
		return c, err
	}
	for _, text := range w.Types {
		t, err := dns.ParseType(text)
		if err != nil {
			return c, err
		}
		c.Grant.Types = append(c.Grant.Types, t)
	}
	for _, text := range w.Networks {
		p, err := ParseNetwork(text)
		if err != nil {
			return c, err
		}
		c.Grant.Networks = append(c.Grant.Networks, p)
	}
	c.Grant = c.Grant.ordered()
	return c, nil
}

func parseAreas(list []wireArea) ([]Area, error) {
	var areas []Area
	for _, w := range list {
		name, err := dns.ParseName(w.Name)
		if err != nil {
			return nil, err
		}
		areas = append(areas, Area{w.Host, name, w.Below})
	}
	return areas, nil
}

// check finds what cannot be written or read again.
func (c *Credential) check() error {
	if err := checkID(c.ID); err != nil {
		return err
	}
	if _, err := ParseKind(string(c.Kind)); err != nil {
		return err
	}
	for _, t := range []time.Time{c.Expires, c.Created, c.LastUse} {
		if err := checkTime(t); err != nil && !t.IsZero() {
			return fmt.Errorf("credential %s: %w", c.ID, err)
		}
	}
	if err := c.checkVerifier(); err != nil {
		return fmt.Errorf("credential %s: %w", c.ID, err)
	}
	if err := c.Grant.check(); err != nil {
		return fmt.Errorf("credential %s: %w", c.ID, err)
	}
	return nil
}

func (c *Credential) checkVerifier() error {
	switch c.Kind {
	case Token:
		var sum [32]byte
		n, err := hex.Decode(sum[:], []byte(c.verifier[:min(len(c.verifier), 2*len(sum))]))
		if err != nil || n != len(sum) || len(c.verifier) != 2*len(sum) || strings.ToLower(c.verifier) != c.verifier {
			return fmt.Errorf("the token's hash is not 64 hex digits")
		}
	case Password:
		_, err := parseHash(c.verifier)
		return err
	case PublicKey:
		_, err := ParsePublicKey(c.verifier)
		return err
	case HMAC:
		if c.verifier == "" || !utf8.ValidString(c.verifier) {
			return fmt.Errorf("the hmac secret is missing or no text")
		}
	}
	return nil
}

// check finds what was put together without parsing.
func (g *Grant) check() error {
	for _, areas := range [][]Area{g.Hosts, g.Zones} {
		for _, a := range areas {
			if name, err := dns.ParseName(string(a.Name)); err != nil || name != a.Name || a.Host < 0 {
				return fmt.Errorf("granted name %.80q, host %d is not valid", a.Name, a.Host)
			}
		}
	}
	for _, t := range g.Types {
		if t.IsMeta() && t != dns.TypeANY {
			return fmt.Errorf("granted type %v is never a record's", t)
		}
	}
	for _, p := range g.Networks {
		plain, err := plainNetwork(p)
		if err != nil || !p.IsValid() || p.Addr().Zone() != "" {
			return fmt.Errorf("granted network %v is not valid", p)
		}
		if plain != p {
			return fmt.Errorf("granted network %v is to be written %v", p, plain)
		}
	}
	return nil
}
