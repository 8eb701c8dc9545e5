//go:build !linux

package backend

import "syscall"

func receive(fd int, p []byte) (n int, err error) {
	n, err = syscall.Read(fd, p)
	return max(n, 0), err
}

func send(fd int, p []byte) (n int, err error) {
	n, err = syscall.Write(fd, p)
	return max(n, 0), err
}
