package backend

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// TestForm reads bodies as PowerDNS wrote them.
func TestForm(t *testing.T) {
	f := func(body string, want ...record) {
		t.Helper()
		var p params
		if _, err := p.form([]byte(body)); err != nil || !slices.EqualFunc(p.records, want, sameRecord) {
			t.Errorf("%s\nholds %q, %v\nwant %q", body, p.records, err, want)
		}
	}
	refused := func(body, why string) {
		t.Helper()
		var p params
		_, err := p.form([]byte(body))
		if err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v; want %s", body, err, why)
			return
		}
		if status, _ := statusOf(err); why != "escape" && status < 500 {
			t.Errorf("%s: status %d", body, status)
		}
	}
	r := func(name, typ, content, ttl string) record {
		return record{[]byte(name), []byte(typ), []byte(content), []byte(ttl)}
	}
	// 4.7.3 and 4.9.17: add-record, replace-rrset, edit-zone and increase-serial.
	f(`1&rrset[0][content]=198%2e51%2e100%2e1&rrset[0][qclass]=1&rrset[0][qname]=new%2eexample%2eorg%2e&rrset[0][qtype]=A&rrset[0][ttl]=3001&rrset[1][content]=198%2e51%2e100%2e2&rrset[1][qclass]=1&rrset[1][qname]=new%2eexample%2eorg%2e&rrset[1][qtype]=A&rrset[1][ttl]=300`,
		r("new.example.org.", "A", "198.51.100.1", "300"), r("new.example.org.", "A", "198.51.100.2", "300"))
	f(`1&rrset[0][content]=198%2e51%2e100%2e3&rrset[0][qtype]=A&rrset[0][ttl]=6001&rrset[1][content]=198%2e51%2e100%2e4&rrset[1][qtype]=A&rrset[1][ttl]=6000&rrset[2][content]=198%2e51%2e100%2e5&rrset[2][qtype]=A&rrset[2][ttl]=600`,
		r("", "A", "198.51.100.3", "600"), r("", "A", "198.51.100.4", "600"), r("", "A", "198.51.100.5", "600"))
	f(`0&rrset[0][content]=%22one%20%26%20two%20%3d%203%22&rrset[0][qtype]=TXT&rrset[0][ttl]=0`, r("", "TXT", `"one & two = 3"`, "0"))
	f(`0&rrset[0][content]=a&rrset[0][ttl]=01&rrset[1][content]=b&rrset[1][ttl]=0`, r("", "", "a", "0"), r("", "", "b", "0"))
	// feedRecord, and the nsset of an autoprimary.
	f(`1&rr[content]=192%2e0%2e2%2e1&rr[ordername]=&rr[qclass]=1&rr[qname]=ns1%2esec%2etest%2e&rr[qtype]=A&rr[ttl]=3600`, r("ns1.sec.test.", "A", "192.0.2.1", "3600"))
	f(`rr[auth]=1&rr[content]=192%2e0%2e2%2e1&rr[ordername]=&rr[qclass]=1&rr[qname]=ns1%2esec%2etest%2e&rr[qtype]=A&rr[ttl]=3600`, r("ns1.sec.test.", "A", "192.0.2.1", "3600"))
	f(`1&nsset[0][content]=ns1%2eauto%2etest&nsset[0][qtype]=NS&nsset[0][ttl]=3600&1&nsset[1][content]=192%2e0%2e2%2e1&nsset[1][qtype]=A&nsset[1][ttl]=3600`,
		r("", "NS", "ns1.auto.test", "3600"), r("", "A", "192.0.2.1", "3600"))
	// 5.1.5.
	f(`rrset[0][auth]=0&rrset[0][content]=192%2e0%2e2%2e44&rrset[0][qtype]=A&rrset[0][ttl]=301&rrset[1][auth]=0&rrset[1][content]=192%2e0%2e2%2e5&rrset[1][qtype]=A&rrset[1][ttl]=301`,
		r("", "A", "192.0.2.44", "301"), r("", "A", "192.0.2.5", "301"))
	f("")
	f("nonterm[]=&nonterm[]=")
	f("times=0&salt=%ab%cd&narrow=0&nonterm[]=&nonterm[]=")

	refused(`1&rrset[0][content]=a&rrset[0][ttl]=302&rrset[1][content]=b&rrset[1][ttl]=300`, "auth")
	refused(`1&rrset[0][content]=a&rrset[0][ttl]=1&rrset[1][content]=b&rrset[1][ttl]=300`, "auth")
	refused(`1&rrset[0][content]=a&rrset[1][content]=b&rrset[1][ttl]=300`, "auth")
	refused(`rr[content]=%2`, "escape")
	refused(`value[]=%`, "escape")
	refused(strings.Repeat("rr[ttl]=1&nsset[0][ttl]=1&", mostRecords/2+1), "more than")
}

func sameRecord(a, b record) bool {
	return bytes.Equal(a.name, b.name) && bytes.Equal(a.typ, b.typ) && bytes.Equal(a.content, b.content) && bytes.Equal(a.ttl, b.ttl)
}

// TestFormDialects: what PowerDNS 4 writes of any records means what PowerDNS 5 writes of them.
func TestFormDialects(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		var four, five strings.Builder
		var want []record
		for i := range 1 + random.IntN(5) {
			content := make([]byte, random.IntN(8))
			for j := range content {
				content[j] = byte(random.IntN(256))
			}
			r := record{[]byte("a."), []byte("TXT"), content, fmt.Append(nil, random.IntN(1000))}
			auth := random.IntN(2)
			rest := fmt.Sprintf("rrset[%d][content]=%s&rrset[%[1]d][qclass]=1&rrset[%[1]d][qname]=a%%2e&rrset[%[1]d][qtype]=TXT&rrset[%[1]d][ttl]=%[3]s", i, escape(string(content)), r.ttl)
			fmt.Fprintf(&four, "%d&%s", auth, rest)
			if i > 0 {
				five.WriteByte('&')
			}
			fmt.Fprintf(&five, "rrset[%d][auth]=%d&%s", i, auth, rest)
			want = append(want, r)
		}
		for _, body := range []string{four.String(), five.String()} {
			var p params
			if _, err := p.form([]byte(body)); err != nil || !slices.EqualFunc(p.records, want, sameRecord) {
				t.Fatalf("%s\nholds %q, %v\nwant %q", body, p.records, err, want)
			}
		}
	}
}

// FuzzForm compares the form's reading with net/url's.
func FuzzForm(f *testing.F) {
	f.Add("parameters=%7b%22name%22%3a%20%22plain%2etest%2e%22%7d")
	f.Add("query=some%20words%20%3d+here&qname=a")
	f.Add("1&rrset[0][content]=a&rrset[0][qtype]=A&rrset[0][ttl]=3001&rrset[1][content]=b&rrset[1][ttl]=300")
	f.Add("rr[auth]=1&rr[content]=a&rr[ttl]=1&value[]=a&value[]=&nonterm[]=&nsset[0][qname]=a&key[flags]=1&rr]=x&value[=y&[]=z")
	f.Fuzz(func(t *testing.T, body string) {
		var p params
		parameters, err := p.form([]byte(body))
		if err != nil || strings.Contains(body, ";") {
			return // net/url takes no semicolons
		}
		text := make(map[string]string)
		var list []string
		for pair := range strings.SplitSeq(body, "&") {
			key, value, given := strings.Cut(pair, "=")
			value, err = url.QueryUnescape(value)
			if given && err == nil {
				text[key] = value
			}
			if strings.HasPrefix(key, "value[") && strings.HasSuffix(key, "]") && given {
				list = append(list, value)
			}
		}
		if text["parameters"] != string(parameters) {
			t.Errorf("%q: parameters %q; want %q", body, parameters, text["parameters"])
		}
		for i := range values {
			if value, given := text[i.String()]; given != p.has(i) || value != "" && value != string(p.text[i]) {
				t.Errorf("%q: %s %q; want %q", body, i, p.text[i], value)
			}
		}
		if got := fmt.Sprintf("%q", p.values); got != fmt.Sprintf("%q", list) && len(list) > 0 {
			t.Errorf("%q: values %s; want %q", body, got, list)
		}
		for i := range p.records {
			_, _ = p.records[i].parse("example.org.")
		}
		if parameters != nil {
			_ = p.parameters(bytes.Clone(parameters))
		}
	})
}
