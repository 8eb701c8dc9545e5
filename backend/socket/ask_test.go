package socket

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestAsk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	if _, err := Ask(t.Context(), path, []byte("q\n"), 100); !errors.Is(err, syscall.ENOENT) || !strings.Contains(err.Error(), path) {
		t.Errorf("without a server: %v", err)
	}
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	answers := []string{"one\nmore", "to the end", "", strings.Repeat("x", 200)}
	go func() {
		for _, answer := range answers {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 10))
			_, _ = c.Write([]byte(answer))
			_ = c.Close()
		}
	}()
	for _, answer := range answers {
		got, err := Ask(t.Context(), path, []byte("q\n"), 100)
		if want, _, line := strings.Cut(answer[:min(len(answer), 100)], "\n"); err != nil || strings.TrimSuffix(string(got), "\n") != want || line != strings.HasSuffix(string(got), "\n") {
			t.Errorf("the answer is %q, %v; want %q", got, err, want)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = Ask(ctx, path, []byte("q\n"), 100)
	if late, ok := errors.AsType[net.Error](err); !ok || !late.Timeout() {
		t.Errorf("a silent server: %v", err)
	}
}
