package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
)

// SkewText is what a client is told whose signed time is too far from ours (ErrSkew).
const SkewText = "Client clock skew is greater than maximum allowed."

// MaxSkew is how far a signed time may be from ours, either way.
const MaxSkew = 300 * time.Second

// replayLife is how long after the signed time a signature is remembered: MaxSkew and some room for
// clocks of nodes that differ.
const replayLife = MaxSkew + 30*time.Second

// scheme is that of the Authorization header.
const scheme = "CONEXIM"

// HMACSignature is what the headers of a signed request say.
type HMACSignature struct {
	KeyID string
	time  string // as it was sent, since that was signed
	unix  int64
	// digest is the same for both ways to write it, which the replay cache relies on.
	digest [sha256.Size]byte
	hex    bool
}

// IsHMAC reports whether an Authorization header is of this scheme, well formed or not.
func IsHMAC(authorization string) bool {
	word, _, _ := strings.Cut(authorization, " ")
	return strings.EqualFold(word, scheme)
}

// ParseHMAC reads the headers Authorization, "CONEXIM key:signature", and Conexim-Time, Unix time
// in decimal. The signature is the base64 of the digest, or of its 64 hex digits.
func ParseHMAC(authorization, conexim string) (HMACSignature, error) {
	s := HMACSignature{time: conexim}
	word, rest, _ := strings.Cut(authorization, " ")
	rest = strings.Trim(rest, " ")
	colon := strings.LastIndexByte(rest, ':')
	if !strings.EqualFold(word, scheme) || colon < 0 {
		return s, &Denial{Reason: ReasonMalformed}
	}
	s.KeyID = rest[:colon]
	if checkID(s.KeyID) != nil {
		s.KeyID = ""
		return s, &Denial{Reason: ReasonMalformed}
	}
	const mostDigits = 12
	if !s.parseDigest(rest[colon+1:]) ||
		conexim == "" || len(conexim) > mostDigits || strings.Trim(conexim, "0123456789") != "" {
		return s, &Denial{Reason: ReasonMalformed}
	}
	s.unix, _ = strconv.ParseInt(conexim, 10, 64)
	return s, nil
}

func (s *HMACSignature) parseDigest(text string) bool {
	const (
		rawLen = 44
		hexLen = 88
	)
	if len(text) != rawLen && len(text) != hexLen || strings.ContainsAny(text, "\r\n") {
		return false
	}
	digest, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return false
	}
	if s.hex = len(text) == hexLen; s.hex {
		if len(digest) != hex.EncodedLen(sha256.Size) {
			return false
		}
		if digest, err = hex.DecodeString(string(digest)); err != nil {
			return false
		}
	}
	return copy(s.digest[:], digest) == len(s.digest) && len(digest) == len(s.digest)
}

// HMACRequest is the part of a request that is signed.
type HMACRequest struct {
	Method string // in upper case
	Path   string // as it was sent, undecoded, without the query
	// Params are those of the query and of the body together. What is done must be read from
	// these, not from another reading of the request.
	Params []Param
}

// Sign returns the signature for Authorization, and the text of Conexim-Time, as a client sends them.
func (q HMACRequest) Sign(keyID string, secret Secret, now time.Time) (authorization, conexim string) {
	conexim = strconv.FormatInt(now.Unix(), 10)
	digest := hmacOf(secret, q.stringToSign(keyID, conexim, encodings[0].encode(sortParams(q.Params))))
	return scheme + " " + keyID + ":" + base64.StdEncoding.EncodeToString(digest[:]), conexim
}

func (q HMACRequest) stringToSign(keyID, conexim, params string) string {
	return keyID + "\n" + conexim + "\n" + q.Method + "\n" + q.Path + "\n" + params
}

func hmacOf(secret Secret, text string) (digest [sha256.Size]byte) {
	h := hmac.New(sha256.New, []byte(secret.Reveal()))
	h.Write([]byte(text))
	h.Sum(digest[:0])
	return digest
}

// signedBy reports whether the signature is that of one way to encode the request's parameters. For
// a request that only reads, one over no parameters does too.
func (q HMACRequest) signedBy(secret Secret, s HMACSignature, reads bool) bool {
	sorted := sortParams(q.Params)
	texts := make([]string, 1, len(encodings)+1)
	texts[0] = encodings[0].encode(sorted)
	if differ(sorted) {
		for _, e := range encodings[1:] {
			texts = append(texts, e.encode(sorted))
		}
	}
	if reads && len(sorted) > 0 {
		texts = append(texts, "")
	}
	ok := false
	for _, params := range texts {
		digest := hmacOf(secret, q.stringToSign(s.KeyID, s.time, params))
		if hmac.Equal(digest[:], s.digest[:]) {
			ok = true
		}
	}
	return ok
}

// Replay is a signature that must not be taken twice.
type Replay struct {
	// Key names it: the credential's id, a colon, and the base64 of the digest, however it
	// was written in the request.
	Key string
	// Expires is when it can be forgotten, since its time will have passed on every node.
	Expires time.Time
}

func (s HMACSignature) replay() *Replay {
	return &Replay{
		Key:     s.KeyID + ":" + base64.StdEncoding.EncodeToString(s.digest[:]),
		Expires: time.Unix(s.unix, 0).Add(replayLife),
	}
}

// HMAC verifies a signed request against the candidate of that kind with the signature's key id.
// A request that changes something must store Verified.Replay together with the change. A denial names
// a key id only if it is a candidate's: people mix it up with the secret.
func (v *Verifier) HMAC(candidates []Credential, s HMACSignature, q HMACRequest, r Request) (Verified, error) {
	var f findings
	c, secret := (*Credential)(nil), v.dummy.secret
	for i := range candidates {
		if candidates[i].Kind == HMAC && candidates[i].ID == s.KeyID {
			c = &candidates[i]
			f.Credential = c.ID
		}
	}
	if skew := r.Now.Unix() - s.unix; skew > int64(MaxSkew/time.Second) || skew < -int64(MaxSkew/time.Second) {
		f.Reason = ReasonSkew
		return Verified{}, f.denial()
	}
	if s.hex && v.options.RawDigestOnly || strings.ContainsAny(q.Method+q.Path, "\n") || len(q.Params) > maxParams {
		f.Reason = ReasonMalformed
		return Verified{}, f.denial()
	}
	if c != nil {
		var err error
		if secret, err = v.options.Sealer.Open(secretPlace(c.ID), c.verifier); err != nil {
			return Verified{}, err
		}
	}
	ok := q.signedBy(secret, s, r.Reads)
	switch {
	case c == nil:
		return Verified{}, f.denial()
	case !ok:
		f.mismatch(c)
		return Verified{}, f.denial()
	}
	if reason := c.refuse(r); reason != "" {
		f.refused(c, reason)
		return Verified{}, f.denial()
	}
	return Verified{Credential: *c, Replay: s.replay()}, nil
}
