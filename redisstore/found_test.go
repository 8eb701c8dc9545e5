package redisstore

import (
	"strings"
	"testing"
)

// What find.lua answers is made of values that may have been written by hand.
func FuzzParseFound(f *testing.F) {
	f.Add("0")
	f.Add("1\x00{\"id\":\"a\",\"kind\":\"hmac\",\"verifier\":\"x\"}\x00100\x003\x001\x00home.example.org.\x00delete\x001\x002\x00token")
	f.Add("0\x007\x00home.example.org.\x00\x00\x00\x00")
	f.Add("-1\x00")
	f.Add("9223372036854775807\x00x")
	f.Fuzz(func(t *testing.T, text string) {
		values := strings.Split(text, "\x00")
		found, err := parseFound(values)
		if err != nil {
			return
		}
		if len(values) != 1+credentialValues*len(found.Credentials)+hostValues*len(found.Hosts) {
			t.Fatalf("%q is read as %+v", values, found)
		}
		for _, h := range found.Hosts {
			if h.ID <= 0 || h.Name == "" {
				t.Fatalf("host %+v", h)
			}
		}
	})
}
