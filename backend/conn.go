package backend

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"redyn/backend/socket"
)

const (
	// writeTimeout bounds how long a peer may not read what it asked for.
	writeTimeout = time.Minute
	// What is dropped of a request that is not read, so that its sender sees the reply: closing a
	// connection with octets unread resets it, and the reply is lost.
	lingerOctets = 64 << 20
	lingerTime   = 5 * time.Second
)

// conns is a listener and the connections that came over it.
type conns struct {
	net.Listener
	b       *Backend
	ctx     context.Context
	stopped atomic.Bool
	closing sync.Once
	gauge   *atomic.Int64
	mu      sync.Mutex
	open    map[*conn]struct{}
	denied  int // of open, those whose peers may not ask
}

// mostDenied bounds the connections whose peers may not ask, and which are there to be told so.
const mostDenied = 4

func (b *Backend) listen(ctx context.Context, ln net.Listener, gauge *atomic.Int64) *conns {
	return &conns{Listener: ln, b: b, ctx: ctx, gauge: gauge, open: make(map[*conn]struct{})}
}

// Accept waits for the next connection.
func (s *conns) Accept() (net.Conn, error) {
	c, err := s.accept()
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (s *conns) accept() (*conn, error) {
	for {
		c, err := socket.Accept(s.ctx, s.Listener, s.b.log)
		if err != nil {
			return nil, err
		}
		if added := s.add(c); added != nil {
			return added, nil
		}
		_ = c.Close()
	}
}

// add takes in a connection; nil if its peer may not ask, and others are just being told so.
func (s *conns) add(c net.Conn) *conn {
	denied := !s.b.allowed(c.RemoteAddr())
	s.mu.Lock()
	defer s.mu.Unlock()
	if denied && s.denied == mostDenied {
		return nil
	}
	added := &conn{set: s, denied: denied, spin: s.b.spinners.join()}
	added.session.conn, added.session.trail = c, s.b.traffic.join()
	added.Open(c)
	if denied {
		s.denied++
		added.hurry()
	}
	s.open[added] = struct{}{}
	s.gauge.Add(1)
	if s.stopped.Load() {
		added.stop()
	}
	return added
}

func (s *conns) remove(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.open[c]; ok {
		delete(s.open, c)
		if c.denied {
			s.denied--
		}
		s.gauge.Add(-1)
		s.b.traffic.leave(c.session.trail)
	}
}

// Close ends accepting; a second time is no error.
func (s *conns) Close() (err error) {
	s.closing.Do(func() { err = s.Listener.Close() })
	return err
}

// stop ends all accepting and reading. What was read already is still answered.
func (s *conns) stop() {
	_ = s.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped.Store(true)
	for c := range s.open {
		c.stop()
	}
}

// conn is a connection that a PowerDNS keeps for as long as it likes, while what it begins to send or
// should read may not take long. Timers are set only where something is late, as setting one for every
// request would cost a tenth of a lookup.
type conn struct {
	socket.Socket
	set     *conns
	fd      int           // of a connection of the unix connector, while it is served
	denied  bool          // the peer may not ask
	linger  bool          // the request was not read to its end
	partial bool          // the beginning of a request was read, and not yet its end
	timed   bool          // the end has to come in time
	writeBy time.Duration // since epoch
	inTime  bool          // writeBy was looked at for the next Write
	chunked bool          // fasthttp writes a list in chunks
	held    bool          // the last chunk is, until what comes after it
	session session
	timing  timing
	call    *call // of the last request; may be nil
	spin    spin
}

// Read reads what fasthttp wants, which has written all replies by then. It may spin for the beginning of
// a request. Only the second Read of a request is timed; most have only one.
func (c *conn) Read(p []byte) (int, error) {
	c.session.trail.end()
	if c.partial {
		c.hurry()
	} else {
		c.relax()
	}
	n, err := 0, error(syscall.EAGAIN)
	if !c.partial && c.spin.worth(&c.set.b.spinners) {
		n, err = c.spin.receive(c.ReadNow, p)
	}
	if err == syscall.EAGAIN {
		n, err = c.Socket.Read(p)
	}
	if n > 0 {
		c.partial = true
	}
	if err != nil && !c.partial && errors.Is(err, os.ErrDeadlineExceeded) {
		return n, io.EOF // stopped, with no request begun
	}
	return n, err
}

// begin returns the call of the next request; the one before is over, and its reply written.
func (c *conn) begin(b *Backend) *call {
	if c.call == nil {
		c.call = b.newCall()
	}
	c.call.reset()
	c.call.params.from = &c.session
	return c.call
}

// rest gives the call to others, if there is one.
func (c *conn) rest(b *Backend) {
	if c.call != nil {
		b.release(c.call)
		c.call = nil
	}
}

// complete notes that a request was read to its end.
func (c *conn) complete() { c.partial = false }

// hurry sets the time by which the rest of a request has to come.
func (c *conn) hurry() {
	if !c.timed {
		c.timed = true
		c.readBy(time.Now().Add(c.set.b.ReadTimeout))
	}
}

// relax takes that time away, but for peers that may not ask.
func (c *conn) relax() {
	if c.timed && !c.denied {
		c.timed = false
		c.readBy(time.Time{})
	}
}

func (c *conn) readBy(t time.Time) {
	_ = c.SetReadDeadline(t)
	if c.set.stopped.Load() {
		c.stop()
	}
}

func (c *conn) stop() { _ = c.SetReadDeadline(time.Unix(1, 0)) }

// Write writes all of p, or fails after between half of writeTimeout and all of it.
func (c *conn) Write(p []byte) (int, error) {
	if !c.inTime {
		c.writeSoon(time.Since(epoch))
	}
	c.inTime = false
	if c.chunked {
		return c.writeChunked(p)
	}
	return c.Socket.Write(p)
}

// lastChunk is that of an answer in chunks (RFC 9112, section 7.1). An empty line comes after it.
const lastChunk = "0\r\n"

// writeChunked writes both parts of the end at once. PowerDNS asks again after the first, and takes the
// second for the beginning of the answer if that comes later, which ends a primary or secondary.
func (c *conn) writeChunked(p []byte) (int, error) {
	switch {
	case string(p) == lastChunk:
		c.held = true
		return len(p), nil
	case c.held:
		c.held = false
		n, err := c.Socket.Write([]byte(lastChunk + string(p)))
		return max(0, n-len(lastChunk)), err
	}
	return c.Socket.Write(p)
}

// writeSoon gives the next Write its time; now is since epoch.
func (c *conn) writeSoon(now time.Duration) {
	if c.writeBy-now < writeTimeout/2 {
		c.writeBy = now + writeTimeout
		_ = c.SetWriteDeadline(epoch.Add(c.writeBy))
	}
	c.inTime = true
}

// writeLine writes a reply of the unix connector. Nearly always the kernel takes all of it at once; the
// rest is waited for.
func (c *conn) writeLine(p []byte) error {
	n, err := socket.Send(c.fd, p)
	if err == nil && n == len(p) {
		return nil
	}
	_, err = c.Write(p[n:])
	return err
}

// Close closes the connection, and abandons its transactions.
func (c *conn) Close() error {
	c.set.remove(c)
	if !c.set.stopped.Load() { // else fasthttp may close it while it is served
		c.rest(c.set.b)
	}
	if c.session.busy() {
		c.set.b.end(&c.session)
	}
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok && c.linger && half.CloseWrite() == nil {
		c.readBy(time.Now().Add(lingerTime))
		_, _ = io.CopyN(io.Discard, c.Conn, lingerOctets)
	}
	return c.Socket.Close()
}
