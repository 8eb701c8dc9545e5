//go:build linux && !race && !386

package socket

import (
	"syscall"
	"unsafe"
)

// Both are less work for the kernel than read and write, which are for all kinds of files, and for Go's
// scheduler, which is not told of them.

// Receive reads from a socket that does not block what is there. If there is nothing it fails with
// syscall.EAGAIN; at the end it returns 0. n is not negative.
func Receive(fd int, p []byte) (n int, err error) {
	return transact(syscall.SYS_RECVFROM, fd, p, syscall.MSG_DONTWAIT)
}

// Send writes to a socket that does not block what the kernel takes at once; syscall.EAGAIN if that is
// nothing. n is not negative.
func Send(fd int, p []byte) (n int, err error) {
	return transact(syscall.SYS_SENDTO, fd, p, syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL)
}

// peek is Receive of one octet that stays.
func peek(fd int) (n int, err error) {
	return transact(syscall.SYS_RECVFROM, fd, make([]byte, 1), syscall.MSG_DONTWAIT|syscall.MSG_PEEK)
}

func transact(call uintptr, fd int, p []byte, flags uintptr) (int, error) {
	n, _, errno := syscall.RawSyscall6(call, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), flags, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
