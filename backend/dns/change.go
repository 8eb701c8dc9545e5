package dns

import "time"

// Change is what somebody wants changed, in one zone or several: all of it or nothing.
type Change struct {
	// ID names the change in the log. The store gives it one if it is empty.
	ID string
	// Who asks for it, and From where, for the log: a credential's id, an address.
	Who, From string
	Zones     []ZoneChange
	Server    ServerChange
}

// ServerChange is the part of a Change, and of an Entry, that concerns no zone.
type ServerChange struct {
	// TSIG are new keys by name; nil takes one away.
	TSIG map[Name]*TSIGKey
	// Autoprimaries are new accounts of autoprimaries; nil takes one away.
	Autoprimaries map[Autoprimary]*string
}

// ZoneChange is the part of a Change that concerns one zone.
type ZoneChange struct {
	Zone Name
	// RRsets are new values; one without Content is taken away. One that equals what is there
	// changes nothing.
	RRsets []RRset
	// Expect are the values that the change was computed from. If the zone has others, the
	// change fails with ErrConflict.
	Expect []RRset
	// Metadata are new values by kind; one without values is taken away.
	Metadata Metadata
	// Keys are new DNSSEC keys by their number; nil takes one away.
	Keys map[KeyID]*Key
	// Update is what changes of the zone besides its data.
	Update ZoneUpdate
}

// ZoneUpdate are new values of what is known of a zone; nil leaves one as it is.
type ZoneUpdate struct {
	Kind           *Kind
	Policy         *SerialPolicy
	Masters        []string // empty and not nil: none
	Account        *string
	NotifiedSerial *Serial
	LastCheck      *time.Time
}

// Entry is what one change did, as the log tells it to every node.
type Entry struct {
	// ID is the entry's place in the log. Two are only ever compared for equality.
	ID        string
	Change    string
	Who, From string
	Zones     []ZoneEntry
	Server    ServerChange
	// TSIGUnknown says that a TSIG key changed and could not be read.
	TSIGUnknown bool
	// Hosts says of names whether they are a dynamic host's now, or are not any more.
	Hosts map[Name]bool
}

// ZoneEntry is the part of an Entry that concerns one zone. What a field leaves out stayed as it was.
type ZoneEntry struct {
	ID   ZoneID
	Name Name
	// RRsets are the values after the change; one without Content is gone.
	RRsets []RRset
	// Metadata are the values after the change; a kind without values is gone.
	Metadata Metadata
	// Keys are the values after the change; nil is gone.
	Keys map[KeyID]*Key
	// KeysUnknown says that a key of the zone changed and could not be read.
	KeysUnknown bool
	// Zone is what is known of the zone after the change, if that changed.
	Zone *Zone
	// Reload says that the zone's data are to be read again from the store as a whole.
	Reload bool
	// Deleted says that the zone is gone.
	Deleted bool
}
