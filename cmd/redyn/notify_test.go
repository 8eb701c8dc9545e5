package main

import (
	"context"
	"net"
	"path/filepath"
	"testing"
	"time"
)

// A service manager hears what systemd would.
func TestNotify(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	hears := func(want string) {
		t.Helper()
		if err := conn.SetReadDeadline(time.Now().Add(scriptPatience)); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 64)
		n, err := conn.Read(buf)
		if string(buf[:n]) != want {
			t.Errorf("heard %q, %v; want %q", buf[:n], err, want)
		}
	}
	notify(notifyReady) // nobody listens, and nothing happens
	t.Setenv("NOTIFY_SOCKET", path)
	notify(notifyReady)
	hears("READY=1")

	t.Setenv("WATCHDOG_USEC", "2000")
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		keepWatchdog(ctx)
	}()
	hears("WATCHDOG=1")
	cancel()
	<-done
}
