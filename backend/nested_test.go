package backend

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzNested compares how values with fields of their own are read with encoding/json.
func FuzzNested(f *testing.F) {
	for _, parameters := range []string{
		`"rr": {"auth": true, "content": "ns.unix.test", "ordername": null, "qclass": 1, "qname": "unix.test.", "qtype": "NS", "ttl": 3600}, "trxid": 1795302769`,
		`"rrset": [{"auth": true, "content": "192.0.2.1", "qclass": 1, "qname": "a.", "qtype": "A", "ttl": 60}, {"auth": false, "content": "\"b\\\"\"", "ttl": 1e2}], "qtype": "A"`,
		`"value": ["a", "", "\u00e4"], "kind": "X-OWN"`, `"value": []`, `"value": null`, `"rr": {}`, `"nsset": [{}]`,
		`"key": {"active": true, "content": "Private-key-format: v1.2\nAlgorithm: 13\n", "flags": 257, "published": false}, "name": "a."`,
		`"nonterm": [{"nonterm": "a.", "auth": true}], "times": 1, "narrow": false`,
	} {
		f.Add([]byte(`{"method": "x", "parameters": {` + parameters + `}}`))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		var p params
		method, err := p.request(bytes.Clone(line))
		for i := range p.records {
			_, _ = p.records[i].parse("example.org.")
		}
		_, _ = p.key()
		if err != nil || len(method) == 0 || !utf8.Valid(line) || repeats(line) {
			return
		}
		var want struct {
			Parameters struct {
				RR    *jsonRecord  `json:"rr"`
				RRset []jsonRecord `json:"rrset"`
				NSset []jsonRecord `json:"nsset"`
				Value []any        `json:"value"`
			} `json:"parameters"`
		}
		decoder := json.NewDecoder(bytes.NewReader(line))
		decoder.UseNumber()
		if err := decoder.Decode(&want); err != nil {
			return // one that FuzzRequest compares, or with members of other types
		}
		records := slices.Concat(want.Parameters.RRset, want.Parameters.NSset)
		if want.Parameters.RR != nil {
			records = append(records, *want.Parameters.RR)
		}
		if len(records) != len(p.records) && len(want.Parameters.RRset)*len(want.Parameters.NSset) == 0 {
			t.Fatalf("%q: %d records; want %d", line, len(p.records), len(records))
		}
		for i := range p.records {
			if got := p.records[i]; len(records) == len(p.records) && (records[i].text() != fmt.Sprintf("%s %s %s %s", got.name, got.typ, got.content, got.ttl)) {
				t.Errorf("%q: record %d is %q; want %q", line, i, got, records[i].text())
			}
		}
		if len(want.Parameters.Value) != len(p.values) {
			t.Fatalf("%q: %d values; want %d", line, len(p.values), len(want.Parameters.Value))
		}
		for i, v := range want.Parameters.Value {
			if fmt.Sprint(v) != string(p.values[i]) {
				t.Errorf("%q: value %d is %q; want %v", line, i, p.values[i], v)
			}
		}
	})
}

type jsonRecord struct {
	Name    string      `json:"qname"`
	Type    string      `json:"qtype"`
	Content string      `json:"content"`
	TTL     json.Number `json:"ttl"`
}

func (r jsonRecord) text() string {
	return fmt.Sprintf("%s %s %s %s", r.Name, r.Type, r.Content, r.TTL)
}

// repeats reports whether a member that is looked at may stand there twice, or in another case, which
// encoding/json takes for the same.
func repeats(line []byte) bool {
	text := strings.ToLower(string(line))
	for _, member := range []string{"parameters", "rr", "rrset", "nsset", "value"} {
		if strings.Count(text, `"`+member) > 1 {
			return true
		}
	}
	return strings.Contains(text, `\u`) || text != string(line) || strings.Count(text, `"qname"`) > 1 || strings.Count(text, `"ttl"`) > 1 ||
		strings.Count(text, `"qtype"`) > 1 || strings.Count(text, `"content"`) > 1
}

func TestNestedFaults(t *testing.T) {
	f := func(parameters string) {
		t.Helper()
		var p params
		if _, err := p.request([]byte(`{"method": "x", "parameters": {` + parameters + `}}`)); err == nil {
			t.Errorf("%s is taken", parameters)
		}
	}
	f(`"rr": []`)
	f(`"rr": "x"`)
	f(`"rr": {"content": {}}`)
	f(`"rr": {"content": null}`)
	f(`"rr": {"content" "x"}`)
	f(`"rrset": {}`)
	f(`"rrset": [1]`)
	f(`"rrset": [{}`)
	f(`"rrset": [` + strings.Repeat("{},", mostRecords) + `{}]`)
	f(`"value": "x"`)
	f(`"value": [[]]`)
	f(`"key": []`)
	f(`"key": {"flags": {}}`)
	f(`"key": ` + strings.Repeat(`{"key": `, 100))
	f(`"x": ` + strings.Repeat(`{"x": `, 100_000))
}
