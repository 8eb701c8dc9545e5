package backend

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestRequest(t *testing.T) {
	f := func(line, method, qnameText, zone string) {
		t.Helper()
		var p params
		got, err := p.request([]byte(line))
		if err != nil || string(got) != method || string(p.text[qname]) != qnameText || string(p.text[zoneID]) != zone {
			t.Errorf("%s = %q, qname %q, zone-id %q, %v", line, got, p.text[qname], p.text[zoneID], err)
		}
	}
	f(strings.TrimSpace(benchLine), "lookup", "www.example.org.", "1")
	f(strings.Replace(benchLine, "www.", `w\\.w\u0077`, 1), "lookup", `w\.wwexample.org.`, "1")
	f(strings.Replace(benchLine, ": 1}", ": -1}", 1), "lookup", "www.example.org.", "-1")
	f(strings.Replace(benchLine, ": 1}", `: 1, "qname": "b"}`, 1), "lookup", "b", "1")
	f(`{"parameters":{"zone-id":"-1","qname":"a"},"method":"lookup"}`, "lookup", "a", "-1")
	f(" {\t\"method\" : \"lookup\" ,\r\n \"parameters\" : { \"qname\" : \"a\" } } ", "lookup", "a", "")
	f(`{"method":"look\u0075p","parameters":{"\u0071name":"\u00e4\ud83d\ude00\"\\\/\b\f\n\r\t"}}`, "lookup", "ä😀\"\\/\b\f\n\r\t", "")
	f(`{"method":"x","parameters":{"other":[1,{"qname":"no"},[[]],{},true,false,null,-1.5e+3],"qname":"a"},"more":{}}`, "x", "a", "")
	f(`{"method":"x","parameters":{"qname":"a","qname":"b"}}`, "x", "b", "")
	f(`{"method":"x","parameters":{"qname":"a"},"parameters":{"qname":"b"},"method":"y"}`, "y", "b", "")
	f(`{"method":"x","parameters":null}`, "x", "", "")
	f(`{"method":"x","parameters":{"zone-id":12,"qname":"\ud800"}}`, "x", "\ufffd", "12")
	f("{\"method\":\"x\",\"parameters\":{\"other\":\"\xab\xcd\",\"qname\":\"\xab\"}}", "x", "\xab", "")
}

func TestBrokenRequest(t *testing.T) {
	deep := strings.Repeat("[", deepest) + strings.Repeat("]", deepest)
	f := func(line string) {
		t.Helper()
		var p params
		if method, err := p.request([]byte(line)); err == nil {
			t.Errorf("%s is taken, with method %q", line, method)
		}
	}
	for _, line := range []string{
		"", " ", "null", "1", `"x"`, "[]", "{", "{}", "{]", `{"method"}`, `{"method":}`, `{"method":1}`, `{"method":"x"`,
		`{"method":"x",}`, `{"method":"x"}}`, `{"method":"x"} x`, `{"method":"x","parameters":[]}`, `{"method":"x","parameters":1}`,
		`{"method":"x","parameters":{"qname":{}}}`, `{"method":"x","parameters":{"qname":true}}`, `{"method":"x","parameters":{"qname":"a}}`,
		`{"method":"x","a":"\x"}`, `{"method":"x","a":"\u12g4"}`, `{"method":"x","a":"\u12"}`, "{\"method\":\"x\",\"a\":\"\n\"}",
		`{"method":"x","a":01}`, `{"method":"x","a":-}`, `{"method":"x","a":1.}`, `{"method":"x","a":1e}`, `{"method":"x","a":.5}`,
		`{"method":"x","a":tru}`, `{"method":"x","a":nul}`, `{"method":"x","a":[1,]}`, `{"method":"x","a":[1 2]}`, `{"method":"x","a":[}`,
		strings.Replace(benchLine, ": 1}", ": 01}", 1), strings.Replace(benchLine, ": 1}}", ": 1}", 1), strings.Replace(benchLine, ": 1}}", ": 1}}}", 1),
		strings.Replace(benchLine, "www", "w\nw", 1), benchLine[:40],
		`{"method":"x" "a":1}`, `{"method":"x","a" 1}`, `{"method":"x",1:1}`, `{"method":"x","a":[` + deep + `]}`,
	} {
		f(line)
	}
}

// FuzzRequest compares the scanner with encoding/json.
func FuzzRequest(f *testing.F) {
	f.Add([]byte(benchLine))
	f.Add([]byte(strings.Replace(benchLine, "www.", `w\\.w\u0077`, 1)))
	f.Add([]byte(strings.Replace(benchLine, ": 1}", ": -1.5e3}", 1)))
	f.Add([]byte(`{"parameters":{"domain_id":-1,"zonename":"a\\.b."},"method":"list"}`))
	f.Add([]byte(`{"method":"x","parameters":{"qname":"\ud83d\ude00","maxResults":1e3,"x":[{"y":null},"z"]}}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		if !utf8.Valid(line) || bytes.Count(line, []byte("[")) > deepest || bytes.Count(line, []byte("{")) > deepest {
			return // encoding/json mends what is not UTF-8, and goes deeper
		}
		var p params
		method, err := p.request(bytes.Clone(line))
		wantMethod, want, ok := byEncodingJSON(line)
		if wantMethod == nestedFields {
			return // for FuzzNested
		}
		if ok != (err == nil) {
			t.Fatalf("%q: %v; encoding/json takes it: %v", line, err, ok)
		}
		if err != nil {
			return
		}
		if string(method) != wantMethod {
			t.Errorf("%q: method %q; want %q", line, method, wantMethod)
		}
		for i := range fields {
			text, given := want[i.String()]
			if given != p.has(i) || given && text != string(p.text[i]) {
				t.Errorf("%q: %s %q, %v; want %q, %v", line, i, p.text[i], p.has(i), text, given)
			}
		}
	})
}

// nestedFields is said of requests with values that are no text.
const nestedFields = "\x00"

// byEncodingJSON is what params.request does, in the most obvious way.
func byEncodingJSON(line []byte) (method string, values map[string]string, ok bool) {
	var top map[string]json.RawMessage
	if json.Unmarshal(line, &top) != nil || top == nil {
		return "", nil, false
	}
	if json.Unmarshal(top["method"], &method) != nil || method == "" {
		return "", nil, false
	}
	var parameters map[string]json.RawMessage
	if raw, given := top["parameters"]; given && json.Unmarshal(raw, &parameters) != nil {
		return "", nil, false
	}
	values = make(map[string]string)
	for key, raw := range parameters {
		f, known := fieldOf([]byte(key))
		if !known {
			continue
		}
		if f >= rr-1 || f == active || f == published {
			return nestedFields, nil, false
		}
		switch raw[0] {
		case '"':
			var text string
			if json.Unmarshal(raw, &text) != nil {
				return "", nil, false
			}
			values[key] = text
		case 'n':
		case '{', '[', 't', 'f':
			return "", nil, false
		default:
			values[key] = string(raw)
		}
	}
	return method, values, true
}

// FuzzAppendString has encoding/json read what appendString writes.
func FuzzAppendString(f *testing.F) {
	f.Add("www.example.org.")
	f.Add("\"a b\" \"c;d\\\"e\"\x00\x1f\x7f\n\r\t\u2028")
	f.Fuzz(func(t *testing.T, text string) {
		encoded := appendString(nil, text)
		var got string
		if err := json.Unmarshal(encoded, &got); err != nil {
			t.Fatalf("%q becomes %s: %v", text, encoded, err)
		}
		if want := strings.ToValidUTF8(text, "\ufffd"); utf8.ValidString(text) && got != want {
			t.Errorf("%q becomes %s, which is %q", text, encoded, got)
		}
		if !utf8.ValidString(text) && !bytes.Contains(encoded, []byte{text[strings.IndexFunc(text, func(r rune) bool { return r == utf8.RuneError })]}) {
			t.Errorf("%q becomes %s: octets are lost", text, encoded)
		}
	})
}
