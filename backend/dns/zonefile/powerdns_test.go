package zonefile_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	miekg "github.com/miekg/dns"

	"redyn/backend/dns"
	"redyn/backend/dns/zonefile"
)

// PowerDNS reads the canonical form of every type, and makes of it the octets that it stands for.
func TestPowerDNSReadsContent(t *testing.T) {
	if _, err := exec.LookPath("pdns_server"); err != nil {
		if os.Getenv("TEST_REQUIRE_ALL") != "" {
			t.Fatal("pdns_server is not installed")
		}
		t.Skip("pdns_server is not installed; contrib/test.sh installs it")
	}
	records := make(map[string][]map[string]any) // by name
	add := func(name string, typ dns.Type, content string) {
		records[name] = append(records[name], map[string]any{"qname": name, "qtype": typ.String(), "content": content, "ttl": 1, "auth": 1})
	}
	add("example.org.", dns.TypeSOA, "ns. host. 1 2 3 4 5")
	type question struct {
		name    string
		typ     dns.Type
		content string
	}
	var questions []question
	for i, s := range samples {
		typ, err := zonefile.ParseType(s.typ)
		if err != nil {
			t.Fatal(err)
		}
		switch typ {
		case dns.TypeSOA, dns.TypeRRSIG, dns.TypeNSEC, dns.TypeNSEC3, dns.TypeNSEC3PARAM, dns.TypeALIAS, dns.TypeLUA:
			continue // it does not answer these from a record
		}
		q := question{fmt.Sprintf("n%d.example.org.", i), typ, s.want}
		if typ == dns.TypeNS {
			q.name = "example.org."
		}
		if s.want != "" {
			add(q.name, typ, s.want)
			questions = append(questions, q)
		}
	}
	addr := startPowerDNS(t, func(name string) any {
		if found := records[strings.ToLower(name)]; found != nil {
			return found
		}
		return []any{}
	})
	for _, q := range questions {
		if got, err := askPowerDNS(addr, q.name, q.typ); got != q.content {
			t.Errorf("%s\n%s comes back as\n%s %v", q.typ, q.content, got, err)
		}
	}
}

// askPowerDNS returns the data of the one record that is answered, from its octets.
func askPowerDNS(addr, name string, typ dns.Type) (string, error) {
	conn, err := net.DialTimeout("tcp", addr, 10*time.Second)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	question := new(miekg.Msg)
	question.SetQuestion(name, uint16(typ))
	c := &miekg.Conn{Conn: conn}
	if err := c.WriteMsg(question); err != nil {
		return "", err
	}
	reply, err := c.ReadMsgHeader(nil)
	if err != nil {
		return "", err
	}
	return onlyAnswer(reply, typ)
}

// onlyAnswer takes the data of the only answer out of a message. It does not trust miekg/dns with
// the data, but for finding where they begin and for names that are compressed.
func onlyAnswer(msg []byte, typ dns.Type) (string, error) {
	const header = 12
	rcode, answers := msg[3]&15, int(msg[6])<<8|int(msg[7])
	if answers != 1 {
		return "", fmt.Errorf("%s with %d answers", miekg.RcodeToString[int(rcode)], answers)
	}
	_, at, err := miekg.UnpackDomainName(msg, header)
	if err != nil {
		return "", err
	}
	if _, at, err = miekg.UnpackDomainName(msg, at+4); err != nil {
		return "", err
	}
	at += 10
	size := int(msg[at-2])<<8 | int(msg[at-1])
	content, err := zonefile.ParseContent(typ, fmt.Sprintf(`\# %d %x`, size, msg[at:at+size]), dns.Root)
	if err == nil {
		return content, nil
	}
	rr, _, err := miekg.UnpackRR(msg, at-10-2) // with the owner's pointer
	if err != nil {
		return "", err
	}
	return zonefile.ParseContent(typ, strings.TrimPrefix(rr.String(), rr.Header().String()), dns.Root)
}

// startPowerDNS starts a PowerDNS that is answered from lookup for the zone example.org.
func startPowerDNS(t *testing.T, lookup func(name string) any) (addr string) {
	dir, err := os.MkdirTemp("", "zonefile") // its path is short, as sockets want it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	ln, err := net.Listen("unix", filepath.Join(dir, "remote"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go serveRemote(conn, lookup)
		}
	}()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr = free.Addr().String()
	free.Close()
	host, port, _ := net.SplitHostPort(addr)
	conf := fmt.Sprintf("launch=remote\nremote-connection-string=unix:path=%s\nlocal-address=%s\nlocal-port=%s\nsocket-dir=%s\n"+
		"security-poll-suffix=\ndaemon=no\nguardian=no\nsetuid=\nsetgid=\n", ln.Addr(), host, port, dir)
	if err := os.WriteFile(filepath.Join(dir, "pdns.conf"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("pdns_server", "--config-dir="+dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		_, err := askPowerDNS(addr, "example.org.", dns.TypeSOA)
		if err == nil {
			return addr
		}
		if time.Now().After(deadline) {
			t.Fatalf("PowerDNS does not answer: %v", err)
		}
	}
}

// serveRemote answers the unix connector of PowerDNS.
func serveRemote(conn net.Conn, lookup func(name string) any) {
	defer conn.Close()
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		var request struct {
			Method     string
			Parameters map[string]any
		}
		if json.Unmarshal(lines.Bytes(), &request) != nil {
			return
		}
		var result any
		switch request.Method {
		case "initialize":
			result = true
		case "getAllDomains":
			result = []any{map[string]any{"id": 1, "zone": "example.org.", "kind": "native"}}
		case "getAllDomainMetadata":
			result = map[string]any{}
		case "lookup":
			name, _ := request.Parameters["qname"].(string)
			result = lookup(name)
		default:
			result = []any{}
		}
		text, _ := json.Marshal(map[string]any{"result": result})
		if _, err := conn.Write(append(text, '\n')); err != nil {
			return
		}
	}
}
