package updater

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"syscall"
	"time"
)

// What is dropped of a request that is not read, so that its sender sees the reply: closing a
// connection with octets unread resets it, and the reply is lost.
const (
	lingerOctets = 1 << 20
	lingerTime   = 2 * time.Second
)

// listener is a listener that waits while descriptors or memory are short, and counts connections.
type listener struct {
	net.Listener
	u   *Updater
	ctx context.Context
}

func (u *Updater) listen(ctx context.Context, ln net.Listener) *listener {
	return &listener{Listener: ln, u: u, ctx: ctx}
}

// Accept waits for the next connection.
func (l *listener) Accept() (net.Conn, error) {
	const pause, longest = 5 * time.Millisecond, time.Second
	for wait := pause; ; wait = min(2*wait, longest) {
		c, err := l.Listener.Accept()
		if err == nil {
			l.u.metrics.conns.Add(1)
			return &conn{Conn: c, open: &l.u.metrics.conns}, nil
		}
		if !scarce(err) {
			return nil, err
		}
		l.u.log.WarnContext(l.ctx, "cannot accept a connection now", "err", err)
		select {
		case <-l.ctx.Done():
			return nil, net.ErrClosed
		case <-time.After(wait):
		}
	}
}

// scarce reports whether err is a shortage, which passes.
func scarce(err error) bool {
	for _, e := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// conn is a connection that is counted while it is open.
type conn struct {
	net.Conn
	open    *atomic.Int64
	closed  atomic.Bool
	lingers bool // the request was not read to its end
}

// linger makes a connection end so that its peer sees the reply.
func linger(c net.Conn) {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	if own, ok := c.(*conn); ok {
		own.lingers = true
	}
}

// Close closes the connection.
func (c *conn) Close() error {
	if c.closed.CompareAndSwap(false, true) {
		c.open.Add(-1)
	}
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok && c.lingers && half.CloseWrite() == nil {
		_ = c.SetReadDeadline(time.Now().Add(lingerTime))
		_, _ = io.CopyN(io.Discard, c.Conn, lingerOctets)
	}
	return c.Conn.Close()
}
