package auth

import (
	"fmt"
	"strconv"
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
