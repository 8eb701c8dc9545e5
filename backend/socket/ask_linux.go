//go:build linux && !race && !386

package socket

import (
	"bytes"
	"context"
	"net"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

// Ask connects to the unix socket at path, writes question, and returns what comes until a line ends or the
// other end closes the connection, at most most octets. It fails with syscall.EAGAIN while too many others
// wait to be accepted, and with an error that reports true for Timeout when ctx ends.
//
// Of none of its calls is Go's scheduler told, once there is a waiter: a connection of package net costs it
// three that may take long, each of which keeps its monitor awake, fifty times in the next milliseconds.
func Ask(ctx context.Context, path string, question []byte, most int) (answer []byte, err error) {
	w, err := getWaiter()
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = w.file.SetReadDeadline(time.Unix(1, 0)) })
	defer func() {
		if stop() {
			waiters.Put(w)
		} else {
			_ = w.file.Close()
		}
	}()
	failed := func(op string, err error) error {
		return &net.OpError{Op: op, Net: "unix", Addr: &net.UnixAddr{Name: path, Net: "unix"}, Err: err}
	}
	fd, err := dialUnix(path)
	if err != nil {
		return nil, failed("dial", err)
	}
	defer syscall.RawSyscall(syscall.SYS_CLOSE, uintptr(fd), 0, 0)
	if err := w.send(fd, question); err != nil {
		return nil, failed("write", err)
	}
	if answer, err = w.receive(fd, most); err != nil {
		return nil, failed("read", err)
	}
	return answer, nil
}

// dialUnix connects without blocking.
func dialUnix(path string) (fd int, err error) {
	address := syscall.RawSockaddrUnix{Family: syscall.AF_UNIX}
	if len(path) >= len(address.Path) {
		return 0, os.NewSyscallError("connect", syscall.ENAMETOOLONG)
	}
	for i, c := range []byte(path) {
		address.Path[i] = int8(c)
	}
	s, _, errno := syscall.RawSyscall(syscall.SYS_SOCKET, syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if errno != 0 {
		return 0, os.NewSyscallError("socket", errno)
	}
	_, _, errno = syscall.RawSyscall(syscall.SYS_CONNECT, s, uintptr(unsafe.Pointer(&address)), unsafe.Offsetof(address.Path)+uintptr(len(path))+1)
	if errno != 0 {
		syscall.RawSyscall(syscall.SYS_CLOSE, s, 0, 0)
		return 0, os.NewSyscallError("connect", errno)
	}
	return int(s), nil
}

// waiter waits for one descriptor at a time, by an epoll descriptor that Go waits for as for any file.
type waiter struct {
	file *os.File
	raw  syscall.RawConn
}

var waiters sync.Pool // of those without a descriptor

func getWaiter() (*waiter, error) {
	if w, ok := waiters.Get().(*waiter); ok {
		return w, nil
	}
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	if err := syscall.SetNonblock(fd, true); err != nil {
		_ = syscall.Close(fd)
		return nil, os.NewSyscallError("fcntl", err)
	}
	w := &waiter{file: os.NewFile(uintptr(fd), "epoll")}
	w.raw, err = w.file.SyscallConn()
	return w, err
}

// wait returns once fd, which the waiter has, is ready.
func (w *waiter) wait() error {
	var failed syscall.Errno
	err := w.raw.Read(func(epoll uintptr) bool {
		var event syscall.EpollEvent
		n, _, errno := syscall.RawSyscall6(syscall.SYS_EPOLL_PWAIT, epoll, uintptr(unsafe.Pointer(&event)), 1, 0, 0, 0)
		failed = errno
		return n != 0 || errno != 0 && errno != syscall.EINTR
	})
	if failed != 0 {
		return os.NewSyscallError("epoll_pwait", failed)
	}
	return err
}

func (w *waiter) control(operation, fd int, events uint32) error {
	event := syscall.EpollEvent{Events: events, Fd: int32(fd)}
	var failed syscall.Errno
	err := w.raw.Control(func(epoll uintptr) {
		_, _, failed = syscall.RawSyscall6(syscall.SYS_EPOLL_CTL, epoll, uintptr(operation), uintptr(fd), uintptr(unsafe.Pointer(&event)), 0, 0)
	})
	if failed != 0 {
		return os.NewSyscallError("epoll_ctl", failed)
	}
	return err
}

func (w *waiter) send(fd int, p []byte) error {
	operation := syscall.EPOLL_CTL_ADD
	for len(p) > 0 {
		n, err := Send(fd, p)
		p = p[n:]
		switch {
		case err == nil, err == syscall.EINTR:
			continue
		case err != syscall.EAGAIN:
			return os.NewSyscallError("sendto", err)
		case operation == syscall.EPOLL_CTL_ADD:
			if err := w.control(operation, fd, syscall.EPOLLOUT); err != nil {
				return err
			}
			operation = syscall.EPOLL_CTL_MOD
		}
		if err := w.wait(); err != nil {
			return err
		}
	}
	return w.control(operation, fd, syscall.EPOLLIN)
}

func (w *waiter) receive(fd, most int) (answer []byte, err error) {
	answer = make([]byte, 0, min(most, 512))
	for len(answer) < most {
		if err := w.wait(); err != nil {
			return nil, err
		}
		answer = slices.Grow(answer, 1)
		n, err := Receive(fd, answer[len(answer):min(cap(answer), most)])
		switch {
		case err == syscall.EAGAIN, err == syscall.EINTR:
		case err != nil:
			return nil, os.NewSyscallError("recvfrom", err)
		case n == 0:
			return answer, nil
		}
		answer = answer[:len(answer)+n]
		if end := bytes.IndexByte(answer[len(answer)-n:], '\n'); end >= 0 {
			return answer[:len(answer)-n+end+1], nil
		}
	}
	return answer, nil
}
