package redisstore_test

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"redyn/redisstore"
)

func TestMain(m *testing.M) {
	// Most tests wait for Redis more than they work. (What -parallel says comes later and holds.)
	if err := flag.Set("test.parallel", "4"); err != nil {
		panic(err)
	}
	m.Run()
}

// server is a Redis for one test.
type server struct {
	url  string
	rdb  *redis.Client // to look at it from beside the store
	real *realServer   // nil: miniredis
	mini *miniredis.Miniredis
}

// pass lets the time pass until the key has expired.
func (srv *server) pass(key string) {
	ctx := context.Background()
	if srv.mini != nil {
		srv.mini.SetTTL(key, time.Millisecond)
		srv.mini.FastForward(time.Millisecond)
		return
	}
	srv.rdb.PExpire(ctx, key, time.Millisecond)
	for srv.rdb.Exists(ctx, key).Val() == 1 {
		time.Sleep(time.Millisecond)
	}
}

// onServers runs a test on miniredis and on a real redis-server, beside other tests: they wait more
// than they work.
func onServers(t *testing.T, test func(t *testing.T, srv *server)) {
	t.Parallel()
	t.Run("miniredis", func(t *testing.T) {
		m := miniredis.RunT(t)
		srv := newServer(t, "redis://"+m.Addr()+"/0", nil)
		srv.mini = m
		test(t, srv)
	})
	t.Run("redis", func(t *testing.T) {
		r := startRedis(t)
		test(t, newServer(t, r.url(), r))
	})
}

func newServer(t testing.TB, url string, r *realServer) *server {
	o, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	srv := &server{url: url, rdb: redis.NewClient(o), real: r}
	t.Cleanup(func() { srv.rdb.Close() })
	return srv
}

// realServer is a redis-server process of the test's own.
type realServer struct {
	t    testing.TB
	dir  string
	port int
	args []string

	cmd    *exec.Cmd
	exited chan struct{} // closed when it has
}

// startRedis starts a redis-server on a free port of the loopback, with more settings if given.
func startRedis(t testing.TB, args ...string) *realServer {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv("TEST_REQUIRE_ALL") == "1" {
			t.Fatal("redis-server is not installed, and no test may be skipped")
		}
		t.Skip("redis-server is not installed")
	}
	r := &realServer{t: t, dir: t.TempDir(), args: args}
	t.Cleanup(r.kill)
	for range 5 {
		r.port = freePort(t)
		if r.tryStart() {
			return r
		}
	}
	t.Fatal("redis-server finds no free port")
	return nil
}

func freePort(t testing.TB) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func (r *realServer) addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(r.port)) }
func (r *realServer) url() string  { return "redis://" + r.addr() + "/0" }
func (r *realServer) sock() string { return filepath.Join(r.dir, "redis.sock") }

// start starts the server, on the port that it had.
func (r *realServer) start() {
	r.t.Helper()
	if !r.tryStart() {
		r.t.Fatal("redis-server does not start")
	}
}

// tryStart reports whether the server has started: somebody else may have its port by now.
func (r *realServer) tryStart() bool {
	r.t.Helper()
	args := append([]string{
		"--port", strconv.Itoa(r.port), "--bind", "127.0.0.1", "--unixsocket", r.sock(), "--dir", r.dir,
		"--save", "", "--appendonly", "no", "--logfile", filepath.Join(r.dir, "log"), "--repl-diskless-sync-delay", "0",
	}, r.args...)
	r.cmd = exec.Command("redis-server", args...)
	if err := r.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	cmd, exited := r.cmd, make(chan struct{})
	r.exited = exited
	go func() {
		defer close(exited)
		cmd.Wait()
	}()
	rdb := redis.NewClient(&redis.Options{Network: "unix", Addr: r.sock(), MaxRetries: -1, DialerRetries: 1})
	defer rdb.Close()
	started := false
	eventually(r.t, "redis-server answers", func() error {
		select {
		case <-exited:
			return nil
		default:
		}
		err := rdb.Ping(context.Background()).Err()
		started = err == nil || redis.HasErrorPrefix(err, "NOAUTH")
		return holds(started, "%v", err)
	})
	return started
}

// kill ends the process at once.
func (r *realServer) kill() {
	if r.cmd == nil {
		return
	}
	r.cmd.Process.Kill()
	<-r.exited
	r.cmd = nil
}

// eventually waits until ok returns nil.
func eventually(t testing.TB, what string, ok func() error) {
	t.Helper()
	var err error
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if err = ok(); err == nil {
			return
		}
	}
	t.Fatalf("%s: not in 20 seconds: %v", what, err)
}

func holds(ok bool, format string, args ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf(format, args...)
}

func open(t testing.TB, o redisstore.Options) *redisstore.Store {
	t.Helper()
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second // of a busy machine
	}
	s, err := redisstore.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// unblock ends with an error what clients wait for, and returns how many did.
func unblock(ctx context.Context, rdb *redis.Client) (n int64, err error) {
	list, err := rdb.ClientList(ctx).Result()
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(list) {
		id, rest, _ := strings.Cut(strings.TrimPrefix(line, "id="), " ")
		if !strings.Contains(rest, "cmd=xread") {
			continue
		}
		ended, err := rdb.Do(ctx, "client", "unblock", id, "error").Int64()
		if err != nil {
			return n, err
		}
		n += ended
	}
	return n, nil
}
