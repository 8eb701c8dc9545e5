//go:build !linux || race || 386

package socket

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"time"
)

// Ask connects to the unix socket at path, writes question, and returns what comes until a line ends or the
// other end closes the connection, at most most octets. It fails with syscall.EAGAIN while too many others
// wait to be accepted, and with an error that reports true for Timeout when ctx ends.
func Ask(ctx context.Context, path string, question []byte, most int) (answer []byte, err error) {
	c, err := new(net.Dialer).DialContext(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })()
	if _, err := c.Write(question); err != nil {
		return nil, err
	}
	answer, err = bufio.NewReader(io.LimitReader(c, int64(most))).ReadBytes('\n')
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return answer, err
}
