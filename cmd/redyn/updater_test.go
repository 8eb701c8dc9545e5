package main_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"redyn/auth"
)

// Hosts update their addresses at real nodes on a real Redis.
func TestUpdater(t *testing.T) {
	t.Parallel()
	needPrograms(t, "redis-server", "redis-cli", "pdns_server", "openssl")
	buildProgram(t)
	t.Run("race for a token", testUpdaterRace)
	t.Run("replay", testUpdaterReplay)
	t.Run("Redis away", testUpdaterRedisAway)
	t.Run("twenty hosts", testUpdaterTwentyHosts)
	t.Run("ddclient and inadyn", testUpdaterClients)
	t.Run("HAProxy", testUpdaterProxy)
}

// updaterNode is a node that hosts can update their addresses at.
type updaterNode struct {
	*node
	t   *testing.T
	url string
}

// unlimited are settings for tests that ask more than a host does.
var unlimited = []string{"--limit-source", "0", "--limit-failures", "0", "--limit-host", "0"}

func startUpdater(t *testing.T, r *redisServer, args ...string) *updaterNode {
	t.Helper()
	listen := loopback(freePort(t))
	n := startNode(t, r, append([]string{"--updater-listen", listen}, args...)...)
	return &updaterNode{n, t, "http://" + listen}
}

// startHosts is a Redis with a zone and these hosts in it.
func startHosts(t *testing.T, hosts ...string) *redisServer {
	t.Helper()
	r := startRedis(t)
	r.redyn(t, "zone", "create", "example.org", "--ns", "ns1.example.net", "--serial", "increment")
	for _, host := range hosts {
		r.redyn(t, "host", "add", host)
	}
	return r
}

// credential adds a credential, and returns what is printed: the id, and the secret if there is one.
func (r *redisServer) credential(t *testing.T, args ...string) (id, secret string) {
	t.Helper()
	id, secret, _ = strings.Cut(strings.TrimSpace(r.redyn(t, append([]string{"credential", "add"}, args...)...)), "\n")
	return id, secret
}

// do sends a request, and returns the status and the body of the answer.
func (n *updaterNode) do(method, target, form string, edit func(*http.Request)) (status int, body string, err error) {
	request, err := http.NewRequest(method, n.url+target, strings.NewReader(form))
	if err != nil {
		return 0, "", err
	}
	if form != "" {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if edit != nil {
		edit(request)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), err
}

// answers fails unless the answer is that.
func (n *updaterNode) answers(status int, body, method, target, form string, edit func(*http.Request)) {
	n.t.Helper()
	gotStatus, got, err := n.do(method, target, form, edit)
	if err != nil || gotStatus != status || got != body {
		n.t.Errorf("%s %s: %d %q, %v; want %d %q", method, target, gotStatus, got, err, status, body)
	}
}

func basicAuth(user, password string) func(*http.Request) {
	return func(r *http.Request) { r.SetBasicAuth(user, password) }
}

// signedForm signs a host's one-time token with a key that openssl made.
func signedForm(t *testing.T, key, token, id, ip string) string {
	t.Helper()
	dir := t.TempDir()
	message := filepath.Join(dir, "message")
	if err := os.WriteFile(message, []byte(token+"|"+id+"|"+ip+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("sh", "-c", `openssl dgst -sha256 -sign "$1" "$2" | base64`, "sh", key, message).Output()
	if err != nil {
		t.Fatal(err)
	}
	return url.Values{"signature": {string(out)}, "ipAddress": {ip}}.Encode()
}

// newKey makes a key and its public half.
func newKey(t *testing.T) (key, public string) {
	t.Helper()
	key = filepath.Join(t.TempDir(), "key.pem")
	public = key + ".pub"
	out, err := exec.Command("sh", "-c", `openssl genrsa -out "$1" 2048 && openssl pkey -in "$1" -pubout -out "$2"`, "sh", key, public).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return key, public
}

// Two hundred clients race on one token, at two nodes: exactly one wins.
func testUpdaterRace(t *testing.T) {
	t.Parallel()
	r := startHosts(t, "home.example.org")
	key, public := newKey(t)
	r.credential(t, "--host", "home.example.org", "--kind", "publickey", "--pem", public)
	nodes := []*updaterNode{startUpdater(t, r, unlimited...), startUpdater(t, r, append(unlimited, "--node-name", "two")...)}
	status, token, err := nodes[0].do("GET", "/token/home.example.org?pure", "", nil)
	if err != nil || status != 200 {
		t.Fatalf("token: %d %s %v", status, token, err)
	}
	form := signedForm(t, key, token, "home.example.org", "192.0.2.7")

	const clients = 200
	statuses := make([]int, clients)
	var group sync.WaitGroup
	begin := make(chan struct{})
	for i := range clients {
		group.Go(func() {
			<-begin
			var err error
			if statuses[i], _, err = nodes[i%2].do("POST", "/update/home.example.org", form, nil); err != nil {
				t.Error(err)
			}
		})
	}
	close(begin)
	group.Wait()
	counts := make(map[int]int)
	for _, status := range statuses {
		counts[status]++
	}
	if counts[200] != 1 || counts[401] != clients-1 {
		t.Errorf("answers by status: %v", counts)
	}
	for _, n := range nodes {
		eventually(t, func() error { return n.shows("home.example.org", "A", "192.0.2.7") })
	}
}

// shows returns nil if the node answers PowerDNS with that content, or with none if it is empty.
func (n *node) shows(name, typ, content string) error {
	response, err := http.Get("http://" + loopback(n.http) + "/dns/lookup/" + name + "/" + typ)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	want := `"content":"` + content + `"`
	if content == "" {
		want = `"result":[]`
	}
	if err == nil && !strings.Contains(string(text), want) {
		err = fmt.Errorf("%s %s: %s; want %s", name, typ, text, want)
	}
	return err
}

// What one node has taken, the other does not take again: a signature, or a one-time token.
func testUpdaterReplay(t *testing.T) {
	t.Parallel()
	r := startHosts(t, "home.example.org")
	id, secret := r.credential(t, "--host", "home.example.org", "--kind", "hmac")
	one, two := startUpdater(t, r, unlimited...), startUpdater(t, r, append(unlimited, "--node-name", "two")...)
	params := []auth.Param{{Key: "hostname", Value: "home.example.org"}, {Key: "myip", Value: "192.0.2.1"}}
	authorization, at := auth.HMACRequest{Method: "GET", Path: "/nic/update", Params: params}.Sign(id, auth.NewSecret(secret), time.Now())
	own := func(r *http.Request) {
		r.Header.Set("Authorization", authorization)
		r.Header.Set("Conexim-Time", at)
	}
	const target = "/nic/update?hostname=home.example.org&myip=192.0.2.1"
	one.answers(200, "good 192.0.2.1", "GET", target, "", own)
	two.answers(401, "badauth", "GET", target, "", own)
	one.answers(401, "badauth", "GET", target, "", own)

	key, public := newKey(t)
	r.credential(t, "--host", "home.example.org", "--kind", "publickey", "--pem", public)
	_, token, err := two.do("GET", "/token/1?pure", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	form := signedForm(t, key, token, "1", "192.0.2.2")
	one.answers(200, "ok", "POST", "/update/1", form, nil)
	two.answers(401, "Authentication failed.", "POST", "/update/1", form, nil)

	// A credential that is revoked is so everywhere with the next request.
	keyID, token := r.credential(t, "--host", "home.example.org", "--kind", "token")
	two.answers(200, "good 192.0.2.3", "GET", "/nic/update?myip=192.0.2.3", "", basicAuth("home.example.org", token))
	r.redyn(t, "credential", "revoke", keyID)
	for _, n := range []*updaterNode{one, two} {
		n.answers(401, "badauth", "GET", "/nic/update?myip=192.0.2.3", "", basicAuth("home.example.org", token))
	}
}

// While Redis is away nobody is told no, nothing is half done, and DNS is answered; when it is back
// updates work again.
func testUpdaterRedisAway(t *testing.T) {
	t.Parallel()
	r := startHosts(t, "home.example.org")
	_, token := r.credential(t, "--host", "home.example.org", "--kind", "token")
	n := startUpdater(t, r, append(unlimited, "--redis-timeout", "300ms")...)
	own := basicAuth("home.example.org", token)
	update := func(ip string) string { return "/nic/update?hostname=home.example.org&myip=" + ip }
	n.answers(200, "good 192.0.2.1", "GET", update("192.0.2.1"), "", own)
	r.do(t, "SAVE")

	const later = "not available now; try again later"
	refused := func() {
		t.Helper()
		n.answers(503, "911", "GET", update("192.0.2.2"), "", own)
		n.answers(503, later, "GET", "/?hostname=home.example.org", "", own)
		n.answers(503, later, "POST", "/update-simple/1", "password=x", nil)
		n.answers(503, later, "GET", "/token/1", "", nil)
		n.answers(200, "127.0.0.1", "GET", "/myip", "", nil)
		if err := n.shows("home.example.org", "A", "192.0.2.1"); err != nil {
			t.Error(err)
		}
	}
	// It hangs, and then it is gone.
	r.signal(syscall.SIGSTOP)
	refused()
	r.signal(syscall.SIGCONT)
	eventually(t, func() error {
		_, body, err := n.do("GET", update("192.0.2.1"), "", own)
		if err == nil && body != "nochg 192.0.2.1" {
			err = fmt.Errorf("answer %q", body)
		}
		return err
	})
	r.end(syscall.SIGKILL)
	refused()
	r.start(t)
	eventually(t, func() error {
		_, body, err := n.do("GET", update("192.0.2.3"), "", own)
		if err == nil && body != "good 192.0.2.3" {
			err = fmt.Errorf("answer %q", body)
		}
		return err
	})
	if err := n.shows("home.example.org", "A", "192.0.2.3"); err != nil {
		t.Error(err)
	}

	// A store that has lost its data is not one without hosts.
	r.do(t, "FLUSHALL")
	n.answers(503, "911", "GET", update("192.0.2.4"), "", own)
	n.answers(503, later, "GET", "/token/1", "", nil)
}

// Twenty hosts in one request are one entry of the log and one serial; one that is not there, and
// nothing changes.
func testUpdaterTwentyHosts(t *testing.T) {
	t.Parallel()
	var hosts, grants []string
	for i := range 20 {
		host := fmt.Sprintf("h%d.example.org", i)
		hosts, grants = append(hosts, host), append(grants, "--host", host)
	}
	r := startHosts(t, hosts...)
	_, token := r.credential(t, append(grants, "--kind", "token")...)
	n := startUpdater(t, r)
	entries := func() int {
		t.Helper()
		count, err := strconv.Atoi(r.do(t, "XLEN", "{redyn}:log"))
		if err != nil {
			t.Fatal(err)
		}
		return count
	}
	serial := func() string {
		t.Helper()
		return r.redyn(t, "record", "list", "example.org", "--json")
	}
	before, records := entries(), serial()
	target := func(hosts []string) string {
		return "/nic/update?myip=192.0.2.1,2001:db8::1&hostname=" + strings.Join(hosts, ",")
	}
	n.answers(200, "nohost", "GET", target(append(hosts[:19:19], "stranger.example.org")), "", basicAuth("", token))
	if entries() != before || serial() != records {
		t.Error("something has changed")
	}
	good := strings.TrimSuffix(strings.Repeat("good 192.0.2.1,2001:db8::1\n", 20), "\n")
	n.answers(200, good, "GET", target(hosts), "", basicAuth("", token))
	if got := entries(); got != before+1 {
		t.Errorf("%d entries are added", got-before)
	}
	if err := n.shows("example.org", "SOA", ""); err == nil {
		t.Error("there is no SOA")
	}
	if err := n.shows("h19.example.org", "AAAA", "2001:db8::1"); err != nil {
		t.Error(err)
	}
	if !strings.Contains(serial(), " 2 ") {
		t.Errorf("the serial is not 2: %.300s", serial())
	}
}

// Real clients update hosts, and a real PowerDNS answers the new addresses.
func testUpdaterClients(t *testing.T) {
	t.Parallel()
	needPrograms(t, "ddclient", "inadyn")
	r := startHosts(t, "dd4.example.org", "dd6.example.org", "in4.example.org", "in6.example.org")
	_, token := r.credential(t, "--host", "dd4.example.org", "--host", "dd6.example.org", "--host", "in4.example.org", "--host", "in6.example.org", "--kind", "token")
	n := startUpdater(t, r, append(unlimited, "--missing-family", "preserve")...)
	p := startPDNS(t, remote(n.overUnix()))
	f := func(run func(t *testing.T, n *updaterNode, host, ip, token string), host, typ, ip string) {
		t.Helper()
		name := host + ".example.org"
		run(t, n, name, ip, token)
		found(name+".", typ, name+". "+typ+" "+ip).check(t, p)
	}
	f(runDDClient, "dd4", "A", "192.0.2.4")
	f(runDDClient, "dd6", "AAAA", "2001:db8::6")
	f(runInadyn, "in4", "A", "192.0.2.14")
	f(runInadyn, "in6", "AAAA", "2001:db8::16")
	// Once more, with other addresses.
	f(runDDClient, "dd4", "A", "192.0.2.5")
	f(runInadyn, "in4", "A", "192.0.2.15")
}

// runDDClient has ddclient update a host by dyndns2.
func runDDClient(t *testing.T, n *updaterNode, host, ip, token string) {
	t.Helper()
	dir := t.TempDir()
	address := filepath.Join(dir, "address")
	script := "#!/bin/sh\necho " + ip + "\n"
	conf := fmt.Sprintf("daemon=0\nssl=no\nprotocol=dyndns2\nuse=cmd, cmd=%s\nserver=%s\nlogin=%s\npassword=%s\n%s\n",
		address, strings.TrimPrefix(n.url, "http://"), host, token, host)
	writeAt(t, address, script, 0o700)
	file := filepath.Join(dir, "ddclient.conf")
	writeAt(t, file, conf, 0o600)
	out, err := exec.Command("ddclient", "-daemon=0", "-verbose", "-file", file, "-cache", filepath.Join(dir, "cache"), "-pid", filepath.Join(dir, "pid")).CombinedOutput()
	if want := "SUCCESS:  updating " + host + ": good: IP address set to " + ip; err != nil || !strings.Contains(string(out), want) {
		t.Errorf("ddclient: %v\n%s", err, out)
	}
}

// runInadyn has inadyn update a host.
func runInadyn(t *testing.T, n *updaterNode, host, ip, token string) {
	t.Helper()
	dir := t.TempDir()
	conf := fmt.Sprintf(`period = 300
verify-address = false
allow-ipv6 = true
custom redyn {
	username = %s
	password = %s
	checkip-command = "echo %s"
	ddns-server = "%s"
	ddns-path = "/nic/update?hostname=%%h&myip=%%i"
	ssl = false
	hostname = %s
}
`, host, token, ip, strings.TrimPrefix(n.url, "http://"), host)
	file := filepath.Join(dir, "inadyn.conf")
	writeAt(t, file, conf, 0o600)
	// With the address of another day it need not ask a resolver.
	writeAt(t, filepath.Join(dir, host+".cache"), "192.0.2.250", 0o600)
	out, err := exec.Command("inadyn", "-1", "-n", "-l", "info", "-f", file, "--cache-dir", dir, "-P", filepath.Join(dir, "pid")).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "Successful alias table update for "+host) {
		t.Errorf("inadyn: %v\n%s", err, out)
	}
}

func writeAt(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}
