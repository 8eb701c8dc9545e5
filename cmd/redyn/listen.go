package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"
	"time"
)

// listenTCP listens on an address and port; nil if none is given.
func listenTCP(ctx context.Context, flag, listen string) (net.Listener, error) {
	if listen == "" {
		return nil, nil
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", listen)
	if err != nil {
		return nil, fmt.Errorf("--%s: %w", flag, err)
	}
	return ln, nil
}

// listenUnix listens on a unix socket; nil if none is given. What a process left behind that has
// ended is taken away, nothing else.
func listenUnix(path string, mode os.FileMode, group int) (net.Listener, error) {
	if path == "" {
		return nil, nil
	}
	if err := removeStale(path); err != nil {
		return nil, err
	}
	// Nobody else may connect before the mode is set.
	old := syscall.Umask(0o177)
	ln, err := net.Listen("unix", path)
	syscall.Umask(old)
	if err != nil {
		return nil, err
	}
	if group >= 0 {
		err = os.Chown(path, -1, group)
	}
	if err = errors.Join(err, os.Chmod(path, mode)); err != nil {
		_ = ln.Close()
		return nil, err
	}
	return ln, nil
}

// staleBound is how long a socket's owner may take to accept a connection.
const staleBound = time.Second

// removeStale removes a socket that nobody listens on.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("%s is there already, and is no socket", path)
	}
	conn, err := net.DialTimeout("unix", path, staleBound)
	if err == nil {
		_ = conn.Close()
		return fmt.Errorf("another process listens on %s", path)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return err
	}
	return os.Remove(path)
}
