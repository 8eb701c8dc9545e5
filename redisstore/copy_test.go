package redisstore_test

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"sync"
	"testing"

	"redyn/backend/dns"
	"redyn/redisstore"
)

// maps is a Copy made of maps.
type memory struct {
	mu     sync.Mutex
	shown  map[dns.ZoneID]*memZone
	staged map[dns.ZoneID]*memZone
	last   chan string // gets ids of entries applied, if it is not nil
}

type memZone struct {
	name dns.Name
	gone bool
	meta dns.Metadata
	sets map[rrKey]dns.RRset
}

type rrKey struct {
	name dns.Name
	typ  dns.Type
}

func newMemory() *memory {
	return &memory{shown: make(map[dns.ZoneID]*memZone), staged: make(map[dns.ZoneID]*memZone)}
}

func (m *memory) Stage(data dns.ZoneData, sets iter.Seq2[dns.RRset, error]) error {
	m.mu.Lock()
	delete(m.staged, data.Zone.ID)
	m.mu.Unlock()
	z := &memZone{name: data.Zone.Name, meta: maps.Clone(data.Metadata), sets: make(map[rrKey]dns.RRset)}
	for set, err := range sets {
		if err != nil {
			return err
		}
		z.sets[rrKey{set.Name, set.Type}] = set
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.staged[data.Zone.ID] = z
	return nil
}

func (m *memory) StageServer(dns.ServerData) {}

func (m *memory) Apply(e dns.Entry) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, part := range e.Zones {
		z, staged := m.staged[part.ID]
		if z == nil {
			z = m.shown[part.ID]
		}
		switch {
		case z == nil || z.gone:
		case part.Deleted && staged:
			m.staged[part.ID] = &memZone{gone: true}
		case part.Deleted:
			delete(m.shown, part.ID)
		default:
			z.apply(part)
		}
	}
	if m.last != nil {
		m.last <- e.ID
	}
}

func (z *memZone) apply(part dns.ZoneEntry) {
	for _, set := range part.RRsets {
		if len(set.Content) == 0 {
			delete(z.sets, rrKey{set.Name, set.Type})
		} else {
			z.sets[rrKey{set.Name, set.Type}] = set
		}
	}
	for kind, values := range part.Metadata {
		switch {
		case len(values) == 0:
			delete(z.meta, kind)
		case z.meta == nil:
			z.meta = dns.Metadata{kind: values}
		default:
			z.meta[kind] = values
		}
	}
}

func (m *memory) Show(id dns.ZoneID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	z := m.staged[id]
	if z == nil {
		return
	}
	delete(m.staged, id)
	delete(m.shown, id)
	if !z.gone {
		m.shown[id] = z
	}
}

func (m *memory) ShowAll() {
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.DeleteFunc(m.staged, func(_ dns.ZoneID, z *memZone) bool { return z.gone })
	m.shown, m.staged = m.staged, make(map[dns.ZoneID]*memZone)
}

func (m *memory) Forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.staged)
}

// dump writes all that is shown as lines "zone owner TYPE" → value.
func (m *memory) dump() map[string]string {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make(map[string]string)
	for id, z := range m.shown {
		all[fmt.Sprintf("%d %s", id, z.name)] = ""
		for _, set := range z.sets {
			all[fmt.Sprintf("%d %s %s %s", id, z.name, set.Name, set.Type)] = fmt.Sprint(set.TTL, set.Content)
		}
		for kind, values := range z.meta {
			all[fmt.Sprintf("%d %s meta %s", id, z.name, kind)] = fmt.Sprint(values)
		}
	}
	return all
}

// get returns what the copy shows of an RRset.
func (m *memory) get(zone, name dns.Name, typ dns.Type) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, z := range m.shown {
		if z.name == zone {
			return z.sets[rrKey{name, typ}].Content
		}
	}
	return nil
}

// follow runs a follower into a new copy for the rest of the test.
func follow(t testing.TB, s *redisstore.Store, name string) (*redisstore.Follower, *memory) {
	t.Helper()
	m := newMemory()
	f := s.NewFollower(redisstore.NodeOptions{Name: name, Version: "test", Copy: m})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	<-f.Loaded()
	return f, m
}
