package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"redyn/backend"
	"redyn/backend/dns"
)

func TestCheckPowerDNS(t *testing.T) {
	dir := t.TempDir()
	main, included := filepath.Join(dir, "pdns.conf"), filepath.Join(dir, "pdns.d", "redyn.conf")
	old := pdnsConfPaths
	pdnsConfPaths = []string{filepath.Join(dir, "none"), main}
	t.Cleanup(func() { pdnsConfPaths = old })
	if err := os.Mkdir(filepath.Dir(included), 0o700); err != nil {
		t.Fatal(err)
	}
	o := nodeOptions{backendHTTP: "127.0.0.1:8053", backendUnix: "/run/redyn/pdns.sock"}
	var zones []dns.Zone
	var out bytes.Buffer
	f := func(mainText, text, want string) {
		t.Helper()
		for path, text := range map[string]string{main: mainText, included: text} {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		out.Reset()
		found := findings{c: cli.NewContext(&cli.App{Writer: &out}, nil, nil), zones: zones}
		found.c.Context = t.Context()
		found.powerDNS(o)
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s and %s give\n%s; want %s", mainText, text, &out, want)
		}
	}
	include := "include-dir=" + filepath.Dir(included) + "\n"
	lines, err := pdnsLines(o)
	if err != nil {
		t.Fatal(err)
	}
	f(include, lines, "ok     "+main+" asks unix:path=/run/redyn/pdns.sock,")
	f("launch=bind\n", lines, "does not launch the remote backend")
	f("launch=bind,remote\nremote-connection-string=unix:path=/elsewhere", "", "wrong  ")
	f(include+"launch=\n", strings.Replace(lines, "launch=", "launch+=", 1), "ok     "+main+" asks unix:path=/run/redyn/pdns.sock,")
	f("launch=remote:one,remote:two\nremote-one-connection-string=unix:path=/elsewhere\nremote-two-connection-string=unix:path=/run/redyn/pdns.sock\n",
		"", "ok     "+main+" asks unix:path=/run/redyn/pdns.sock")
	f("launch=remote\nremote-connection-string=pipe:command=/usr/bin/socat,timeout=2000", "", "note   "+main+": remote-connection-string=pipe:")
	f("launch=remote # a comment\nremote-connection-string = http:url=http://127.0.0.1:8053/dns,post=1\n", "", "some ten times as fast")
	f(include, strings.ReplaceAll(lines, "\ncache-ttl=0", "\ncache-ttl=20"), "cache-ttl is not 0")
	f(include, strings.ReplaceAll(lines, "remote-dnssec=yes", ""), "remote-dnssec is not yes")
	for _, of := range []struct {
		listen, url string
		right       bool
	}{
		{"127.0.0.1:8053", "http://127.0.0.1:8053/dns", true},
		{"127.0.0.1:8053", "http://127.0.0.1:8053/", false},
		{"127.0.0.1:8053", "http://127.0.0.2:8053/dns", false},
		{"127.0.0.1:80", "http://localhost/dns", true},
		{"[::]:8053", "http://127.0.0.1:8053/dns", true},
		{":8053", "http://[::1]:8053/dns", true},
		{"0.0.0.0:8053", "http://127.0.0.1:8053/dns", true},
		{"0.0.0.0:8053", "http://[::1]:8053/dns", false},
		{"0.0.0.0:8053", "http://192.0.2.1:8053/dns", false},
		{"0.0.0.0:8053", "http://127.0.0.1:8054/dns", false},
		{"", "http://127.0.0.1:8053/dns", false},
	} {
		o.backendHTTP = of.listen
		want := "is not where redyn listens"
		if of.right {
			want = "asks http:"
		}
		f("launch=remote\nremote-connection-string=http:post=1,url="+of.url+"\n", "", want)
	}
	o.backendHTTP = "127.0.0.1:8053"
	o.purge.Control = []string{"/run/pdns/pdns.controlsocket"}
	f(include, lines, "cache-ttl is 0: redyn purges")
	const overHTTP = "launch=remote\nremote-connection-string=http:url=http://127.0.0.1:8053/dns\n"
	for _, of := range []struct {
		zones             int
		overUnix, overTCP bool
	}{{1000, false, false}, {20_000, true, false}, {100_000, true, true}} {
		zones = make([]dns.Zone, of.zones)
		for i := range zones {
			zones[i].Name = "z.example."
		}
		says := func(mainText, text, what string, want bool) {
			t.Helper()
			f(mainText, text, what)
			if out.Len() == 0 || strings.Contains(out.String(), "zone-cache-refresh-interval=0 does without") != want {
				t.Errorf("%d zones, %s and %s give\n%s", of.zones, mainText, text, &out)
			}
		}
		says(include, lines, "asks unix:", of.overUnix)
		says(include, strings.ReplaceAll(lines, "interval=300", "interval=0"), "asks unix:", false)
		says(overHTTP, "", "asks http:", of.overTCP)
	}
	o.backend.Methods = backend.ReadMethods
	f(include, lines, "wrong  "+main+": with remote-dnssec PowerDNS asks for keys")
}
