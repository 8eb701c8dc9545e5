//go:build !linux || race || 386

package socket

import "syscall"

// The race detector takes what passes through read and write for an order of events.

// Receive reads from a socket that does not block what is there. If there is nothing it fails with
// syscall.EAGAIN; at the end it returns 0. n is not negative.
func Receive(fd int, p []byte) (n int, err error) {
	n, err = syscall.Read(fd, p)
	return max(n, 0), err
}

// Send writes to a socket that does not block what the kernel takes at once; syscall.EAGAIN if that is
// nothing. n is not negative.
func Send(fd int, p []byte) (n int, err error) {
	n, err = syscall.Write(fd, p)
	return max(n, 0), err
}

// peek is Receive of one octet that stays.
func peek(fd int) (n int, err error) {
	n, _, err = syscall.Recvfrom(fd, make([]byte, 1), syscall.MSG_PEEK)
	return max(n, 0), err
}
