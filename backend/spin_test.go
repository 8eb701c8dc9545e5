package backend

import (
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
