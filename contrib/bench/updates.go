package main

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// The contestants of measureUpdates: how a host proves itself, or what PowerDNS writes to.
const (
	byToken       = "redyn token"
	byPassword    = "redyn password, remembered"
	bySignature   = "redyn signed"
	intoRedyn     = "nsupdate redyn"
	intoSQLite    = "nsupdate gsqlite3"
	intoLMDB      = "nsupdate lmdb"
	firstPassword = "redyn password, first time"
)

// updatedHosts is how many hosts change their addresses.
const updatedHosts = 64

// writer is one client, that changes the addresses of some hosts in turn.
type writer interface {
	// update gives the i-th of the hosts an address and returns once that is acknowledged.
	update(i int, addr string) error
	io.Closer
}

// updateWay is a contestant: how its clients reach it.
type updateWay struct {
	name   string
	dial   func(client, clients int) (writer, error)
	socket string // of the backend to look at what was acknowledged; "": it is not looked at
	host   func(i int) string
}

// updateResult is what the clients of a contestant did in a round.
type updateResult struct {
	took   []time.Duration
	over   time.Duration
	faults int
}

// measureUpdates changes hosts through the update listener, and through PowerDNS by DNS UPDATE.
func measureUpdates(b *bench) error {
	ways, first, err := b.startUpdateWays()
	if err != nil {
		return err
	}
	firstTimes, err := b.firstPasswords(first)
	if err != nil {
		return err
	}
	var rates, medians, tails []series
	var goals []goal
	for _, clients := range []int{1, 8} {
		results, err := b.updateInTurn(ways, clients)
		if err != nil {
			return err
		}
		for i, way := range ways {
			rate, mid, tail := summarize(fmt.Sprintf("%s x%d", way.name, clients), results[i])
			rates, medians, tails = append(rates, rate), append(medians, mid), append(tails, tail)
		}
		token := fmt.Sprintf("%s x%d", byToken, clients)
		for _, way := range []string{intoRedyn, intoSQLite, intoLMDB} {
			goals = append(goals, goal{"", token, fmt.Sprintf("%s x%d", way, clients), 0, atLeast})
		}
	}
	printTable(fmt.Sprintf("Updates/s (%d hosts of %d; redyn asks Redis over a unix socket; clients as the names say; %d rounds of %v)",
		updatedHosts, b.opts.hosts, b.opts.rounds, b.seconds()), rates, goals)
	printTable("Milliseconds from sending an update to its answer, median", append(medians, firstTimes), nil)
	printTable("The same, of 99 in 100", tails, nil)
	token := find(rates, byToken+" x8")
	fmt.Printf("row 5: %s updates/s (goal: 6,000), answered and visible in %s ms (goal: 1)\n",
		figure(median(token.values)), figure(median(find(medians, token.name).values)))
	return nil
}

// updateInTurn returns what each did in each round.
func (b *bench) updateInTurn(ways []updateWay, clients int) ([][]updateResult, error) {
	results := make([][]updateResult, len(ways))
	err := b.rounds(len(ways), b.opts.rounds, b.seconds(), func(round, i int, d time.Duration) error {
		r, err := b.updateFor(ways[i], clients, d)
		if err != nil {
			return fmt.Errorf("%s: %w", ways[i].name, err)
		}
		if round >= 0 {
			results[i] = append(results[i], r)
		}
		return nil
	})
	return results, err
}

// summarize returns what a contestant did a second, and its median and its 99th percentile in ms.
func summarize(name string, rounds []updateResult) (rate, mid, tail series) {
	rate, mid, tail = series{name: name}, series{name: name}, series{name: name}
	for _, r := range rounds {
		slices.Sort(r.took)
		rate.values = append(rate.values, float64(len(r.took))/r.over.Seconds())
		mid.values = append(mid.values, milliseconds(r.took[len(r.took)/2]))
		tail.values = append(tail.values, milliseconds(r.took[len(r.took)*99/100]))
		rate.faults += r.faults
	}
	return rate, mid, tail
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// updateFor has clients change their hosts for d.
func (b *bench) updateFor(way updateWay, clients int, d time.Duration) (updateResult, error) {
	var wg sync.WaitGroup
	results, errs := make([]updateResult, clients), make([]error, clients)
	begin := time.Now()
	for c := range clients {
		wg.Go(func() { results[c], errs[c] = way.run(c, clients, begin.Add(d)) })
	}
	wg.Wait()
	total := updateResult{over: time.Since(begin)}
	for c, r := range results {
		if errs[c] != nil {
			return total, errs[c]
		}
		total.took = append(total.took, r.took...)
		total.faults += r.faults
	}
	return total, b.ctx.Err()
}

// looked is how often an acknowledged update is looked at.
const looked = 16

// run is one client's round.
func (way updateWay) run(client, clients int, end time.Time) (r updateResult, err error) {
	w, err := way.dial(client, clients)
	if err != nil {
		return r, err
	}
	defer w.Close()
	for n := 0; time.Now().Before(end); n++ {
		host := (n*clients + client) % updatedHosts
		addr := fmt.Sprintf("10.%d.%d.%d", 128+client, n>>8&255, n&255)
		begin := time.Now()
		if err := w.update(host, addr); err != nil {
			return r, err
		}
		r.took = append(r.took, time.Since(begin))
		if way.socket != "" && n%looked == 0 {
			shown, err := shows(way.socket, way.host(host), addr)
			if err != nil {
				return r, err
			}
			if !shown {
				r.faults++
			}
		}
	}
	return r, nil
}

// shows reports whether a backend answers with an address for a name.
func shows(socket, name, addr string) (bool, error) {
	f, err := dialBlocking(target{network: "unix", addr: socket})
	if err != nil {
		return false, err
	}
	defer f.Close()
	reply, err := exchange(int(f.Fd()), lookup("unix", name, "-1"), make([]byte, 64<<10))
	return strings.Contains(string(reply), `"`+addr+`"`), err
}

// updateCredentials are what the hosts of the bench prove themselves by.
type updateCredentials struct {
	// Of each host: its number, a token, a password.
	ids, tokens, passwords []string
	key                    ed25519.PrivateKey // of all hosts
}

// startUpdateWays starts a redyn with an update listener, and a PowerDNS before it, before gsqlite3
// and before LMDB.
func (b *bench) startUpdateWays() (ways []updateWay, first updateWay, err error) {
	zone, err := b.file(origin+"zone", func(w io.Writer) error { return writeZone(w, b.opts.hosts) })
	if err != nil {
		return nil, first, err
	}
	redis, err := b.startRedis()
	if err != nil {
		return nil, first, err
	}
	if err := b.command(nil, b.redyn, "zone", "import", "--redis-url", "redis://"+redis+"/0", zone); err != nil {
		return nil, first, err
	}
	port, err := freePort()
	if err != nil {
		return nil, first, err
	}
	addr := loopback(port)
	s, err := b.startRedyn("redyn", redis, "--redis-url", "unix://"+b.redisSocket(redis), "--updater-listen", addr,
		"--limit-source", "0", "--limit-failures", "0", "--limit-host", "0")
	if err != nil {
		return nil, first, err
	}
	credentials, err := b.addCredentials(redis)
	if err != nil {
		return nil, first, err
	}
	over := func(request func(host int, addr string) []byte) func(int, int) (writer, error) {
		return func(int, int) (writer, error) { return dialUpdater(addr, request) }
	}
	password := over(func(host int, addr string) []byte {
		return nicUpdate(hostName(host), addr, strings.TrimSuffix(hostName(host), "."), credentials.passwords[host])
	})
	ways = []updateWay{
		{byToken, over(func(host int, addr string) []byte {
			return nicUpdate(hostName(host), addr, "", credentials.tokens[host])
		}), s.unix, hostName},
		{byPassword, password, s.unix, hostName},
		{bySignature, func(int, int) (writer, error) { return dialSigner(addr, credentials) }, s.unix, hostName},
	}
	first = updateWay{firstPassword, password, s.unix, hostName}
	for _, c := range []struct {
		name    string
		prepare func() (settings string, err error)
	}{
		{intoRedyn, func() (string, error) { return remote("unix:path=" + s.unix), nil }},
		{intoSQLite, b.fillSQLite},
		{intoLMDB, func() (string, error) { return b.fillLMDB(zone) }},
	} {
		if !b.chosen(c.name) {
			continue
		}
		settings, err := c.prepare()
		if err != nil {
			return nil, first, err
		}
		p := contestant{name: c.name, settings: b.common() + settings +
			"dnsupdate=yes\nallow-dnsupdate-from=127.0.0.0/8\n"}
		if err := b.startPDNS(&p); err != nil {
			return nil, first, fmt.Errorf("%s: %w", c.name, err)
		}
		ways = append(ways, updateWay{c.name, func(int, int) (writer, error) { return dialNSUpdate(p.port) }, "", nil})
	}
	return slices.DeleteFunc(ways, func(w updateWay) bool { return !b.chosen(w.name) }), first, nil
}

// addCredentials makes the hosts, a token and a password for each, and a key for all.
func (b *bench) addCredentials(redis string) (c updateCredentials, err error) {
	run := func(arg ...string) (string, error) {
		out, err := b.output(b.redyn, append(arg, "--redis-url", "redis://"+redis+"/0")...)
		return strings.TrimSpace(out), err
	}
	add := func(arg ...string) (secret string, err error) {
		text, err := run(append([]string{"credential", "add", "--json"}, arg...)...)
		if err != nil {
			return "", err
		}
		return secretIn(text)
	}
	var all []string
	for host := range updatedHosts {
		id, err := run("host", "add", hostName(host))
		if err != nil {
			return c, err
		}
		c.ids = append(c.ids, id)
		all = append(all, "--host", hostName(host))
		for _, kind := range []struct {
			name    string
			secrets *[]string
		}{{"token", &c.tokens}, {"password", &c.passwords}} {
			secret, err := add("--kind", kind.name, "--host", hostName(host))
			if err != nil {
				return c, err
			}
			*kind.secrets = append(*kind.secrets, secret)
		}
	}
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return c, err
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return c, err
	}
	path := filepath.Join(b.dir, "host.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), 0o600); err != nil {
		return c, err
	}
	c.key = private
	_, err = run(append([]string{"credential", "add", "--kind", "publickey", "--pem", path}, all...)...)
	return c, err
}

// firstPasswords updates each host with a password that redyn has not seen yet.
func (b *bench) firstPasswords(way updateWay) (series, error) {
	s := series{name: way.name}
	w, err := way.dial(0, 1)
	if err != nil {
		return s, err
	}
	defer w.Close()
	for host := range updatedHosts {
		begin := time.Now()
		if err := w.update(host, "10.127.0.1"); err != nil {
			return s, fmt.Errorf("%s: %w", way.name, err)
		}
		s.values = append(s.values, milliseconds(time.Since(begin)))
	}
	return s, b.ctx.Err()
}

// secretIn is the secret in what redyn credential add --json prints.
func secretIn(text string) (string, error) {
	var printed struct {
		Secret string `json:"secret"`
	}
	err := json.Unmarshal([]byte(text), &printed)
	if err == nil && printed.Secret == "" {
		err = fmt.Errorf("no secret in %q", text)
	}
	return printed.Secret, err
}
