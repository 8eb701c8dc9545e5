package updater

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/url"
	"strings"
	"testing"

	"redyn/auth"
	"redyn/backend/dns"
)

// signer is a key as a host's owner has it.
type signer struct {
	crypto.Signer
	t testing.TB
}

func newSigner(t testing.TB, kind string) signer {
	t.Helper()
	var key crypto.Signer
	var err error
	switch kind {
	case "RSA":
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	case "P-256":
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "P-384":
		key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	default:
		_, key, err = ed25519.GenerateKey(rand.Reader)
	}
	if err != nil {
		t.Fatal(err)
	}
	return signer{key, t}
}

// pem is the public key.
func (k signer) pem() string {
	k.t.Helper()
	der, err := x509.MarshalPKIXPublicKey(k.Public())
	if err != nil {
		k.t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// sign makes the form that the original's client.sh posts: base64 wrapped at 76 columns.
func (k signer) sign(message string) string {
	k.t.Helper()
	text, opts := []byte(message), crypto.SignerOpts(crypto.Hash(0))
	if _, ok := k.Signer.(ed25519.PrivateKey); !ok {
		sum := sha256.Sum256(text)
		text, opts = sum[:], crypto.SHA256
	}
	signature, err := k.Sign(rand.Reader, text, opts)
	if err != nil {
		k.t.Fatal(err)
	}
	var wrapped strings.Builder
	for i, c := range base64.StdEncoding.EncodeToString(signature) {
		if i > 0 && i%76 == 0 {
			wrapped.WriteByte('\n')
		}
		wrapped.WriteRune(c)
	}
	return "signature=" + url.QueryEscape(wrapped.String()+"\n")
}

// keyServer has the host home, number 17, and a key for it.
func keyServer(t testing.TB, kind string) (*server, signer) {
	t.Helper()
	s := serve(t, Options{})
	s.store.addHost(17, home)
	s.store.addHost(18, office)
	key := newSigner(t, kind)
	s.keyFor(key, home)
	return s, key
}

func (s *server) keyFor(key signer, names ...dns.Name) {
	s.t.Helper()
	c, err := auth.NewPublicKeyCredential(key.pem())
	if err != nil {
		s.t.Fatal(err)
	}
	s.add(c, nil, names)
}

// token gets a one-time token, as the original's client.sh does.
func (s *server) oneTime(id string) string {
	s.t.Helper()
	a := s.get("/token/" + id + "?pure")
	if a.StatusCode != 200 || len(a.body) != 44 {
		s.t.Fatalf("token: %d %q", a.StatusCode, a.body)
	}
	return a.body
}

func TestMyIP(t *testing.T) {
	s := serve(t, Options{})
	s.store.away = errAway // nobody is asked
	for _, path := range []string{"/myip", "/checkip", "/nic/checkip", "/nic/checkip.html"} {
		a := s.get(path)
		a.is(t, 200, "127.0.0.1")
		if got := a.Header.Get("Content-Type"); got != "text/plain" {
			t.Errorf("%s is of type %s", path, got)
		}
	}
}

func TestToken(t *testing.T) {
	s, _ := keyServer(t, "Ed25519")
	a := s.get("/token/17")
	var got struct{ Token, IP string }
	if err := json.Unmarshal([]byte(a.body), &got); err != nil || a.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("answer %q, %v", a.body, err)
	}
	if want := `{"token":"` + got.Token + `","ip":"127.0.0.1"}`; a.body != want {
		t.Errorf("answer %s; want %s", a.body, want)
	}
	// It is the same until it is used up, by number or name.
	for _, target := range []string{"/token/17?pure", "/token/0017?pure=", "/token/home.example.org?pure=1", "/token/HOME.example.org.?pure"} {
		s.get(target).is(t, 200, got.Token)
	}
	const unknown = "there is no such host, or it is not granted"
	for _, id := range []string{"99", "-1", "0", "other.example.org", "a..b", "%20", "99999999999999999999"} {
		s.get("/token/"+id).is(t, 404, unknown)
	}
}

func TestSignedUpdate(t *testing.T) {
	for _, kind := range []string{"RSA", "P-256", "P-384", "Ed25519"} {
		s, key := keyServer(t, kind)
		token := s.oneTime("17")
		form := key.sign(token+"|17|192.0.2.1\n") + "&ipAddress=192.0.2.1"
		s.post("/update/17", form, "Accept: application/json").is(t, 200, "ok")
		s.has(home, dns.TypeA, "192.0.2.1")
		// A token is good once.
		s.post("/update/17", form).is(t, 401, "Authentication failed.")
		if next := s.oneTime("17"); next == token {
			t.Errorf("%s: the token is given out again", kind)
		}
		s.stop()
	}
}

func TestSignedUpdateWays(t *testing.T) {
	s, key := keyServer(t, "P-256")
	s.store.set(home, dns.TypeA, "203.0.113.9")
	s.store.set(home, dns.TypeTXT, `"stays"`)
	f := func(target, id, ip, more string) {
		t.Helper()
		s.post(target, key.sign(s.oneTime("17")+"|"+id+"|"+ip+"\n")+more).is(t, 200, "ok")
	}
	// The number is plain in what is signed; a name is as it stands in the path.
	f("/update/17", "17", "192.0.2.1", "&ipAddress=192.0.2.1")
	f("/update/0017", "17", "192.0.2.2", "&ip=192.0.2.2")
	f("/update/home.example.org", "home.example.org", "192.0.2.3", "&ip=192.0.2.3&ipAddress=192.0.2.3")
	f("/update/Home.example.org.", "Home.example.org.", "192.0.2.4", "&ipAddress=192.0.2.4")
	s.has(home, dns.TypeA, "192.0.2.4")
	// The other family is left alone; what is signed is the address as it is written.
	f("/update/17", "17", "2001:DB8:0::1", "&ipAddress=2001:DB8:0::1")
	s.has(home, dns.TypeAAAA, "2001:db8::1")
	s.has(home, dns.TypeA, "192.0.2.4")
	// Without an address it is the caller's. Parameters may stand in the query.
	f("/update/17", "17", "127.0.0.1", "")
	f("/update/17?ip=192.0.2.5", "17", "192.0.2.5", "")
	s.has(home, dns.TypeA, "192.0.2.5")
	s.has(home, dns.TypeTXT, `"stays"`)
}

func TestSignedUpdateDenied(t *testing.T) {
	s, key := keyServer(t, "P-256")
	s.keyFor(newSigner(t, "P-256"), office)
	token := s.oneTime("17")
	s.oneTime("18")
	f := func(target, form string, status int, want string) {
		t.Helper()
		s.post(target, form).is(t, status, want)
	}
	const denied = "Authentication failed."
	good := key.sign(token + "|17|192.0.2.1\n")
	f("/update/17", good+"&ipAddress=192.0.2.2", 401, denied)
	f("/update/18", good+"&ipAddress=192.0.2.1", 401, denied)
	f("/update/99", good+"&ipAddress=192.0.2.1", 401, denied)
	f("/update/home.example.org", good+"&ipAddress=192.0.2.1", 401, denied)
	f("/update/other.example.org", good+"&ipAddress=192.0.2.1", 401, denied)
	f("/update/a..b", good+"&ipAddress=192.0.2.1", 401, denied)
	f("/update/17", "signature=&ipAddress=192.0.2.1", 401, denied)
	f("/update/17", "ipAddress=192.0.2.1", 401, denied)
	f("/update/17", good+"&ipAddress=192.0.2.1&ip=192.0.2.2", 400, "ipAddress and ip are different")
	f("/update/17", good+"&ipAddress=nonsense", 400, `malformed: ipAddress "nonsense" is no address`)
	f("/update/17", good+"&ipAddress=", 400, `malformed: ipAddress "" is no address`)
	f("/update/17", good+"&ipAddress=192.0.2.0/24", 400, `malformed: ipAddress "192.0.2.0/24" is no address`)
	f("/update/17", good+"&ipAddress=192.0.2.1,2001:db8::1", 400, `malformed: ipAddress "192.0.2.1,2001:db8::1" is no address`)
	f("/update/17", good+"&ipAddress=192.0.2.1,x", 400, `malformed: ipAddress "192.0.2.1,x" is no address`)
	s.get("/update/17?"+good+"&ipAddress=192.0.2.1").is(t, 405, "the method is not allowed here; expected POST")
	if len(s.store.updates) > 0 {
		t.Errorf("changes are %+v", s.store.updates)
	}
	// None of it has used up the token.
	f("/update/17", good+"&ipAddress=192.0.2.1", 200, "ok")
	// Nothing to change uses it up too.
	again := key.sign(s.oneTime("17") + "|17|192.0.2.1\n")
	f("/update/17", again+"&ipAddress=192.0.2.1", 200, "ok")
	f("/update/17", again+"&ipAddress=192.0.2.1", 401, denied)
}
