package backend

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"redyn/backend/dns"
	"redyn/backend/zonedb"
)

// memory is a store with its data in memory, seen at once by whoever reads.
type memory struct {
	*zonedb.DB
	mu      sync.Mutex
	keyIDs  dns.KeyID
	changes []dns.Change
	fails   error // of everything, if not nil
	loads   int   // that have begun and not ended
	ended   chan struct{}
	before  func() // is called once before the next Apply does anything
}

func newMemory(t testing.TB) *memory {
	t.Helper()
	m := &memory{DB: zonedb.New(), ended: make(chan struct{}, 1000)}
	m.ShowAll()
	m.show(dns.Zone{ID: 2, Name: "empty.test.", Kind: dns.Slave, Masters: []string{"192.0.2.9"}}, nil)
	m.reset()
	return m
}

// reset makes example.org what it was at first.
func (m *memory) reset() {
	m.show(dns.Zone{ID: 1, Name: "example.org.", Kind: dns.Master}, []dns.RRset{
		{Name: "example.org.", Type: dns.TypeSOA, TTL: 3600, Content: []string{"ns.example.org. host.example.org. 1 3600 600 86400 60"}},
		{Name: "example.org.", Type: dns.TypeNS, TTL: 3600, Content: []string{"ns.example.org."}},
		{Name: "ns.example.org.", Type: dns.TypeA, TTL: 60, Content: []string{"192.0.2.2"}},
		{Name: "www.example.org.", Type: dns.TypeA, TTL: 60, Content: []string{"192.0.2.1"}},
		{Name: "www.example.org.", Type: dns.TypeTXT, TTL: 60, Content: []string{`"w"`}},
	})
}

// show makes sets all records of a zone.
func (m *memory) show(z dns.Zone, sets []dns.RRset) {
	all := func(yield func(dns.RRset, error) bool) {
		for _, set := range sets {
			if !yield(set, nil) {
				return
			}
		}
	}
	keys, _ := m.Keys(z.Name)
	if err := m.Stage(dns.ZoneData{Zone: z, Metadata: must(m.Metadata(z.Name)), Keys: keys}, all); err != nil {
		panic(err)
	}
	m.Show(z.ID)
}

// sets returns all records of a zone.
func (m *memory) sets(zone dns.Name) (sets []dns.RRset) {
	answers, err := m.List(dns.AnyZone, zone)
	if err != nil {
		return nil
	}
	for a := range answers {
		if a.Type != dns.TypeENT {
			sets = append(sets, a.RRset)
		}
	}
	return sets
}

// text writes a zone, a line for each RRset.
func (m *memory) text(zone dns.Name) (text string) {
	for _, s := range m.sets(zone) {
		text += fmt.Sprintln(s.Name, s.TTL, s.Type, s.Content)
	}
	return text
}

func (m *memory) Apply(_ context.Context, c dns.Change) error {
	m.mu.Lock()
	before := m.before
	m.before = nil
	m.mu.Unlock()
	if before != nil {
		before()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fails != nil {
		return m.fails
	}
	e := dns.Entry{Server: c.Server}
	for _, part := range c.Zones {
		z, ok := m.Zone(part.Zone)
		if !ok {
			return fmt.Errorf("zone %s: %w", part.Zone, dns.ErrNotFound)
		}
		for _, expected := range part.Expect {
			if !m.holds(z.ID, expected) {
				return fmt.Errorf("%s %s: %w", expected.Name, expected.Type, dns.ErrConflict)
			}
		}
		e.Zones = append(e.Zones, m.entry(z, part))
	}
	m.DB.Apply(e)
	m.changes = append(m.changes, c)
	return nil
}

func (m *memory) holds(id dns.ZoneID, want dns.RRset) bool {
	for _, a := range must(m.Lookup(nil, want.Name, want.Type, id)) {
		return a.Equal(want)
	}
	return len(want.Content) == 0
}

// entry raises the serial as a store does.
func (m *memory) entry(z dns.Zone, c dns.ZoneChange) dns.ZoneEntry {
	e := dns.ZoneEntry{ID: z.ID, Name: z.Name, Metadata: c.Metadata, Keys: c.Keys}
	e.RRsets = slices.DeleteFunc(slices.Clone(c.RRsets), func(s dns.RRset) bool { return m.holds(z.ID, s) })
	own := slices.ContainsFunc(c.RRsets, func(s dns.RRset) bool { return s.Type == dns.TypeSOA })
	if len(e.RRsets) > 0 && !own && z.Kind != dns.Slave {
		for _, a := range must(m.Lookup(nil, z.Name, dns.TypeSOA, z.ID)) {
			soa, _ := dns.ParseSOA(a.Content[0])
			soa.Serial++
			e.RRsets = append(e.RRsets, dns.NewRRset(z.Name, dns.TypeSOA, a.TTL, soa.String()))
		}
	}
	u, changed := c.Update, false
	if u.NotifiedSerial != nil {
		z.NotifiedSerial, changed = *u.NotifiedSerial, true
	}
	if u.LastCheck != nil {
		z.LastCheck, changed = *u.LastCheck, true
	}
	if changed {
		e.Zone = &z
	}
	return e
}

func (m *memory) CreateZone(_ context.Context, z dns.Zone, _, _ string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.Zone(z.Name); ok {
		return fmt.Errorf("create zone %s: %w", z.Name, dns.ErrExists)
	}
	z.ID = 1 + dns.ZoneID(m.Stats().Zones)
	m.show(z, nil)
	return m.fails
}

func (m *memory) NextKeyID(_ context.Context, zone dns.Name) (dns.KeyID, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.Zone(zone); !ok {
		return 0, fmt.Errorf("zone %s: %w", zone, dns.ErrNotFound)
	}
	m.keyIDs++
	return m.keyIDs, m.fails
}

func (m *memory) BeginReplace(_ context.Context, zone dns.Name, _, _ string) (Replacement, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.loads++
	return &memoryLoad{m: m, zone: zone, sets: make(map[setKey]dns.RRset)}, m.fails
}

func (m *memory) wait(t *testing.T) {
	t.Helper()
	select {
	case <-m.ended:
	case <-time.After(time.Minute):
		t.Fatal("nothing is abandoned")
	}
}

// memoryLoad is a Replacement.
type memoryLoad struct {
	m    *memory
	zone dns.Name
	sets map[setKey]dns.RRset
	over bool
}

func (l *memoryLoad) Add(_ context.Context, sets ...dns.RRset) error {
	if l.over {
		return errors.New("added after the end")
	}
	for _, s := range sets {
		if old, ok := l.sets[keyOf(s)]; ok {
			s.TTL, s.Content = old.TTL, append(slices.Clone(old.Content), s.Content...)
		}
		l.sets[keyOf(s)] = dns.NewRRset(s.Name, s.Type, s.TTL, s.Content...)
	}
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	return l.m.fails
}

func (l *memoryLoad) Lookup(_ context.Context, name dns.Name) (sets []dns.RRset, _ error) {
	for k, s := range l.sets {
		if k.name == name {
			sets = append(sets, s)
		}
	}
	return sets, nil
}

func (l *memoryLoad) RRsets(context.Context) iter.Seq2[dns.RRset, error] {
	return func(yield func(dns.RRset, error) bool) {
		for _, s := range l.sets {
			if !yield(s, nil) {
				return
			}
		}
	}
}

func (l *memoryLoad) Commit(context.Context) error {
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	if l.m.fails != nil {
		return l.m.fails
	}
	z, ok := l.m.Zone(l.zone)
	if !ok {
		return dns.ErrNotFound
	}
	l.over = true
	l.m.loads--
	l.m.show(z, slices.Collect(maps.Values(l.sets)))
	return nil
}

func (l *memoryLoad) Abandon(context.Context) {
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	l.over = true
	l.m.loads--
	l.m.ended <- struct{}{}
}
