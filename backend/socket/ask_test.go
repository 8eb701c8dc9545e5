package socket

import (
	"context"
	"errors"
	"net"
	"os"
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
		first, _, _ := strings.Cut(answer, "\n")
		if want := first[:min(len(first), 100)]; err != nil || !strings.HasPrefix(string(got), want) || len(got) > 100 {
			t.Errorf("the answer is %q, %v; want %q", got, err, want)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := Ask(ctx, path, []byte("q\n"), 100); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a silent server: %v", err)
	}
}
