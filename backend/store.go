package backend

import (
	"context"
	"errors"
	"iter"

	"redyn/backend/dns"
)

// Store is what the writing methods ask of the data. Each returns once it is done for good and Zones
// shows it, or says that it was not done. Names, records and keys given to it may be kept.
type Store interface {
	// Apply makes all of the change or nothing. It fails with dns.ErrConflict if an expected value is
	// another, and with dns.ErrNotFound if there is no such zone. What is as wanted already is no change.
	Apply(ctx context.Context, c dns.Change) error
	// CreateZone creates a zone without records. It fails with dns.ErrExists if it is there.
	CreateZone(ctx context.Context, z dns.Zone, who, from string) error
	// NextKeyID returns a number for a new key of a zone, which no other key of it has or had.
	NextKeyID(ctx context.Context, zone dns.Name) (dns.KeyID, error)
	// BeginReplace begins to replace all records of a zone.
	BeginReplace(ctx context.Context, zone dns.Name, who, from string) (Replacement, error)
}

// Replacement are the records on their way to replace those of a zone. Nobody else sees them before
// Commit. Its methods are called one after the other.
type Replacement interface {
	// Add adds records. Those of an RRset may come in pieces, of which the first says what the TTL is;
	// one that is there already is no second. Mostly it only keeps them, to send many at once.
	Add(ctx context.Context, sets ...dns.RRset) error
	// Lookup returns what was added at name.
	Lookup(ctx context.Context, name dns.Name) ([]dns.RRset, error)
	// RRsets yields all that was added, in any order; it may yield an RRset twice.
	RRsets(ctx context.Context) iter.Seq2[dns.RRset, error]
	// Commit puts what was added, be it nothing, in the place of the zone's records.
	Commit(ctx context.Context) error
	// Abandon forgets what was added.
	Abandon(ctx context.Context)
}

// who asks for changes, in the log.
const who = "powerdns"

// apply makes a change of one zone.
func (b *Backend) apply(ctx context.Context, p *params, z dns.ZoneChange) error {
	return b.change(ctx, p, dns.Change{Zones: []dns.ZoneChange{z}})
}

func (b *Backend) change(ctx context.Context, p *params, c dns.Change) error {
	c.Who, c.From = who, p.from.peer()
	return told(b.Store.Apply(ctx, c))
}

// told makes a fault of what the store knows of an error, so that whoever asked is told.
func told(err error) error {
	for _, known := range []error{dns.ErrConflict, dns.ErrNotFound, dns.ErrExists, dns.ErrLost} {
		if errors.Is(err, known) {
			return &fault{statusUnavailable, err.Error()}
		}
	}
	return err
}
