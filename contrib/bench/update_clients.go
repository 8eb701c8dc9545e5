package main

import (
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"net"
	"net/url"
	"strings"

	"redyn/backend/socket"
)

// nicUpdate is an update as dyndns2 clients send it.
func nicUpdate(name, addr, user, secret string) []byte {
	return fmt.Appendf(nil, "GET /nic/update?hostname=%s&myip=%s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic %s\r\nUser-Agent: bench\r\n\r\n",
		strings.TrimSuffix(name, "."), addr, base64.StdEncoding.EncodeToString([]byte(user+":"+secret)))
}

// updaterClient keeps a connection to the update listener.
type updaterClient struct {
	net.Conn
	request func(host int, addr string) []byte
	buf     []byte
}

func dialUpdater(addr string, request func(host int, addr string) []byte) (*updaterClient, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &updaterClient{socket.New(c), request, make([]byte, 8<<10)}, nil
}

func (c *updaterClient) update(host int, addr string) error {
	body, err := exchangeHTTP(c, c.request(host, addr), c.buf)
	if err == nil && body != "good "+addr && body != "nochg "+addr {
		err = fmt.Errorf("the answer to an update is %q", body)
	}
	return err
}

// signer updates hosts by one-time tokens that it signs.
type signer struct {
	*updaterClient
	c updateCredentials
}

func dialSigner(addr string, c updateCredentials) (*signer, error) {
	client, err := dialUpdater(addr, nil)
	return &signer{client, c}, err
}

func (s *signer) update(host int, addr string) error {
	id := s.c.ids[host]
	token, err := exchangeHTTP(s, fmt.Appendf(nil, "GET /token/%s?pure HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", id), s.buf)
	if err != nil {
		return err
	}
	signature := ed25519.Sign(s.c.key, []byte(token+"|"+id+"|"+addr+"\n"))
	form := url.Values{"ipAddress": {addr}, "signature": {base64.StdEncoding.EncodeToString(signature)}}.Encode()
	body, err := exchangeHTTP(s, fmt.Appendf(nil, "POST /update/%s HTTP/1.1\r\nHost: 127.0.0.1\r\n"+
		"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s", id, len(form), form), s.buf)
	if err == nil && body != "ok" {
		err = fmt.Errorf("the answer to a signed update is %q", body)
	}
	return err
}
