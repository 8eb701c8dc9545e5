package redisstore

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"redyn/backend/dns"
)

// header is a zone without its records.
type header struct {
	dns.Zone // Serial is 0 until addSerials
	gen      string
	meta     dns.Metadata
}

// zoneFields writes the fields of zone:<id>, all but gen.
func zoneFields(z dns.Zone) []any {
	checked := ""
	if !z.LastCheck.IsZero() {
		checked = strconv.FormatInt(z.LastCheck.Unix(), 10)
	}
	return []any{
		"name", string(z.Name),
		"kind", string(z.Kind),
		"policy", string(z.Policy),
		"notified_serial", strconv.FormatUint(uint64(z.NotifiedSerial), 10),
		"last_check", checked,
		"masters", strings.Join(z.Masters, " "),
		"account", z.Account,
		"created", strconv.FormatInt(z.Created.Unix(), 10),
	}
}

// parseHeader reads the hashes of a zone.
func parseHeader(id dns.ZoneID, fields, meta map[string]string) (*header, error) {
	h := &header{gen: fields["gen"]}
	h.ID, h.Account = id, fields["account"]
	if masters := fields["masters"]; masters != "" {
		h.Masters = strings.Fields(masters)
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
	var e error
	h.Name, e = dns.ParseName(fields["name"])
	note("name", e)
	h.Kind, e = dns.ParseKind(fields["kind"])
	note("kind", e)
	h.Policy, e = dns.ParseSerialPolicy(fields["policy"])
	note("policy", e)
	h.NotifiedSerial = dns.Serial(number("notified_serial", 32))
	if n := number("last_check", 63); n != 0 {
		h.LastCheck = time.Unix(int64(n), 0).UTC()
	}
	if n := number("created", 63); n != 0 {
		h.Created = time.Unix(int64(n), 0).UTC()
	}
	if len(meta) > 0 {
		h.meta = make(dns.Metadata, len(meta))
	}
	for kind, text := range meta {
		h.meta[kind], e = decodeValues(text)
		note("metadata "+kind, e)
	}
	return h, err
}
