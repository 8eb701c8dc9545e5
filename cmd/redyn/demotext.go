package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// demoText says what to try. Every command works as it is printed.
func demoText(n *node, hosts *demoHosts, url string, pdns *demoPDNS) string {
	self := ownCommand()
	var b strings.Builder
	section := func(title string, commands ...string) {
		fmt.Fprintf(&b, "%s\n", title)
		for _, c := range commands {
			fmt.Fprintf(&b, "  %s\n", c)
		}
		b.WriteByte('\n')
	}
	ask := func(name, typ string) string {
		return fmt.Sprintf("curl -s http://%s/dns/lookup/%s/%s", n.backendHTTP, name, typ)
	}
	fmt.Fprintf(&b, "redyn serves the zone example.org from a Redis of its own at %s.\n", url)
	switch {
	case pdns == nil:
		b.WriteString("PowerDNS is not here (no pdns_server): the commands ask redyn itself, as PowerDNS would.\n\n")
	case haveProgram("dig"):
		fmt.Fprintf(&b, "PowerDNS asks it over a unix socket, and answers at %s.\n\n", pdns.addr)
		host, port, _ := strings.Cut(pdns.addr, ":")
		ask = func(name, typ string) string { return fmt.Sprintf("dig +short @%s -p %s %s %s", host, port, name, typ) }
	default:
		fmt.Fprintf(&b, "PowerDNS asks it over a unix socket, and answers at %s; dig is not here, so curl asks redyn itself.\n\n", pdns.addr)
	}
	on := " --redis-url " + url
	section("Ask:",
		ask("www.example.org", "A"), ask("example.org", "MX"), ask("anything.wild.example.org", "A"))
	section("Change a record, in another terminal; the next answer has it:",
		self+" record set www.example.org A 192.0.2.99"+on, ask("www.example.org", "A"))
	if updates := n.updaterURL(); updates != "" {
		section("Be a host that changes its own address: with a token, a password, a key, and a secret that signs:",
			append(hosts.commands(self, updates), ask("home.example.org", "A"), ask("camera.example.org", "A"))...)
	}
	section("See what is there:",
		self+" record list example.org"+on, self+" host list"+on, self+" credential list"+on, self+" zone check"+on, self+" node list"+on)
	section("See how it is doing:",
		self+" health --status-listen "+n.statusListen, fmt.Sprintf("curl -s http://%s/metrics", n.statusListen))
	b.WriteString("Ctrl-C ends it; nothing is left behind.\n")
	return b.String()
}

func haveProgram(name string) bool {
	_, err := exec.LookPath(name)
	return err == nil
}

// ownCommand is how this program can be run again from here.
func ownCommand() string {
	path, err := os.Executable()
	if err != nil {
		return "redyn"
	}
	if found, err := exec.LookPath("redyn"); err == nil && sameFile(found, path) {
		return "redyn"
	}
	// go run builds into a directory of that name, and deletes it in the end.
	if _, err := os.Stat(filepath.Join("cmd", "redyn", "main.go")); err == nil && strings.Contains(path, "go-build") {
		return "go run ./cmd/redyn"
	}
	return path
}

func sameFile(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}
