package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestListenUnix(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	ln, err := listenUnix(path, 0o620, os.Getgid())
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o620 {
		t.Errorf("socket %v, %v; want mode 0620", info, err)
	}
	if _, err := listenUnix(path, 0o600, -1); err == nil || !strings.Contains(err.Error(), "another process listens") {
		t.Errorf("a second listener: %v", err)
	}
	// What nobody listens on is taken away.
	ln.(*net.UnixListener).SetUnlinkOnClose(false)
	ln.Close()
	ln, err = listenUnix(path, 0o600, -1)
	if err != nil {
		t.Fatalf("after a process that left its socket: %v", err)
	}
	ln.Close()
	// What is no socket stays.
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := listenUnix(path, 0o600, -1); err == nil || !strings.Contains(err.Error(), "no socket") {
		t.Errorf("in the place of a file: %v", err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the file is gone: %v", err)
	}
	if ln, err := listenUnix("", 0o600, -1); ln != nil || err != nil {
		t.Errorf("no path: %v, %v", ln, err)
	}
}
