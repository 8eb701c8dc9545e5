package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	miekg "github.com/miekg/dns"

	"redyn/backend"
)

// demoPDNS is the demo's PowerDNS.
type demoPDNS struct {
	addr string
	cmd  *exec.Cmd
	done chan error
}

func (p *demoPDNS) wait() error { return <-p.done }

// Times that PowerDNS gets to answer at all, and to end.
const (
	pdnsStartBound = 10 * time.Second
	pdnsStopBound  = 5 * time.Second
	pdnsPoll       = 20 * time.Millisecond
)

// demoControl is where it takes commands.
func demoControl(dir string) string { return filepath.Join(dir, "pdns.controlsocket") }

// startDemoPDNS starts a PowerDNS that ends with ctx, and returns once it answers; nil if none is
// installed.
func startDemoPDNS(ctx context.Context, dir string, o nodeOptions) (*demoPDNS, error) {
	program := findPDNS()
	if program == "" {
		return nil, nil
	}
	addr, err := freeDNSPort()
	if err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	o.backend.Methods = backend.AllMethods
	conf, err := pdnsLines(o)
	if err != nil {
		return nil, err
	}
	conf += fmt.Sprintf(`local-address=%s
local-port=%s
security-poll-suffix=
daemon=no
guardian=no
disable-syslog=yes
setuid=
setgid=
`, host, port)
	if err := os.WriteFile(filepath.Join(dir, "pdns.conf"), []byte(conf), 0o600); err != nil {
		return nil, err
	}
	var log bytes.Buffer
	p := &demoPDNS{addr: addr, cmd: exec.CommandContext(ctx, program, "--config-dir="+dir), done: make(chan error, 1)}
	p.cmd.Stdout, p.cmd.Stderr = &log, &log
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = pdnsStopBound
	p.cmd.SysProcAttr = ownGroup()
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { p.done <- p.cmd.Wait() }()
	if err := p.await(ctx); err != nil {
		_ = p.cmd.Cancel()
		return nil, errors.Join(err, lastLine(&log, p.wait()))
	}
	return p, nil
}

// await returns once PowerDNS answers.
func (p *demoPDNS) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, pdnsStartBound)
	defer cancel()
	question := new(miekg.Msg)
	question.SetQuestion("example.org.", miekg.TypeSOA)
	client := miekg.Client{Timeout: pdnsPoll * 10}
	for {
		reply, _, err := client.ExchangeContext(ctx, question, p.addr)
		if err == nil && reply.Rcode == miekg.RcodeSuccess {
			return nil
		}
		select {
		case err := <-p.done:
			p.done <- err
			return errors.New("it has ended")
		case <-ctx.Done():
			return errors.New("it does not answer")
		case <-time.After(pdnsPoll):
		}
	}
}

// findPDNS returns where pdns_server is; it is not in every user's PATH.
func findPDNS() string {
	for _, name := range []string{"pdns_server", "/usr/sbin/pdns_server", "/usr/local/sbin/pdns_server"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// freeDNSPort finds a port of this machine that is free for UDP and TCP.
func freeDNSPort() (string, error) {
	for range 100 {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return "", err
		}
		addr := ln.Addr().String()
		packets, err := net.ListenPacket("udp", addr)
		_ = ln.Close()
		if err == nil {
			_ = packets.Close()
			return addr, nil
		}
	}
	return "", errors.New("no port is free for UDP and TCP")
}

// lastLine words what a program said last before it ended.
func lastLine(log *bytes.Buffer, err error) error {
	lines := bytes.Split(bytes.TrimSpace(log.Bytes()), []byte("\n"))
	if last := lines[len(lines)-1]; len(last) > 0 {
		return errors.New(string(last))
	}
	return err
}

// ownGroup keeps the terminal's Ctrl-C away from a process: it is ended in order.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
