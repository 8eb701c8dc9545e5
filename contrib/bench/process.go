package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// bench is one run of the program: where its files lie and what it has started.
type bench struct {
	ctx       context.Context
	opts      options
	dir       string
	redyn     string
	processes []*process
	sockets   int
}

// process is a server that the bench started.
type process struct {
	name string
	cmd  *exec.Cmd
	log  string
	in   io.Closer // a responder ends when this is closed, even if the bench was killed
	done chan struct{}
}

// start runs a server until stopAll; what it writes goes to a file.
func (b *bench) start(name, program string, arg ...string) (*process, error) {
	p := &process{
		name: name, cmd: exec.Command(program, arg...), done: make(chan struct{}),
		log: filepath.Join(b.dir, fmt.Sprintf("%d.log", len(b.processes))),
	}
	log, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.Dir = b.dir
	// Ctrl-C reaches the bench alone, which then ends its servers in order.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		_ = p.cmd.Wait() // a server that ends too early is found by await
		close(p.done)
	}()
	b.processes = append(b.processes, p)
	return p, nil
}

// stop ends the server, by force if it takes too long.
func (p *process) stop() {
	_ = p.in.Close()
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // fails only if it has ended
	select {
	case <-p.done:
	case <-time.After(5 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// stopAll ends what was started, the last first.
func (b *bench) stopAll() {
	for _, p := range slices.Backward(b.processes) {
		p.stop()
		_ = os.Remove(p.log)
	}
	b.processes = nil
}

// await waits until ready succeeds.
func (b *bench) await(p *process, limit time.Duration, ready func() error) error {
	deadline := time.After(limit)
	for {
		err := ready()
		if err == nil {
			return nil
		}
		select {
		case <-b.ctx.Done():
			return b.ctx.Err()
		case <-p.done:
			return fmt.Errorf("%s has ended:\n%s", p.name, p.output())
		case <-deadline:
			return fmt.Errorf("%s is not ready: %w\n%s", p.name, err, p.output())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// cpu is the processor time that the server's threads have used, as the scheduler counts it.
func (p *process) cpu() (time.Duration, error) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	var sum time.Duration
	for _, t := range tasks {
		text, err := os.ReadFile(t)
		if err != nil {
			return 0, err
		}
		first, _, _ := strings.Cut(string(text), " ")
		ns, err := strconv.ParseInt(first, 10, 64)
		if err != nil {
			return 0, err
		}
		sum += time.Duration(ns)
	}
	return sum, nil
}

// output is the end of what the server has written.
func (p *process) output() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	const most = 4000
	return string(text[max(0, len(text)-most):])
}

// command runs a program to its end and shows what it wrote only if it fails.
func (b *bench) command(stdin io.Reader, program string, arg ...string) error {
	cmd := exec.CommandContext(b.ctx, program, arg...)
	cmd.Stdin = stdin
	out, err := cmd.CombinedOutput()
	return failure(program, arg, out, err)
}

// output runs a program to its end and returns what it wrote to its standard output.
func (b *bench) output(program string, arg ...string) (string, error) {
	cmd := exec.CommandContext(b.ctx, program, arg...)
	var faults bytes.Buffer
	cmd.Stderr = &faults
	out, err := cmd.Output()
	return string(out), failure(program, arg, faults.Bytes(), err)
}

func failure(program string, arg []string, out []byte, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s: %w\n%s", filepath.Base(program), strings.Join(arg, " "), err, out)
}

func accepts(network, addr string) func() error {
	return func() error {
		c, err := net.DialTimeout(network, addr, time.Second)
		if err != nil {
			return err
		}
		return c.Close()
	}
}

func answersOK(url string) func() error {
	return func() error {
		resp, err := http.Get(url)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("%s: %s", url, resp.Status)
		}
		return nil
	}
}

// freePort is a loopback port that nobody listens on, neither by TCP nor by UDP.
func freePort() (int, error) {
	for {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return 0, err
		}
		port := l.Addr().(*net.TCPAddr).Port
		u, err := net.ListenPacket("udp", loopback(port))
		_ = l.Close()
		if err == nil {
			return port, u.Close()
		}
	}
}

// socket is a path for a unix socket that nobody has used.
func (b *bench) socket() string {
	b.sockets++
	return filepath.Join(b.dir, fmt.Sprintf("%d.sock", b.sockets))
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// machine says in a line what the figures were measured on.
func machine() string {
	model := runtime.GOARCH
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("Machine: %d CPUs (%s), %s, %s\n", runtime.NumCPU(), model, kernel(), runtime.Version())
}

func kernel() string {
	text, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return runtime.GOOS
	}
	return "Linux " + strings.TrimSpace(string(text))
}
