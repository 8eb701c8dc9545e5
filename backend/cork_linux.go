package backend

import "syscall"

// cork holds back the end of what is written until the connection is closed, so that the reply and
// the FIN travel together: PowerDNS would use a connection again that is closed a moment later.
func (c *conn) cork() {
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	// Without the option the FIN follows a moment later: slower, but right.
	_ = raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_CORK, 1)
	})
}
