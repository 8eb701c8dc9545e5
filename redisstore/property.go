package redisstore

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"redyn/backend/dns"
)

// Fields of zone:<id> that a change may give new values; the log tells all of them if one changed.
const (
	fieldKind     = "kind"
	fieldPolicy   = "policy"
	fieldNotified = "notified_serial"
	fieldChecked  = "last_check"
	fieldMasters  = "masters"
	fieldAccount  = "account"
)

// zoneFields writes the fields of zone:<id> but for gen and last_key.
func zoneFields(z dns.Zone) []any {
	return []any{
		"name", string(z.Name),
		fieldKind, string(z.Kind),
		fieldPolicy, string(z.Policy),
		fieldNotified, serialText(z.NotifiedSerial),
		fieldChecked, timeText(z.LastCheck),
		fieldMasters, strings.Join(z.Masters, " "),
		fieldAccount, z.Account,
		"created", timeText(z.Created),
	}
}

// updateFields writes the fields that u gives new values.
func updateFields(u dns.ZoneUpdate) (fields []any, err error) {
	if u.Kind != nil {
		kind, err := dns.ParseKind(string(*u.Kind))
		if err != nil {
			return nil, err
		}
		fields = append(fields, fieldKind, string(kind))
	}
	if u.Policy != nil {
		policy, err := dns.ParseSerialPolicy(string(*u.Policy))
		if err != nil {
			return nil, err
		}
		fields = append(fields, fieldPolicy, string(policy))
	}
	if u.Masters != nil {
		if err := checkMasters(u.Masters); err != nil {
			return nil, err
		}
		fields = append(fields, fieldMasters, strings.Join(u.Masters, " "))
	}
	if u.Account != nil {
		fields = append(fields, fieldAccount, *u.Account)
	}
	if u.NotifiedSerial != nil {
		fields = append(fields, fieldNotified, serialText(*u.NotifiedSerial))
	}
	if u.LastCheck != nil {
		fields = append(fields, fieldChecked, timeText(*u.LastCheck))
	}
	return fields, nil
}

// checkMasters refuses what would not be read again as it was.
func checkMasters(masters []string) error {
	for _, m := range masters {
		if len(strings.Fields(m)) != 1 || strings.TrimSpace(m) != m {
			return fmt.Errorf("primary %q is empty or has spaces in it", m)
		}
	}
	return nil
}

func serialText(s dns.Serial) string { return strconv.FormatUint(uint64(s), 10) }

// timeText writes seconds since 1970; a time before that is none.
func timeText(t time.Time) string {
	if t.Unix() <= 0 {
		return ""
	}
	return strconv.FormatInt(t.Unix(), 10)
}

// parseZone reads the fields of zone:<id>. The Serial is not among them.
func parseZone(id dns.ZoneID, fields map[string]string) (dns.Zone, error) {
	z := dns.Zone{ID: id, Account: fields[fieldAccount]}
	if masters := fields[fieldMasters]; masters != "" {
		z.Masters = strings.Fields(masters)
	}
	var err error
	note := func(what string, e error) {
		if e != nil && err == nil {
			err = fmt.Errorf("%s of zone %d: %w", what, id, e)
		}
	}
	number := func(what string, bits int) uint64 {
		if fields[what] == "" {
			return 0
		}
		n, e := strconv.ParseUint(fields[what], 10, bits)
		note(what, e)
		return n
	}
	at := func(what string) (t time.Time) {
		if n := number(what, 63); n != 0 {
			t = time.Unix(int64(n), 0).UTC()
		}
		return t
	}
	var e error
	z.Name, e = dns.ParseName(fields["name"])
	note("name", e)
	z.Kind, e = dns.ParseKind(fields[fieldKind])
	note(fieldKind, e)
	z.Policy, e = dns.ParseSerialPolicy(fields[fieldPolicy])
	note(fieldPolicy, e)
	z.NotifiedSerial = dns.Serial(number(fieldNotified, 32))
	z.LastCheck, z.Created = at(fieldChecked), at("created")
	return z, err
}
