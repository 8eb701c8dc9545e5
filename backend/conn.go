package backend

import (
	"io"
	"net"
	"syscall"
	"time"
)

// listener hands fasthttp connections that know whether their peer may ask.
type listener struct {
	net.Listener
	b *Backend
}

func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &peerConn{Conn: c, denied: !l.b.allowed(c.RemoteAddr())}, nil
}

// peerConn is a connection over HTTP.
type peerConn struct {
	net.Conn
	denied bool // the peer may not ask
	linger bool // the request was not read to its end
}

// What is dropped of a request that is not read, so that its sender sees the reply: closing a
// connection with octets unread resets it, and the reply is lost.
const (
	lingerOctets = 64 << 20
	lingerTime   = 5 * time.Second
)

// Close closes the connection.
func (c *peerConn) Close() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok && c.linger {
		if half.CloseWrite() == nil && c.SetReadDeadline(time.Now().Add(lingerTime)) == nil {
			_, _ = io.CopyN(io.Discard, c.Conn, lingerOctets)
		}
	}
	return c.Conn.Close()
}

// cork holds back the end of what is written until the connection is closed, so that the reply and
// the FIN travel together: PowerDNS would use a connection again that is closed a moment later.
func cork(c net.Conn) {
	pc, ok := c.(*peerConn)
	if !ok {
		return
	}
	tcp, ok := pc.Conn.(*net.TCPConn)
	if !ok {
		return
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return
	}
	// Without the option the FIN follows a moment later: slower, but right.
	_ = raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_CORK, 1)
	})
}
