package main_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// signing has PowerDNS ask for keys and metadata; forgetful has it remember none, so that a change of
// them counts from the next question on.
const (
	forgetful = "dnssec-key-cache-ttl=0\nzone-metadata-cache-ttl=0\n"
	signing   = "remote-dnssec=yes\n" + forgetful
)

// util runs pdnsutil with the server's settings, which must succeed, and returns what it printed.
func (p *powerDNS) util(t *testing.T, args ...string) string {
	t.Helper()
	out, err := p.runUtil(args...)
	if err != nil {
		t.Fatalf("pdnsutil %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (p *powerDNS) runUtil(args ...string) (string, error) {
	out, err := exec.Command("pdnsutil", append([]string{"--config-dir=" + p.dir}, args...)...).CombinedOutput()
	return string(out), err
}

// utilRRset runs one of pdnsutil's commands for an RRset of a zone, whose owner is given within the zone:
// 4.9 wants it so, and 5.1 wants the whole name.
func (p *powerDNS) utilRRset(t *testing.T, command, zone, owner string, args ...string) {
	t.Helper()
	within := append([]string{command, zone, owner}, args...)
	out, err := p.runUtil(within...)
	if err != nil && strings.Contains(out, "is not part of zone") {
		p.util(t, append([]string{command, zone, owner + "." + zone}, args...)...)
	} else if err != nil {
		t.Fatalf("pdnsutil %s: %v\n%s", strings.Join(within, " "), err, out)
	}
}

// control sends the server one command with pdns_control.
func (p *powerDNS) control(t *testing.T, args ...string) {
	t.Helper()
	out, err := exec.Command("pdns_control", append([]string{"--config-dir=" + p.dir, "--socket-dir=" + p.dir}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("pdns_control %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// nsupdate sends the server one DNS UPDATE with these commands, signed by a TSIG key if one is given.
func (p *powerDNS) nsupdate(t *testing.T, tsig, commands string) error {
	t.Helper()
	host, port, err := net.SplitHostPort(p.addr)
	if err != nil {
		t.Fatal(err)
	}
	var args []string
	if tsig != "" {
		args = []string{"-y", tsig}
	}
	cmd := exec.Command("nsupdate", args...)
	cmd.Stdin = strings.NewReader(fmt.Sprintf("server %s %s\n%s\nsend\n", host, port, commands))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// notified waits until the server at to serves a zone with the serial that p has.
func (p *powerDNS) notified(t *testing.T, zone string, to *powerDNS) {
	t.Helper()
	want := p.serial(t, zone)
	eventually(t, func() error { return to.isAt(zone, want) })
}

// isAt reports why the server does not serve a zone with that serial.
func (p *powerDNS) isAt(zone string, serial uint32) error {
	reply, err := p.exchange(zone, dns.TypeSOA)
	if err == nil && (len(reply.Answer) == 0 || reply.Answer[0].(*dns.SOA).Serial != serial) {
		err = fmt.Errorf("%s is not at %d there: %v", zone, serial, reply)
	}
	return err
}

// serial is what the server answers for the zone.
func (p *powerDNS) serial(t *testing.T, zone string) uint32 {
	t.Helper()
	reply := p.ask(t, zone, "SOA")
	if len(reply.Answer) == 0 {
		t.Fatalf("%s has no SOA: %v", zone, reply)
	}
	return reply.Answer[0].(*dns.SOA).Serial
}

// api is the setting and the address of a PowerDNS's HTTP API.
type api struct{ addr, settings string }

const apiKey = "only-here"

func newAPI(t *testing.T) api {
	t.Helper()
	port := freePort(t)
	return api{loopback(port), fmt.Sprintf("api=yes\napi-key=%s\nwebserver=yes\nwebserver-address=127.0.0.1\nwebserver-port=%d\n", apiKey, port)}
}

// call sends one request, which must succeed.
func (a api) call(t *testing.T, method, path, body string) {
	t.Helper()
	req, err := http.NewRequest(method, "http://"+a.addr+"/api/v1/servers/localhost"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-API-Key", apiKey)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= 300 {
		t.Fatalf("%s %s: %s %v: %s", method, path, resp.Status, err, text)
	}
}

// sqliteSchemas are where Debian's package of PowerDNS's gsqlite3 backend keeps its schema.
var sqliteSchemas = []string{
	"/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql",
	"/usr/share/doc/pdns-backend-sqlite3/schema.sqlite3.sql",
}

// sqlite makes an empty database for PowerDNS's gsqlite3 backend and returns the settings for it.
func sqlite(t *testing.T) string {
	t.Helper()
	schema, err := os.ReadFile(sqliteSchemas[0])
	if os.IsNotExist(err) {
		schema, err = os.ReadFile(sqliteSchemas[1])
	}
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "pdns.sqlite3")
	cmd := exec.Command("sqlite3", file)
	cmd.Stdin = bytes.NewReader(schema)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("sqlite3: %v\n%s", err, out)
	}
	return "launch=gsqlite3\ngsqlite3-dnssec=yes\ngsqlite3-pragma-synchronous=0\ngsqlite3-database=" + file + "\n" + uncached
}

// writeFile writes a file of the test's own and returns its path.
func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
