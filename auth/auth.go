// Package auth says who may change what: credentials, their grants, and how a request proves that
// it holds one. It speaks no HTTP, knows no store and does no I/O but to read random bytes; the
// time is a parameter everywhere.
//
// # Credentials
//
// A [Credential] belongs to hosts or zones ([Grant]) and is of one [Kind]. NewTokenCredential,
// NewPasswordCredential, NewPublicKeyCredential and NewHMACCredential make one with what verifies
// its secret; the caller adds grant, expiry and so on. [Credential.Encode] and [DecodeCredential]
// are the form in which a store keeps it, while encoding/json shows it to people, without that
// verifier. A store finds a token's credential by [Credential.TokenHash], an hmac key's by its id,
// all others by host, zone or id. Whatever is [Secret] prints as REDACTED until Reveal is called.
//
// # Verification
//
// A [Verifier] is shared by all requests of a process. The caller brings the candidates that the
// store found, none if it found none, and a [Request] that says who asks for what:
//
//	Secret     a token or a password, as Basic or a query carries it
//	Token      a secret that can only be a token
//	Signature  a one-time token signed with a host's key
//	HMAC       a request signed with a shared secret
//
// Each returns [Verified], or an error for which errors.Is(err, ErrDenied) holds, or the failure of
// something else (an ended context, a secret sealed under a key that is missing), which must never
// be taken for a denial. Unknown, wrong, revoked, expired, wrong network, wrong name and wrong type
// are one error with one text and take one time; the reason is in [Denial] for the audit log and
// nowhere else. The time is alike only if the request says at once what it would change: put
// the targets into Request if they are known beforehand, else ask [Credential.Check] later.
//
// # Secrets at rest
//
// A [Sealer] keeps secrets that must be readable again (hmac secrets, DNSSEC keys, TSIG secrets)
// encrypted and bound to their place.
package auth

import (
	"errors"
	"log/slog"
)

// ErrDenied is all that a caller without the right to do something may learn.
var ErrDenied = errors.New("denied")

// ErrSkew is the one denial that says why: the signed time of an HMAC is too far from ours. Errors
// that are ErrSkew are ErrDenied too.
var ErrSkew = errors.New("signed time too far from the clock")

// Reason says why something was denied; for the audit log alone.
type Reason string

// The reasons of a Denial.
const (
	ReasonUnknown   Reason = "unknown credential"
	ReasonSecret    Reason = "wrong secret"
	ReasonMalformed Reason = "malformed"
	ReasonRevoked   Reason = "revoked"
	ReasonExpired   Reason = "expired"
	ReasonNetwork   Reason = "network not granted"
	ReasonReadOnly  Reason = "read-only"
	ReasonUser      Reason = "user name of another host"
	ReasonName      Reason = "name not granted"
	ReasonType      Reason = "type not granted"
	ReasonNoToken   Reason = "no one-time token"
	ReasonSkew      Reason = "clock skew"
)

// Denial is an ErrDenied with its true reason. Its text is always ErrDenied's (or ErrSkew's); a
// slog.Logger writes the reason.
type Denial struct {
	Reason Reason
	// Credential is the id of the credential that was looked at last, if any.
	Credential string
}

func (d *Denial) Error() string {
	if d.Reason == ReasonSkew {
		return ErrSkew.Error()
	}
	return ErrDenied.Error()
}

// Is makes every Denial ErrDenied, and those for skew ErrSkew too.
func (d *Denial) Is(target error) bool {
	return target == ErrDenied || target == ErrSkew && d.Reason == ReasonSkew
}

// LogValue is what the audit log gets.
func (d *Denial) LogValue() slog.Value {
	return slog.GroupValue(slog.String("reason", string(d.Reason)), slog.String("key", d.Credential))
}

// ReasonOf returns why err denied something; the empty Reason if it is no denial.
func ReasonOf(err error) Reason {
	var d *Denial
	if errors.As(err, &d) {
		return d.Reason
	}
	return ""
}
