package redisstore_test

import (
	"context"
	"fmt"
	"testing"

	"redyn/backend/dns"
	"redyn/redisstore"
)

// A copy that is to know the names of hosts knows those that there were and those that come, and no
// other any more.
func TestHostNames(t *testing.T) {
	onServers(t, func(t *testing.T, srv *server) {
		ctx := context.Background()
		s := open(t, redisstore.Options{URL: srv.url})
		create(t, s, org, orgSets()...)
		addHost(t, s, home)
		m := newMemory()
		f := followAs(t, s, redisstore.NodeOptions{Name: "node", Copy: m, Hosts: true})
		is := func(want string) {
			t.Helper()
			eventually(t, "hosts", func() error {
				got := m.hosts()
				return holds(got == want, "%s; want %s", got, want)
			})
		}
		is("map[home.example.org.:true]")
		other := addHost(t, s, "other.example.org.")
		is("map[home.example.org.:true other.example.org.:true]")
		if _, _, err := s.DeleteHost(ctx, other.ID, false, "test", ""); err != nil {
			t.Fatal(err)
		}
		is("map[home.example.org.:true]")
		f.Reload()
		eventually(t, "a load", func() error { return holds(f.Status().Reloads > 1, "%d loads", f.Status().Reloads) })
		is("map[home.example.org.:true]")

		_, ignorant := follow(t, s, "ignorant")
		if got := ignorant.hosts(); got != "map[]" {
			t.Errorf("a copy that is not to know has %s", got)
		}
	})
}

// hosts are the names of hosts that the copy knows.
func (m *memory) hosts() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	names := make(map[dns.Name]bool)
	if m.server != nil {
		for name := range m.server.hosts {
			names[name] = true
		}
	}
	return fmt.Sprint(names)
}
