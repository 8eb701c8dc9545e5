package updater

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"redyn/auth"
	"redyn/backend/dns"
)

// fakeManager keeps what fakeStore has.
type fakeManager struct{ *fakeStore }

func (m fakeManager) CreateZone(_ context.Context, z dns.Zone, sets []dns.RRset, _, _ string) error {
	z.ID = dns.ZoneID(100 + len(z.Name))
	m.load(z, sets...)
	return m.away
}

func (m fakeManager) DeleteZone(_ context.Context, name dns.Name, _, _ string) error {
	z, _ := m.db.Zone(name)
	m.db.Apply(dns.Entry{Zones: []dns.ZoneEntry{{ID: z.ID, Name: name, Deleted: true}}})
	return m.away
}

func (m fakeManager) HostsAmong(_ context.Context, wanted func(dns.Name) bool, limit int) ([]auth.Host, error) {
	all := slices.DeleteFunc(slices.Clone(m.hosts), func(h auth.Host) bool { return !wanted(h.Name) })
	slices.SortFunc(all, func(a, b auth.Host) int { return dns.Compare(a.Name, b.Name) })
	return all[:min(limit, len(all))], m.away
}

func (m fakeManager) AddHost(_ context.Context, h auth.Host, _, _ string) (auth.Host, error) {
	if slices.ContainsFunc(m.hosts, func(o auth.Host) bool { return o.Name == h.Name }) {
		return h, dns.ErrExists
	}
	return *m.addHost(auth.HostID(100+len(m.hosts)), h.Name), m.away
}

func (m fakeManager) SetHostPolicy(_ context.Context, id auth.HostID, p auth.HostPolicy, _, _ string) error {
	m.hosts[m.indexOf(id)].Policy = p
	return m.away
}

func (m fakeManager) DeleteHost(_ context.Context, id auth.HostID, addresses bool, _, _ string) error {
	i := m.indexOf(id)
	if addresses {
		m.set(m.hosts[i].Name, dns.TypeA)
	}
	m.hosts = slices.Delete(m.hosts, i, i+1)
	return m.away
}

func (m fakeManager) indexOf(id auth.HostID) int {
	return slices.IndexFunc(m.hosts, func(h auth.Host) bool { return h.ID == id })
}

func (m fakeManager) CreateCredential(_ context.Context, c auth.Credential, who, _ string) error {
	c.Created = start
	m.credentials = append(m.credentials, c)
	m.audit = append(m.audit, who)
	return m.away
}

func (m fakeManager) RevokeCredential(_ context.Context, id, _, _ string) error {
	i := slices.IndexFunc(m.credentials, func(c auth.Credential) bool { return c.ID == id })
	m.credentials[i].Revoked = true
	return m.away
}

func (m fakeManager) DeleteCredential(_ context.Context, id, _, _ string) error {
	m.credentials = slices.DeleteFunc(m.credentials, func(c auth.Credential) bool { return c.ID == id })
	return m.away
}

// apiServer has the REST API, with two hosts, and one who has all of example.org.
func apiServer(t testing.TB, o Options) *apiCaller {
	t.Helper()
	s := serve(t, o)
	s.Manager = fakeManager{s.store}
	s.store.addHost(17, home)
	s.store.addHost(18, office)
	return s.as(s.tokenOf(auth.Grant{Zones: []auth.Area{{Name: org}}}))
}

// tokenOf adds a token that grants this, and returns its secret.
func (s *server) tokenOf(g auth.Grant) string {
	return s.tokenFor(func(c *auth.Credential) { c.Grant = g })
}

// apiCaller is somebody with a token.
type apiCaller struct {
	*server
	header []string
}

func (s *server) as(token string) *apiCaller {
	return &apiCaller{s, []string{"Authorization: Bearer " + token}}
}

// call asks the API for something.
func (c *apiCaller) call(method, path, body string) answer {
	c.t.Helper()
	return c.send(method + " /api/v1/" + path + " HTTP/1.1\r\nHost: dyn.example\r\nContent-Type: application/json\r\nContent-Length: " +
		itoa(len(body)) + "\r\n" + lines(c.header) + "\r\n" + body)
}

// gives fails unless the API answers that; JSON is compared without white space.
func (c *apiCaller) gives(method, path, body string, status int, want string) {
	c.t.Helper()
	a := c.call(method, path, body)
	if a.StatusCode != status || a.body != want {
		c.t.Errorf("%s %s %s: answer %d %s; want %d %s", method, path, body, a.StatusCode, a.body, status, want)
	}
	if a.body != "" && a.Header.Get("Content-Type") != "application/json" {
		c.t.Errorf("%s %s is answered in %s", method, path, a.Header.Get("Content-Type"))
	}
}

// refuses fails unless the API answers with a status and an error that has that text.
func (c *apiCaller) refuses(method, path, body string, status int, text string) {
	c.t.Helper()
	a := c.call(method, path, body)
	var got struct{ Error string }
	if err := json.Unmarshal([]byte(a.body), &got); err != nil || a.StatusCode != status || !strings.Contains(got.Error, text) {
		c.t.Errorf("%s %s %s: answer %d %s; want %d with %q", method, path, body, a.StatusCode, a.body, status, text)
	}
}
