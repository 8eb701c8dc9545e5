package socket

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
)

// short is a listener that fails some times before it accepts.
type short struct {
	net.Listener
	errs []error
	last func() // after the last of them
}

func (s *short) Accept() (net.Conn, error) {
	if len(s.errs) == 0 {
		c, _ := net.Pipe()
		return c, nil
	}
	err := s.errs[0]
	if s.errs = s.errs[1:]; len(s.errs) == 0 {
		s.last()
	}
	return nil, err
}

func TestAccept(t *testing.T) {
	shortage := &net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	f := func(what string, want error, lines int, errs ...error) {
		t.Helper()
		var told bytes.Buffer
		ctx, end := context.WithCancel(t.Context())
		defer end()
		last := func() {}
		if want != nil {
			last = end
		}
		c, err := Accept(ctx, &short{errs: errs, last: last}, slog.New(slog.NewTextHandler(&told, nil)))
		if !errors.Is(err, want) || (c != nil) != (want == nil) {
			t.Errorf("%s: %v, %v; want %v", what, c, err, want)
		}
		if got := strings.Count(told.String(), "cannot accept a connection now"); got != lines {
			t.Errorf("%s: told %d times:\n%s", what, got, told.String())
		}
	}
	f("a connection", nil, 0)
	f("after shortages", nil, 2, shortage, syscall.ECONNABORTED)
	f("the end of the listener", net.ErrClosed, 0, net.ErrClosed)
	f("the end while it is short", net.ErrClosed, 1, shortage)
}
