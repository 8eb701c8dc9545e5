package updater

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"redyn/auth"
	"redyn/backend/dns"
)

var update = flag.Bool("update", false, "write the answers of testdata/clients anew")

// clientToken is the secret that the clients in testdata have.
const clientToken = "k7tq3m9x2c4v6b8n5h7j9f3d2s4a6z8w"

// What clients send, and what they get: each file of testdata/clients is one client's exchange, with
// the records before and after. Lines end in CRLF on the wire; Date is left out.
func TestClients(t *testing.T) {
	files, err := filepath.Glob("testdata/clients/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("there are no clients", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			s := serve(t, Options{})
			s.store.addHost(17, home)
			s.store.addHost(18, office).Policy = auth.PolicyPreserve
			c, err := auth.NewTokenCredential(auth.NewSecret(clientToken))
			if err != nil {
				t.Fatal(err)
			}
			s.add(c, nil, []dns.Name{home, office})
			old, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			text := string(txtar.Format(s.exchange(old)))
			if *update {
				if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want := string(txtar.Format(old)); text != want {
				t.Errorf("the exchange is\n%s\nand should be\n%s", text, want)
			}
		})
	}
}

// exchange returns the exchange with what happens now.
func (s *server) exchange(old *txtar.Archive) *txtar.Archive {
	s.t.Helper()
	now := &txtar.Archive{Comment: old.Comment}
	for i, f := range old.Files {
		switch f.Name {
		case "before":
			for line := range strings.Lines(string(f.Data)) {
				set := strings.Fields(line)
				typ, err := dns.ParseType(set[1])
				if err != nil {
					s.t.Fatal(err)
				}
				s.store.set(dns.Name(set[0]), typ, set[2])
			}
		case "answer":
			f.Data = []byte(s.answer(string(old.Files[i-1].Data)))
		case "after":
			f.Data = []byte(s.records())
		}
		now.Files = append(now.Files, f)
	}
	return now
}

var date = regexp.MustCompile(`Date: .*\n`)

// answer sends a request and returns the octets of the answer.
func (s *server) answer(request string) string {
	s.t.Helper()
	p := s.dial()
	p.send(strings.ReplaceAll(request, "\n", "\r\n"))
	var header strings.Builder
	length := 0
	for {
		line, err := p.in.ReadString('\n')
		if err != nil {
			s.t.Fatal(err)
		}
		header.WriteString(line)
		if text, ok := strings.CutPrefix(line, "Content-Length: "); ok {
			if length, err = strconv.Atoi(strings.TrimSpace(text)); err != nil {
				s.t.Fatal(err)
			}
		}
		if line == "\r\n" {
			break
		}
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(p.in, body); err != nil {
		s.t.Fatal(err)
	}
	text := strings.ReplaceAll(header.String(), "\r\n", "\n")
	if !date.MatchString(text) {
		s.t.Error("the answer has no Date")
	}
	return date.ReplaceAllString(text, "") + string(body) + "\n"
}

// records are the addresses of the hosts.
func (s *server) records() string {
	var b strings.Builder
	for _, name := range []dns.Name{home, office} {
		for _, f := range families {
			for _, content := range s.store.get(name, f.typ) {
				fmt.Fprintln(&b, name, f.typ, content)
			}
		}
	}
	return b.String()
}
