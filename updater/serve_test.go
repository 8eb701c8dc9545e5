package updater

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"redyn/auth"
	"redyn/backend/dns"
)

// start is when the tests begin.
var start = time.Unix(1_700_000_000, 0)

// server is an Updater on a listener, with a fake store.
type server struct {
	*Updater
	t        testing.TB
	store    *fakeStore
	addr     string
	log      *lockedBuffer
	registry *prometheus.Registry
	stop     func() // and wait
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// cheap makes hashing passwords fast.
var cheap = auth.Cost{Memory: 64, Passes: 1, Threads: 1}

func serve(t testing.TB, o Options) *server { return serveTLS(t, o, nil) }

func serveTLS(t testing.TB, o Options, secure *tls.Config) *server {
	t.Helper()
	s := &server{t: t, store: newFake(), log: new(lockedBuffer), registry: prometheus.NewRegistry()}
	o.Store, o.Zones, o.Metrics = s.store, s.store.db, s.registry
	o.Log = slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if o.Verifier == nil {
		o.Verifier = auth.NewVerifier(auth.Options{Cost: cheap})
	}
	if o.Now == nil {
		o.Now = func() time.Time { return start }
	}
	s.Updater = New(o)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = ln.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, ln, secure) }()
	s.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(s.stop)
	return s
}

// answer is what came back.
type answer struct {
	*http.Response
	body string
}

// send sends octets over a connection of its own, and reads one answer.
func (s *server) send(octets string) answer {
	s.t.Helper()
	p := s.dial()
	p.send(octets)
	return p.read(octets)
}

// peer is a connection to the server.
type peer struct {
	t testing.TB
	net.Conn
	in *bufio.Reader
}

func (s *server) dial() *peer {
	s.t.Helper()
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	return &peer{s.t, c, bufio.NewReader(c)}
}

func (p *peer) send(octets string) {
	p.t.Helper()
	if _, err := io.WriteString(p, octets); err != nil {
		p.t.Fatal(err)
	}
}

// read reads the answer to a request.
func (p *peer) read(request string) answer {
	p.t.Helper()
	method, _, _ := strings.Cut(request, " ")
	r, err := http.ReadResponse(p.in, &http.Request{Method: method})
	if err != nil {
		p.t.Fatalf("no answer to %.200q: %v", request, err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		p.t.Fatalf("broken answer to %.200q: %v", request, err)
	}
	if r.ContentLength < 0 {
		p.t.Errorf("the answer to %.200q has no Content-Length", request)
	}
	return answer{r, string(body)}
}

// ended fails unless the server closed the connection and sent nothing more.
func (p *peer) ended() {
	p.t.Helper()
	if rest, err := io.ReadAll(p.in); len(rest) > 0 || err != nil {
		p.t.Errorf("instead of its end the connection has %q, %v", rest, err)
	}
}

// get asks for a target, with header lines.
func (s *server) get(target string, header ...string) answer {
	s.t.Helper()
	return s.send("GET " + target + " HTTP/1.1\r\nHost: dyn.example\r\n" + lines(header) + "\r\n")
}

// post sends a form.
func (s *server) post(target, form string, header ...string) answer {
	s.t.Helper()
	return s.send("POST " + target + " HTTP/1.1\r\nHost: dyn.example\r\nContent-Type: application/x-www-form-urlencoded\r\n" +
		"Content-Length: " + itoa(len(form)) + "\r\n" + lines(header) + "\r\n" + form)
}

// is fails unless the answer has that status and body.
func (a answer) is(t testing.TB, status int, body string) {
	t.Helper()
	if a.StatusCode != status || a.body != body {
		t.Errorf("answer %d %q; want %d %q", a.StatusCode, a.body, status, body)
	}
}

// has fails unless an RRset has that content.
func (s *server) has(name dns.Name, typ dns.Type, content ...string) {
	s.t.Helper()
	if got := s.store.get(name, typ); strings.Join(got, " ") != strings.Join(content, " ") {
		s.t.Errorf("%s %s is %q; want %q", name, typ, got, content)
	}
}

// tokenFor adds a credential that is a token for hosts, and returns its secret.
func (s *server) tokenFor(edit func(*auth.Credential), names ...dns.Name) string {
	s.t.Helper()
	secret := auth.GenerateToken()
	c, err := auth.NewTokenCredential(secret)
	if err != nil {
		s.t.Fatal(err)
	}
	s.add(c, edit, names)
	return secret.Reveal()
}

// passwordFor adds a credential that is a password for hosts.
func (s *server) passwordFor(password string, edit func(*auth.Credential), names ...dns.Name) {
	s.t.Helper()
	c, err := auth.NewPasswordCredential(auth.HashPassword(auth.NewSecret(password), cheap))
	if err != nil {
		s.t.Fatal(err)
	}
	s.add(c, edit, names)
}

// add grants names to a credential, changes it, and stores it.
func (s *server) add(c auth.Credential, edit func(*auth.Credential), names []dns.Name) {
	for _, name := range names {
		c.Grant.Hosts = append(c.Grant.Hosts, auth.Area{Name: name})
	}
	if edit != nil {
		edit(&c)
	}
	s.store.credentials = append(s.store.credentials, c)
}

var loopback = netip.MustParseAddr("127.0.0.1")
