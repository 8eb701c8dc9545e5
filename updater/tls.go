package updater

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
)

// tlsListener accepts connections under TLS.
type tlsListener struct {
	net.Listener
	config *tls.Config
}

// Accept waits for the next connection.
func (l tlsListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return tlsConn{tls.Server(c, l.config)}, nil
}

// tlsConn is a connection under TLS.
type tlsConn struct{ *tls.Conn }

// Handshake answers who asks without TLS that this is what is wrong.
func (c tlsConn) Handshake() error {
	err := c.Conn.Handshake()
	var record tls.RecordHeaderError
	if errors.As(err, &record) && record.Conn != nil && beginsHTTP(record.RecordHeader) {
		const text = "this port speaks TLS; expected https://"
		_, _ = io.WriteString(record.Conn, fmt.Sprintf("HTTP/1.1 400 Bad Request\r\n"+
			"Content-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(text), text))
		linger(c)
	}
	return err
}

// beginsHTTP reports whether the first octets of a connection are those of a request of HTTP/1.
func beginsHTTP(first [5]byte) bool {
	switch string(first[:]) {
	case "GET /", "HEAD ", "POST ", "PUT /", "PATCH", "DELET", "OPTIO":
		return true
	}
	return false
}
