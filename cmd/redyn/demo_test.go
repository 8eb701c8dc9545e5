package main

import (
	"strings"
	"testing"
)

// Without PowerDNS the demo has redyn itself asked, as PowerDNS would.
func TestDemoTextAlone(t *testing.T) {
	n := &node{nodeOptions: nodeOptions{backendHTTP: "127.0.0.1:8053", statusListen: "127.0.0.1:8054"}}
	text := demoText(n, nil, "redis://127.0.0.1:6379/0", nil)
	for _, want := range []string{
		"  curl -s http://127.0.0.1:8053/dns/lookup/www.example.org/A\n",
		" record set www.example.org A 192.0.2.99 --redis-url redis://127.0.0.1:6379/0\n",
		" health --status-listen 127.0.0.1:8054\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the text has no %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "dig ") {
		t.Errorf("the text has dig without PowerDNS:\n%s", text)
	}
}

func TestFreeOr(t *testing.T) {
	ln, err := listenTCP(t.Context(), "backend-listen", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	busy := ln.Addr().String()
	if got := freeOr(busy); got == busy || !strings.HasPrefix(got, "127.0.0.1:") {
		t.Errorf("in the place of %s, which is in use, comes %s", busy, got)
	}
	if got := freeOr(""); got != "" {
		t.Errorf("in the place of none comes %s", got)
	}
}
