package updater

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"redyn/auth"
	"redyn/backend/dns"
)

// Whatever the query, what is read of it is of the right families, or challenges, and few.
func FuzzHosts(f *testing.F) {
	for _, query := range []string{
		"hostname=a.example.org,b.example.org&myip=192.0.2.1,2001:db8::1", "myip=preserve&myipv6=", "ip6lanprefix=2001:db8:1:2::/64",
		"myipv4:a.example.org,b.example.org=192.0.2.0/24&myipv6:c.example.org=preserve", "myip=::ffff:1.2.3.4,64:ff9b::1.2.3.4", "myip=%31",
		"hostname=_acme-challenge.a.example.org&txt=value", "hostname=_acme-challenge.a.example.org&txt=", "hostname=a.example.org&txt=x",
		"hostname=YES&host_id=x.y", "myip=1.2.3.4%00", "username=a.example&password=x",
	} {
		f.Add(query, "203.0.113.9", "2001:db8:9:9::9")
	}
	f.Fuzz(func(t *testing.T, query, a, aaaa string) {
		p, err := parseParams(query)
		if err != nil {
			return
		}
		r := &request{params: p, from: loopback}
		w := r.hostsWish(p)
		if w.flaw != nil {
			return
		}
		if len(w.hosts) == 0 || len(w.hosts) > mostHosts {
			t.Fatalf("%q is for %d hosts", query, len(w.hosts))
		}
		for i, h := range w.hosts {
			if h.name == "" && i > 0 {
				t.Errorf("host %d of %q has no name", i, query)
			}
			for j, e := range h.edits {
				if j > 0 && h.edits[j-1].typ >= e.typ {
					t.Errorf("%q changes %s twice", query, e.typ)
				}
				checkContent(t, query, e, a, aaaa)
			}
		}
	})
}

// checkContent holds what becomes of an RRset to what it may become.
func checkContent(t *testing.T, query string, e edit, a, aaaa string) {
	t.Helper()
	old := map[dns.Type]string{dns.TypeA: a, dns.TypeAAAA: aaaa}[e.typ]
	if addr, err := netip.ParseAddr(old); err != nil || addr.Zone() != "" || addr.Is4() != (e.typ == dns.TypeA) {
		old = ""
	}
	before := dns.RRset{Name: home, Type: e.typ, Content: []string{old}}
	got := e.fresh(before, DefaultTTL).Content
	if len(got) > mostAddrs {
		t.Errorf("%q sets %d addresses", query, len(got))
	}
	for _, text := range got {
		if e.typ == dns.TypeTXT {
			if value := strings.Trim(text, `"`); text != "" && (!isValue(value) || text != quoted(value)) {
				t.Errorf("%q sets a challenge to %s", query, text)
			}
			continue
		}
		addr, err := netip.ParseAddr(text)
		if err != nil || addr.Is4() != (e.typ == dns.TypeA) || addr.Zone() != "" || addr.String() != text {
			t.Errorf("%q sets %s to %q", query, e.typ, text)
		}
	}
	if again := e.fresh(before, DefaultTTL).Content; !slices.Equal(again, got) {
		t.Errorf("%q sets %q, and then %q", query, got, again)
	}
}

// A moved address has the bits of the network, and its own for the rest.
func FuzzPrefix(f *testing.F) {
	f.Add("2001:db8:1:2::/64", "2001:db8:9:9::9")
	f.Add("192.0.2.0/24", "203.0.113.9")
	f.Add("::/0", "::1")
	f.Add("10.0.0.0/7", "192.0.2.1")
	f.Fuzz(func(t *testing.T, prefix, text string) {
		a, err := netip.ParseAddr(text)
		if err != nil || a.Zone() != "" || a.Is4In6() {
			return
		}
		for _, family := range families {
			w, err := family.parse(prefix)
			if err != nil || !w.prefix.IsValid() || !family.has(a) {
				continue
			}
			got := moved(a, w.prefix)
			if !w.prefix.Contains(got) || got.BitLen() != a.BitLen() {
				t.Fatalf("%v moved to %v is %v", a, w.prefix, got)
			}
			// Moved into the network where it was, it is itself again.
			if back, err := a.Prefix(w.prefix.Bits()); err != nil || moved(got, back) != a {
				t.Errorf("%v moved to %v and back is %v", a, w.prefix, moved(got, back))
			}
		}
	})
}

// Whatever stands in Authorization, it is read as one thing or as broken, and keeps to itself.
func FuzzAuthorization(f *testing.F) {
	f.Add("Basic aG9tZTpzZWNyZXQ=", "")
	f.Add("basic  OnNlY3JldA", "")
	f.Add("Token abc", "")
	f.Add("Bearer", "")
	f.Add("CONEXIM 51f881d6d158f:HFOf0df2UG+NFUIlAqHh4ENnh8U+rLOB2ZmjEU/l3ts=", "1700000000")
	f.Add("Digest username=x", "")
	f.Fuzz(func(t *testing.T, authorization, at string) {
		h := headers{authorization: authorization, authorized: true, conexim: at}
		p := h.proof()
		if p.kind == noProof || p.kind == signedProof || (p.kind == brokenProof) != (p.broken != nil) {
			t.Fatalf("%q is %+v", authorization, p)
		}
		var q auth.Query
		p.ask(&q)
		p.userName(nil)
		if strings.Contains(strings.ToLower(authorization), "token") && p.kind == tokenProof && !strings.Contains(authorization, p.secret.Reveal()) {
			t.Errorf("%q has token %q", authorization, p.secret.Reveal())
		}
	})
}

// Whatever the path, somebody serves it; a host in it has a number, or a name.
func FuzzPath(f *testing.F) {
	for _, path := range []string{"/token/17", "/update/home.example.org", "/nic/update/h.example/1.2.3.4", "/a/nic/update", "/update/a/b/nic/update", "/nic/update/nic/update", "//", "/%2e", "/nic/updateh.example", "/favicon.ico"} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		path, _, _ = strings.Cut(path, "?")
		segments, ok := splitPath(path)
		if !ok || !strings.HasPrefix(path, "/") {
			return
		}
		r := &request{path: path, segments: segments, from: loopback}
		route := routeOf(r)
		h := r.pathHost()
		if (h.id == 0) == (h.name == "") {
			t.Errorf("%q is host %d %q", path, h.id, h.name)
		}
		if route.protocol == "dyndns2" && isNic(segments) {
			p, err := r.withPath()
			if err == nil && (len(p) > 2 || len(p) > 0 && strings.HasSuffix(path, "/nic/update")) {
				t.Errorf("%q has parameters %v", path, p)
			}
		}
	})
}

// misframed sees what fasthttp takes for the two headers.
func FuzzFraming(f *testing.F) {
	f.Add("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n")
	f.Add("content-length:4\r\nX: y\r\n")
	f.Add("X: y\r\n\tTransfer-Encoding: chunked\r\nContent-Length: 1\r\n")
	f.Fuzz(func(t *testing.T, header string) {
		var h fasthttp.RequestHeader
		raw := "POST / HTTP/1.1\r\nHost: x\r\n" + header + "\r\n"
		if err := readHeader(&h, raw); err != nil || strings.Contains(header, "\r\n\r\n") || strings.Contains(header, "\n\n") || strings.Contains(header, "\n\r\n") {
			return
		}
		chunked := h.ContentLength() == -1
		length := strings.Contains("\n"+strings.ToLower(strings.ReplaceAll(header, "\r", "")), "\ncontent-length:")
		if chunked && length && !misframed(h.RawHeaders()) {
			t.Errorf("%q is framed twice", raw)
		}
	})
}
