package redisstore

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"

	"redyn/backend/socket"
)

// dialer connects as go-redis does, to write and read with less work.
func dialer(timeout time.Duration, secure *tls.Config) func(ctx context.Context, network, address string) (net.Conn, error) {
	dial := redis.NewDialer(&redis.Options{DialTimeout: timeout})
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		s, ok := socket.New(c).(*socket.Socket)
		switch {
		case !ok:
			return nil, errors.Join(fmt.Errorf("a connection of type %T has no descriptor", c), c.Close())
		case secure == nil:
			return conn{s, s}, nil
		}
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		t := tls.Client(s, named(secure, address))
		if err := t.HandshakeContext(ctx); err != nil {
			_ = s.Close()
			return nil, err
		}
		return conn{t, s}, nil
	}
}

// named returns settings that verify who is at an address, unless they say who is to be there.
func named(secure *tls.Config, address string) *tls.Config {
	host, _, err := net.SplitHostPort(address)
	if err != nil || secure.ServerName != "" {
		return secure
	}
	secure = secure.Clone()
	secure.ServerName = host
	return secure
}

// conn is a connection to a server. Before each command go-redis wants its descriptor, to look whether the
// server has closed it meanwhile; that is looked at here, as it is a tenth of the work that a command is, and
// as go-redis does not do so under TLS.
type conn struct {
	net.Conn
	below *socket.Socket
}

// SyscallConn fails if the server has closed the connection, or sent something unasked.
func (c conn) SyscallConn() (syscall.RawConn, error) { return looked{}, c.below.Quiet() }

// looked is a descriptor that nobody need look at any more.
type looked struct{}

func (looked) Control(func(uintptr)) error    { return nil }
func (looked) Read(func(uintptr) bool) error  { return nil }
func (looked) Write(func(uintptr) bool) error { return nil }
