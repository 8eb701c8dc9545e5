package backend

import (
	"net/url"
	"strings"
	"testing"

	"redyn/backend/dns"
)

func TestTarget(t *testing.T) {
	f := func(uri, method, segments, query string, ok bool) {
		t.Helper()
		m, s, q, got := target([]byte(uri))
		if got != ok || string(m) != method || string(s) != segments || string(q) != query {
			t.Errorf("target(%q) = %q, %q, %q, %v", uri, m, s, q, got)
		}
	}
	f("/dns", "", "", "", true)
	f("/dns/", "", "", "", true)
	f("/dns/lookup/%2e/SOA", "lookup", "%2e/SOA", "", true)
	f("/dns/lookup/a%2fb%3f/A?x=/dns", "lookup", "a%2fb%3f/A", "x=/dns", true)
	f("/dns/getAllDomains?includeDisabled=true", "getAllDomains", "", "includeDisabled=true", true)
	f("/dns?x", "", "", "x", true)
	f("//dns/lookup", "", "", "", false)
	f("/dnssec", "", "", "", false)
	f("/", "", "", "", false)
	f("", "", "", "", false)
	f("http://127.0.0.1/dns/lookup", "", "", "", false)
}

// FuzzPath compares the path's reading with net/url's, segment by segment.
func FuzzPath(f *testing.F) {
	f.Add("/dns/lookup/www%2eexample%2eorg%2e/ANY")
	f.Add("/dns/lookup/%2e/SOA")
	f.Add("/dns/list/%2d1/0%2f25%2e2%2e0%2e192%2ein%2daddr%2earpa%2e")
	f.Add("/dns/searchRecords?maxResults=5&pattern=%2aplain%2a")
	f.Fuzz(func(t *testing.T, uri string) {
		name, segments, query, ok := target([]byte(uri))
		if !ok {
			return
		}
		m := find(name)
		var p params
		if _, err := p.form(query); err != nil {
			return
		}
		p.reset()
		if p.path(m, segments) != nil {
			return
		}
		want := strings.Split(string(segments), "/")
		for i, field := range m.path {
			text, err := url.PathUnescape(want[i])
			if err != nil || text != string(p.text[field]) {
				t.Errorf("%q: %s is %q; want %q, %v", uri, field, p.text[field], text, err)
			}
			checkNames(t, &p, field)
		}
	})
}

// checkNames has a field read as a name, as a method would.
func checkNames(t *testing.T, p *params, f field) {
	t.Helper()
	got, err := p.name(f)
	want, wantErr := dns.ParseName(string(p.text[f]))
	if (err == nil) != (wantErr == nil) || got != want {
		t.Errorf("the name %q is %q, %v; want %q, %v", p.text[f], got, err, want, wantErr)
	}
}
