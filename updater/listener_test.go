package updater

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
)

// strangers is a listener to which an address connects again and again.
type strangers struct {
	net.Listener
	from  *net.TCPAddr
	times int
}

func (s *strangers) Accept() (net.Conn, error) {
	if s.times--; s.times < 0 {
		return nil, net.ErrClosed
	}
	return stranger{from: s.from}, nil
}

func (s *strangers) Close() error { return nil }

type stranger struct {
	net.Conn
	from *net.TCPAddr
}

func (s stranger) RemoteAddr() net.Addr { return s.from }

func (stranger) Close() error { return nil }

// One source does not hold all connections that there may be; a proxy, which has many callers, may.
func TestMostConnectionsOfOne(t *testing.T) {
	u := New(Options{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}})
	from := new(strangers)
	l := u.listen(context.Background(), from)
	var first net.Conn
	f := func(addr string, times, want int) {
		t.Helper()
		from.from = net.TCPAddrFromAddrPort(netip.MustParseAddrPort(addr))
		from.times = times
		got := 0
		for {
			c, err := l.Accept()
			if errors.Is(err, net.ErrClosed) {
				break
			}
			if got++; first == nil {
				first = c
			}
		}
		if got != want {
			t.Errorf("%s has %d connections of %d, want %d", addr, got, times, want)
		}
	}
	f("198.51.100.1:4711", mostOfOne+5, mostOfOne)
	f("198.51.100.2:4711", 1, 1)
	f("[2001:db8:1:2::1]:4711", mostOfOne-1, mostOfOne-1)
	f("[2001:db8:1:2::2]:4711", 5, 1)
	f("[2001:db8:1:3::1]:4711", 1, 1)
	f("[::ffff:198.51.100.1]:4711", 1, 0)
	f("192.0.2.7:4711", 2*mostOfOne, 2*mostOfOne)
	if n := u.metrics.refused.Load(); n != 10 {
		t.Errorf("%d are refused", n)
	}

	// One that ends makes room for another.
	_ = first.Close()
	_ = first.Close()
	f("198.51.100.1:4711", 2, 1)
	for c := range l.open {
		_ = c.Close()
	}
	if len(l.sources) != 0 || u.metrics.conns.Load() != 0 {
		t.Errorf("of no connections, %d are left, of %d sources", u.metrics.conns.Load(), len(l.sources))
	}

	// One that was accepted while all ended is closed.
	refused := u.metrics.refused.Load()
	l.stop()
	f("198.51.100.1:4711", 1, 0)
	if len(l.open) != 0 || u.metrics.refused.Load() != refused {
		t.Errorf("%d connections are open after the end, %d refused", len(l.open), u.metrics.refused.Load()-refused)
	}
}
