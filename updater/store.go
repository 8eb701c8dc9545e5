package updater

import (
	"context"
	"iter"
	"net/netip"
	"time"

	"redyn/auth"
	"redyn/backend/dns"
)

// Zones is what an update asks of the data. All answers come from memory.
type Zones interface {
	// ZoneOf returns the zone that holds name or would hold it; false if there is none, or if it
	// delegates what is above name.
	ZoneOf(name dns.Name) (dns.Zone, bool)
	// Zone returns the zone named name; false if there is none.
	Zone(name dns.Name) (dns.Zone, bool)
	// Zones returns all zones in canonical order.
	Zones() iter.Seq[dns.Zone]
	// List returns all that the zone named name has, in canonical order, with empty answers of
	// dns.TypeENT between. It fails with dns.ErrNotFound if id is not the zone's, or if that is not known.
	List(id dns.ZoneID, name dns.Name) (iter.Seq[dns.Answer], error)
	// Lookup appends what the zone id has at name to dst: of typ, or of all types if it is TypeANY. It
	// fails if that is not known.
	Lookup(dst []dns.Answer, name dns.Name, typ dns.Type, id dns.ZoneID) ([]dns.Answer, error)
}

// Store is what an update asks of hosts and credentials, and what makes the change. Errors that are
// not named are: not known.
type Store interface {
	// Find counts the request against the limits of its source, and tells what is known about it. It
	// asks the primary, in one step.
	Find(ctx context.Context, q auth.Query) (auth.Found, error)
	// Failed counts an authentication that failed, and returns how often that happened lately for what it
	// was meant for, wherever from: a credential, or a name for it that no credential has.
	Failed(ctx context.Context, from netip.Addr, meant string, limit auth.Limit) (int, error)
	// OneTimeToken returns the host's one-time token: the one that there is, or a new one. It fails
	// with dns.ErrNotFound if there is no such host.
	OneTimeToken(ctx context.Context, host auth.HostID, life time.Duration) (string, error)
	// Update makes all of the change, and uses up what belongs to it, or does nothing. It returns once
	// Zones shows the change. It fails with dns.ErrConflict if an expected value is another, with
	// dns.ErrNotFound if there is no such zone, with auth.ErrUsed if something was used up before, and
	// with *auth.LimitError if a host was changed too often. What is as wanted already is no change.
	// If the answer to use.Premise is another by now, it fails with *auth.PremiseError, which tells it.
	Update(ctx context.Context, c dns.Change, use auth.Use) error
	// Used notes that a credential was used. It does not wait.
	Used(credential string, at time.Time)
	// UpgradePassword stores another hash of the same password for a credential.
	UpgradePassword(ctx context.Context, c auth.Credential, hash string) error
}
