package auth_test

import (
	"errors"
	"net/netip"
	"os"
	"testing"
	"time"

	"redyn/auth"
	"redyn/backend/dns"
)

// cheap is a cost for tests.
var cheap = auth.Cost{Memory: 8, Passes: 1, Threads: 1}

// now is when tests take place.
var now = time.Unix(1_700_000_000, 0)

// home is what most tests ask for: a host's address, from its own network.
var home = auth.Request{
	Now: now, From: netip.MustParseAddr("192.0.2.77"),
	Targets: []auth.Target{{Zone: "example.org.", Name: "h.example.org.", Type: dns.TypeA}},
}

// grant is for the host of home.
func grant() auth.Grant {
	return auth.Grant{Hosts: []auth.Area{{Host: 17, Name: "h.example.org."}}}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func tokenCredential() (auth.Credential, auth.Secret) {
	secret := auth.GenerateToken()
	c := must(auth.NewTokenCredential(secret))
	c.Grant = grant()
	return c, secret
}

func passwordCredential(password string) auth.Credential {
	return hashCredential(auth.HashPassword(auth.NewSecret(password), cheap))
}

func hashCredential(hash string) auth.Credential {
	c := must(auth.NewPasswordCredential(hash))
	c.Grant = grant()
	return c
}

// with returns home's request changed by edit.
func with(edit func(*auth.Request)) auth.Request {
	r := home
	edit(&r)
	return r
}

// denied fails the test unless err is ErrDenied for that reason, and says nothing of it.
func denied(t *testing.T, err error, reason auth.Reason) {
	t.Helper()
	if !errors.Is(err, auth.ErrDenied) || auth.ReasonOf(err) != reason {
		t.Errorf("error is %v (%s), want %v (%s)", err, auth.ReasonOf(err), auth.ErrDenied, reason)
		return
	}
	want := auth.ErrDenied.Error()
	if reason == auth.ReasonSkew {
		want = auth.ErrSkew.Error()
	}
	if err.Error() != want {
		t.Errorf("denial says %q", err)
	}
}

func testdata(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
