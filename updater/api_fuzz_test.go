package updater

import (
	"encoding/json"
	"testing"

	"redyn/auth"
	"redyn/backend/dns"
)

// Whatever is asked of the API, the answer is JSON or nothing, and no fault of ours.
func FuzzAPI(f *testing.F) {
	for _, one := range []struct{ method, path, query, body string }{
		{"PUT", "zones/example.org/rrsets/www.example.org/A", "", `{"ttl":60,"content":["192.0.2.1"]}`},
		{"PATCH", "zones/example.org/rrsets/www.example.org/TXT", "", `{"add":"a\nb","remove":["\"x\""]}`},
		{"PATCH", "zones/example.org/rrsets", "", `{"rrsets":[{"name":"a.example.org","type":"MX","content":"10 mail.example."}]}`},
		{"GET", "zones/example.org/rrsets", "after=a.example.org&limit=3&type=A", ""},
		{"GET", "zones/example.org/rrsets", "name=%2a.example.org", ""},
		{"POST", "zones", "", `{"name":"sub.example.org","kind":"slave","primaries":"192.0.2.1,[::1]:53"}`},
		{"POST", "hosts", "", `{"name":"new.example.org","policy":"delete"}`},
		{"DELETE", "hosts/17", "addresses=true", ""},
		{"POST", "credentials", "", `{"kind":"token","hosts":["17"],"types":"A,ANY","networks":["::/0"],"expires":"2030-01-01T00:00:00Z"}`},
		{"GET", "credentials", "host=017", ""},
		{"PATCH", "credentials/x", "", `{"revoked":true}`},
	} {
		f.Add(one.method, one.path, one.query, one.body)
	}
	f.Fuzz(func(t *testing.T, method, path, query, body string) {
		store := newFake()
		store.addHost(17, home)
		secret := auth.GenerateToken()
		c, err := auth.NewTokenCredential(secret)
		if err != nil {
			t.Fatal(err)
		}
		c.Grant.Zones = []auth.Area{{Name: dns.Root, Below: true}}
		store.credentials = append(store.credentials, c)
		u := New(Options{Zones: store.db, Store: store, Manager: fakeManager{store}, Verifier: auth.NewVerifier(auth.Options{Cost: cheap})})
		r := &request{method: method, path: apiPrefix + path, body: body, from: loopback, now: start}
		r.headers.authorization, r.headers.authorized = "Bearer "+secret.Reveal(), true
		var ok bool
		if r.segments, ok = splitPath(r.path); !ok {
			return
		}
		if r.params, err = parseParams(query); err != nil {
			return
		}
		p := u.api(t.Context(), r)
		if p.status >= 500 || p.status == 401 {
			t.Errorf("%s %s?%s %s: answer %d %s", method, path, query, body, p.status, p.body)
		}
		if p.body != "" && (!p.json || !json.Valid([]byte(p.body))) {
			t.Errorf("%s %s?%s %s: answer %d %q", method, path, query, body, p.status, p.body)
		}
	})
}
