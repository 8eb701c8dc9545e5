package backend

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"redyn/backend/dns"
)

// controlServer answers on a control socket as reply says, which gets each line; "-" is no answer.
type controlServer struct {
	path string
	mu   sync.Mutex
	got  []string
}

func startControl(t *testing.T, reply func(line string) string) *controlServer {
	t.Helper()
	s := &controlServer{path: filepath.Join(t.TempDir(), "s")}
	ln, err := net.Listen("unix", s.path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			line, err := bufio.NewReader(conn).ReadString('\n')
			if err != nil {
				t.Errorf("a line ends with %v", err)
			}
			s.mu.Lock()
			s.got = append(s.got, line)
			s.mu.Unlock()
			if text := reply(line); text != "-" {
				fmt.Fprint(conn, text)
			}
			conn.Close()
		}
	}()
	return s
}

func (s *controlServer) lines() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got
}

func namesOf(s dns.Stale) (n names) {
	n.add(&s)
	return n
}

func TestControlLines(t *testing.T) {
	s := startControl(t, func(line string) string { return fmt.Sprint(strings.Count(line, " ")) })
	purge := controlSocket(s.path).purge
	if err := purge(t.Context(), namesOf(dns.Stale{Zones: []dns.Name{"z."}})); err != nil || len(s.lines()) > 0 {
		t.Errorf("zones alone: %v, %q", err, s.lines())
	}
	stale := dns.Stale{Names: []dns.Name{"a.", `b\..`, "a."}, Serials: []dns.Name{"a."}, Trees: []dns.Name{"t.", dns.Root}}
	if err := purge(t.Context(), namesOf(stale)); err != nil {
		t.Error(err)
	}
	want := []string{".$", "a.", `b\..`, "t.$"}
	f := strings.Fields(s.lines()[0])
	if len(f) != 1+2*len(want) || f[0] != "PURGE" {
		t.Fatalf("PowerDNS is told %q", f)
	}
	for _, pass := range [][]string{f[1 : 1+len(want)], f[1+len(want):]} {
		if slices.Sort(pass); !slices.Equal(pass, want) {
			t.Errorf("PowerDNS is told %q in one pass of two, want %q", pass, want)
		}
	}
	if err := purge(t.Context(), names{all: true}); err != nil || !slices.Equal(s.lines()[1:], []string{"PURGE\n", "PURGE\n"}) {
		t.Errorf("all: %v, %q", err, s.lines()[1:])
	}

	// PowerDNS reads at most 1,024,000 octets of a line.
	var many dns.Stale
	for i := range mostPurged / 2 {
		many.Names = append(many.Names, dns.Name(fmt.Sprintf("%0*d.example.", dns.MaxLabelLen, i)))
		many.Trees = append(many.Trees, dns.Name(fmt.Sprintf("t%d.example.", i)))
	}
	if err := purge(t.Context(), namesOf(many)); err != nil {
		t.Error(err)
	}
	seen := make(map[string]int)
	for _, line := range s.lines()[3:] {
		if len(line) > 1_000_000 {
			t.Errorf("a line has %d octets", len(line))
		}
		for _, name := range strings.Fields(line)[1:] {
			seen[name]++
			if seen[name] == 2 && len(seen) < mostPurged {
				t.Fatalf("%s is told again after %d names; want %d", name, len(seen), mostPurged)
			}
		}
	}
	if len(seen) != mostPurged {
		t.Errorf("%d names were told; want %d", len(seen), mostPurged)
	}
	for name, n := range seen {
		if n != 2 {
			t.Fatalf("%s was told %d times; want 2", name, n)
		}
	}
}

func TestControlReplies(t *testing.T) {
	f := func(reply, want string) {
		t.Helper()
		s := startControl(t, func(string) string { return reply })
		err := controlSocket(s.path).purge(t.Context(), namesOf(dns.Stale{Names: []dns.Name{"a."}}))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v; want %q", reply, err, want)
		}
	}
	f("0", "")
	f("12\n", "")
	f("Unknown command: 'PURGE'", "Unknown command")
	f("-", errNoReply.Error())

	// What PowerDNS cannot read it does not answer; then all is purged.
	s := startControl(t, func(line string) string {
		if line == "PURGE\n" {
			return "7"
		}
		return "-"
	})
	if err := controlSocket(s.path).purge(t.Context(), namesOf(dns.Stale{Names: []dns.Name{"a."}})); err != nil || len(s.lines()) != 3 {
		t.Errorf("after a line that was not read: %v, %q", err, s.lines())
	}
	if err := CheckControl(t.Context(), startControl(t, func(string) string { return "PONG" }).path); err != nil {
		t.Error(err)
	}
	if err := CheckControl(t.Context(), s.path); err == nil {
		t.Error("a socket that does not answer is right")
	}
	if err := CheckControl(t.Context(), s.path+"x"); !errors.Is(err, os.ErrNotExist) || !away(err) {
		t.Errorf("no socket: %v", err)
	}
}

// A server that is silent is left when the time is over; one that many wait for is waited for.
func TestControlSilent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	if err := errors.Join(syscall.Bind(fd, &syscall.SockaddrUnix{Name: path}), syscall.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	first, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := net.Dial("unix", path); !errors.Is(err, syscall.EAGAIN) {
		t.Fatalf("the queue is not full: %v", err)
	}
	if err := CheckControl(ctx, path); !errors.Is(err, syscall.EAGAIN) && !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("no room: %v", err)
	}
	go func() {
		time.Sleep(20 * time.Millisecond)
		accepted, _, _ := syscall.Accept(fd) // the first goes; there is room, but no answer
		_ = syscall.Close(accepted)
	}()
	ctx, cancel = context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	err = CheckControl(ctx, path)
	if late, ok := errors.AsType[net.Error](err); !ok || !late.Timeout() {
		t.Errorf("no answer: %v", err)
	}
}

// The API takes one name in each call, and with it all below.
func TestAPI(t *testing.T) {
	var got []string
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.Method+" "+r.URL.Path+" "+r.FormValue("domain")+" "+r.Header.Get("X-API-Key"))
		w.WriteHeader(status)
		fmt.Fprint(w, `{"count": 1}`)
	}))
	defer server.Close()
	api := newAPI(server.URL+"/", "secret")
	const call = "PUT /api/v1/servers/localhost/cache/flush "
	f := func(s dns.Stale, want ...string) {
		t.Helper()
		got = nil
		if err := api.purge(t.Context(), namesOf(s)); err != nil {
			t.Error(err)
		}
		for i := range want {
			want[i] = call + want[i] + " secret"
		}
		if !slices.Equal(got, want) {
			t.Errorf("%+v: called %q; want %q", s, got, want)
		}
	}
	f(dns.Stale{Names: []dns.Name{"a.example.", "example.", "other."}, Trees: []dns.Name{"b.example."}}, "example.", "other.", "example.", "other.")
	f(dns.Stale{Names: []dns.Name{`a\032b\@&%41.`}}, `a\032b\@&%41.`, `a\032b\@&%41.`)
	f(dns.Stale{Zones: []dns.Name{"new."}}, "new.")
	f(dns.Stale{Trees: []dns.Name{"a.new."}, Zones: []dns.Name{"new."}}, "new.", "a.new.", "a.new.")
	f(dns.Stale{All: true}, ".", ".")

	if err := CheckAPI(t.Context(), server.URL, "secret"); err != nil {
		t.Error(err)
	}
	status = http.StatusUnauthorized
	for _, err := range []error{CheckAPI(t.Context(), server.URL, "secret"), api.purge(t.Context(), names{all: true})} {
		if err == nil || !strings.Contains(err.Error(), "401") || strings.Contains(err.Error(), "secret") {
			t.Errorf("refused: %v", err)
		}
	}
}
