package updater

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"

	"redyn/auth"
	"redyn/backend/dns"
	"redyn/backend/zonedb"
)

// fakeStore is hosts and credentials in their simplest form, and zones as redyn has them.
type fakeStore struct {
	db *zonedb.DB

	mu          sync.Mutex
	credentials []auth.Credential
	hosts       []auth.Host
	tokens      map[auth.HostID]string
	replays     map[string]bool
	asked       map[netip.Addr]int
	failed      map[netip.Addr]int
	failures    map[string]int // of credentials
	changed     map[dns.Name]int
	used        []string
	audit       []string // who created credentials
	upgraded    map[string]string

	updates   []dns.Change
	premises  int   // how many updates were made by what was remembered
	away      error // what every question is answered with
	conflicts int   // how many updates to come meet a conflict, after which meanwhile is called
	meanwhile func()
	panics    bool
}

const zoneID, otherID = 1, 2

// newFake has two zones, with hosts in them.
func newFake() *fakeStore {
	s := &fakeStore{
		db: zonedb.New(), tokens: make(map[auth.HostID]string), replays: make(map[string]bool),
		asked: make(map[netip.Addr]int), failed: make(map[netip.Addr]int), changed: make(map[dns.Name]int),
		upgraded: make(map[string]string), failures: make(map[string]int),
	}
	for id, name := range map[dns.ZoneID]dns.Name{zoneID: "example.org.", otherID: "example.net."} {
		soa := dns.NewRRset(name, dns.TypeSOA, 3600, "ns1.example.org. hostmaster.example.org. 1 3600 600 86400 300")
		ns := dns.NewRRset(name, dns.TypeNS, 3600, "ns1.example.org.")
		s.load(dns.Zone{ID: id, Name: name, Kind: dns.Native}, soa, ns)
	}
	return s
}

func (s *fakeStore) load(zone dns.Zone, sets ...dns.RRset) {
	var all iter.Seq2[dns.RRset, error] = func(yield func(dns.RRset, error) bool) {
		for _, set := range sets {
			if !yield(set, nil) {
				return
			}
		}
	}
	if err := s.db.Stage(dns.ZoneData{Zone: zone}, all); err != nil {
		panic(err)
	}
	s.db.Show(zone.ID)
}

// addHost registers a host.
func (s *fakeStore) addHost(id auth.HostID, name dns.Name) *auth.Host {
	s.hosts = append(s.hosts, auth.Host{ID: id, Name: name, Created: start})
	return &s.hosts[len(s.hosts)-1]
}

// set gives a name records.
func (s *fakeStore) set(name dns.Name, typ dns.Type, content ...string) {
	zone, ok := s.db.ZoneOf(name)
	if !ok {
		panic("no zone has " + name)
	}
	s.db.Apply(dns.Entry{Zones: []dns.ZoneEntry{{ID: zone.ID, Name: zone.Name, RRsets: []dns.RRset{dns.NewRRset(name, typ, DefaultTTL, content...)}}}})
}

// get returns the content of an RRset.
func (s *fakeStore) get(name dns.Name, typ dns.Type) []string {
	answers, err := s.db.Lookup(nil, name, typ, dns.AnyZone)
	if err != nil || len(answers) == 0 {
		return nil
	}
	return answers[0].Content
}

func (s *fakeStore) Find(_ context.Context, q auth.Query) (auth.Found, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.find(q)
}

func (s *fakeStore) find(q auth.Query) (found auth.Found, err error) {
	switch {
	case s.panics:
		panic("the store is broken")
	case s.away != nil:
		return found, s.away
	case q.FromLimit.Count > 0 && s.asked[q.From] >= q.FromLimit.Count:
		return auth.Found{RetryAfter: q.FromLimit.Per}, nil
	case q.FailureLimit.Count > 0 && s.failed[q.From] >= q.FailureLimit.Count:
		return auth.Found{RetryAfter: q.FailureLimit.Per}, nil
	}
	s.asked[q.From]++
	names := slices.Clone(q.HostNames)
	for _, h := range s.hosts {
		if slices.Contains(q.Hosts, h.ID) || slices.Contains(q.HostNames, h.Name) {
			found.Hosts = append(found.Hosts, h)
			names = append(names, h.Name)
			if token := s.tokens[h.ID]; token != "" && q.OneTimeToken {
				found.Tokens = map[auth.HostID]string{h.ID: token}
			}
		}
	}
	for _, c := range s.credentials {
		byHash := q.TokenHash != "" && c.TokenHash() == q.TokenHash
		byHost := q.ForHosts && slices.ContainsFunc(names, func(name dns.Name) bool { return c.Grant.Near(name) })
		byZone := slices.ContainsFunc(slices.Concat(c.Grant.Hosts, c.Grant.Zones), func(a auth.Area) bool { return slices.Contains(q.ForZones, a.Name) })
		if byHash || byHost || byZone || slices.Contains(q.IDs, c.ID) {
			found.Credentials = append(found.Credentials, c)
		}
	}
	found.Failures = maps.Clone(s.failures)
	for _, c := range found.Credentials {
		encoded, err := c.Encode()
		if err != nil {
			return found, err
		}
		found.Basis += fmt.Sprintln(string(encoded), found.Failures[c.ID])
	}
	for _, h := range found.Hosts {
		found.Basis += fmt.Sprintln(h.ID, h.Name, h.Policy, h.Created, found.Tokens[h.ID])
	}
	return found, nil
}

func (s *fakeStore) Failed(_ context.Context, from netip.Addr, meant string, _ auth.Limit) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed[from]++
	s.failures[meant]++
	return s.failures[meant], s.away
}

func (s *fakeStore) OneTimeToken(_ context.Context, host auth.HostID, _ time.Duration) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tokens[host] == "" {
		s.tokens[host] = auth.GenerateOneTimeToken()
	}
	return s.tokens[host], s.away
}

func (s *fakeStore) Update(_ context.Context, c dns.Change, use auth.Use) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away != nil {
		return s.away
	}
	if p := use.Premise; p != nil {
		found, err := s.find(p.Query)
		if err != nil {
			return err
		}
		if found.RetryAfter > 0 || found.Basis != p.Basis {
			return &auth.PremiseError{Found: found}
		}
		s.premises++
	}
	if use.Token != "" && s.tokens[use.TokenHost] != use.Token || use.Replay != nil && s.replays[use.Replay.Key] {
		return auth.ErrUsed
	}
	moved := s.moved(c, use)
	for _, name := range moved {
		if use.HostLimit.Count > 0 && s.changed[name] >= use.HostLimit.Count {
			return &auth.LimitError{RetryAfter: use.HostLimit.Per}
		}
	}
	if s.conflicts > 0 {
		s.conflicts--
		s.meanwhile()
		return errors.Join(errors.New("apply change"), dns.ErrConflict)
	}
	s.updates = append(s.updates, c)
	delete(s.tokens, use.TokenHost)
	if use.Replay != nil {
		s.replays[use.Replay.Key] = true
	}
	for _, name := range moved {
		s.changed[name]++
	}
	s.apply(c)
	return nil
}

// moved are the hosts that a change does something to.
func (s *fakeStore) moved(c dns.Change, use auth.Use) []dns.Name {
	return slices.DeleteFunc(slices.Clone(use.Hosts), func(name dns.Name) bool {
		for _, z := range c.Zones {
			for _, set := range z.RRsets {
				if set.Name == name && !slices.Equal(s.get(name, set.Type), set.Content) {
					return false
				}
			}
		}
		return true
	})
}

func (s *fakeStore) apply(c dns.Change) {
	var e dns.Entry
	for _, z := range c.Zones {
		zone, _ := s.db.ZoneOf(z.Zone)
		e.Zones = append(e.Zones, dns.ZoneEntry{ID: zone.ID, Name: zone.Name, RRsets: z.RRsets})
	}
	s.db.Apply(e)
}

func (s *fakeStore) Used(credential string, _ time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used = append(s.used, credential)
}

func (s *fakeStore) UpgradePassword(_ context.Context, c auth.Credential, hash string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.upgraded[c.ID] = hash
	return nil
}
