// Package socket accepts connections in spite of shortages, and reads from them and writes to them with
// less work for the kernel and for Go's scheduler than package net. To the scheduler a write is a call
// that may take long, and one that wakes another process does take long enough that the processor is
// given to somebody else meanwhile, and fought for after.
package socket

import (
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
)

// Socket is a connection that is read by Receive and written by Send. Like any net.Conn it may be read
// by one goroutine and written by another, and closed by a third.
type Socket struct {
	net.Conn
	raw     syscall.RawConn // nil: of Conn's own Read and Write
	in, out transfer
	guard   guard // of raw's descriptor
}

// guard keeps a descriptor from being closed, and its number from being another's, while it is used
// beside raw, which costs more than the kernel does to take a short reply.
type guard struct {
	fd    int
	users atomic.Int32 // less than 0 once it is to be closed
}

const closedGuard = -1 << 30

// send writes what the kernel takes at once.
func (g *guard) send(p []byte) (n int, err error) {
	defer g.users.Add(-1)
	if g.users.Add(1) < 0 {
		return 0, net.ErrClosed
	}
	return Send(g.fd, p)
}

// receive reads what there is.
func (g *guard) receive(p []byte) (n int, err error) {
	defer g.users.Add(-1)
	if g.users.Add(1) < 0 {
		return 0, net.ErrClosed
	}
	return Receive(g.fd, p)
}

// peek reports how much there is to be read, of one octet.
func (g *guard) peek() (n int, err error) {
	defer g.users.Add(-1)
	if g.users.Add(1) < 0 {
		return 0, net.ErrClosed
	}
	return peek(g.fd)
}

// shut waits for those who use the descriptor; there will be no others. It returns false if another has
// shut it.
func (g *guard) shut() bool {
	for {
		users := g.users.Load()
		if users < 0 {
			return false
		}
		if g.users.CompareAndSwap(users, users+closedGuard) {
			break
		}
	}
	for g.users.Load() != closedGuard {
		runtime.Gosched()
	}
	return true
}

// transfer is a read or a write that runs.
type transfer struct {
	p    []byte // what is left of it
	n    int
	err  error
	step func(fd uintptr) (done bool)
}

// New returns a Socket over c, whose it is from then on; c itself if that has no descriptor.
func New(c net.Conn) net.Conn {
	s := new(Socket)
	if s.Open(c); s.raw == nil {
		return c
	}
	return s
}

// Open makes s a connection over c. It is not to be copied after that. If c has no descriptor, it is
// read and written as ever.
func (s *Socket) Open(c net.Conn) {
	s.Conn = c
	pollable, ok := c.(syscall.Conn)
	if !ok {
		return
	}
	raw, err := pollable.SyscallConn()
	if err != nil {
		return
	}
	if raw.Control(func(fd uintptr) { s.guard.fd = int(fd) }) != nil {
		return
	}
	s.raw, s.in.step, s.out.step = raw, s.in.receive, s.out.send
}

// SyscallConn returns what gives access to the descriptor. It fails if there is none.
func (s *Socket) SyscallConn() (syscall.RawConn, error) {
	if s.raw == nil {
		return nil, errors.ErrUnsupported
	}
	return s.raw, nil
}

// ErrUnread is that of Quiet if there is something to be read.
var ErrUnread = errors.New("there is something to be read")

// Quiet looks whether the other end has neither closed the connection nor sent anything that was not read.
// It fails with io.EOF, or with ErrUnread. The connection is to have a descriptor.
func (s *Socket) Quiet() error {
	n, err := s.guard.peek()
	switch {
	case err == syscall.EAGAIN, err == syscall.EINTR:
		return nil
	case err != nil:
		return os.NewSyscallError("recvfrom", err)
	case n == 0:
		return io.EOF
	}
	return ErrUnread
}

// Read reads what there is, once there is something.
func (s *Socket) Read(p []byte) (int, error) {
	if s.raw == nil || len(p) == 0 {
		return s.Conn.Read(p)
	}
	n, err := s.in.run(p, s.raw.Read)
	if n == 0 && err == nil {
		err = io.EOF
	}
	return n, err
}

// ReadNow reads what there is. It fails with syscall.EAGAIN if there is nothing, whatever the deadline.
func (s *Socket) ReadNow(p []byte) (int, error) {
	if s.raw == nil || len(p) == 0 {
		return 0, syscall.EAGAIN
	}
	n, err := s.guard.receive(p)
	switch {
	case err == syscall.EINTR:
		return 0, syscall.EAGAIN
	case err != nil && err != syscall.EAGAIN && err != net.ErrClosed:
		return 0, os.NewSyscallError("recvfrom", err)
	case err == nil && n == 0:
		return 0, io.EOF
	}
	return n, err
}

// Write writes all of p.
func (s *Socket) Write(p []byte) (int, error) {
	if s.raw == nil || len(p) == 0 {
		return s.Conn.Write(p)
	}
	n, err := s.guard.send(p)
	if err == net.ErrClosed || n == len(p) {
		return n, err
	}
	more, err := s.out.run(p[n:], s.raw.Write) // which waits, or fails for the same reason
	return n + more, err
}

// Close closes the connection once nobody uses it.
func (s *Socket) Close() error {
	if !s.guard.shut() {
		return net.ErrClosed
	}
	return s.Conn.Close()
}

func (t *transfer) run(p []byte, poll func(func(fd uintptr) bool) error) (int, error) {
	t.p, t.n, t.err = p, 0, nil
	err := poll(t.step)
	t.p = nil
	if err == nil && t.err != nil {
		err = os.NewSyscallError("transfer", t.err)
	}
	return t.n, err
}

func (t *transfer) receive(fd uintptr) (done bool) {
	for {
		t.n, t.err = Receive(int(fd), t.p)
		if t.err != syscall.EINTR {
			return t.err != syscall.EAGAIN
		}
	}
}

func (t *transfer) send(fd uintptr) (done bool) {
	for {
		n, err := Send(int(fd), t.p)
		t.n += n
		t.p, t.err = t.p[n:], err
		switch {
		case err == syscall.EAGAIN:
			return false
		case err != nil && err != syscall.EINTR, len(t.p) == 0:
			return true
		}
	}
}
