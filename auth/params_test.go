package auth_test

import (
	"net/url"
	"reflect"
	"strings"
	"testing"

	"redyn/auth"
)

func TestParseForm(t *testing.T) {
	f := func(in string, want ...string) {
		t.Helper()
		got, err := auth.ParseForm(in)
		if err != nil || !reflect.DeepEqual(flat(got), want) {
			t.Errorf("ParseForm(%q) = %q, %v; want %q", in, flat(got), err, want)
		}
	}
	f("")
	f("&&")
	f("a=b", "a", "b")
	f("a=1&b=2&a=1", "a", "1", "b", "2", "a", "1")
	f("a", "a", "")
	f("=b", "", "b")
	f("a==b", "a", "=b")
	f("a+b=%2B+%26%3d", "a b", "+ &=")
	f("a=%00%ff", "a", "\x00\xff")
	f("a;b=1", "a;b", "1")
	for _, broken := range []string{"a=%", "a=%4", "a=%zz", "%g0=1", "a=%%41"} {
		if got, err := auth.ParseForm(broken); err == nil {
			t.Errorf("ParseForm(%q) = %q", broken, got)
		}
	}
	if _, err := auth.ParseForm(strings.Repeat("a&", 1000)); err == nil {
		t.Error("1001 parameters are read")
	}
}

func TestParseJSONParams(t *testing.T) {
	f := func(in string, want ...string) {
		t.Helper()
		got, err := auth.ParseJSONParams([]byte(in))
		if err != nil || !reflect.DeepEqual(flat(got), want) {
			t.Errorf("ParseJSONParams(%s) = %q, %v; want %q", in, flat(got), err, want)
		}
	}
	f(`{}`)
	f(` {"a": "b", "n": 1.50e3, "t": true, "f": false, "a": "\u00e9"} `, "a", "b", "n", "1.50e3", "t", "true", "f", "false", "a", "é")
	for _, wrong := range []string{
		``, `[]`, `"a"`, `{`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,}`, `{"a":null}`, `{"a":[]}`, `{"a":{}}`,
		`{"a":1}{}`, `{"a":1}x`, `{a:1}`, `{"a":nan}`, `{"a" "b"}`, `{"a":"b" "c":"d"}`, `{1:2}`,
		`{` + strings.TrimRight(strings.Repeat(`"a":1,`, 1001), ",") + `}`,
	} {
		if got, err := auth.ParseJSONParams([]byte(wrong)); err == nil {
			t.Errorf("ParseJSONParams(%s) = %q", wrong, got)
		}
	}
}

func flat(params []auth.Param) []string {
	var list []string
	for _, p := range params {
		list = append(list, p.Key, p.Value)
	}
	return list
}

func FuzzParams(f *testing.F) {
	f.Add("a=b&c=d+e%20f~")
	f.Add("hostname=home.example.test&myip=192.0.2.1")
	f.Fuzz(func(t *testing.T, text string) {
		params, err := auth.ParseForm(text)
		values, urlErr := url.ParseQuery(text)
		if err != nil {
			if urlErr == nil && strings.Count(text, "&") < 1000 {
				t.Errorf("url.ParseQuery reads %q: %v", text, err)
			}
			return
		}
		if urlErr == nil {
			got := make(url.Values)
			for _, p := range params {
				got.Add(p.Key, p.Value)
			}
			if !reflect.DeepEqual(got, values) {
				t.Errorf("%q is %v, url.ParseQuery has %v", text, got, values)
			}
		}
		// What is signed is verified, in whatever order it comes.
		q := auth.HMACRequest{Method: "POST", Path: "/", Params: params}
		s := must(auth.ParseHMAC(q.Sign(vectorKey, auth.NewSecret(vectorSecret), now)))
		for i, j := 0, len(params)-1; i < j; i, j = i+1, j-1 {
			params[i], params[j] = params[j], params[i]
		}
		if _, err := verifier().HMAC([]auth.Credential{hmacCredential()}, s, q, api); err != nil {
			t.Errorf("%q: %v", text, auth.ReasonOf(err))
		}
	})
}

func FuzzParseJSONParams(f *testing.F) {
	f.Add([]byte(`{"a":"b","n":1.5,"t":true}`))
	f.Add([]byte(`{"a":[1]}`))
	f.Fuzz(func(_ *testing.T, body []byte) { _, _ = auth.ParseJSONParams(body) })
}
