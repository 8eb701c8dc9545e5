package dns

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Serial is a zone's serial number; it has the arithmetic of RFC 1982.
type Serial uint32

// Less reports whether s comes before o (RFC 1982 section 3.2); where that is undefined, half the
// circle apart, neither comes before the other.
func (s Serial) Less(o Serial) bool { return int32(s-o) < 0 && s-o != 1<<31 }

// SerialPolicy says how a change raises the serial.
type SerialPolicy string

// The policies. Whatever the clock says, the new serial always follows the old one.
const (
	// SerialUnixTime makes it the seconds since 1970, or one more than before if that is later.
	SerialUnixTime SerialPolicy = "unixtime"
	// SerialIncrement makes it one more than before.
	SerialIncrement SerialPolicy = "increment"
	// SerialDate makes it YYYYMMDD00 (UTC), or one more than before if that is later.
	SerialDate SerialPolicy = "date"
)

// ParseSerialPolicy reads a policy's name; the empty text is SerialUnixTime.
func ParseSerialPolicy(text string) (SerialPolicy, error) {
	switch p := SerialPolicy(text); p {
	case "":
		return SerialUnixTime, nil
	case SerialUnixTime, SerialIncrement, SerialDate:
		return p, nil
	}
	return "", fmt.Errorf("serial policy %q is unknown; expected unixtime, increment or date", text)
}

// Floor returns the least serial that the policy wants for a change at the time now; 0 is none.
func (p SerialPolicy) Floor(now time.Time) Serial {
	switch p {
	case SerialIncrement:
		return 0
	case SerialDate:
		y, m, d := now.UTC().Date()
		return Serial(((y*100+int(m))*100 + d) * 100)
	}
	return Serial(now.Unix())
}

// Next returns the serial that follows old in a change at the time now.
func (p SerialPolicy) Next(old Serial, now time.Time) Serial {
	if floor := p.Floor(now); p != SerialIncrement && old.Less(floor) {
		return floor
	}
	return old + 1
}

// SOA is the content of a SOA record (RFC 1035 section 3.3.13). MName and RName stay as they are
// written; times are in seconds.
type SOA struct {
	MName, RName                    string
	Serial                          Serial
	Refresh, Retry, Expire, Minimum uint32
}

// ParseSOA reads the content of a SOA record.
func ParseSOA(content string) (SOA, error) {
	f := strings.Fields(content)
	if len(f) != 7 {
		return SOA{}, fmt.Errorf("SOA %q has %d fields; expected 7: primary mailbox serial refresh retry expire minimum", content, len(f))
	}
	var n [5]uint32
	for i, text := range f[2:] {
		v, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			return SOA{}, fmt.Errorf("SOA %q: %q is no number from 0 to 4294967295", content, text)
		}
		n[i] = uint32(v)
	}
	return SOA{f[0], f[1], Serial(n[0]), n[1], n[2], n[3], n[4]}, nil
}

func (s SOA) String() string {
	return fmt.Sprintf("%s %s %d %d %d %d %d", s.MName, s.RName, s.Serial, s.Refresh, s.Retry, s.Expire, s.Minimum)
}
