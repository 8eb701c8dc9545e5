package backend

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"redyn/backend/socket"
)

// A connection spins if it alone asks, and one question soon after the other.
func TestSpinWorth(t *testing.T) {
	var all spinners
	one, other := all.join(), all.join()
	now := time.Second
	f := func(what string, s *spin, after time.Duration, want bool) {
		t.Helper()
		now += after
		s.asked(now, &all)
		if got := s.worth(&all); got != want {
			t.Errorf("%s: %t; want %t", what, got, want)
		}
	}
	const soon, late = sample * spinGap / 2, sample * spinGap
	f("the first", &one, 0, false)
	f("alone", &one, soon, true)
	f("slow", &one, late, false)
	f("quick again", &one, soon, true)
	f("another", &other, 0, false)
	f("beside another", &one, soon, false)
	f("alone again", &one, soon, true)
	one.rest = 2
	f("after it was in vain", &one, soon, false)
	f("some time after", &one, soon, true)
	all.never = true
	f("on a single processor", &one, soon, false)
}

func TestSpinReceive(t *testing.T) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fds[0])
	var s spin
	read := func(p []byte) (int, error) { return socket.Receive(fds[0], p) }
	buf := make([]byte, 8)
	if n, err := s.receive(read, buf); n != 0 || err != syscall.EAGAIN || s.rest == 0 {
		t.Errorf("with nothing to read: %d, %v, and %d to rest", n, err, s.rest)
	}
	if _, err := syscall.Write(fds[1], []byte("question")); err != nil {
		t.Fatal(err)
	}
	if n, err := s.receive(read, buf); string(buf[:n]) != "question" || err != nil {
		t.Errorf("with a question: %q, %v", buf[:n], err)
	}
	syscall.Close(fds[1])
	if n, err := s.receive(read, buf); n != 0 || err != nil {
		t.Errorf("at the end: %d, %v", n, err)
	}
}

// A connection of the HTTP connector reads the same whether it spins first or not.
func TestSpinRead(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	set := New(Options{Zones: newFake()}).listen(t.Context(), ln, new(atomic.Int64))
	accepted := func() (*conn, *peer) {
		t.Helper()
		p := dial(t, "tcp", ln.Addr().String())
		c, err := set.accept()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		c.spin.quick, c.spin.alone = true, true
		return c, p
	}
	f := func(when string, c *conn, want string, wantErr error) (inVain bool) {
		t.Helper()
		buf := make([]byte, 8)
		c.spin.rest = 0
		if n, err := c.Read(buf); string(buf[:n]) != want || !errors.Is(err, wantErr) {
			t.Errorf("%s: %q, %v; want %q, %v", when, buf[:n], err, want, wantErr)
		}
		return c.spin.rest > 0
	}
	c, p := accepted()
	p.send("ab")
	f("what is there", c, "ab", nil)
	go func() {
		time.Sleep(20 * time.Millisecond)
		p.send("c")
	}()
	if f("the rest of a request", c, "c", nil) {
		t.Error("it spins for the rest of a request")
	}
	c.complete()
	go func() {
		time.Sleep(20 * time.Millisecond)
		p.send("d")
	}()
	if !f("what comes later", c, "d", nil) {
		t.Error("it does not spin for a request")
	}
	c.complete()
	_ = p.Close()
	f("the end", c, "", io.EOF)

	c, _ = accepted()
	time.AfterFunc(20*time.Millisecond, set.stop)
	if !f("what does not come until it is stopped", c, "", io.EOF) {
		t.Error("it does not spin before it is stopped")
	}
}
