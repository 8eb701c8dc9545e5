package redisstore

import (
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"

	"redyn/backend/dns"
)

//go:embed apply.lua
var applyLua string

var applyScript = newScript(applyLua)

// Bounds of one change and of its entry in the log.
const (
	maxChangeZones = 500
	maxEntryBytes  = 64 << 10
)

// Result says what a change has come to.
type Result struct {
	// ID is the change's entry in the log; empty if nothing had to be changed.
	ID string
	// Serials are the new serials of the zones whose SOA changed.
	Serials map[dns.Name]dns.Serial

	at    string       // the newest entry of the log when the change was done
	zones []dns.ZoneID // that the change concerns
}

// Apply makes all of the change or nothing. RRsets and metadata that are as wanted already are left
// alone; if all are, nothing is written. A zone's serial is raised once by its policy, unless the
// change brings a SOA of its own, changes nothing but metadata, or the zone is a slave.
//
// It fails with dns.ErrConflict if an expected value is another, with dns.ErrNotFound if there is
// no such zone, with dns.ErrLost if the store has lost its data set. After any other error it may
// be that the change was made: that is so if the error says it is not known.
func (s *Store) Apply(ctx context.Context, c dns.Change) (Result, error) {
	if len(c.Zones) > maxChangeZones {
		return Result{}, fmt.Errorf("apply change: it touches %d zones; at most %d can be", len(c.Zones), maxChangeZones)
	}
	if err := checkKept(c); err != nil {
		return Result{}, fmt.Errorf("apply change: %w", err)
	}
	pairs, err := changePairs(c.Zones)
	if err != nil {
		return Result{}, fmt.Errorf("apply change: %w", err)
	}
	o := origin{cmp.Or(c.ID, randomID(8)), c.Who, c.From}
	var r reply
	var zones []dns.ZoneID
	for range staleTries {
		refs, err := s.refsOf(ctx, c.Zones)
		if err != nil {
			return Result{}, fmt.Errorf("apply change: %w", err)
		}
		zones = zones[:0]
		for _, at := range refs {
			zones = append(zones, at.id)
		}
		keys, args := s.applyArgs(c.Zones, refs, pairs)
		if r, err = s.run(ctx, applyScript, o, keys, args); err != nil {
			return Result{}, fmt.Errorf("apply change: %w", err)
		}
		if !r.stale() {
			break
		}
		s.forget(c.Zones)
	}
	return r.result("apply change", zones)
}

// staleTries is how often a script is sent with zones looked up anew.
const staleTries = 4

func (s *Store) applyArgs(zones []dns.ZoneChange, refs []ref, pairs [][]any) (keys []string, args []any) {
	now := s.o.Now()
	keys = make([]string, 0, 3*len(zones))
	args = append(make([]any, 0, 16),
		uint32(dns.SerialUnixTime.Floor(now)), uint32(dns.SerialDate.Floor(now)), maxEntryBytes, len(zones))
	for i, z := range zones {
		at := refs[i]
		keys = append(keys, s.keys.zone(at.id), s.keys.rr(at.id, at.gen), s.keys.meta(at.id))
		args = append(args, string(z.Zone), idText(at.id), at.gen)
		args = append(args, pairs[i]...)
	}
	return keys, args
}

// checkKept refuses a change with parts for which the store has no keys.
func checkKept(c dns.Change) error {
	if len(c.Server.TSIG)+len(c.Server.Autoprimaries) > 0 {
		return errors.New("TSIG keys and autoprimaries are not kept")
	}
	for _, z := range c.Zones {
		if len(z.Keys) > 0 || !reflect.ValueOf(z.Update).IsZero() {
			return fmt.Errorf("zone %s: only RRsets and metadata can be changed", z.Zone)
		}
	}
	return nil
}

// changePairs writes what each zone's part of a change holds, as apply.lua reads it.
func changePairs(zones []dns.ZoneChange) ([][]any, error) {
	all := make([][]any, len(zones))
	seen := make(map[dns.Name]bool, len(zones))
	for i, z := range zones {
		if seen[z.Zone] {
			return nil, fmt.Errorf("zone %s stands in it twice", z.Zone)
		}
		seen[z.Zone] = true
		args := make([]any, 0, 3+2*(len(z.Expect)+len(z.RRsets)+len(z.Metadata)))
		for _, sets := range [][]dns.RRset{z.Expect, z.RRsets} {
			var err error
			if args, err = appendSets(args, z.Zone, sets); err != nil {
				return nil, err
			}
		}
		args = append(args, len(z.Metadata))
		for _, kind := range slices.Sorted(maps.Keys(z.Metadata)) {
			args = append(args, kind, encodeValues(z.Metadata[kind]))
		}
		all[i] = args
	}
	return all, nil
}

// appendSets appends the number of RRsets and each one's field and value.
func appendSets(args []any, zone dns.Name, sets []dns.RRset) ([]any, error) {
	args = append(args, len(sets))
	var seen map[string]bool
	if len(sets) > 1 {
		seen = make(map[string]bool, len(sets))
	}
	for _, set := range sets {
		if err := checkRRset(zone, set); err != nil {
			return nil, err
		}
		name := field(set.Name, set.Type)
		if seen[name] {
			return nil, fmt.Errorf("RRset %s stands in it twice", name)
		}
		if seen != nil {
			seen[name] = true
		}
		args = append(args, name, encodeRRset(set))
	}
	return args, nil
}

func checkRRset(zone dns.Name, set dns.RRset) error {
	switch {
	case !set.Name.Under(zone):
		return fmt.Errorf("%s is not in the zone %s", set.Name, zone)
	case set.Type.IsMeta():
		return fmt.Errorf("%s: %s is no type of records", set.Name, set.Type)
	case set.TTL > dns.MaxTTL:
		return fmt.Errorf("%s %s: TTL %d is over %d", set.Name, set.Type, set.TTL, dns.MaxTTL)
	}
	return nil
}

// encodeValues writes values of metadata as the store keeps them; none is the empty text.
func encodeValues(values []string) string {
	if len(values) == 0 {
		return ""
	}
	b := []byte{'['}
	for i, v := range values {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, v)
	}
	return string(append(b, ']'))
}

func decodeValues(text string) (values []string, err error) {
	if text != "" {
		err = json.Unmarshal([]byte(text), &values)
	}
	return values, err
}

// result reads what a script answers, after the doing that it names.
func (r reply) result(doing string, zones []dns.ZoneID) (Result, error) {
	if r.stale() {
		return Result{}, fmt.Errorf("%s: zones move faster than they can be looked up: %w", doing, dns.ErrConflict)
	}
	if err := r.outcome(); err != nil {
		return Result{}, fmt.Errorf("%s: %w", doing, err)
	}
	result := Result{ID: r[1], at: r[2], zones: zones}
	for i := 3; i+1 < len(r); i += 2 {
		serial, err := strconv.ParseUint(r[i+1], 10, 32)
		if err != nil {
			return Result{}, fmt.Errorf("%s: serial of %s: %w", doing, r[i], err)
		}
		if result.Serials == nil {
			result.Serials = make(map[dns.Name]dns.Serial)
		}
		result.Serials[dns.Name(r[i])] = dns.Serial(serial)
	}
	return result, nil
}
