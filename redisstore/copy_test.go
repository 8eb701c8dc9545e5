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
	server *memServer  // shown; nil: nothing yet
	aside  *memServer  // staged
	last   chan string // gets ids of entries applied, if it is not nil
}

type memZone struct {
	name        dns.Name
	info        dns.Zone
	gone        bool
	meta        dns.Metadata
	keys        map[dns.KeyID]dns.Key
	keysUnknown bool
	sets        map[rrKey]dns.RRset
}

type memServer struct {
	tsig          map[dns.Name]dns.TSIGKey
	tsigUnknown   bool
	autoprimaries map[dns.Autoprimary]string
	hosts         map[dns.Name]struct{} // nil: they are not to be known
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
	z := &memZone{
		name: data.Zone.Name, info: data.Zone, meta: maps.Clone(data.Metadata), keys: make(map[dns.KeyID]dns.Key),
		keysUnknown: data.KeysUnknown, sets: make(map[rrKey]dns.RRset),
	}
	for _, key := range data.Keys {
		z.keys[key.ID] = key
	}
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

func (m *memory) Keep(id dns.ZoneID) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	z, ok := m.shown[id]
	if ok {
		m.staged[id] = z
	}
	return ok
}

func (m *memory) StageServer(data dns.ServerData) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.aside = &memServer{make(map[dns.Name]dns.TSIGKey), data.TSIGUnknown, maps.Clone(data.Autoprimaries), maps.Clone(data.Hosts)}
	for _, key := range data.TSIG {
		m.aside.tsig[key.Name] = key
	}
}

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
	server := m.server
	if m.aside != nil {
		server = m.aside
	}
	if server != nil {
		server.apply(e)
	}
	if m.last != nil {
		m.last <- e.ID
	}
}

func (s *memServer) apply(e dns.Entry) {
	for name, is := range e.Hosts {
		if delete(s.hosts, name); is && s.hosts != nil {
			s.hosts[name] = struct{}{}
		}
	}
	s.tsigUnknown = s.tsigUnknown || e.TSIGUnknown
	for name, key := range e.Server.TSIG {
		if delete(s.tsig, name); key != nil {
			s.tsig[name] = *key
		}
	}
	for a, account := range e.Server.Autoprimaries {
		if delete(s.autoprimaries, a); account != nil {
			s.autoprimaries[a] = *account
		}
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
	for id, key := range part.Keys {
		if delete(z.keys, id); key != nil {
			z.keys[id] = *key
		}
	}
	z.keysUnknown = z.keysUnknown || part.KeysUnknown
	if part.Zone != nil {
		z.info = *part.Zone
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
	if m.aside != nil {
		m.server, m.aside = m.aside, nil
	}
}

func (m *memory) Forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.staged)
	m.aside = nil
}

// dump writes all that is shown as lines "zone owner TYPE" → value.
func (m *memory) dump() map[string]string {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make(map[string]string)
	for id, z := range m.shown {
		all[fmt.Sprintf("%d %s", id, z.name)] = fmt.Sprintf("%+v", z.info)
		for number, key := range z.keys {
			all[fmt.Sprintf("%d %s key %d", id, z.name, number)] = fmt.Sprint(key, key.Content)
		}
		if z.keysUnknown {
			all[fmt.Sprintf("%d %s keys", id, z.name)] = "unknown"
		}
		for _, set := range z.sets {
			all[fmt.Sprintf("%d %s %s %s", id, z.name, set.Name, set.Type)] = fmt.Sprint(set.TTL, set.Content)
		}
		for kind, values := range z.meta {
			all[fmt.Sprintf("%d %s meta %s", id, z.name, kind)] = fmt.Sprint(values)
		}
	}
	if m.server != nil {
		for name, key := range m.server.tsig {
			all[fmt.Sprintf("tsig %s", name)] = fmt.Sprint(key, key.Secret)
		}
		for a, account := range m.server.autoprimaries {
			all[fmt.Sprint("autoprimary ", a)] = account
		}
		if m.server.tsigUnknown {
			all["tsig"] = "unknown"
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
	return followAs(t, s, redisstore.NodeOptions{Name: name, Version: "test", Copy: m}), m
}

// followAs runs a follower for the rest of the test.
func followAs(t testing.TB, s *redisstore.Store, o redisstore.NodeOptions) *redisstore.Follower {
	t.Helper()
	f := s.NewFollower(o)
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
	<-f.Looked()
	return f
}
