package updater

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/netip"

	proxyproto "github.com/pires/go-proxyproto"
)

// PROXYProtocol is the Options.ProxyHeader of proxies that do not say in a header of HTTP where a request
// comes from, but at the beginning of each connection: by the PROXY protocol, version 1 or 2.
const PROXYProtocol = "PROXY"

// introduction is what stands at the beginning of a trusted proxy's connection.
type introduction struct {
	in     *bufio.Reader // nil: it is over
	known  bool          // it was read, and what is left in in comes behind it
	client netip.Addr    // whom it is for; not valid: the proxy itself
}

// expect prepares for an introduction.
func (c *conn) expect() { c.intro.in = bufio.NewReader(&c.Socket) }

// readBehind reads what comes behind the introduction, if there has to be one.
func (c *conn) readBehind(p []byte) (int, error) {
	i := &c.intro
	if i.in != nil && !i.known {
		if err := i.read(); err != nil {
			c.l.u.tellProxy(c.l.ctx, c.RemoteAddr(), err)
			return 0, err
		}
	}
	if i.in != nil && i.in.Buffered() > 0 {
		return i.in.Read(p)
	}
	i.in = nil
	return c.Socket.Read(p)
}

var errNoIntroduction = errors.New("there is no header of the PROXY protocol")

func (i *introduction) read() error {
	if _, err := i.in.Peek(1); err != nil {
		return err // it says nothing at all, as those do that look whether somebody listens
	}
	h, err := proxyproto.Read(i.in)
	if errors.Is(err, proxyproto.ErrNoProxyProtocol) {
		return errNoIntroduction
	}
	if err != nil {
		return fmt.Errorf("its header of the PROXY protocol cannot be read: %w", err)
	}
	i.known = true
	if ip, _, ok := h.IPs(); ok && !h.Command.IsLocal() {
		addr, _ := netip.AddrFromSlice(ip)
		i.client = plainAddr(addr)
	}
	return nil
}

// clientOf returns whom the proxy at the other end of a connection has introduced, else the peer.
func clientOf(c net.Conn, peer netip.Addr) netip.Addr {
	if own := plainConn(c); own != nil && own.intro.client.IsValid() {
		return own.intro.client
	}
	return peer
}
