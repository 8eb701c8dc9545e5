package updater

import (
	"net/url"
	"testing"

	"redyn/auth"
	"redyn/backend/dns"
)

func TestSimpleUpdate(t *testing.T) {
	s := serve(t, Options{})
	s.store.addHost(17, home)
	s.store.addHost(18, office)
	s.passwordFor("correcthorse", nil, home)
	f := func(target, form string, status int, want string) {
		t.Helper()
		s.post(target, form).is(t, status, want)
	}
	f("/update-simple/17", "password=correcthorse&ipAddress=192.0.2.1", 200, "ok")
	s.has(home, dns.TypeA, "192.0.2.1")
	f("/update-simple/home.example.org", "password=correcthorse&ip=2001:db8::1", 200, "ok")
	s.has(home, dns.TypeA, "192.0.2.1")
	s.has(home, dns.TypeAAAA, "2001:db8::1")
	f("/update-simple/17", "password=correcthorse", 200, "ok")
	s.has(home, dns.TypeA, "127.0.0.1")

	const denied = "Authentication failed."
	f("/update-simple/17", "password=wrong", 401, denied)
	f("/update-simple/17", "password=", 401, denied)
	f("/update-simple/18", "password=correcthorse", 401, denied)
	f("/update-simple/99", "password=correcthorse", 401, denied)
	f("/update-simple/other.example.org", "password=correcthorse", 401, denied)
	f("/update-simple/17", "", 401, denied)
	s.get("/update-simple/17?password=correcthorse").is(t, 405, "the method is not allowed here; expected POST")

	// A header goes before what the protocol has of its own.
	s.post("/update-simple/17", "ip=192.0.2.3", basic("home.example.org", "correcthorse")).is(t, 200, "ok")
	s.post("/update/17", "ip=192.0.2.4", basic("17", "correcthorse")).is(t, 200, "ok")
	s.has(home, dns.TypeA, "192.0.2.4")
	s.post("/update-simple/17", "password=correcthorse", basic("17", "wrong")).is(t, 401, denied)
	s.post("/update-simple/18", "password=correcthorse", basic("17", "correcthorse")).is(t, 401, denied)
}

// JSON only for who asks for it twice: the original's clients accept it, and print what they get.
func TestUpdateFormat(t *testing.T) {
	s := serve(t, Options{})
	s.store.addHost(17, home)
	s.passwordFor("correcthorse", nil, home)
	const accept = "Accept: application/json"
	s.post("/update-simple/17", "password=correcthorse", accept).is(t, 200, "ok")
	s.post("/update-simple/17?format=json", "password=correcthorse").is(t, 200, "ok")
	s.post("/update-simple/17?format=json", "password=correcthorse", accept).is(t, 200, `{"status":"ok"}`)
	s.post("/update-simple/17?format=json", "password=wrong", accept).is(t, 401, `{"status":"error","error":"Authentication failed."}`)
}

// Who may use a password: the host's name or number, or the credential's id, with it.
func TestPasswordUsers(t *testing.T) {
	s := serve(t, Options{})
	s.store.addHost(17, home)
	s.store.addHost(18, office)
	s.passwordFor("correcthorse", nil, home)
	id := s.store.credentials[0].ID
	f := func(user, password, want string, status int) {
		t.Helper()
		s.get("/?hostname=home.example.org", basic(user, password)).is(t, status, want)
		s.get("/?hostname=home.example.org&username="+url.QueryEscape(user)+"&password="+password).is(t, status, want)
	}
	f("home.example.org", "correcthorse", "good", 200)
	f("17", "correcthorse", "good", 200)
	f(id, "correcthorse", "good", 200)
	f("", "correcthorse", "badauth", 401)
	f("joe", "correcthorse", "badauth", 401)
	f("joe@example.org", "correcthorse", "badauth", 401)
	f("18", "correcthorse", "badauth", 401)
	f("99", "correcthorse", "badauth", 401)
	f("office.example.org", "correcthorse", "badauth", 401)
	f("home.example.org", "Correcthorse", "badauth", 401)
	s.get("/", basic(id, "correcthorse")).is(t, 200, "good")
	s.get("/", "Authorization: Token correcthorse").is(t, 401, "badauth")
	// The password may have colons.
	s.passwordFor("a:b:c", nil, office)
	s.get("/", basic("office.example.org", "a:b:c")).is(t, 200, "good")
}

// A hash of an old cost is replaced once its password is known.
func TestPasswordUpgrade(t *testing.T) {
	s := serve(t, Options{})
	s.store.addHost(17, home)
	old, err := auth.NewPasswordCredential(auth.HashPassword(auth.NewSecret("correcthorse"), auth.Cost{Memory: 32, Passes: 1, Threads: 1}))
	if err != nil {
		t.Fatal(err)
	}
	s.add(old, nil, []dns.Name{home})
	s.post("/update-simple/17", "password=wrong").is(t, 401, "Authentication failed.")
	if len(s.store.upgraded) > 0 {
		t.Error("a wrong password is hashed")
	}
	s.post("/update-simple/17", "password=correcthorse").is(t, 200, "ok")
	hash := s.store.upgraded[old.ID]
	if fresh, err := old.WithPasswordHash(hash); err != nil {
		t.Errorf("hash %q: %v", hash, err)
	} else if _, err := s.Verifier.Secret(t.Context(), []auth.Credential{fresh}, auth.NewSecret("correcthorse"), auth.Request{}); err != nil {
		t.Error("the new hash is not the password's")
	}
}
