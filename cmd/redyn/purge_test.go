package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

// check tells whether a control socket can be used, and how to allow it.
func TestCheckCaches(t *testing.T) {
	dir := t.TempDir()
	f := func(o nodeOptions, want string) {
		t.Helper()
		var out bytes.Buffer
		ctx := cli.NewContext(&cli.App{Writer: &out}, nil, nil)
		ctx.Context = t.Context()
		found := findings{c: ctx}
		found.caches(o)
		if !strings.Contains(out.String(), want) {
			t.Errorf("it says\n%s; want %s", &out, want)
		}
	}
	control := func(reply string) (o nodeOptions) {
		path := filepath.Join(dir, fmt.Sprintf("%x", reply))
		ln, err := net.Listen("unix", path)
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
				_, _ = conn.Read(make([]byte, 100))
				_, _ = conn.Write([]byte(reply))
				conn.Close()
			}
		}()
		o.purge.Control = []string{path}
		return o
	}
	f(nodeOptions{}, "note   nothing purges PowerDNS's caches; --pdns-control")
	f(control("PONG"), "takes commands")
	f(control("what?"), `replies "what?" to RPING`)
	// A node that runs is another user than who asks.
	var up int
	mine := control("PONG\n")
	metrics := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "redyn_ready 1\nredyn_purge_up{pdns=%q} %d\n", mine.purge.Control[0], up)
	}))
	t.Cleanup(metrics.Close)
	mine.statusListen = metrics.Listener.Addr().String()
	f(mine, "wrong  --pdns-control "+mine.purge.Control[0]+" takes commands of "+userName()+", but not of the node at --status-listen "+mine.statusListen+"; ")
	up = 1
	f(mine, "ok     --pdns-control "+mine.purge.Control[0]+" takes commands")
	var o nodeOptions
	o.purge.Control = []string{filepath.Join(dir, "none")}
	f(o, "note   --pdns-control "+o.purge.Control[0]+": PowerDNS is not running there")
	busy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "redyn_ready 1\n"+`redyn_backend_connections{listener="unix"} 3`)
	}))
	t.Cleanup(busy.Close)
	o.statusListen = busy.Listener.Addr().String()
	f(o, "wrong  --pdns-control "+o.purge.Control[0]+": PowerDNS runs, and does not listen there")
	o.purge.Control, o.statusListen = nil, ""
	o.purge.API = "http://127.0.0.1:1"
	f(o, "wrong  --pdns-api-url http://127.0.0.1:1: ")

	path := filepath.Join(dir, "socket")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if text := allowControl(path); !strings.Contains(text, "setgid=pdns") {
		t.Errorf("for a socket that is PowerDNS's own: %s", text)
	}
	if err := os.Chmod(path, 0o660); err != nil {
		t.Fatal(err)
	}
	if text := allowControl(path); !strings.Contains(text, "in the group "+groupName(uint32(os.Getgid()))) {
		t.Errorf("for a socket that is open to a group: %s", text)
	}
	if text := allowControl(filepath.Join(path, "below")); !strings.Contains(text, "socket-dir="+path) {
		t.Errorf("for one that it cannot look at: %s", text)
	}
}
