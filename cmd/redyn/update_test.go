package main

import (
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"redyn/auth"
	"redyn/backend/dns"
)

// A token or a password goes by Basic authentication; what the server does not see is left alone.
func TestUpdateSecret(t *testing.T) {
	s := newDynServer(t)
	s.answers["/nic/update"] = say("good 127.0.0.1\nnochg 127.0.0.1")
	file := private(t, "s3cret\n")
	code, out, errs := redyn("update", "--url", s.URL+"/", "--host", "Home.Example.org.", "--host=nas.example.org", "--secret-file", file)
	if code != exitDone || errs != "" || out != "home.example.org good 127.0.0.1\nnas.example.org nochg 127.0.0.1\n" {
		t.Fatalf("exit code %d, %q, %q", code, out, errs)
	}
	r := s.updates()[0]
	user, password, _ := r.BasicAuth()
	if user != "home.example.org" || password != "s3cret" {
		t.Errorf("the server is shown %q, %q", user, password)
	}
	if want := "hostname=home.example.org%2Cnas.example.org&myipv4=127.0.0.1&myipv6=preserve"; r.URL.RawQuery != want {
		t.Errorf("the server is asked for %s; want %s", r.URL.RawQuery, want)
	}
	if agent := r.UserAgent(); !strings.HasPrefix(agent, "redyn/") {
		t.Errorf("the server is asked by %q", agent)
	}
}

// The environment may have all settings, and the secret itself.
func TestUpdateEnvironment(t *testing.T) {
	s := newDynServer(t)
	s.answers["/dyn/nic/update"] = say("good")
	t.Setenv("REDYN_UPDATE_URL", s.URL+"/dyn")
	t.Setenv("REDYN_UPDATE_HOST", "home.example.org")
	t.Setenv("REDYN_UPDATE_ADDRESS", "192.0.2.1,192.0.2.2,2001:db8::1")
	t.Setenv("REDYN_UPDATE_SECRET", "s3cret")
	code, out, errs := redyn("update", "--json")
	if code != exitDone {
		t.Fatal(errs)
	}
	var got []updateResult
	if err := json.Unmarshal([]byte(out), &got); err != nil || len(got) != 1 || got[0].Outcome != "good" || len(got[0].Addresses) != 3 {
		t.Errorf("printed is %s (%v)", out, err)
	}
	if q := s.updates()[0].URL.Query(); q.Get("myipv4") != "192.0.2.1,192.0.2.2" || q.Get("myipv6") != "2001:db8::1" {
		t.Errorf("the server is asked for %v", q)
	}
}

// An HMAC signs what it is asked for, and the secret stays here.
func TestUpdateHMAC(t *testing.T) {
	const id, secret = "51f881d6d158f", "19d6a39ee3edf428ae156842026241bc"
	c, err := auth.NewHMACCredential(id, auth.NewSecret(secret), nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Grant.Hosts = []auth.Area{{Name: "home.example.org."}}
	s := newDynServer(t)
	s.answers["/nic/update"] = func(w http.ResponseWriter, r *http.Request) {
		signature, err := auth.ParseHMAC(r.Header.Get("Authorization"), r.Header.Get("Conexim-Time"))
		if err != nil {
			t.Error(err)
		}
		params, err := auth.ParseForm(r.URL.RawQuery)
		if err != nil {
			t.Error(err)
		}
		signed := auth.HMACRequest{Method: r.Method, Path: r.URL.EscapedPath(), Params: params}
		target := auth.Target{Zone: "example.org.", Name: "home.example.org.", Type: dns.TypeA}
		q := auth.Request{Now: time.Now(), From: netip.MustParseAddr("127.0.0.1"), Targets: []auth.Target{target}}
		if _, err := auth.NewVerifier(auth.Options{}).HMAC([]auth.Credential{c}, signature, signed, q); err != nil {
			t.Errorf("%v: %v", err, auth.ReasonOf(err))
		}
		say("nochg 127.0.0.1")(w, r)
	}
	code, out, errs := redyn("update", "--url", s.URL, "--host", "home.example.org", "--hmac-id", id, "--secret-file", private(t, secret))
	if code != exitDone || out != "home.example.org nochg 127.0.0.1\n" {
		t.Errorf("exit code %d, %q, %q", code, out, errs)
	}
}

// Each kind of key signs the host's token with the address. A token that ends on the way is replaced
// once.
func TestUpdateSigned(t *testing.T) {
	for _, kind := range []string{"rsa2048", "ed25519", "p256", "p384"} {
		t.Run(kind, func(t *testing.T) {
			signer, file := newSigner(t, kind)
			public, err := auth.ParsePublicKey(string(publicPEM(t, signer)))
			if err != nil {
				t.Fatal(err)
			}
			s := newDynServer(t)
			tokens := 0
			s.answers["/token/7"] = func(w http.ResponseWriter, r *http.Request) {
				tokens++
				_, _ = fmt.Fprintf(w, "token%d", tokens)
			}
			s.answers["/update/7"] = func(w http.ResponseWriter, r *http.Request) {
				signed := auth.Signed{Host: 7, Token: "token2", IP: r.PostForm.Get("ipAddress")}
				if !public.Verify(signed.Message(), decode(t, r.PostForm.Get("signature"))) {
					fail(http.StatusUnauthorized, "Authentication failed.")(w, r)
					return
				}
				say("ok")(w, r)
			}
			code, out, errs := redyn("update", "--url", s.URL, "--host", "007", "--key-file", file)
			if code != exitDone || out != "7 ok 127.0.0.1\n" || tokens != 2 {
				t.Errorf("exit code %d, %q, %q after %d tokens", code, out, errs, tokens)
			}
		})
	}
}

// A host's name is signed as it stands in the path, and both addresses one after the other.
func TestUpdateSignedName(t *testing.T) {
	signer, file := newSigner(t, "ed25519")
	public, err := auth.ParsePublicKey(string(publicPEM(t, signer)))
	if err != nil {
		t.Fatal(err)
	}
	s := newDynServer(t)
	s.answers["/token/home.example.org"] = say("token")
	s.answers["/update/home.example.org"] = func(w http.ResponseWriter, r *http.Request) {
		message := []byte("token|home.example.org|" + r.PostForm.Get("ipAddress") + "\n")
		if !public.Verify(message, decode(t, r.PostForm.Get("signature"))) {
			t.Errorf("the signature is wrong for %q", message)
		}
		say("ok\n")(w, r)
	}
	code, out, errs := redyn("update", "--url", s.URL, "--host", "home.example.org", "--key-file", file, "--address", "192.0.2.1", "--address", "2001:db8::1")
	if code != exitDone || out != "home.example.org ok 192.0.2.1 2001:db8::1\n" || len(s.updates()) != 4 {
		t.Errorf("exit code %d, %q, %q after %d requests", code, out, errs, len(s.updates()))
	}
}

// Whatever a server answers, there is one line, which has what it said and no secret.
func TestUpdateRefused(t *testing.T) {
	file := private(t, "s3cret")
	f := func(answer http.HandlerFunc, want string) {
		t.Helper()
		s := newDynServer(t)
		s.answers["/nic/update"] = answer
		code, out, errs := redyn("update", "--url", s.URL, "--host", "a.example.org", "--host", "b.example.org", "--secret-file", file)
		if want = "redyn: " + s.URL + "/nic/update answers " + want + "\n"; code != exitFailed || out != "" || errs != want {
			t.Errorf("exit code %d, %q, %q; want %q", code, out, errs, want)
		}
	}
	f(fail(401, "badauth"), "401: badauth (the credential is wrong, has ended, or is not for this)")
	f(say("nohost"), "nohost (a host is not there, or not the credential's)")
	f(say("good 127.0.0.1\nnohost"), "nohost (a host is not there, or not the credential's)")
	f(say("dnserr"), "dnserr")
	f(fail(503, "911"), "503: 911")
	f(fail(429, "abuse", "Retry-After: 60"), "429: abuse")
	f(fail(401, auth.SkewText), "401: "+auth.SkewText+" (the server's clock or this one's is wrong)")
	f(fail(301, "", "Location: https://evil.example/"), `301; it points to "https://evil.example/", to which no secret is sent`)
	f(say("<html>\n<title>Welcome to our \x1b[31mWLAN</title>"), `<html>, which is neither good nor nochg`)
	f(say("good\ngood\ngood"), "3 lines for 2 hosts")
	f(say(""), "nothing, which is neither good nor nochg")
	f(fail(404, "nothing\x1b[31m is here"), `404: nothing\x1b[31m is here`)
}

// A server shows a certificate that this machine trusts, or one of --tls-ca.
func TestUpdateTLS(t *testing.T) {
	s := newDynServer(t)
	s.answers["/nic/update"] = say("good")
	secure := httptest.NewUnstartedServer(s)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw})
	if err := os.WriteFile(ca, text, 0o644); err != nil {
		t.Fatal(err)
	}
	args := []string{"update", "--url", secure.URL, "--host", "home.example.org", "--secret-file", private(t, "s3cret")}
	if code, _, errs := redyn(args...); code != exitFailed || !strings.Contains(errs, "certificate") || len(s.asked) > 0 {
		t.Errorf("exit code %d, %q after %d requests", code, errs, len(s.asked))
	}
	if code, out, errs := redyn(append(args, "--tls-ca", ca)...); code != exitDone || out != "home.example.org good 127.0.0.1\n" {
		t.Errorf("exit code %d, %q, %q", code, out, errs)
	}
}

// A secret that others on the way can read is worth a warning.
func TestUpdateInClear(t *testing.T) {
	f := func(text string, p updateProof, want bool) {
		t.Helper()
		u, err := parseUpdateURL(text)
		if err != nil {
			t.Fatal(err)
		}
		if o := (updateOptions{url: u, proof: p}); o.inClear() != want {
			t.Errorf("to %s the secret goes in the clear: %t", text, !want)
		}
	}
	key, _ := newSigner(t, "ed25519")
	f("http://192.0.2.1:8080", updateProof{}, true)
	f("http://[2001:db8::1]", updateProof{}, true)
	f("http://dyn.example.org", updateProof{}, true)
	f("https://dyn.example.org", updateProof{}, false)
	f("http://dyn.example.org", updateProof{id: "51f881d6d158f"}, false)
	f("http://dyn.example.org", updateProof{key: key}, false)
	f("http://127.0.0.1:8080", updateProof{}, false)
	f("http://[::1]:8080", updateProof{}, false)
	f("http://localhost", updateProof{}, false)
}

// What can be told beforehand is told before anything is sent.
func TestUpdateUsage(t *testing.T) {
	secret := private(t, "s3cret")
	open := private(t, "s3cret")
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	_, small := newSigner(t, "rsa1024")
	_, key := newSigner(t, "p256")
	f := func(line, want string) {
		t.Helper()
		code, _, errs := redyn(append([]string{"update"}, strings.Fields(line)...)...)
		if code != exitUsage || errs != "redyn: "+want+"\n" {
			t.Errorf("redyn update %s: exit code %d, %q; want %q", line, code, errs, want)
		}
	}
	server := "--url https://dyn.example.org --host home.example.org "
	f("", `--url: "" is no URL; expected something like https://dyn.example.org`)
	f("--url dyn.example.org", `--url: "dyn.example.org" is no URL; expected something like https://dyn.example.org`)
	f("--url https://me:secret@dyn.example.org", "--url: a URL has no user, password or query here; expected something like https://dyn.example.org")
	f(server, "there is no secret: --secret-file or --key-file names its file, or REDYN_UPDATE_SECRET has it")
	f(server+"--secret-file "+open, "--secret-file: "+open+" has mode 0644, and others than its user and group may use it; expected chmod 600 or 640")
	two := private(t, "one\ntwo\n")
	f(server+"--secret-file "+two, two+" holds more than one line; expected the secret alone")
	f(server+"--key-file k --secret-file s", "--key-file is given, and --secret-file or --hmac-id; one way to show who asks is right")
	f(server+"--key-file "+secret, "--key-file: "+secret+": it holds no private key in PEM, which begins with -----BEGIN PRIVATE KEY-----")
	f(server+"--key-file "+small, "--key-file: "+small+": the RSA key has 1024 bits; 2048 to 8192 are right")
	f(server+"--key-file "+key+" --address 192.0.2.1 --address 192.0.2.2", "--address: there are 2 of IPv4; with --key-file one is right")
	f(server+"--secret-file "+secret+" --family ipv6 --address 192.0.2.1", "--address: 192.0.2.1 is no address of --family ipv6")
	f(server+"--address 192.0.2", `--address: "192.0.2" is no address; expected something like 192.0.2.1 or 2001:db8::1`)
	f(server+"--family v6", `--family: "v6" is no family; expected ipv4, ipv6 or both`)
	f(server+"--every often", `--every: "often" is no time; expected something like 500ms or 2s`)
	f("--url https://dyn.example.org --host 7 --secret-file "+secret, `--host: "7" is no full domain name; expected something like home.example.org`)
	f("--url https://dyn.example.org --secret-file "+secret, "--host: there is none; expected something like home.example.org")
}

// A family over which there is no way to the server is nothing to speak of; other faults are told. If
// nothing is known, nothing is sent.
func TestUpdateFind(t *testing.T) {
	away := func(err error) wire { return func(*http.Request) (int, string, error) { return 0, "", err } }
	f := func(four, six wire, want string) {
		t.Helper()
		u := newWired(nil, map[*ipFamily]wire{ipv4: four, ipv6: six})
		addrs, missed, err := u.find(t.Context())
		got := strings.Join(addrTexts(addrs), " ")
		for _, e := range append(missed, err) {
			if e != nil {
				got += "; " + oneLine(e.Error())
			}
		}
		if got != want {
			t.Errorf("found %s; want %s", got, want)
		}
	}
	f(seen("192.0.2.1"), seen("2001:db8::1\n"), "192.0.2.1 2001:db8::1")
	f(seen("192.0.2.1"), away(syscall.ENETUNREACH), "192.0.2.1")
	f(away(errors.New("cut off")), seen("2001:db8::1"), "2001:db8::1; IPv4 is left as it is: cut off")
	f(seen("192.0.2.1"), seen("192.0.2.1"), `192.0.2.1; IPv6 is left as it is: https://dyn.example.org/myip answers "192.0.2.1", which is no IPv6 address`)
	f(seen("::ffff:192.0.2.1"), away(syscall.EADDRNOTAVAIL), "192.0.2.1")
	f(seen("<html>"), away(syscall.ENETUNREACH), `; find this host's address: over IPv4: https://dyn.example.org/myip answers "<html>", which is no IPv4 address; over IPv6: network is unreachable`)
}
