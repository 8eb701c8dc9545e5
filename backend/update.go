package backend

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"maps"
	"slices"
	"time"

	"redyn/backend/dns"
)

// update are edits that change a zone: DNS UPDATE, pdnsutil add-record and the API make such. They
// become one change at commit, which holds only if all that was read on the way, or replaced, is
// still so then.
type update struct {
	b    *Backend
	zone dns.Zone
	from string
	read map[setKey]dns.RRset // as it was first seen
	want map[setKey]dns.RRset
	// known are the names of which all was seen: what is not in read was not there. They are true if
	// all was taken away, to which belongs what has come since.
	known  map[dns.Name]bool
	failed error // of a reading; such an update is not to be committed
}

// setKey tells the RRsets of a zone apart.
type setKey struct {
	name dns.Name
	typ  dns.Type
}

func keyOf(s dns.RRset) setKey { return setKey{s.Name, s.Type} }

func newUpdate(b *Backend, zone dns.Zone, from string) *update {
	return &update{
		b: b, zone: zone, from: from,
		read: make(map[setKey]dns.RRset), want: make(map[setKey]dns.RRset), known: make(map[dns.Name]bool),
	}
}

// shown returns what the zone is shown to have at a name.
func (u *update) shown(name dns.Name, typ dns.Type) []dns.Answer {
	answers, err := u.b.Zones.Lookup(nil, name, typ, u.zone.ID)
	u.failed = cmp.Or(u.failed, err)
	return answers
}

// now returns an RRset with the edits done, empty if there is none. The name is kept.
func (u *update) now(name dns.Name, typ dns.Type) dns.RRset {
	k := setKey{name, typ}
	if set, ok := u.want[k]; ok {
		return set
	}
	if set, ok := u.read[k]; ok {
		return set
	}
	set := dns.RRset{Name: name, Type: typ}
	if _, known := u.known[name]; !known {
		for _, a := range u.shown(name, typ) {
			set = a.RRset
		}
	}
	u.read[k] = set
	return set
}

// know sees to it that all is known of a name.
func (u *update) know(name dns.Name) {
	if _, known := u.known[name]; known {
		return
	}
	for _, a := range u.shown(name, dns.TypeANY) {
		if _, ok := u.read[keyOf(a.RRset)]; !ok && a.Type != dns.TypeENT {
			u.read[keyOf(a.RRset)] = a.RRset
		}
	}
	u.known[name] = false
}

// all returns the RRsets at a name with the edits done, but for those that are empty.
func (u *update) all(name dns.Name) (sets []dns.RRset) {
	u.know(name)
	for k, set := range u.read {
		if _, edited := u.want[k]; k.name == name && !edited && len(set.Content) > 0 {
			sets = append(sets, set)
		}
	}
	for k, set := range u.want {
		if k.name == name && len(set.Content) > 0 {
			sets = append(sets, set)
		}
	}
	slices.SortFunc(sets, compareSets)
	return sets
}

func (u *update) feed(_ context.Context, one dns.RRset) error {
	set := u.now(one.Name, one.Type)
	u.want[keyOf(one)] = dns.NewRRset(one.Name, one.Type, one.TTL, append(slices.Clone(set.Content), one.Content...)...)
	return nil
}

func (u *update) replace(_ context.Context, name dns.Name, typ dns.Type, sets []dns.RRset) error {
	if typ == dns.TypeANY {
		for _, set := range u.all(name) {
			u.want[keyOf(set)] = dns.RRset{Name: name, Type: set.Type}
		}
		u.known[name] = true
	} else {
		sets = append([]dns.RRset{{Name: name, Type: typ}}, sets...)
	}
	for _, set := range sets {
		u.now(set.Name, set.Type)
		u.want[keyOf(set)] = set
	}
	return nil
}

func (u *update) lookup(_ context.Context, name dns.Name, typ dns.Type) (sets []dns.RRset, _ error) {
	if typ != dns.TypeANY {
		if set := u.now(name, typ); len(set.Content) > 0 {
			sets = append(sets, set)
		}
		return sets, nil
	}
	return u.all(name), nil
}

func compareSets(a, b dns.RRset) int {
	return cmp.Or(dns.Compare(a.Name, b.Name), cmp.Compare(a.Type, b.Type))
}

func (u *update) list(ctx context.Context, shown iter.Seq[dns.Answer]) (iter.Seq[dns.Answer], error) {
	// Edits are few, and their answers need what lies above them.
	t := &transaction{zone: u.zone, edits: u}
	want := make(map[setKey]dns.Answer, len(u.want))
	filled := make(map[dns.Name]bool)
	for k, set := range maps.Clone(u.want) {
		auth, err := t.auth(ctx, k.name, k.typ)
		if err != nil {
			return nil, err
		}
		want[k] = dns.Answer{RRset: set, Zone: u.zone.ID, Auth: auth}
		filled[k.name] = filled[k.name] || len(set.Content) > 0
	}
	return func(yield func(dns.Answer) bool) {
		done := make(map[setKey]bool, len(want))
		for a := range shown {
			if edited, ok := want[keyOf(a.RRset)]; ok {
				a, done[keyOf(a.RRset)] = edited, true
				if len(a.Content) == 0 {
					continue
				}
			}
			if a.Type == dns.TypeENT && filled[a.Name] {
				continue
			}
			if !yield(a) {
				return
			}
		}
		for k, a := range want {
			if !done[k] && len(a.Content) > 0 && !yield(a) {
				return
			}
		}
	}, nil
}

// commit makes the change. Whatever else changes in a zone meanwhile raises its serial: for a change
// that brings a SOA of its own that alone is no reason to fail, but to raise the serial further.
func (u *update) commit(ctx context.Context) error {
	c := u.change()
	if u.failed != nil {
		return u.failed
	}
	if len(c.Zones[0].RRsets) == 0 {
		return nil
	}
	for range commitTries {
		err := u.b.Store.Apply(ctx, c)
		if !errors.Is(err, dns.ErrConflict) || !u.followSerial(ctx, &c.Zones[0]) {
			return err
		}
	}
	return u.b.Store.Apply(ctx, c)
}

func (u *update) abandon(context.Context) {}

// change returns the edits as a change. What was read only to look at the serial is not expected.
func (u *update) change() dns.Change {
	z := dns.ZoneChange{Zone: u.zone.Name}
	soa := setKey{u.zone.Name, dns.TypeSOA}
	for k, set := range u.read {
		if _, edited := u.want[k]; edited || k != soa {
			z.Expect = append(z.Expect, set)
		}
	}
	z.RRsets = slices.Collect(maps.Values(u.want))
	for name, cleared := range u.known {
		if cleared {
			z.RRsets = append(z.RRsets, u.since(name)...)
		} else if cname := (setKey{name, dns.TypeCNAME}); u.fills(name) && len(u.read[cname].Content) == 0 {
			// Whoever adds something to a name has seen that it is no alias.
			if _, read := u.read[cname]; !read {
				z.Expect = append(z.Expect, dns.RRset{Name: name, Type: dns.TypeCNAME})
			}
		}
	}
	slices.SortFunc(z.Expect, compareSets)
	slices.SortFunc(z.RRsets, compareSets)
	return dns.Change{Who: who, From: u.from, Zones: []dns.ZoneChange{z}}
}

// since takes away what has come to a name since all of it was taken away.
func (u *update) since(name dns.Name) (sets []dns.RRset) {
	for _, a := range u.shown(name, dns.TypeANY) {
		if _, edited := u.want[keyOf(a.RRset)]; !edited && a.Type != dns.TypeENT {
			sets = append(sets, dns.RRset{Name: name, Type: a.Type})
		}
	}
	return sets
}

// fills reports whether a name is to have records by these edits.
func (u *update) fills(name dns.Name) bool {
	for k, set := range u.want {
		if k.name == name && len(set.Content) > 0 {
			return true
		}
	}
	return false
}

const (
	// commitTries bounds how often a commit is tried again with another serial.
	commitTries = 10
	// The other change that raised the serial is in Redis, and will be here soon.
	serialWait, serialPoll = 100 * time.Millisecond, time.Millisecond
)

// followSerial makes a change that conflicts follow a SOA that differs from the expected one in its
// serial alone. It returns false if that is not why it conflicts.
func (u *update) followSerial(ctx context.Context, z *dns.ZoneChange) bool {
	isSOA := func(s dns.RRset) bool { return s.Type == dns.TypeSOA && s.Name == u.zone.Name }
	e, w := slices.IndexFunc(z.Expect, isSOA), slices.IndexFunc(z.RRsets, isSOA)
	if e < 0 || w < 0 || len(z.Expect[e].Content) != 1 || len(z.RRsets[w].Content) != 1 {
		return false
	}
	expected, err1 := dns.ParseSOA(z.Expect[e].Content[0])
	wanted, err2 := dns.ParseSOA(z.RRsets[w].Content[0])
	current, ok := u.otherSOA(ctx, z.Expect[e])
	if err1 != nil || err2 != nil || !ok {
		return false
	}
	found, err := dns.ParseSOA(current.Content[0])
	expected.Serial = found.Serial
	if err != nil || expected != found || current.TTL != z.Expect[e].TTL {
		return false
	}
	if !found.Serial.Less(wanted.Serial) {
		wanted.Serial = found.Serial + 1
	}
	z.Expect[e] = current
	z.RRsets[w] = dns.NewRRset(u.zone.Name, dns.TypeSOA, z.RRsets[w].TTL, wanted.String())
	return true
}

// otherSOA waits until the zone is shown with another SOA than the expected one.
func (u *update) otherSOA(ctx context.Context, expected dns.RRset) (dns.RRset, bool) {
	poll := time.NewTicker(serialPoll)
	defer poll.Stop()
	end := time.Now().Add(serialWait)
	for {
		for _, a := range u.shown(u.zone.Name, dns.TypeSOA) {
			if !a.Equal(expected) && len(a.Content) == 1 {
				return a.RRset, true
			}
		}
		select {
		case now := <-poll.C:
			if now.After(end) {
				return dns.RRset{}, false
			}
		case <-ctx.Done():
			return dns.RRset{}, false
		}
	}
}
