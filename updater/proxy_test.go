package updater

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"

	proxyproto "github.com/pires/go-proxyproto"
)

const getMyIP = "GET /myip HTTP/1.1\r\nHost: dyn.example\r\n\r\n"

// introduced is how HAProxy introduces a caller by version 2.
func introduced(t testing.TB, from, to string, tlvs ...proxyproto.TLV) string {
	t.Helper()
	h := proxyproto.HeaderProxyFromAddrs(2, net.TCPAddrFromAddrPort(netip.MustParseAddrPort(from)), net.TCPAddrFromAddrPort(netip.MustParseAddrPort(to)))
	if err := h.SetTLVs(tlvs); err != nil {
		t.Fatal(err)
	}
	text, err := h.Format()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// local is how it introduces a connection of its own, that looks whether we live.
const local = "\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00"

func TestPROXYProtocol(t *testing.T) {
	s := serve(t, Options{TrustedProxies: prefixes("127.0.0.0/8", "192.0.2.0/24"), ProxyHeader: PROXYProtocol})
	f := func(introduction, want string) {
		t.Helper()
		s.send(introduction+getMyIP).is(t, 200, want)
	}
	f("PROXY TCP4 203.0.113.1 192.0.2.1 4711 443\r\n", "203.0.113.1")
	f("PROXY TCP6 2001:db8::1 2001:db8::2 4711 443\r\n", "2001:db8::1")
	f("PROXY TCP6 ::ffff:203.0.113.1 2001:db8::2 4711 443\r\n", "203.0.113.1")
	f("PROXY UNKNOWN\r\n", "127.0.0.1")
	f("PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", "127.0.0.1")
	f(introduced(t, "203.0.113.1:4711", "192.0.2.1:443"), "203.0.113.1")
	f(introduced(t, "[2001:db8::1]:4711", "[2001:db8::2]:443"), "2001:db8::1")
	f(introduced(t, "203.0.113.1:4711", "192.0.2.1:443", proxyproto.TLV{Type: proxyproto.PP2_TYPE_AUTHORITY, Value: bytes.Repeat([]byte("a"), 2000)}), "203.0.113.1")
	f(local, "127.0.0.1")
	f("PROXY TCP4 192.0.2.7 192.0.2.1 4711 443\r\n", "192.0.2.7")

	// What callers write into headers is theirs; each connection is introduced once.
	p := s.dial()
	for _, header := range []string{"X-Forwarded-For: 198.51.100.1\r\n", "PROXY: 198.51.100.1\r\n", ""} {
		request := "GET /myip HTTP/1.1\r\nHost: dyn.example\r\n" + header + "\r\n"
		if header == "X-Forwarded-For: 198.51.100.1\r\n" {
			request = introduced(t, "203.0.113.1:4711", "192.0.2.1:443") + request
		}
		for _, octet := range []byte(request) {
			p.send(string([]byte{octet}))
		}
		p.read("GET").is(t, 200, "203.0.113.1")
	}

	for _, wrong := range []string{
		"", "PROXY\r\n", "PROXY TCP4 203.0.113.1\r\n", "PROXY TCP4 2001:db8::1 192.0.2.1 4711 443\r\n", "PROXY TCP4 203.0.113.1 192.0.2.1 4711 443\n",
		"PROXY UDP4 203.0.113.1 192.0.2.1 4711 443\r\n", "proxy TCP4 203.0.113.1 192.0.2.1 4711 443\r\n", " " + local, local[:12] + "\x21\x11\x00\x04abcd",
		introduced(t, "203.0.113.1:4711", "192.0.2.1:443", proxyproto.TLV{Type: proxyproto.PP2_TYPE_AUTHORITY, Value: bytes.Repeat([]byte("a"), 60_000)}),
	} {
		s.send(wrong+getMyIP).is(t, 400, "this is no HTTP request")
	}
	if told := strings.Count(s.log.String(), "does not speak the PROXY protocol"); told != 1 {
		t.Errorf("that the proxy is no such proxy is told %d times:\n%s", told, s.log)
	}
}

// Who is no trusted proxy introduces nobody.
func TestPROXYProtocolOfStrangers(t *testing.T) {
	s := serve(t, Options{TrustedProxies: prefixes("192.0.2.0/24"), ProxyHeader: PROXYProtocol})
	s.send(getMyIP).is(t, 200, "127.0.0.1")
	s.send("PROXY TCP4 203.0.113.1 192.0.2.1 4711 443\r\n"+getMyIP).is(t, 400, "this is no HTTP request")
	s.send(local+getMyIP).is(t, 400, "this is no HTTP request")
}

// The introduction comes before TLS.
func TestPROXYProtocolTLS(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writeCertificate(t, certFile, keyFile, 1)
	cert, err := LoadCertificate(certFile, keyFile, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := serveTLS(t, Options{TrustedProxies: prefixes("127.0.0.0/8"), ProxyHeader: PROXYProtocol}, cert.Config())
	p := s.dial()
	p.send("PROXY TCP6 2001:db8::1 2001:db8::2 4711 443\r\n")
	p.Conn = tls.Client(p.Conn, &tls.Config{InsecureSkipVerify: true})
	p.in.Reset(p.Conn)
	for range 2 {
		p.send(getMyIP)
		p.read(getMyIP).is(t, 200, "2001:db8::1")
	}
}

// octets is a connection that has sent what it ever will.
type octets struct {
	net.Conn
	*strings.Reader
}

func (o octets) Read(p []byte) (int, error) { return o.Reader.Read(p) }

// Whatever a connection begins with, what comes behind the introduction is read as it is.
func FuzzPROXYProtocol(f *testing.F) {
	f.Add("PROXY TCP4 203.0.113.1 192.0.2.1 4711 443\r\n")
	f.Add("PROXY UNKNOWN\r\n")
	f.Add(local)
	f.Add(introduced(f, "[2001:db8::1]:4711", "[2001:db8::2]:443"))
	f.Fuzz(func(t *testing.T, text string) {
		c := new(conn)
		c.Open(octets{Reader: strings.NewReader(text + getMyIP)})
		c.expect()
		if c.intro.read() != nil {
			return
		}
		rest, err := io.ReadAll(readerFunc(c.readBehind))
		if err != nil || !strings.HasSuffix(text+getMyIP, string(rest)) {
			t.Errorf("behind %q there is %q, %v", text, rest, err)
		}
		if a := c.intro.client; a.Zone() != "" || a.Is4In6() {
			t.Errorf("%q is for %s", text, a)
		}
	})
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
