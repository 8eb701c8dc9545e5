package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	// The stories wait more than they work. (What -parallel says comes later and holds.)
	if err := flag.Set("test.parallel", "4"); err != nil {
		panic(err)
	}
	testscript.Main(m, map[string]func(){"redyn": main})
}

// The stories of testdata/script, each on a redis-server of its own. Where none is installed they run on
// miniredis, as the tests of redisstore always do, too.
func TestScript(t *testing.T) {
	t.Parallel()
	start := func(env *testscript.Env) (scriptRedis, error) {
		r := &realServer{dir: filepath.Join(env.WorkDir, ".redis")}
		return r, r.first()
	}
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv("TEST_REQUIRE_ALL") != "" {
			t.Fatal("redis-server is not installed")
		}
		start = func(*testscript.Env) (scriptRedis, error) {
			m := miniredis.NewMiniRedis()
			return miniServer{m}, m.Start()
		}
	}
	runScripts(t, start)
}

// scriptRedis is the Redis of one script.
type scriptRedis interface {
	Addr() string
	Stop() error
	Start() error // with the same address, and with nothing in it
}

// patience bounds how long a script waits for anything.
const scriptPatience = 20 * time.Second

type redisKey struct{}

func runScripts(t *testing.T, start func(*testscript.Env) (scriptRedis, error)) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			redis, err := start(env)
			if err != nil {
				return err
			}
			clients, err := filepath.Abs("../../contrib/clients")
			if err != nil {
				return err
			}
			env.Defer(func() { _ = redis.Stop() })
			env.Values[redisKey{}] = redis
			env.Setenv("CLIENTS", clients)
			env.Setenv("REDIS", "redis://"+redis.Addr()+"/0")
			env.Setenv("REDYN_REDIS_URL", "redis://"+redis.Addr()+"/0")
			env.Setenv("REDYN_REDIS_TIMEOUT", "10s") // of a busy machine
			// Else the race detector makes every command sleep a second before it ends.
			env.Setenv("GORACE", "atexit_sleep_ms=10")
			env.Setenv("REDYN_UPDATER_LISTEN", "") // which stories at the same time would want, too
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "free": free, "get": get, "redis": redisCommand, "printed": printed, "hangup": hangup,
		},
		Condition: lacks,
	})
}

// lacks is the condition [lacks:PROGRAM], to skip a script by; where all must be there it fails.
func lacks(condition string) (bool, error) {
	name, ok := strings.CutPrefix(condition, "lacks:")
	if !ok {
		return false, fmt.Errorf("condition %s is unknown", condition)
	}
	_, err := exec.LookPath(name)
	if err != nil && os.Getenv("TEST_REQUIRE_ALL") != "" {
		return false, fmt.Errorf("%s is not installed", name)
	}
	return err != nil, nil
}

// exits CODE PROGRAM ARGUMENT... runs a program, which must end with that code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	code := 0
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if code != want || neg {
		ts.Fatalf("exit code %d; want %d", code, want)
	}
}

// free NAME... sets environment variables to addresses that nobody listens on.
func free(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		ts.Setenv(name, freeAddr())
	}
}

// freeAddr is a loopback address that nobody listens on and that was given to no other script. The
// kernel gives no such port to anybody who asks for any.
func freeAddr() string {
	for {
		addr := fmt.Sprintf("127.0.0.1:%d", 20_000+rand.IntN(10_000))
		if _, given := givenAddrs.LoadOrStore(addr, true); given {
			continue
		}
		if ln, err := net.Listen("tcp", addr); err == nil && ln.Close() == nil {
			return addr
		}
	}
}

var givenAddrs sync.Map

// get STATUS URL [REGEXP] asks until the status is that and the body matches, and prints the body.
func get(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	match := regexp.MustCompile("")
	if len(args) > 2 {
		match = regexp.MustCompile(args[2])
	}
	for deadline := time.Now().Add(scriptPatience); ; time.Sleep(10 * time.Millisecond) {
		status, body, err := fetch(args[1])
		if err == nil && status == want && match.MatchString(body) != neg {
			_, err := io.WriteString(ts.Stdout(), body)
			ts.Check(err)
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("GET %s: %d %v\n%s", args[1], status, err, body)
		}
	}
}

func fetch(url string) (status int, body string, err error) {
	response, err := http.Get(url)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), err
}

// redis stop|start ends the script's Redis, or starts it again with nothing in it.
func redisCommand(ts *testscript.TestScript, _ bool, args []string) {
	redis := ts.Value(redisKey{}).(scriptRedis)
	switch args[0] {
	case "stop":
		ts.Check(redis.Stop())
	case "start":
		ts.Check(redis.Start())
	default:
		ts.Fatalf("redis %s: expected stop or start", args[0])
	}
}

// printed FILE REGEXP NAME waits until a file has a line that matches, and sets NAME to its first
// group.
func printed(ts *testscript.TestScript, _ bool, args []string) {
	match := regexp.MustCompile("(?m)" + args[1])
	for deadline := time.Now().Add(scriptPatience); ; time.Sleep(10 * time.Millisecond) {
		text, err := os.ReadFile(ts.MkAbs(args[0]))
		if found := match.FindSubmatch(text); err == nil && found != nil {
			ts.Setenv(args[2], string(found[len(found)-1]))
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s never has %s:\n%s", args[0], args[1], text)
		}
	}
}

// hangup sends SIGHUP to what runs in the background.
func hangup(ts *testscript.TestScript, _ bool, _ []string) {
	for _, cmd := range ts.BackgroundCmds() {
		ts.Check(cmd.Process.Signal(syscall.SIGHUP))
	}
}

type miniServer struct{ *miniredis.Miniredis }

func (m miniServer) Stop() error {
	m.FlushAll()
	m.Close()
	return nil
}

func (m miniServer) Start() error { return m.Restart() }

// realServer is a redis-server of a script's own.
type realServer struct {
	dir, addr string
	cmd       *exec.Cmd
}

func (r *realServer) Addr() string { return r.addr }

func (r *realServer) first() error {
	r.addr = freeAddr()
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return err
	}
	return r.Start()
}

func (r *realServer) Start() error {
	_, port, err := net.SplitHostPort(r.addr)
	if err != nil {
		return err
	}
	r.cmd = exec.Command("redis-server", "--bind", "127.0.0.1", "--port", port, "--dir", r.dir, "--save", "", "--appendonly", "no")
	if err := r.cmd.Start(); err != nil {
		return err
	}
	for deadline := time.Now().Add(scriptPatience); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("tcp", r.addr)
		if err == nil {
			return conn.Close()
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("redis-server does not start: %w", err)
		}
	}
}

func (r *realServer) Stop() error {
	if r.cmd == nil {
		return nil
	}
	_ = r.cmd.Process.Kill()
	_ = r.cmd.Wait() // it was killed
	r.cmd = nil
	return nil
}
