package redisstore

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"strconv"

	"redyn/backend/dns"
)

//go:embed apply.lua
var applyLua string

var applyScript = newScript(applyLua)

// Bounds of one change and of its entry in the log.
const (
	maxChangeZones   = 500
	maxServerChanges = 500
	maxEntryBytes    = 64 << 10
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

// Apply makes all of the change or nothing. What is as wanted already is left alone; if all is,
// nothing is written. A zone's serial is raised once by its policy, unless the change brings a SOA
// of its own, changes no RRset, or the zone is a slave.
//
// It fails with dns.ErrConflict if an expected value is another, with dns.ErrNotFound if there is
// no such zone, with dns.ErrLost if the store has lost its data set. After any other error it may
// be that the change was made: that is so if the error says it is not known.
func (s *Store) Apply(ctx context.Context, c dns.Change) (Result, error) {
	if len(c.Zones) > maxChangeZones {
		return Result{}, fmt.Errorf("apply change: it touches %d zones; at most %d can be", len(c.Zones), maxChangeZones)
	}
	if len(c.Server.TSIG)+len(c.Server.Autoprimaries) > maxServerChanges {
		return Result{}, fmt.Errorf("apply change: it has more than %d TSIG keys and autoprimaries", maxServerChanges)
	}
	wanted, err := s.argsOf(ctx, c)
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
		sealed, err := s.keyArgs(ctx, c.Zones, refs)
		if err != nil {
			return Result{}, fmt.Errorf("apply change: %w", err)
		}
		keys, args := s.applyArgs(c.Zones, refs, wanted, sealed)
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

func (s *Store) applyArgs(zones []dns.ZoneChange, refs []ref, wanted changeArgs, sealed [][]any) (keys []string, args []any) {
	now := s.o.Now()
	keys = append(make([]string, 0, 2+4*len(zones)), s.keys.tsig(), s.keys.autoprimaries())
	args = append(make([]any, 0, 32),
		uint32(dns.SerialUnixTime.Floor(now)), uint32(dns.SerialDate.Floor(now)), maxEntryBytes, len(zones))
	args = append(args, wanted.server...)
	for i, z := range zones {
		at := refs[i]
		keys = append(keys, s.keys.zone(at.id), s.keys.rr(at.id, at.gen), s.keys.meta(at.id), s.keys.key(at.id))
		args = append(args, string(z.Zone), idText(at.id), at.gen)
		args = append(args, wanted.zones[i].data...)
		args = append(args, sealed[i]...)
		args = append(args, wanted.zones[i].properties...)
	}
	return keys, args
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
