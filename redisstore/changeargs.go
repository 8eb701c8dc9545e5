package redisstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"redyn/backend/dns"
)

// zoneArgs is what a change holds for a zone, as apply.lua reads it: lists of fields and values, each
// begun by its number of pairs. Between the two stand the zone's keys, which are written for the id
// that the zone has.
type zoneArgs struct{ data, properties []any }

// nothing is an empty list.
var nothing = []any{0}

// argsOf writes what a change holds for each zone, but for the keys.
func argsOf(zones []dns.ZoneChange) ([]zoneArgs, error) {
	args := make([]zoneArgs, len(zones))
	seen := make(map[dns.Name]bool, len(zones))
	for i, z := range zones {
		if seen[z.Zone] {
			return nil, fmt.Errorf("zone %s is given twice", z.Zone)
		}
		seen[z.Zone] = true
		var err error
		if args[i], err = argsOfZone(z); err != nil {
			return nil, fmt.Errorf("zone %s: %w", z.Zone, err)
		}
	}
	return args, nil
}

func argsOfZone(z dns.ZoneChange) (args zoneArgs, err error) {
	data := make([]any, 0, 3+2*(len(z.Expect)+len(z.RRsets)+len(z.Metadata)))
	for _, sets := range [][]dns.RRset{z.Expect, z.RRsets} {
		if data, err = appendSets(data, z.Zone, sets); err != nil {
			return args, err
		}
	}
	data = append(data, len(z.Metadata))
	for kind, values := range z.Metadata {
		if slices.ContainsFunc(values, notUTF8) {
			return args, fmt.Errorf("metadata %s has a value that is not UTF-8", kind)
		}
		data = append(data, kind, encodeValues(values))
	}
	fields, err := updateFields(z.Update)
	args.data, args.properties = data, nothing
	if len(fields) > 0 {
		args.properties = append([]any{len(fields) / 2}, fields...)
	}
	return args, err
}

// serverHashes writes what belongs to no zone: TSIG keys, autoprimaries.
func (s *Store) serverHashes(ctx context.Context, c dns.ServerChange) (hashes []hashChange, err error) {
	if len(c.TSIG)+len(c.Autoprimaries) > maxServerChanges {
		return nil, fmt.Errorf("it has more than %d TSIG keys and autoprimaries", maxServerChanges)
	}
	if len(c.TSIG) > 0 {
		set, err := s.tsigFields(ctx, c.TSIG)
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, hashChange{key: s.keys.tsig(), word: "tsig", set: set})
	}
	if len(c.Autoprimaries) > 0 {
		set, err := autoprimaryFields(c.Autoprimaries)
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, hashChange{key: s.keys.autoprimaries(), word: "autoprimary", set: set})
	}
	return hashes, nil
}

func (s *Store) tsigFields(ctx context.Context, keys map[dns.Name]*dns.TSIGKey) (set []any, err error) {
	names := slices.Sorted(maps.Keys(keys))
	old, err := s.values(ctx, s.keys.tsig(), textsOf(names, nameText))
	if err != nil {
		return nil, err
	}
	for i, name := range names {
		text := ""
		if key := keys[name]; key != nil {
			if key.Algorithm == "" || key.Secret == "" {
				return nil, fmt.Errorf("TSIG key %s has no algorithm or no secret", name)
			}
			if text, err = s.secrets.encodeTSIG(name, *key, old[i]); err != nil {
				return nil, err
			}
		}
		set = append(set, string(name), text)
	}
	return set, nil
}

func autoprimaryFields(accounts map[dns.Autoprimary]*string) (set []any, err error) {
	for a, account := range accounts {
		if !a.IP.IsValid() || a.Nameserver == "" {
			return nil, errors.New("an autoprimary has no address or no nameserver")
		}
		text := ""
		if account != nil {
			text = encode(storedAutoprimary{*account})
		}
		set = append(set, autoprimaryField(a), text)
	}
	return set, nil
}

// keyArgs writes the keys of each zone.
func (s *Store) keyArgs(ctx context.Context, zones []dns.ZoneChange, refs []ref) ([][]any, error) {
	all := make([][]any, len(zones))
	for i, z := range zones {
		if all[i] = nothing; len(z.Keys) == 0 {
			continue
		}
		all[i] = []any{len(z.Keys)}
		ids := slices.Sorted(maps.Keys(z.Keys))
		old, err := s.values(ctx, s.keys.key(refs[i].id), textsOf(ids, keyText))
		if err != nil {
			return nil, err
		}
		for k, id := range ids {
			text, key := "", z.Keys[id]
			if id <= 0 || key != nil && key.Content == "" {
				return nil, fmt.Errorf("zone %s: key %d has no number from 1 on or no content", z.Zone, id)
			}
			if key != nil {
				if text, err = s.secrets.encodeKey(refs[i].id, id, *key, old[k]); err != nil {
					return nil, fmt.Errorf("zone %s: %w", z.Zone, err)
				}
			}
			all[i] = append(all[i], keyText(id), text)
		}
	}
	return all, nil
}

// values returns what the hash has in the fields; the empty text where there is nothing.
func (s *Store) values(ctx context.Context, key string, fields []string) ([]string, error) {
	if len(fields) == 0 {
		return nil, nil
	}
	found, err := s.rdb.HMGet(ctx, key, fields...).Result()
	if err != nil {
		return nil, explain(err)
	}
	values := make([]string, len(found))
	for i, v := range found {
		values[i], _ = v.(string)
	}
	return values, nil
}

// textsOf returns the texts of a list.
func textsOf[T any](list []T, text func(T) string) []string {
	texts := make([]string, len(list))
	for i, v := range list {
		texts[i] = text(v)
	}
	return texts
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
			return nil, fmt.Errorf("RRset %s is given twice", name)
		}
		if seen != nil {
			seen[name] = true
		}
		args = append(args, name, encodeRRset(set))
	}
	return args, nil
}

// notUTF8 reports whether JSON cannot hold a text as it is.
func notUTF8(text string) bool { return !utf8.ValidString(text) }

func checkRRset(zone dns.Name, set dns.RRset) error {
	switch {
	case !set.Name.Under(zone):
		return fmt.Errorf("%s is not in the zone %s", set.Name, zone)
	case set.Type.IsMeta():
		return fmt.Errorf("%s: %s is no type of records", set.Name, set.Type)
	case set.TTL > dns.MaxTTL:
		return fmt.Errorf("%s %s: TTL %d is over %d", set.Name, set.Type, set.TTL, dns.MaxTTL)
	case slices.ContainsFunc(set.Content, notUTF8):
		return fmt.Errorf("%s %s has content that is not UTF-8; expected \\DDD", set.Name, set.Type)
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
