package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// A signed zone of another backend comes into redyn by the very lines that README.md shows, and is signed
// with the same key.
func testPowerDNSMoved(t *testing.T) {
	t.Parallel()
	const zone = "example.org."
	old := startPDNS(t, sqlite(t)+forgetful+"zone-cache-refresh-interval=0\n")
	old.util(t, "load-zone", zone, writeFile(t, "zone", zoneText))
	old.util(t, "secure-zone", zone)
	redis := startRedis(t)
	redis.redyn(t, "zone", "create", "example.net", "--ns", "ns1.example.org") // begins the data set
	node := startNode(t, redis)

	cmd := exec.Command("bash", "-euc", "pdnsutil() {\n"+
		"if [[ $1 == --config-dir=* ]]; then command pdnsutil \"$@\"; else command pdnsutil --config-dir="+old.dir+" \"$@\"; fi\n"+
		"}\n"+readmeCommands(t, "2. Bring in your zones", "3. Tell PowerDNS"))
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), noPause, "PATH="+filepath.Dir(program)+":"+os.Getenv("PATH"),
		"REDYN_REDIS_URL="+redis.url(), "REDYN_REDIS_TIMEOUT=10s", "REDYN_BACKEND_UNIX="+node.unix)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("README.md's lines: %v\n%s", err, out)
	}

	moved := startPDNS(t, remote(node.overUnix())+signing)
	if got, want := moved.keysOf(t, zone), old.keysOf(t, zone); !slices.Equal(got, want) {
		t.Errorf("it has the keys %s; want %s", got, want)
	}
	startResolver(t, moved, []string{zone}, old.keysOf(t, zone)).validate(t, "mail."+zone, dns.TypeA, dns.RcodeSuccess, secure)
}

// readmeCommands returns the commands that README.md shows from some words to others.
func readmeCommands(t *testing.T, from, to string) string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, part, _ := strings.Cut(string(text), from)
	part, _, _ = strings.Cut(part, to)
	var commands string
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(part, -1) {
		commands += block[1]
	}
	return commands
}
