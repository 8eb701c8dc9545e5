package backend

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// ServeUnix answers what comes over ln in the form of the unix connector: JSON, one object a line
// each way. It returns after ctx ends and the requests that run then are answered.
//
// An error is a line without "result": PowerDNS makes SERVFAIL of it at once and connects anew.
func (b *Backend) ServeUnix(ctx context.Context, ln net.Listener) error {
	var conns connSet
	stop := context.AfterFunc(ctx, func() {
		_ = ln.Close()
		conns.stop()
	})
	defer stop()
	for {
		c, err := ln.Accept()
		if err != nil {
			conns.wait()
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return nil
			}
			return fmt.Errorf("serve PowerDNS over a unix socket: %w", err)
		}
		conns.serve(c, func() { b.serveLines(ctx, c) })
	}
}

// connSet are the connections that are being served.
type connSet struct {
	mu      sync.Mutex
	conns   map[net.Conn]struct{}
	stopped bool
	running sync.WaitGroup
}

// serve runs f for a connection and closes it then.
func (s *connSet) serve(c net.Conn, f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		_ = c.Close()
		return
	}
	if s.conns == nil {
		s.conns = make(map[net.Conn]struct{})
	}
	s.conns[c] = struct{}{}
	s.running.Go(func() {
		f()
		_ = c.Close()
		s.mu.Lock()
		delete(s.conns, c)
		s.mu.Unlock()
	})
}

// stop ends all reading: what was read already is still answered.
func (s *connSet) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	for c := range s.conns {
		_ = c.SetReadDeadline(time.Unix(1, 0))
	}
}

func (s *connSet) wait() { s.running.Wait() }

// lineBuffer is enough for the lines that are asked often, and small enough for idle connections.
const lineBuffer = 2 << 10

// serveLines answers the lines of one connection until its end. A question costs one read and one
// write.
func (b *Backend) serveLines(ctx context.Context, conn net.Conn) {
	c := b.newCall()
	defer b.release(c)
	buf := make([]byte, lineBuffer)
	have := 0
	for {
		n, err := conn.Read(buf[have:])
		if err != nil {
			return
		}
		from := have
		have += n
		start := 0
		for {
			end := bytes.IndexByte(buf[max(start, from):have], '\n')
			if end < 0 {
				break
			}
			end += max(start, from)
			if !b.answer(ctx, conn, c, buf[start:end]) {
				return
			}
			start = end + 1
		}
		have = copy(buf, buf[start:have])
		if have == len(buf) {
			if have > mostBody {
				return
			}
			buf = append(buf, make([]byte, len(buf))...)
		}
	}
}

// answer answers one line.
func (b *Backend) answer(ctx context.Context, conn net.Conn, c *call, line []byte) bool {
	c.params.reset()
	c.reply.reset()
	name, err := c.params.request(line)
	m := unknownReads
	if err != nil {
		b.refuse(ctx, viaUnix, m, c, err)
	} else {
		m = find(name)
		b.serve(ctx, viaUnix, m, c)
	}
	if c.reply.chunks == nil {
		_, err = conn.Write(c.reply.b)
		return err == nil
	}
	err = c.reply.chunks(func(piece []byte) error {
		_, err := conn.Write(piece)
		return err
	})
	if err != nil {
		b.cutOff(ctx, viaUnix, m, err)
	}
	return err == nil
}
