package updater

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"redyn/auth"
	"redyn/backend/dns"
)

func TestMethods(t *testing.T) {
	s, token := desecServer(t, Options{})
	f := func(method, path, allow string) {
		t.Helper()
		p := s.dial()
		request := method + " " + path + " HTTP/1.1\r\nHost: dyn.example\r\n" + token + "\r\n\r\n"
		p.send(request)
		a := p.read(request)
		if a.StatusCode != 405 || a.Header.Get("Allow") != allow {
			t.Errorf("%s %s: %d, Allow %q; want %q", method, path, a.StatusCode, a.Header.Get("Allow"), allow)
		}
		// The connection goes on.
		p.send("GET /myip HTTP/1.1\r\nHost: dyn.example\r\n\r\n")
		p.read("GET").is(t, 200, "127.0.0.1")
	}
	for _, method := range []string{"HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "get"} {
		f(method, "/nic/update?hostname=home.example.org", "GET, POST")
		f(method, "/?hostname=home.example.org", "GET, POST")
		f(method, "/update/17", "POST")
		f(method, "/token/17", "GET")
	}
	f("GET", "/update/17", "POST")
	f("GET", "/update-simple/17", "POST")
	f("POST", "/myip", "GET")
	f("POST", "/domain/17", "GET")
	if len(s.store.updates) > 0 || len(s.store.asked) > 0 {
		t.Errorf("updates %v, asked %v", s.store.updates, s.store.asked)
	}
}

func TestHTTP10(t *testing.T) {
	s, token := desecServer(t, Options{})
	p := s.dial()
	p.send("GET /nic/update?hostname=home.example.org HTTP/1.0\r\n" + token + "\r\n\r\n")
	a := p.read("GET")
	a.is(t, 200, "good 127.0.0.1")
	if !a.Close || a.TransferEncoding != nil {
		t.Errorf("header is %v", a.Header)
	}
	p.ended()
}

// A request that can be read in two ways is not read at all.
func TestFraming(t *testing.T) {
	s, token := desecServer(t, Options{})
	f := func(header, body string) {
		t.Helper()
		p := s.dial()
		request := "POST /?hostname=home.example.org HTTP/1.1\r\nHost: dyn.example\r\n" + token +
			"\r\nContent-Type: application/x-www-form-urlencoded\r\n" + header + "\r\n" + body
		p.send(request)
		if a := p.read(request); a.StatusCode != 400 {
			t.Errorf("%q: %d %s", header, a.StatusCode, a.body)
		}
		p.ended()
	}
	const chunked = "4\r\na=bc\r\n0\r\n\r\n"
	f("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", chunked)
	f("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", chunked)
	f("transfer-encoding: identity\r\nCONTENT-LENGTH: 4\r\n", "a=bc")
	f("Content-Length: 4\r\nContent-Length: 4\r\n", "a=bc")
	f("Content-Length: 4\r\nContent-Length: 5\r\n", "a=bc")
	f("Content-Length: -4\r\n", "a=bc")
	f("Content-Length: 4x\r\n", "a=bc")
	f("Content-Length : 4\r\n", "a=bc")
	f("Transfer-Encoding: gzip, chunked\r\n", chunked)
	f("Transfer-Encoding: identity\r\n", "a=bc")
	f("Transfer-Encoding: identity\r\n", "GET /myip HTTP/1.1\r\nHost: dyn.example\r\n\r\n")
	f("Transfer-Encoding:\r\n", "a=bc")
	f("Transfer-Encoding:\r\n chunked\r\n", chunked)
	f("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", chunked)
	f("Transfer-Encoding:\r\n chunked\r\nContent-Length: 4\r\n", chunked)
	f("Transfer-Encoding: chunked\r\n", "x\r\n")
	f(token+"\r\n", "")
	f("Conexim-Time: 1\r\nConexim-Time: 2\r\n", "")
	if len(s.store.updates) > 0 {
		t.Errorf("changes are %+v", s.store.updates)
	}

	p := s.dial()
	p.send("POST /?hostname=home.example.org HTTP/1.1\r\nHost: dyn.example\r\n" + token +
		"\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n" +
		"4\r\nmyip\r\na\r\n=192.0.2.1\r\n0\r\n\r\n")
	p.read("POST").is(t, 200, "good")
	s.has(home, dns.TypeA, "192.0.2.1")
}

// A client says in one way or another that its request is the last.
func TestConnectionClose(t *testing.T) {
	s := serve(t, Options{})
	for _, options := range []string{"close", "Close", "CLOSE", "TE, close", "close,TE", "keep-alive\r\nConnection: Close"} {
		p := s.dial()
		p.send("GET /myip HTTP/1.1\r\nHost: dyn.example\r\nConnection: " + options + "\r\n\r\n")
		if a := p.read("GET"); a.StatusCode != 200 || !a.Close {
			t.Errorf("%q: %d, close %t", options, a.StatusCode, a.Close)
		}
		p.ended()
	}
	p := s.dial()
	for range 2 {
		p.send("GET /myip HTTP/1.1\r\nHost: dyn.example\r\nConnection: Keep-Alive, TE\r\n\r\n")
		p.read("GET").is(t, 200, "127.0.0.1")
	}
}

// What is packed is not taken for what it is not.
func TestContentEncoding(t *testing.T) {
	s, token := desecServer(t, Options{})
	s.send("POST /nic/update?hostname=home.example.org HTTP/1.1\r\nHost: dyn.example\r\n"+token+
		"\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc").
		is(t, 400, `the body has Content-Encoding "gzip"; expected none`)
}

func TestBroken(t *testing.T) {
	s, token := desecServer(t, Options{})
	f := func(request string, status int, want string) {
		t.Helper()
		a := s.send(request)
		if a.StatusCode != status || !strings.Contains(a.body, want) {
			t.Errorf("%.100q: %d %q; want %d %q", request, a.StatusCode, a.body, status, want)
		}
	}
	get := func(target string, status int, want string) {
		t.Helper()
		f("GET "+target+" HTTP/1.1\r\nHost: x\r\n"+token+"\r\n\r\n", status, want)
	}
	const h = "hostname=home.example.org"
	get("/?"+h+"&myip=%", 400, "broken escape")
	get("/?"+h+"&myip=%4", 400, "broken escape")
	get("/?"+h+"&%zz=1", 400, "broken escape")
	get("/%?"+h, 400, "broken escape")
	get("/%zz/nic/update?"+h, 400, "broken escape")
	get("/%00?"+h, 400, "broken escape")
	get("/?"+h+"&myip=1.2.3.4%00", 400, `parameter "myip" holds NUL`)
	get("/?"+h+"&%00=1", 400, `holds NUL`)
	get("/?"+h+"&hostname=home.example.org", 400, `parameter "hostname" is given twice`)
	get("/nic/update?"+h+"&myip=1.2.3.4&myip=1.2.3.5", 400, `parameter "myip" is given twice`)
	get("/?"+h+"&myipv4:a.b=1.2.3.4&myipv4:a.b=1.2.3.5", 400, `parameter "myipv4:a.b" is given twice`)
	get("/?"+strings.Repeat("a=b&", 1001)+h, 400, "more than 1000 parameters")
	get("/?"+strings.Repeat("a", mostHeader), 431, "the header is longer than 8192 octets")
	get("*", 400, "the target does not begin with /")
	get("/a b", 400, "this is no HTTP request")
	get("/\x01", 400, "or has a control character; expected")
	get("/?"+h+"&myip=\x01", 400, "or has a control character; expected")
	get("nic/update", 400, "the target does not begin with /")
	f("GET / HTTP/1.1\r\nHost: x\r\nX: "+strings.Repeat("a", mostHeader)+"\r\n\r\n", 431, "the header is longer")
	f("nonsense\r\n\r\n", 400, "this is no HTTP request")
	f("GET / HTTP/9\r\n\r\n", 400, "this is no HTTP request")
	f("\x16\x03\x01\x02\x00\x01\r\n\r\n", 400, "this is no HTTP request")
	body := strings.Repeat("a", mostBody+1)
	f("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: "+itoa(len(body))+"\r\n\r\n"+body, 413, "the body is longer than 16384 octets")
	f("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"+fmt.Sprintf("%x\r\n", len(body))+body+"\r\n0\r\n\r\n", 413, "the body is longer")
	if len(s.store.updates) > 0 {
		t.Errorf("changes are %+v", s.store.updates)
	}
}

// A sender of a byte now and then is cut off.
func TestSlowSender(t *testing.T) {
	s := serve(t, Options{ReadTimeout: 200 * time.Millisecond})
	for _, request := range []string{
		"GET /myip HTTP/1.1\r\nHo",
		"POST /nic/update HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\na",
	} {
		p := s.dial()
		p.send(request)
		a := p.read(request)
		a.is(t, 408, "the rest of the request did not come in time")
		p.ended()
	}
}

// Stopping answers what runs, and closes what is idle.
func TestStop(t *testing.T) {
	before := runtime.NumGoroutine()
	s := serve(t, Options{})
	p := s.dial()
	p.send("GET /myip HTTP/1.1\r\nHost: x\r\n\r\n")
	p.read("GET").is(t, 200, "127.0.0.1")
	silent := s.dial() // it has never asked anything
	s.get("/myip").is(t, 200, "127.0.0.1")
	begin := time.Now()
	s.stop()
	p.ended()
	silent.ended()
	if took := time.Since(begin); took >= 2*time.Second {
		t.Errorf("stopping takes %v", took)
	}
	deadline := time.Now().Add(10 * time.Second)
	for runtime.NumGoroutine() > before+5 && time.Now().Before(deadline) {
		time.Sleep(10 * time.Millisecond)
	}
	if n := runtime.NumGoroutine(); n > before+5 {
		t.Errorf("%d goroutines are left of %d", n, before)
	}
}

// Stopping before anything is served ends it as well.
func TestStopAtOnce(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	store := newFake()
	u := New(Options{Store: store, Zones: store.db, Verifier: auth.NewVerifier(auth.Options{Cost: cheap})})
	for range 50 {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan error, 1)
		go func() { served <- u.Serve(ctx, ln, nil) }()
		select {
		case err := <-served:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("it serves on")
		}
	}
}
