package auth

import (
	"fmt"
	"strconv"
	"time"

	"redyn/backend/dns"
)

// HostID is the number of a dynamic host: positive, never given to another host.
type HostID int64

// ParseHostID reads a host's number: decimal digits, leading zeros ignored.
func ParseHostID(text string) (HostID, error) {
	for i := 0; i < len(text); i++ {
		if text[i] < '0' || text[i] > '9' {
			return 0, hostIDError(text)
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n == 0 {
		return 0, hostIDError(text)
	}
	return HostID(n), nil
}

func hostIDError(text string) error {
	return fmt.Errorf("host id %.40q is not a positive number", text)
}

func (h HostID) String() string { return strconv.FormatInt(int64(h), 10) }

// Host is a name whose addresses change, known by a number.
type Host struct {
	ID      HostID
	Name    dns.Name
	Policy  HostPolicy
	Created time.Time
	Changed time.Time // last change of its addresses; zero: never
}

// HostPolicy is what an update does to addresses of a family that it does not mention.
type HostPolicy string

// The policies.
const (
	PolicyDefault  HostPolicy = ""         // as the server is set
	PolicyDelete   HostPolicy = "delete"   // they go, as with deSEC
	PolicyPreserve HostPolicy = "preserve" // they stay
)

// ParseHostPolicy reads a policy; "default" is PolicyDefault too.
func ParseHostPolicy(text string) (HostPolicy, error) {
	switch p := HostPolicy(text); p {
	case PolicyDefault, PolicyDelete, PolicyPreserve:
		return p, nil
	case "default":
		return PolicyDefault, nil
	}
	return "", fmt.Errorf("policy %.40q is unknown; expected default, delete or preserve", text)
}
