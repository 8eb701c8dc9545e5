package backend

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"

	"redyn/backend/socket"
)

// ServeUnix answers what comes over ln in the form of the unix connector: JSON, one object a line
// each way. It returns after ctx ends and the requests that run then are answered.
//
// An error is a line without "result": PowerDNS makes SERVFAIL of it at once and connects anew.
func (b *Backend) ServeUnix(ctx context.Context, ln net.Listener) error {
	set := b.listen(ctx, ln, &b.metrics.unixConns)
	defer context.AfterFunc(ctx, set.stop)()
	var running sync.WaitGroup
	defer running.Wait()
	for {
		c, err := set.accept()
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return nil
			}
			set.stop()
			return fmt.Errorf("serve PowerDNS over a unix socket: %w", err)
		}
		running.Go(func() {
			b.serveLines(ctx, c)
			_ = c.Close()
		})
	}
}

// lineBuffer is enough for the lines that are asked often, and small enough for idle connections.
const lineBuffer = 1 << 10

// serveLines answers the lines of one connection until its end: PowerDNS went, was too slow, or ctx
// ended. It stays in one call of the poller, and reads until there is nothing left: if there are many
// connections and the processors are busy, every second time the next question is there already, and to
// read once more is cheaper than to be woken. If there is but one, it spins.
func (b *Backend) serveLines(ctx context.Context, c *conn) {
	raw, err := c.SyscallConn()
	if err != nil {
		b.log.ErrorContext(ctx, "cannot serve a connection that has no descriptor", "type", fmt.Sprintf("%T", c.Conn))
		return
	}
	l := &lines{b: b, ctx: ctx, conn: c, buf: make([]byte, lineBuffer)}
	// An error is the end of the connection like any other.
	_ = raw.Read(func(fd uintptr) (ended bool) {
		c.fd = int(fd)
		defer c.rest(b) // those that are idle take little memory
		for {
			n, err := socket.Receive(c.fd, l.buf[l.have:])
			if err == syscall.EAGAIN && c.spin.worth(&b.spinners) {
				n, err = c.spin.receive(func(p []byte) (int, error) { return socket.Receive(c.fd, p) }, l.buf[l.have:])
			}
			switch {
			case err == syscall.EINTR:
				continue
			case err == syscall.EAGAIN:
				return false
			case err != nil || n == 0 || !l.take(n):
				return true
			}
		}
	})
}

// lines are the lines of one connection.
type lines struct {
	b    *Backend
	ctx  context.Context
	conn *conn
	buf  []byte
	have int // how much of buf is filled with the beginning of a line
}

// take answers the lines that are whole now that n more octets were read.
func (l *lines) take(n int) bool {
	fresh, start := l.have, 0
	l.have += n
	for {
		i := bytes.IndexByte(l.buf[fresh:l.have], '\n')
		if i < 0 {
			break
		}
		if !l.b.answer(l.ctx, l.conn, l.buf[start:fresh+i]) {
			return false
		}
		fresh += i + 1
		start = fresh
	}
	l.have = copy(l.buf, l.buf[start:l.have])
	if l.have == 0 {
		l.conn.relax()
	} else {
		l.conn.hurry()
	}
	return l.fit()
}

// fit gives the line that is being read the room it needs.
func (l *lines) fit() bool {
	switch {
	case l.have > mostBody:
		c := l.conn.begin(l.b)
		l.b.refuse(l.ctx, viaUnix, unknownReads, c, &fault{statusTooLarge, fmt.Sprintf("the line is longer than %d octets", mostBody)})
		_, _ = l.conn.Write(c.reply.b)
		return false
	case l.have == len(l.buf):
		l.buf = append(l.buf, make([]byte, len(l.buf))...)
	case l.have == 0 && len(l.buf) > most:
		l.buf = make([]byte, lineBuffer)
	}
	return true
}

// answer answers one line, and reports whether the connection goes on.
func (b *Backend) answer(ctx context.Context, conn *conn, line []byte) (goesOn bool) {
	defer func() {
		if p := recover(); p != nil {
			b.unexpected(ctx, viaUnix, p)
		}
	}()
	c := conn.begin(b)
	if conn.timing.begin(line) {
		conn.spin.asked(conn.timing.start, &b.spinners)
	}
	m := unknownReads
	name, err := c.params.request(line)
	if err != nil {
		b.refuse(ctx, viaUnix, m, c, err)
	} else {
		m = find(name)
		conn.timing.end(b.serve(ctx, viaUnix, m, c))
	}
	b.gather(ctx, viaUnix, m, c, mostGathered)
	if c.reply.chunks == nil {
		err = conn.writeLine(c.reply.b)
		conn.session.trail.end()
		return err == nil
	}
	conn.session.trail.end() // PowerDNS does not store what is so long
	err = c.reply.chunks(func(piece []byte) error {
		_, err := conn.Write(piece)
		return err
	})
	if err != nil {
		b.cutOff(ctx, viaUnix, m, err)
	}
	return err == nil
}
