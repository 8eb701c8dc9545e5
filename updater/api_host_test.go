package updater

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"redyn/auth"
	"redyn/backend/dns"
)

const homeJSON = `{"id":17,"name":"home.example.org.","zone":"example.org.","policy":"default","created":"2023-11-14T22:13:20Z"}`

func TestAPIHosts(t *testing.T) {
	c := apiServer(t, Options{})
	const officeJSON = `{"id":18,"name":"office.example.org.","zone":"example.org.","policy":"default","created":"2023-11-14T22:13:20Z"}`
	c.store.addHost(19, "home.example.net.")
	c.gives("GET", "hosts", "", 200, `{"hosts":[`+homeJSON+`,`+officeJSON+`]}`)
	c.gives("GET", "hosts?limit=1", "", 200, `{"hosts":[`+homeJSON+`],"next":"home.example.org."}`)
	c.gives("GET", "hosts?after=home.example.org", "", 200, `{"hosts":[`+officeJSON+`]}`)
	c.gives("GET", "hosts/17", "", 200, homeJSON)
	c.gives("GET", "hosts/Home.example.org", "", 200, homeJSON)
	c.refuses("GET", "hosts/19", "", 404, noSuch)
	c.refuses("GET", "hosts/20", "", 404, noSuch)
	one := c.as(c.tokenFor(nil, home))
	one.gives("GET", "hosts", "", 200, `{"hosts":[`+homeJSON+`]}`)
	one.refuses("GET", "hosts/office.example.org", "", 404, noSuch)
	c.as(c.tokenFor(nil, "none.example.org.")).gives("GET", "hosts", "", 200, `{"hosts":[]}`)
}

// busyManager counts who lists hosts at the same time.
type busyManager struct {
	fakeManager
	now, most *atomic.Int32
}

func (m busyManager) HostsAmong(ctx context.Context, wanted func(dns.Name) bool, limit int) ([]auth.Host, error) {
	defer m.now.Add(-1)
	if n := m.now.Add(1); n > m.most.Load() {
		m.most.Store(n)
	}
	time.Sleep(time.Millisecond)
	return m.fakeManager.HostsAmong(ctx, wanted, limit)
}

// However many ask, all hosts are looked through once at a time.
func TestAPIListsHostsOnceAtATime(t *testing.T) {
	c := apiServer(t, Options{})
	busy := busyManager{fakeManager{c.store}, new(atomic.Int32), new(atomic.Int32)}
	c.Manager = busy
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			if a := c.call("GET", "hosts?limit=1", ""); a.StatusCode != 200 {
				t.Errorf("answer %d %s", a.StatusCode, a.body)
			}
		})
	}
	all.Wait()
	if n := busy.most.Load(); n != 1 {
		t.Errorf("%d look through the hosts at the same time", n)
	}
}

// A host is made and deleted by who has the addresses above it; whoever has it sets its policy.
func TestAPIChangeHosts(t *testing.T) {
	c := apiServer(t, Options{})
	one := c.as(c.tokenFor(nil, home, "new.example.org."))
	one.refuses("POST", "hosts", `{"name":"new.example.org"}`, 403, "more than the credential")
	c.gives("POST", "hosts", `{"name":"new.example.org"}`, 201, `{"id":102,"name":"new.example.org.","zone":"example.org.","policy":"default","created":"2023-11-14T22:13:20Z"}`)
	c.refuses("POST", "hosts", `{"name":"new.example.org"}`, 409, "it exists already")
	c.refuses("POST", "hosts", `{"name":"new.example.net"}`, 403, "more than the credential")
	c.refuses("POST", "hosts", `{"name":"a.example.org","policy":"drop"}`, 400, `policy "drop" is unknown`)
	c.refuses("POST", "hosts", `{"name":"a.example.org","id":5}`, 400, `unknown field "id"`)
	c.refuses("POST", "hosts", `{}`, 400, "name: ")
	below := c.as(c.tokenOf(auth.Grant{Hosts: []auth.Area{{Name: home, Below: true}}}))
	below.gives("POST", "hosts", `{"name":"nas.home.example.org"}`, 201, `{"id":103,"name":"nas.home.example.org.","zone":"example.org.","policy":"default","created":"2023-11-14T22:13:20Z"}`)

	preserve := `{"id":17,"name":"home.example.org.","zone":"example.org.","policy":"preserve","created":"2023-11-14T22:13:20Z"}`
	one.gives("PATCH", "hosts/17", `{"policy":"preserve"}`, 200, preserve)
	one.gives("GET", "hosts/17", "", 200, preserve)
	one.refuses("PATCH", "hosts/17", `{}`, 400, "policy is missing")
	one.refuses("PATCH", "hosts/18", `{"policy":"preserve"}`, 404, noSuch)
	half := c.as(c.tokenFor(func(o *auth.Credential) { o.Grant.Types = []dns.Type{dns.TypeA} }, home))
	half.refuses("PATCH", "hosts/17", `{"policy":"default"}`, 403, "more than the credential")

	c.store.set(home, dns.TypeA, "192.0.2.1")
	one.refuses("DELETE", "hosts/17", "", 403, "more than the credential")
	c.refuses("DELETE", "hosts/17?addresses=yes", "", 400, `addresses "yes" is neither true nor false`)
	c.gives("DELETE", "hosts/17?addresses=true", "", 204, "")
	c.has(home, dns.TypeA)
	c.refuses("DELETE", "hosts/17", "", 404, noSuch)
	c.store.load(dns.Zone{ID: 9, Name: "b.example.org.", Kind: dns.Slave})
	c.as(c.tokenOf(auth.Grant{Zones: []auth.Area{{Name: org, Below: true}}})).
		refuses("POST", "hosts", `{"name":"a.b.example.org"}`, 400, "b.example.org. is a secondary zone")
}
