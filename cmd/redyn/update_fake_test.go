package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"redyn/auth"
)

// dynServer is a server of updates that says what it is told to say, and keeps what it was asked.
type dynServer struct {
	*httptest.Server
	mu      sync.Mutex
	answers map[string]http.HandlerFunc // by path
	asked   []*http.Request
}

func newDynServer(t *testing.T) *dynServer {
	s := &dynServer{answers: map[string]http.HandlerFunc{"/myip": say("127.0.0.1")}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *dynServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, r)
	answer := s.answers[r.URL.Path]
	if answer == nil {
		answer = http.NotFound
	}
	answer(w, r)
}

// say answers with a text.
func say(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }
}

// fail answers with a status and a text.
func fail(status int, text string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for _, h := range header {
			key, value, _ := strings.Cut(h, ": ")
			w.Header().Set(key, value)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}
}

// updates returns what was asked but for addresses.
func (s *dynServer) updates() []*http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*http.Request
	for _, r := range s.asked {
		if r.URL.Path != "/myip" {
			all = append(all, r)
		}
	}
	return all
}

// redyn runs a command line.
func redyn(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = run(append([]string{"redyn"}, args...), strings.NewReader(""), &out, &errs)
	return code, out.String(), errs.String()
}

// private writes a file that only its owner may read.
func private(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// wire is a way to a server in memory, for tests in which time is not real.
type wire func(*http.Request) (status int, body string, err error)

func (w wire) RoundTrip(r *http.Request) (*http.Response, error) {
	status, body, err := w(r)
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(body)), Header: http.Header{}}, nil
}

// seen is a way to a server that sees an address.
func seen(addr string) wire {
	return func(*http.Request) (int, string, error) { return http.StatusOK, addr, nil }
}

// newWired is a client whose ways are in memory.
func newWired(update wire, over map[*ipFamily]wire) *updateClient {
	u := &updateClient{
		updateOptions: updateOptions{
			url: &url.URL{Scheme: "https", Host: "dyn.example.org", Path: "/"}, hosts: []updateHost{{name: "home.example.org"}},
			proof: updateProof{secret: auth.NewSecret("secret")}, families: bothFamilies, timeout: time.Second,
		},
		any: update, over: make(map[*ipFamily]http.RoundTripper), now: time.Now,
	}
	for f, w := range over {
		u.over[f] = w
	}
	return u
}

// lines keeps what a daemon logs, without times.
type lines struct {
	slog.Handler
	bytes.Buffer
}

func newLines() *lines {
	l := new(lines)
	l.Handler = slog.NewTextHandler(&l.Buffer, nil)
	return l
}

func (l *lines) Handle(ctx context.Context, r slog.Record) error {
	r.Time = time.Time{}
	return l.Handler.Handle(ctx, r)
}
