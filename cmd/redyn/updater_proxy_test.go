package main_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
)

// A real HAProxy tells by the PROXY protocol who asks, and challenges set through it are answered by a real
// PowerDNS.
func testUpdaterProxy(t *testing.T) {
	t.Parallel()
	needPrograms(t, "haproxy")
	r := startHosts(t, "home.example.org")
	_, token := r.credential(t, "--host", "home.example.org", "--type", "TXT")
	_, own := r.credential(t, "--host", "home.example.org")
	n := startUpdater(t, r, append(unlimited, "--trusted-proxy", "127.0.0.2/32", "--trusted-proxy-header", "PROXY", "--refuse-addresses", "special")...)
	p := startPDNS(t, remote(n.overUnix()))
	straight := *n
	address := strings.TrimPrefix(n.url, "http://")
	for _, version := range []string{"send-proxy", "send-proxy-v2"} {
		n.url = "http://" + startHAProxy(t, address, version)
		n.answers(http.StatusOK, "127.0.0.1", "GET", "/myip", "", nil)
		if got := myIPFrom(t, n.url, "127.0.0.9"); got != "127.0.0.9" {
			t.Errorf("by %s 127.0.0.9 is %q", version, got)
		}
	}
	straight.answers(http.StatusOK, "127.0.0.1", "GET", "/myip", "", nil)

	const challenge = "/nic/update?hostname=_acme-challenge.home.example.org&txt="
	n.answers(http.StatusOK, `good "first"`, "GET", challenge+"first", "", basicAuth("home.example.org", token))
	n.answers(http.StatusOK, `good "first","second"`, "GET", challenge+"second", "", basicAuth("home.example.org", token))
	const name = "_acme-challenge.home.example.org."
	found(name, "TXT", name+` TXT "first"`, name+` TXT "second"`).check(t, p)
	n.answers(http.StatusOK, "good 192.0.2.1", "GET", "/nic/update?myip=192.0.2.1", "", basicAuth("home.example.org", own))
	n.answers(http.StatusOK, "dnserr", "GET", "/nic/update", "", basicAuth("home.example.org", own)) // loopback
	found("home.example.org.", "A", "home.example.org. A 192.0.2.1").check(t, p)
}

// startHAProxy forwards TCP from the address that it returns.
func startHAProxy(t *testing.T, to, version string) string {
	t.Helper()
	listen := loopback(freePort(t))
	file := filepath.Join(t.TempDir(), "haproxy.cfg")
	writeAt(t, file, fmt.Sprintf(`defaults
	mode tcp
	timeout connect 5s
	timeout client 30s
	timeout server 30s
listen updater
	bind %s
	server redyn %s source 127.0.0.2 check %s
`, listen, to, version), 0o600)
	s := startServer(t, "haproxy", "haproxy", "-db", "-f", file)
	s.await(t, func() error {
		c, err := net.Dial("tcp", listen)
		if err == nil {
			_ = c.Close()
		}
		return err
	})
	return listen
}

// myIPFrom asks from an address which that is.
func myIPFrom(t *testing.T, url, from string) string {
	t.Helper()
	dialer := &net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(from), 0))}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: dialer.DialContext}}
	response, err := client.Get(url + "/myip")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
