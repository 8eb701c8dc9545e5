package backend

import (
	"io"
	"net"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
)

// wire reads from a connection and writes to it, as net.Conn does, by receive and send. Like a
// net.Conn it may be read by one goroutine and written by another, and closed by a third.
type wire struct {
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
	return send(g.fd, p)
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

// open is called once w is where it stays.
func (w *wire) open() {
	pollable, ok := w.Conn.(syscall.Conn)
	if !ok {
		return
	}
	raw, err := pollable.SyscallConn()
	if err != nil {
		return
	}
	if raw.Control(func(fd uintptr) { w.guard.fd = int(fd) }) != nil {
		return
	}
	w.raw, w.in.step, w.out.step = raw, w.in.receive, w.out.send
}

func (w *wire) read(p []byte) (int, error) {
	if w.raw == nil || len(p) == 0 {
		return w.Conn.Read(p)
	}
	n, err := w.in.run(p, w.raw.Read)
	if n == 0 && err == nil {
		err = io.EOF
	}
	return n, err
}

func (w *wire) write(p []byte) (int, error) {
	if w.raw == nil || len(p) == 0 {
		return w.Conn.Write(p)
	}
	n, err := w.guard.send(p)
	if err == net.ErrClosed || n == len(p) {
		return n, err
	}
	more, err := w.out.run(p[n:], w.raw.Write) // which waits, or fails for the same reason
	return n + more, err
}

// Close closes the connection once nobody uses it.
func (w *wire) Close() error {
	if !w.guard.shut() {
		return net.ErrClosed
	}
	return w.Conn.Close()
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
		t.n, t.err = receive(int(fd), t.p)
		if t.err != syscall.EINTR {
			return t.err != syscall.EAGAIN
		}
	}
}

func (t *transfer) send(fd uintptr) (done bool) {
	for {
		n, err := send(int(fd), t.p)
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
