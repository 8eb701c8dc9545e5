package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"redyn/backend/dns"
	"redyn/redisstore"
)

// changer makes random changes of all kinds.
type changer struct {
	t   testing.TB
	s   *redisstore.Store
	rnd *rand.Rand
}

func (c *changer) zone() dns.Name { return dns.Name(fmt.Sprintf("z%d.example.", c.rnd.IntN(6))) }

func (c *changer) set(zone dns.Name) dns.RRset {
	types := []dns.Type{dns.TypeA, dns.TypeAAAA, dns.TypeTXT, dns.TypeMX}
	set := dns.RRset{Name: dns.Name(fmt.Sprintf("h%d.", c.rnd.IntN(20))) + zone, Type: types[c.rnd.IntN(len(types))], TTL: 60}
	for range c.rnd.IntN(4) {
		set.Content = append(set.Content, fmt.Sprintf(`"%d \"x\" \\ %d"`, c.rnd.IntN(3), c.rnd.IntN(3)))
	}
	return dns.NewRRset(set.Name, set.Type, set.TTL, set.Content...)
}

func (c *changer) sets(zone dns.Name, n int) []dns.RRset {
	sets := []dns.RRset{dns.NewRRset(zone, dns.TypeSOA, 3600, soaContent)}
	seen := make(map[string]bool)
	for range n {
		set := c.set(zone)
		if key := fmt.Sprint(set.Name, set.Type); !seen[key] {
			seen[key] = true
			sets = append(sets, set)
		}
	}
	return sets
}

// step makes one change and returns what came of it.
func (c *changer) step() redisstore.Result {
	ctx, zone := context.Background(), c.zone()
	var r redisstore.Result
	var err error
	switch n := c.rnd.IntN(40); n {
	case 0:
		r, err = c.s.DeleteZone(ctx, zone, "", "")
	case 1, 2:
		_, r, err = c.s.CreateZone(ctx, dns.Zone{Name: zone}, c.sets(zone, c.rnd.IntN(30)), redisstore.CreateOptions{BeginAnew: true})
	case 3:
		seq := func(yield func(dns.RRset, error) bool) {
			for _, set := range c.sets(zone, 30) {
				if !yield(set, nil) {
					return
				}
			}
		}
		_, r, err = c.s.ReplaceZone(ctx, zone, seq, redisstore.ReplaceOptions{})
	case 4:
		large := dns.NewRRset("large."+zone, dns.TypeTXT, 60, fmt.Sprintf(`"%d"`, c.rnd.IntN(9)), strings.Repeat("x", 70_000))
		r, err = c.apply(dns.ZoneChange{Zone: zone, RRsets: []dns.RRset{large}})
	case 5:
		r, err = c.apply(dns.ZoneChange{Zone: zone, Metadata: dns.Metadata{"KIND": strings.Fields(strings.Repeat("x ", c.rnd.IntN(3)))}})
	case 6:
		keys := map[dns.KeyID]*dns.Key{dns.KeyID(1 + c.rnd.IntN(3)): nil, dns.KeyID(4 + c.rnd.IntN(3)): {Flags: 257, Content: fmt.Sprint(c.rnd.IntN(3))}}
		r, err = c.apply(dns.ZoneChange{Zone: zone, Keys: keys})
	case 7:
		notified, kind := dns.Serial(c.rnd.IntN(3)), []dns.Kind{dns.Native, dns.Master, dns.Slave}[c.rnd.IntN(3)]
		r, err = c.apply(dns.ZoneChange{Zone: zone, Update: dns.ZoneUpdate{Kind: &kind, NotifiedSerial: &notified}})
	case 8:
		name, account := dns.Name(fmt.Sprintf("k%d.example.", c.rnd.IntN(3))), fmt.Sprint(c.rnd.IntN(3))
		server := dns.ServerChange{TSIG: map[dns.Name]*dns.TSIGKey{name: nil}, Autoprimaries: map[dns.Autoprimary]*string{{IP: netip.IPv6Loopback(), Nameserver: name}: &account}}
		if c.rnd.IntN(2) == 0 {
			server.TSIG[name] = &dns.TSIGKey{Algorithm: "hmac-md5.", Secret: account}
			server.Autoprimaries = nil
		}
		r, err = c.s.Apply(ctx, dns.Change{Server: server})
	default:
		change := dns.ZoneChange{Zone: zone}
		for range 1 + c.rnd.IntN(3) {
			change.RRsets = append(change.RRsets, dns.NewRRset(dns.Name(fmt.Sprintf("n%d.", len(change.RRsets)))+zone, dns.TypeA, 60, fmt.Sprint(c.rnd.IntN(5))), c.set(zone))
		}
		r, err = c.apply(change)
	}
	if err != nil && !errors.Is(err, dns.ErrNotFound) && !errors.Is(err, dns.ErrExists) && !errors.Is(err, dns.ErrConflict) &&
		!errors.Is(err, dns.ErrLost) && !strings.Contains(err.Error(), "twice") {
		c.t.Error(err)
	}
	return r
}

func (c *changer) apply(z dns.ZoneChange) (redisstore.Result, error) {
	return c.s.Apply(context.Background(), dns.Change{Zones: []dns.ZoneChange{z}})
}

// A copy that followed thousands of random changes, loaded in the midst of them, shows what one
// loaded afterwards shows.
func TestFollowRandomChanges(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		// A short log is soon looked through, also by a server that looks at each of its entries.
		s := open(t, redisstore.Options{URL: srv.url, LogLength: 400})
		c := &changer{t, s, rand.New(rand.NewPCG(1, 2))}
		create(t, s, "z0.example.")
		var nodes []*redisstore.Follower
		var copies []*memory
		steps := 3000
		if srv.real == nil {
			steps /= 2 // it is slow, and the same happens
		}
		for i := range steps {
			if i%1000 == 0 {
				f, m := follow(t, s, fmt.Sprintf("node%d", i))
				nodes, copies = append(nodes, f), append(copies, m)
			}
			if i%700 == 0 {
				nodes[0].Reload()
			}
			r := c.step()
			if i%50 != 0 {
				continue
			}
			if late, err := s.WaitNodes(context.Background(), r); err != nil || len(late) > 0 {
				t.Fatalf("late: %+v, %v", late, err)
			}
		}
		for _, m := range copies {
			sameAsStore(t, s, m)
		}
		// Whoever followed need not have been corrected by a load.
		if st := nodes[1].Status(); st.Reloads != 1 || st.Errors > 0 {
			t.Errorf("status is %+v", st)
		}
	})
}

// What is in the middle of the changes is never half of one: two RRsets that always change together
// are seen equal.
func TestLoadDuringChanges(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		s := open(t, redisstore.Options{URL: srv.url})
		create(t, s, org, orgSets()...)
		c := &changer{t, s, nil}
		stop, ended := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(ended)
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
					value := fmt.Sprint(i)
					if _, err := c.apply(dns.ZoneChange{Zone: org, RRsets: []dns.RRset{
						dns.NewRRset("a.example.org.", dns.TypeTXT, 60, value), dns.NewRRset("b.example.org.", dns.TypeTXT, 60, value),
					}}); err != nil {
						t.Error(err)
					}
				}
			}
		}()
		for i := range 10 {
			f, m := follow(t, s, fmt.Sprintf("node%d", i))
			for range 20 {
				m.mu.Lock()
				for _, z := range m.shown {
					a, b := z.sets[rrKey{"a.example.org.", dns.TypeTXT}], z.sets[rrKey{"b.example.org.", dns.TypeTXT}]
					if fmt.Sprint(a.Content) != fmt.Sprint(b.Content) {
						t.Errorf("a is %v, b is %v", a.Content, b.Content)
					}
				}
				m.mu.Unlock()
				f.Reload()
			}
		}
		close(stop)
		<-ended
	})
}
