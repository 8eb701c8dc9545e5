package auth

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"redyn/backend/dns"
)

// Query is what a request has to know from the store before it can be judged. All of it is read from
// the primary, in one step.
type Query struct {
	// From is counted against FromLimit, and its earlier failures against FailureLimit.
	From                    netip.Addr
	FromLimit, FailureLimit Limit
	// TokenHash finds the credential of a token (HashToken); "": none.
	TokenHash string
	// IDs are ids of credentials.
	IDs []string
	// Hosts and HostNames are hosts to tell of; those unknown are left out of the answer.
	Hosts     []HostID
	HostNames []dns.Name
	// ForHosts and ForZones ask for the credentials that grant one of the hosts found, of HostNames, or
	// of these zones, too: for secrets that do not name their credential. Those that grant a name
	// itself come before those that grant what is below a name above it.
	ForHosts bool
	ForZones []dns.Name
	// OneTimeToken asks for the live one-time token of the hosts found.
	OneTimeToken bool
}

// Found is what the store answers to a Query.
type Found struct {
	Credentials []Credential
	Hosts       []Host
	Tokens      map[HostID]string // live one-time tokens
	// Failures is how often authentication failed lately for credentials found, by id, wherever from;
	// counted under a FailureLimit. It is for slowing down, never a reason to refuse.
	Failures map[string]int
	// RetryAfter says when a source that asked or failed too often may come again; then nothing else is
	// told. 0: it did not.
	RetryAfter time.Duration
	// Basis is a digest of what the answer is made of, but for times of use; the store makes it.
	Basis string
}

// Premise is a Query that is not asked, as its answer is remembered: it is asked in the same step as a
// change is made, which is made only if the answer is still made of the same.
type Premise struct {
	Query Query
	Basis string // of what was Found
}

// PremiseError says that the answer to a Premise is another by now. Nothing is used up.
type PremiseError struct{ Found Found }

func (e *PremiseError) Error() string {
	return "what is remembered of credentials or hosts has changed"
}

// Use is what belongs to a change besides the data: it happens together with the change, in one step,
// or not at all.
type Use struct {
	// Hosts are the names that are updated. Each that has an RRset changed counts against
	// HostLimit, and a registered host's time of last change is noted.
	Hosts     []dns.Name
	HostLimit Limit
	// Token is the one-time token of TokenHost, used up even if nothing changes; "": none.
	Token     string
	TokenHost HostID
	// Replay must not be there, and is kept until it expires, even if nothing changes; nil: none.
	Replay *Replay
	// Premise has to hold, and counts as a Query of its own; nil: all was asked.
	Premise *Premise
}

// Limit is how many of something may happen in a time; the zero Limit is none.
type Limit struct {
	Count int
	Per   time.Duration
}

// ErrUsed says that a one-time token or a signature was used before. It is no reason that a client
// may learn: to it, ErrUsed is a denial.
var ErrUsed = errors.New("used before")

// LimitError says that something happened more often than its Limit allows.
type LimitError struct{ RetryAfter time.Duration }

func (e *LimitError) Error() string {
	return fmt.Sprintf("too many; try again in %s", e.RetryAfter.Round(time.Second))
}
