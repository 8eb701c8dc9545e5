//go:build linux && !race

package backend

import (
	"syscall"
	"unsafe"
)

// receive reads from a socket that does not block, and send writes to it. They are less work for the
// kernel than read and write, which are for all kinds of files, and for Go's scheduler, which is told
// of calls that may take long. n is not negative.

func receive(fd int, p []byte) (n int, err error) {
	return transact(syscall.SYS_RECVFROM, fd, p, syscall.MSG_DONTWAIT)
}

func send(fd int, p []byte) (n int, err error) {
	return transact(syscall.SYS_SENDTO, fd, p, syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL)
}

func transact(call uintptr, fd int, p []byte, flags uintptr) (int, error) {
	n, _, errno := syscall.RawSyscall6(call, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), flags, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
