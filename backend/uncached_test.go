package backend

import (
	"testing"

	"redyn/backend/dns"
)

// Addresses of hosts are for some clients only, as PowerDNS reads it, and so it keeps them in no cache.
func TestUncached(t *testing.T) {
	b := New(Options{Zones: newFake(), IsHost: func(name dns.Name) bool { return name == "www.example.org." || name == "sub.example.org." }})
	f := func(name, want string) {
		t.Helper()
		c := b.newCall()
		defer b.release(c)
		method, err := c.params.request([]byte(`{"method":"lookup","parameters":{"qname":"` + name + `","qtype":"ANY","zone-id":1}}`))
		if err != nil {
			t.Fatal(err)
		}
		b.serve(t.Context(), viaUnix, find(method), c)
		if got := string(c.reply.b); got != want+"\n" {
			t.Errorf("%s: %s; want %s", name, got, want)
		}
	}
	f("WWW.example.org.", `{"result":[{"qtype":"A","qname":"www.example.org.","content":"192.0.2.1","ttl":60,"domain_id":1,"scopeMask":1},`+
		`{"qtype":"A","qname":"www.example.org.","content":"192.0.2.3","ttl":60,"domain_id":1,"scopeMask":1}]}`)
	f("ns.example.org.", `{"result":[{"qtype":"A","qname":"ns.example.org.","content":"192.0.2.2","ttl":60,"domain_id":1}]}`)
	f("sub.example.org.", `{"result":[{"qtype":"NS","qname":"sub.example.org.","content":"ns.sub.example.org","ttl":60,"domain_id":1,"auth":0}]}`)
	f("nope.example.org.", `{"result":[]}`)
}
