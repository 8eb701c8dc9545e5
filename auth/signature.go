package auth

import (
	"cmp"
	"encoding/base64"
	"strings"
)

// maxSignatureText is room for the signature of an RSA key of maxRSABits in base64, wrapped.
const maxSignatureText = 2048

// Signed is a signed update as a client sends it.
type Signed struct {
	Host HostID
	// Name is the host's name as the client gives it in the path; empty if it gives the number.
	Name string
	// Token is the host's one-time token that the store holds now; empty if there is none.
	Token string
	// IP is the address in the text that the client sent, or the caller's if it sent none.
	IP string
	// Signature is the text of the signature as it was sent.
	Signature string
}

// Message is what the client signed: token|host|address and a line feed.
func (s Signed) Message() []byte {
	return []byte(s.Token + "|" + cmp.Or(s.Name, s.Host.String()) + "|" + s.IP + "\n")
}

// Signature verifies a signed update against the candidates that are public keys. A denial leaves
// the token; after success it must be consumed together with the change.
//
// A denial takes the time of one verification with each class of key, whatever the reason.
func (v *Verifier) Signature(candidates []Credential, s Signed, r Request) (Verified, error) {
	var f findings
	signature, ok := decodeSignature(s.Signature)
	if !ok || strings.ContainsAny(s.Name+s.IP, "|\n") || s.Host <= 0 {
		f.Reason = ReasonMalformed
		return Verified{}, f.denial()
	}
	message := s.Message()
	var tried [classes]bool
	for _, a := range attempts(candidates, PublicKey, r) {
		key, err := ParsePublicKey(a.c.verifier)
		if err != nil {
			continue
		}
		tried[key.class] = true
		switch {
		case !key.Verify(message, signature):
			f.mismatch(a.c)
		case a.reason != "":
			f.refused(a.c, a.reason)
		case s.Token != "":
			return Verified{Credential: *a.c}, nil
		}
	}
	for class, done := range tried {
		if !done {
			verifyForNobody(dummyKeys[class], message, signature)
		}
	}
	if s.Token == "" {
		f.Reason = ReasonNoToken
	}
	return Verified{}, f.denial()
}

// verifyForNobody does what is done with a stored key: it is read and applied.
func verifyForNobody(pem string, message, signature []byte) {
	if key, err := ParsePublicKey(pem); err == nil {
		key.Verify(message, signature)
	}
}

// decodeSignature reads base64 however a client's tools mangle it: wrapped (base64 of coreutils),
// plus signs become spaces (sent without URL encoding), the URL alphabet, padded or not.
func decodeSignature(text string) ([]byte, bool) {
	if len(text) > 2*maxSignatureText {
		return nil, false
	}
	text = strings.Map(func(c rune) rune {
		switch c {
		case '\t', '\n', '\v', '\f', '\r':
			return -1
		case ' ', '-':
			return '+'
		case '_':
			return '/'
		}
		return c
	}, text)
	// Nothing but white space can follow the padding.
	if end := strings.IndexByte(text, '='); end >= 0 {
		padding := strings.TrimRight(text[end:], "+")
		if padding != "=" && padding != "==" || (end+len(padding))%4 != 0 {
			return nil, false
		}
		text = text[:end]
	}
	signature, err := base64.RawStdEncoding.DecodeString(text)
	return signature, err == nil && len(signature) > 0
}
