package socket

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"syscall"
	"time"
)

// Accept waits for the next connection of a listener. A shortage of descriptors or memory passes: it is
// told, and waited for until ctx ends; then Accept fails with net.ErrClosed.
func Accept(ctx context.Context, ln net.Listener, log *slog.Logger) (net.Conn, error) {
	const pause, longest = 5 * time.Millisecond, time.Second
	for wait := pause; ; wait = min(2*wait, longest) {
		c, err := ln.Accept()
		if err == nil || !scarce(err) {
			return c, err
		}
		log.WarnContext(ctx, "cannot accept a connection now", "err", err)
		select {
		case <-ctx.Done():
			return nil, net.ErrClosed
		case <-time.After(wait):
		}
	}
}

// scarce reports whether err is a shortage.
func scarce(err error) bool {
	for _, e := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
