package dns

import (
	"fmt"
	"time"
)

// ZoneID is the number by which PowerDNS knows a zone: positive, never given to another zone.
type ZoneID int32

// AnyZone in a question limits it to no zone.
const AnyZone ZoneID = -1

// Kind is how PowerDNS treats a zone; the texts are the remote backend's.
type Kind string

// The kinds that the remote backend knows.
const (
	Native Kind = "native"
	Master Kind = "master"
	Slave  Kind = "slave"
)

// ParseKind reads a kind; the empty text is Native, and primary and secondary are understood too.
func ParseKind(text string) (Kind, error) {
	switch text {
	case "", "native":
		return Native, nil
	case "master", "primary":
		return Master, nil
	case "slave", "secondary":
		return Slave, nil
	}
	return "", fmt.Errorf("kind %q is unknown; expected native, master or slave", text)
}

// Zone is what is known of a zone besides its records.
type Zone struct {
	ID             ZoneID
	Name           Name
	Kind           Kind
	Policy         SerialPolicy
	Serial         Serial // of the SOA; 0 if there is none
	NotifiedSerial Serial
	LastCheck      time.Time // zero: never
	Masters        []string  // IP or IP:PORT
	Account        string
	Created        time.Time
	Unknown        bool // it is there, but could not be read: no more than ID and Name are known of it
}

// Metadata is a zone's domain metadata: values by kind. A kind without values is not there.
type Metadata map[string][]string

// ZoneData is all that is known of a zone but its records.
type ZoneData struct {
	Zone     Zone // the Serial is the records'
	Metadata Metadata
	Keys     []Key
	// KeysUnknown says that there are keys that could not be read: the zone must not be taken for
	// one without.
	KeysUnknown bool
}

// ServerData is what PowerDNS may ask for that belongs to no zone.
type ServerData struct {
	TSIG          []TSIGKey
	TSIGUnknown   bool // there are keys that could not be read
	Autoprimaries map[Autoprimary]string
	// Hosts are the names of dynamic hosts, if whoever reads them is to know.
	Hosts map[Name]struct{}
}
