package redisstore

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"strconv"

	"redyn/auth"
	"redyn/backend/dns"
)

//go:embed apply.lua
var applyLua string

//go:embed use.lua
var useLua string

var applyScript = newScript(countLua + requestLua + useLua + applyLua)

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
	return s.Update(ctx, c, auth.Use{})
}

// Update is Apply for a change that uses something up, in the same step: a one-time token or a
// signature, even if nothing has to be changed, and a part of its hosts' limit if something has.
//
// It fails as Apply does, with auth.ErrUsed if the token is not the host's or the signature is known,
// with *auth.LimitError if a host was changed too often, and with *auth.PremiseError. After those nothing
// is used up.
func (s *Store) Update(ctx context.Context, c dns.Change, u auth.Use) (Result, error) {
	const doing = "apply change"
	hashes, err := s.serverHashes(ctx, c.Server)
	if err != nil {
		return Result{}, fmt.Errorf("%s: %w", doing, err)
	}
	return s.change(ctx, doing, c, besides{
		hashes: hashes, use: s.useArgs(u), premise: u.Premise,
		again: u.Premise != nil && u.Token == "" && u.Replay == nil, // without a Find before, which finds ended connections
	})
}

// besides is what a change does besides the data of zones.
type besides struct {
	hashes []hashChange
	told   []any // fields and values of the entry in the log, if there is one
	use    []any // as use.lua reads it
	// premise has to hold when the script runs first; nil: there is none.
	premise *auth.Premise
	again   bool // as in origin
}

// hashChange is what a change does to a hash.
type hashChange struct {
	key    string
	word   string // before its fields in the log; empty: they are not told
	fields any    // how many it must have; nil: that is all the same
	// expect and set are fields and values; the empty value is none.
	expect, set []any
}

func (s *Store) change(ctx context.Context, doing string, c dns.Change, b besides) (Result, error) {
	fail := func(err error) (Result, error) { return Result{}, fmt.Errorf("%s: %w", doing, err) }
	if len(c.Zones) > maxChangeZones {
		return fail(fmt.Errorf("it touches %d zones; at most %d can be", len(c.Zones), maxChangeZones))
	}
	wanted, err := argsOf(c.Zones)
	if err != nil {
		return fail(err)
	}
	o := origin{cmp.Or(c.ID, randomID(8)), c.Who, c.From, b.again}
	var r reply
	var zones []dns.ZoneID
	for range staleTries {
		refs, err := s.refsOf(ctx, c.Zones)
		if err != nil {
			return fail(err)
		}
		zones = zones[:0]
		for _, at := range refs {
			zones = append(zones, at.id)
		}
		sealed, err := s.keyArgs(ctx, c.Zones, refs)
		if err != nil {
			return fail(err)
		}
		keys, args := s.zoneArgs(s.openingArgs(b.premise), c.Zones, refs, wanted, sealed)
		keys, args = b.append(keys, args)
		if r, err = s.run(ctx, applyScript, o, keys, args); err != nil {
			return fail(err)
		}
		if !r.stale() {
			break
		}
		b.premise = nil // it held
		s.forget(c.Zones)
	}
	return r.result(doing, zones)
}

// staleTries is how often a script is sent with zones looked up anew.
const staleTries = 4

// openingArgs writes the arguments of apply.lua that come before the zones.
func (s *Store) openingArgs(p *auth.Premise) []any {
	now := s.o.Now()
	args := append(make([]any, 0, 48),
		uint32(dns.SerialUnixTime.Floor(now)), uint32(dns.SerialDate.Floor(now)), maxEntryBytes)
	return append(args, premiseArgs(p)...)
}

// zoneArgs appends the keys and arguments of apply.lua that are about zones.
func (s *Store) zoneArgs(args []any, zones []dns.ZoneChange, refs []ref, wanted []zoneArgs, sealed [][]any) (keys []string, all []any) {
	keys = make([]string, 0, 4*len(zones))
	args = append(args, len(zones))
	for i, z := range zones {
		at := refs[i]
		keys = append(keys, s.keys.zone(at.id), s.keys.rr(at.id, at.gen), s.keys.meta(at.id), s.keys.key(at.id))
		args = append(args, string(z.Zone), idText(at.id), at.gen)
		args = append(args, wanted[i].data...)
		args = append(args, sealed[i]...)
		args = append(args, wanted[i].properties...)
	}
	return keys, args
}

// append writes what follows the zones.
func (b besides) append(keys []string, args []any) ([]string, []any) {
	args = append(args, len(b.hashes))
	for _, h := range b.hashes {
		keys = append(keys, h.key)
		fields := h.fields
		if fields == nil {
			fields = ""
		}
		args = append(args, h.word, fields, len(h.expect)/2)
		args = append(args, h.expect...)
		args = append(args, len(h.set)/2)
		args = append(args, h.set...)
	}
	args = append(args, len(b.told)/2)
	args = append(args, b.told...)
	return keys, append(args, b.use...)
}

// result reads what a script answers, after the doing that it names.
func (r reply) result(doing string, zones []dns.ZoneID) (Result, error) {
	if r.stale() {
		return Result{}, fmt.Errorf("%s: zones move faster than they can be looked up: %w", doing, dns.ErrConflict)
	}
	if err := r.outcome(); err != nil {
		return Result{}, fmt.Errorf("%s: %w", doing, err)
	}
	if len(r) < 3 {
		return Result{}, fmt.Errorf("%s: the script answers %q", doing, r)
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
