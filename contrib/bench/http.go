package main

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// exchangeHTTP sends a request over a connection that is kept, and returns the body of the reply,
// which has a Content-Length.
func exchangeHTTP(c io.ReadWriter, request, buf []byte) (string, error) {
	if _, err := c.Write(request); err != nil {
		return "", err
	}
	for n := 0; ; {
		if n == len(buf) {
			return "", fmt.Errorf("a reply is longer than %d octets", n)
		}
		m, err := c.Read(buf[n:])
		if err != nil {
			return "", fmt.Errorf("connection ended after %q: %w", buf[:n], err)
		}
		n += m
		head, body, whole := bytes.Cut(buf[:n], []byte("\r\n\r\n"))
		if !whole {
			continue
		}
		length, err := contentLength(string(head))
		if err != nil {
			return "", err
		}
		if len(body) >= length {
			return string(body[:length]), nil
		}
	}
}

func contentLength(head string) (int, error) {
	for line := range strings.SplitSeq(head, "\r\n") {
		if name, value, _ := strings.Cut(line, ":"); strings.EqualFold(name, "Content-Length") {
			return strconv.Atoi(strings.TrimSpace(value))
		}
	}
	return 0, fmt.Errorf("a reply has no Content-Length: %q", head)
}
