package main_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// patience is how long anything may take here before a test gives up on it.
const patience = 20 * time.Second

// needPrograms skips the test where a program is missing, and fails it where all must be there.
func needPrograms(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err == nil {
			continue
		}
		if os.Getenv("TEST_REQUIRE_ALL") != "" {
			t.Fatalf("%s is not installed", p)
		}
		t.Skipf("%s is not installed; contrib/test.sh installs it", p)
	}
}

// noPause keeps the race detector from making every program sleep a second before it ends.
const noPause = "GORACE=atexit_sleep_ms=10"

// program is redyn as a user builds it; with the race detector if the tests have it.
var program string

var building struct {
	sync.Mutex
	users int // tests that need the program
}

// buildProgram builds it for the test and those in it, unless another test has it at that time.
func buildProgram(t *testing.T) {
	t.Helper()
	building.Lock()
	defer building.Unlock()
	if building.users == 0 {
		build(t)
	}
	building.users++
	t.Cleanup(func() {
		building.Lock()
		defer building.Unlock()
		if building.users--; building.users == 0 {
			_ = os.RemoveAll(filepath.Dir(program)) // of no use any more
		}
	})
}

func build(t *testing.T) {
	t.Helper()
	dir, err := os.MkdirTemp("", "redyn")
	if err != nil {
		t.Fatal(err)
	}
	program = filepath.Join(dir, "redyn")
	args := []string{"build", "-o", program}
	if raceDetector {
		args = append(args, "-race")
	}
	if out, err := exec.Command("go", append(args, "redyn/cmd/redyn")...).CombinedOutput(); err != nil {
		_ = os.RemoveAll(dir)
		t.Fatalf("build redyn: %v\n%s", err, out)
	}
}

// server is a process that a test started.
type server struct {
	name string
	cmd  *exec.Cmd
	done chan struct{}
	log  *lockedBuffer
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

// startServer starts a process that ends with the test, which shows its output if it fails.
func startServer(t *testing.T, name, program string, args ...string) *server {
	t.Helper()
	s := &server{name: name, cmd: exec.Command(program, args...), done: make(chan struct{}), log: new(lockedBuffer)}
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	s.cmd.Env = append(os.Environ(), noPause)
	s.cmd.WaitDelay = time.Second
	if err := s.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	go func() {
		_ = s.cmd.Wait() // how it ended is in the log
		close(s.done)
	}()
	t.Cleanup(func() {
		s.end(syscall.SIGTERM)
		text := s.log.String()
		if strings.Contains(text, "DATA RACE") || strings.Contains(text, "panic:") {
			t.Errorf("%s has a fault", name)
		}
		if t.Failed() {
			t.Logf("%s wrote:\n%s", name, text[max(0, len(text)-8000):])
		}
	})
	return s
}

// signal sends a signal; a process that has ended already does not mind.
func (s *server) signal(sig syscall.Signal) { _ = s.cmd.Process.Signal(sig) }

// end ends the process and waits for it.
func (s *server) end(sig syscall.Signal) {
	s.signal(syscall.SIGCONT)
	s.signal(sig)
	select {
	case <-s.done:
	case <-time.After(patience):
		s.signal(syscall.SIGKILL)
		<-s.done
	}
}

// await waits until ready returns nil, which it must before the process ends.
func (s *server) await(t *testing.T, ready func() error) {
	t.Helper()
	eventually(t, func() error {
		select {
		case <-s.done:
			t.Fatalf("%s has ended", s.name)
		default:
		}
		return ready()
	})
}

// eventually waits until check returns nil.
func eventually(t *testing.T, check func() error) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("still after %v: %v", patience, err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// freePort is a loopback port that nobody listens on, neither by TCP nor by UDP, that was given to no
// other test, and that the kernel gives to nobody who asks for any.
func freePort(t *testing.T) int {
	t.Helper()
	for {
		port := 10_000 + rand.IntN(10_000)
		if _, given := givenPorts.LoadOrStore(port, true); given {
			continue
		}
		l, err := net.Listen("tcp", loopback(port))
		if err != nil {
			continue
		}
		u, err := net.ListenPacket("udp", loopback(port))
		_ = l.Close()
		if err == nil {
			_ = u.Close()
			return port
		}
	}
}

var givenPorts sync.Map

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// redisServer is a real redis-server that keeps its port and its directory when it is started again.
type redisServer struct {
	*server
	port int
	dir  string
	args []string
}

func startRedis(t *testing.T, args ...string) *redisServer {
	t.Helper()
	r := &redisServer{port: freePort(t), dir: t.TempDir(), args: args}
	r.start(t)
	return r
}

// start starts it with what its dump holds, if there is one.
func (r *redisServer) start(t *testing.T) {
	t.Helper()
	r.server = startServer(t, "redis-server", "redis-server", append([]string{
		"--bind", "127.0.0.1", "--port", strconv.Itoa(r.port), "--dir", r.dir,
		"--save", "", "--appendonly", "no", "--enable-debug-command", "yes", "--repl-diskless-sync-delay", "0",
	}, r.args...)...)
	r.await(t, func() error {
		out, err := exec.Command("redis-cli", "-p", strconv.Itoa(r.port), "PING").CombinedOutput()
		if err == nil && strings.TrimSpace(string(out)) != "PONG" {
			err = fmt.Errorf("PING: %s", out)
		}
		return err
	})
}

func (r *redisServer) url() string { return "redis://" + loopback(r.port) + "/0" }

// do sends one command with redis-cli.
func (r *redisServer) do(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("redis-cli", append([]string{"-e", "-p", strconv.Itoa(r.port)}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("redis-cli %q: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// run runs redyn to its end and returns what it printed and how it ended.
func (r *redisServer) run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), "REDYN_REDIS_URL="+r.url(), "REDYN_REDIS_TIMEOUT=10s", noPause) // of a busy machine
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// redyn runs redyn, which must succeed.
func (r *redisServer) redyn(t *testing.T, args ...string) string {
	t.Helper()
	out, err := r.run(t, args...)
	if err != nil {
		t.Fatalf("redyn %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// importZone writes a zone file and imports it.
func (r *redisServer) importZone(t *testing.T, text string, args ...string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "zone")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r.redyn(t, append([]string{"zone", "import", file}, args...)...)
}

// node is a running redyn serve that keeps its addresses when it is started again.
type node struct {
	*server
	under        []string // the command that runs it, if one does
	args         []string
	unix         string
	http, status int
}

func startNode(t *testing.T, r *redisServer, args ...string) *node {
	t.Helper()
	n := newNode(t, r, args...)
	n.start(t)
	return n
}

// newNode is one that is to be started later.
func newNode(t *testing.T, r *redisServer, args ...string) *node {
	t.Helper()
	return &node{
		args: append([]string{"--redis-url", r.url()}, args...),
		http: freePort(t), status: freePort(t), unix: socketPath(t),
	}
}

// start starts it and returns when it has loaded.
func (n *node) start(t *testing.T) {
	t.Helper()
	command := slices.Concat(n.under, []string{
		program, "serve", "--backend-unix", n.unix,
		"--backend-listen", loopback(n.http), "--status-listen", loopback(n.status), "--node-name", "node",
		"--updater-listen", "",
	}, n.args)
	n.server = startServer(t, "redyn serve", command[0], command[1:]...)
	n.await(t, func() error {
		_, err := n.get("/readyz")
		return err
	})
}

// get asks the status listener.
func (n *node) get(path string) (string, error) {
	resp, err := http.Get("http://" + loopback(n.status) + path)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %s: %s", path, resp.Status, body)
	}
	return string(body), err
}

// The connection strings of the remote backend, for each way that PowerDNS can talk to a node.
func (n *node) overUnix() string { return "unix:path=" + n.unix }

func (n *node) overHTTP(options string) string {
	return "http:url=http://" + loopback(n.http) + "/dns" + options
}

// socketPath is a path for a unix socket: short, as the kernel wants it.
func socketPath(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "redyn")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}

// powerDNS is a running pdns_server.
type powerDNS struct {
	*server
	addr string
	dir  string // of its settings
}

// uncached turns PowerDNS's caches of answers off.
const uncached = "cache-ttl=0\nquery-cache-ttl=0\nnegquery-cache-ttl=0\n"

// stock is what makes PowerDNS ask redyn and keep its answers as it does if nobody says otherwise; remote
// is that with its caches off.
func stock(connection string) string {
	return "launch=remote\nremote-connection-string=" + connection + "\nremote-dnssec=yes\nloglevel=3\n"
}

func remote(connection string) string {
	return "launch=remote\nremote-connection-string=" + connection + "\n" + uncached
}

// startPDNS starts a pdns_server and returns when it answers at all.
func startPDNS(t *testing.T, settings string) *powerDNS {
	t.Helper()
	return startPDNSAt(t, loopback(freePort(t)), settings)
}

// startPDNSAt starts it at an address, from which it also asks others.
func startPDNSAt(t *testing.T, addr, settings string) *powerDNS {
	t.Helper()
	p := newPDNS(t, addr)
	p.configure(t, settings)
	p.start(t)
	return p
}

// newPDNS is one that is to be started later, at an address.
func newPDNS(t *testing.T, addr string) *powerDNS {
	t.Helper()
	return &powerDNS{addr: addr, dir: filepath.Dir(socketPath(t))}
}

// socket is the path of its control socket.
func (p *powerDNS) socket() string { return filepath.Join(p.dir, "pdns.controlsocket") }

// configure writes its settings.
func (p *powerDNS) configure(t *testing.T, settings string) {
	t.Helper()
	host, port, err := net.SplitHostPort(p.addr)
	if err != nil {
		t.Fatal(err)
	}
	conf := settings + fmt.Sprintf(`
local-address=%s
query-local-address=%[1]s
local-port=%s
socket-dir=%s
security-poll-suffix=
only-notify=127.0.0.0/8
daemon=no
guardian=no
setuid=
setgid=
disable-syslog=yes
`, host, port, p.dir)
	if err := os.WriteFile(filepath.Join(p.dir, "pdns.conf"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
}

// start starts it and returns when it answers at all.
func (p *powerDNS) start(t *testing.T) {
	t.Helper()
	p.server = startServer(t, "pdns_server", "pdns_server", "--config-dir="+p.dir)
	p.await(t, func() error {
		_, err := p.exchange("version.bind.", dns.TypeTXT)
		return err
	})
}

// exchange asks one question.
func (p *powerDNS) exchange(name string, typ uint16) (*dns.Msg, error) {
	m := new(dns.Msg)
	m.SetQuestion(name, typ)
	client := dns.Client{Timeout: patience / 2}
	reply, _, err := client.Exchange(m, p.addr)
	if err == nil && reply.Truncated {
		client.Net = "tcp"
		reply, _, err = client.Exchange(m, p.addr)
	}
	return reply, err
}

// ask asks one question, which must be answered somehow.
func (p *powerDNS) ask(t *testing.T, name, typ string) *dns.Msg {
	t.Helper()
	reply, err := p.exchange(name, dns.StringToType[typ])
	if err != nil {
		t.Fatalf("%s %s: %v", name, typ, err)
	}
	return reply
}

// transfer asks for a whole zone.
func (p *powerDNS) transfer(zone string) ([]dns.RR, error) {
	m := new(dns.Msg)
	m.SetAxfr(zone)
	in, err := (&dns.Transfer{ReadTimeout: patience}).In(m, p.addr)
	if err != nil {
		return nil, err
	}
	var all []dns.RR
	var errs []error
	for e := range in {
		errs = append(errs, e.Error)
		all = append(all, e.RR...)
	}
	return all, errors.Join(errs...)
}
