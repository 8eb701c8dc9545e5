package updater

import (
	"context"
	"io"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"redyn/backend/socket"
)

// What is dropped of a request that is not read, so that its sender sees the reply: closing a
// connection with octets unread resets it, and the reply is lost.
const (
	lingerOctets = 1 << 20
	lingerTime   = 2 * time.Second
)

// mostOfOne bounds the connections of one source at a time, lest it holds all that there may be. A
// trusted proxy has as many as it likes.
const mostOfOne = mostConns / 10

// listener is a listener that waits while descriptors or memory are short, and the connections that
// came over it.
type listener struct {
	net.Listener
	u       *Updater
	ctx     context.Context
	closing sync.Once

	mu      sync.Mutex
	open    map[*conn]struct{}
	sources map[netip.Prefix]int // connections of each
	stopped bool
}

func (u *Updater) listen(ctx context.Context, ln net.Listener) *listener {
	return &listener{Listener: ln, u: u, ctx: ctx, open: make(map[*conn]struct{}), sources: make(map[netip.Prefix]int)}
}

// Accept waits for the next connection. It closes those that are too many of one source, or too late.
func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := socket.Accept(l.ctx, l.Listener, l.u.log)
		if err != nil {
			return nil, err
		}
		if own := l.add(c); own != nil {
			return own, nil
		}
		_ = c.Close()
	}
}

// add takes in a connection; nil if its source has too many, or all is to end.
func (l *listener) add(c net.Conn) *conn {
	added := &conn{l: l}
	added.Open(c)
	switch peer := peerOf(c.RemoteAddr()); {
	case !l.u.trusted(peer):
		added.source = sourceOf(peer)
	case l.u.ProxyHeader == PROXYProtocol:
		added.expect()
	}
	added.quiet.Store(true)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopped {
		return nil
	}
	if added.source.IsValid() {
		if l.sources[added.source] >= mostOfOne {
			l.u.metrics.refused.Add(1)
			return nil
		}
		l.sources[added.source]++
	}
	l.open[added] = struct{}{}
	l.u.metrics.conns.Add(1)
	return added
}

func (l *listener) remove(c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.open[c]; !ok {
		return
	}
	delete(l.open, c)
	l.u.metrics.conns.Add(-1)
	if l.sources[c.source]--; l.sources[c.source] <= 0 {
		delete(l.sources, c.source)
	}
}

// Close ends accepting; a second time is no error.
func (l *listener) Close() (err error) {
	l.closing.Do(func() { err = l.Listener.Close() })
	return err
}

// stop ends accepting, and closes the connections on which nothing is asked just now, and those that
// become so. fasthttp closes only listeners that it has begun to serve.
func (l *listener) stop() {
	_ = l.Close()
	l.mu.Lock()
	l.stopped = true
	open := slices.Collect(maps.Keys(l.open))
	l.mu.Unlock()
	for _, c := range open {
		if c.quiet.Load() {
			_ = c.Close()
		}
	}
}

// note follows a connection's state. fasthttp calls one that is new active before anything is read.
func (l *listener) note(c net.Conn, state fasthttp.ConnState) {
	own := plainConn(c)
	if own == nil || state != fasthttp.StateIdle {
		return
	}
	own.quiet.Store(true)
	l.mu.Lock()
	stopped := l.stopped
	l.mu.Unlock()
	if stopped {
		_ = own.Close()
	}
}

// conn is a connection of a host.
type conn struct {
	socket.Socket
	l       *listener
	source  netip.Prefix // whose it is one of; not valid: nobody counts it
	quiet   atomic.Bool  // nothing was read since the last answer
	lingers atomic.Bool  // the request was not read to its end
	intro   introduction
}

// plainConn returns the connection below TLS; nil if it is not one of ours.
func plainConn(c net.Conn) *conn {
	if t, ok := c.(tlsConn); ok {
		c = t.NetConn()
	}
	own, _ := c.(*conn)
	return own
}

// linger makes a connection end so that its peer sees the reply.
func linger(c net.Conn) {
	if own := plainConn(c); own != nil {
		own.lingers.Store(true)
	}
}

// Read reads what fasthttp wants.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.readBehind(p)
	if n > 0 {
		c.quiet.Store(false)
	}
	return n, err
}

// Close closes the connection.
func (c *conn) Close() error {
	c.l.remove(c)
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok && c.lingers.Load() && half.CloseWrite() == nil {
		_ = c.SetReadDeadline(time.Now().Add(lingerTime))
		_, _ = io.CopyN(io.Discard, c.Conn, lingerOctets)
	}
	return c.Socket.Close()
}
