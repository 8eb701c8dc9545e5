package redisstore

import (
	"context"
	"crypto/tls"
	"net"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"

	"redyn/backend/socket"
)

// dialer connects as go-redis does, to write and read with less work.
func dialer(timeout time.Duration, secure *tls.Config) func(ctx context.Context, network, address string) (net.Conn, error) {
	dial := redis.NewDialer(&redis.Options{DialTimeout: timeout, TLSConfig: secure})
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		if s, ok := socket.New(c).(*socket.Socket); ok {
			return conn{s}, nil
		}
		return c, nil
	}
}

// conn is a connection to a server. Before each command go-redis wants its descriptor, to look whether the
// server has closed it meanwhile; that is looked at here, as it is a tenth of the work that a command is.
type conn struct{ *socket.Socket }

// SyscallConn fails if the server has closed the connection, or sent something unasked.
func (c conn) SyscallConn() (syscall.RawConn, error) { return looked{}, c.Quiet() }

// looked is a descriptor that nobody need look at any more.
type looked struct{}

func (looked) Control(func(uintptr)) error    { return nil }
func (looked) Read(func(uintptr) bool) error  { return nil }
func (looked) Write(func(uintptr) bool) error { return nil }
