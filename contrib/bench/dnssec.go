package main

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"
)

// The contestants of measureDNSSEC: a backend, and how its zone denies.
const (
	viaNSEC  = ", NSEC"
	viaNSEC3 = ", NSEC3"
)

var dnssecGoals = []goal{
	{"", redynUnix + viaNSEC, sqliteBackend + viaNSEC, 0, atLeast},
	{"", redynUnix + viaNSEC3, sqliteBackend + viaNSEC3, 0, atLeast},
	{"", redynHTTPClose + viaNSEC, sqliteBackend + viaNSEC, 0, atLeast},
	{"", redynHTTPClose + viaNSEC3, sqliteBackend + viaNSEC3, 0, atLeast},
	{"", redynUnix + viaNSEC3, redynUnix + viaNSEC, 0, atLeast},
}

// measureDNSSEC asks for names that do not exist in a signed zone.
func measureDNSSEC(b *bench) error {
	contestants, err := b.startSigned(viaNSEC)
	if err != nil {
		return err
	}
	more, err := b.startSigned(viaNSEC3, "set-nsec3", origin, "1 0 0 -")
	if err != nil {
		return err
	}
	contestants = append(contestants, more...)
	questions, err := b.file("missing", func(w io.Writer) error { return writeMissing(w, b.opts.hosts) })
	if err != nil {
		return err
	}
	results := make([]series, len(contestants))
	for i, c := range contestants {
		results[i].name = c.name
	}
	err = b.rounds(len(contestants), b.opts.rounds, b.seconds(), func(round, i int, d time.Duration) error {
		qps, faults, err := b.dnsperf(contestants[i].port, questions, d, perfMissing, "-D")
		if err != nil {
			return fmt.Errorf("%s: %w", contestants[i].name, err)
		}
		if round >= 0 {
			results[i].values = append(results[i].values, qps)
			results[i].faults += faults
		}
		return nil
	})
	if err != nil {
		return err
	}
	printTable(fmt.Sprintf("Signed NXDOMAIN/s through pdns_server %s with its caches of answers off\n"+
		"(receiver-threads=%d, distributor-threads=%d; dnsperf -D -c %d -q %d; %d hosts; %d rounds of %v)",
		pdnsVersion(), b.opts.receivers, b.opts.threads, b.opts.clients, b.opts.outstanding, b.opts.hosts, b.opts.rounds, b.seconds()),
		results, dnssecGoals)
	return nil
}

// perfMissing counts the answers that are right here.
var perfMissing = regexp.MustCompile(`Response codes:.*NXDOMAIN ([0-9]+)`)

// writeMissing writes a question for a name beside each host, in random order, as dnsperf reads them.
func writeMissing(w io.Writer, hosts int) error {
	out := bufio.NewWriter(w)
	for _, i := range rand.New(rand.NewPCG(1, 2)).Perm(hosts) {
		fmt.Fprintf(out, "no-%s A\n", hostName(i))
	}
	return out.Flush()
}

// startSigned starts a pdns_server for each backend, on a zone that is signed and for which pdnsutil was
// called with nsec3, if that is given.
func (b *bench) startSigned(suffix string, nsec3 ...string) ([]contestant, error) {
	zone, err := b.file(origin+"zone", func(w io.Writer) error { return writeZone(w, b.opts.hosts) })
	if err != nil {
		return nil, err
	}
	keep, closing, err := b.startRedynPair("redyn"+suffix, zone)
	if err != nil {
		return nil, err
	}
	db, err := b.sqlite(func(w io.Writer) error { return writeSQL(w, b.opts.hosts) })
	if err != nil {
		return nil, err
	}
	base := b.common()
	all := []contestant{
		{name: redynUnix + suffix, settings: base + remote("unix:path="+keep.unix) + "remote-dnssec=yes\n"},
		{name: sqliteBackend + suffix, settings: base + "launch=gsqlite3\ngsqlite3-dnssec=yes\ngsqlite3-database=" + db + "\n"},
	}
	for _, settings := range []string{b.signing(keep), all[1].settings} {
		if err := b.sign(settings, nsec3); err != nil {
			return nil, err
		}
	}
	all = append(all, contestant{
		name: redynHTTPClose + suffix, settings: base + remote("http:url=http://"+closing.http+"/dns") + "remote-dnssec=yes\n",
	})
	all = slices.DeleteFunc(all, func(c contestant) bool { return !b.chosen(c.name) })
	for i := range all {
		if err := b.startPDNS(&all[i]); err != nil {
			return nil, fmt.Errorf("%s: %w", all[i].name, err)
		}
	}
	return all, nil
}

// signing are settings to sign with: over a unix socket PowerDNS reads the list of a zone, which it wants
// to see for that, so slowly that it gives up.
func (b *bench) signing(s redynServer) string {
	return b.common() + remote("http:url=http://"+s.http+"/dns") + "remote-dnssec=yes\n"
}

// sign signs the zone with pdnsutil.
func (b *bench) sign(settings string, nsec3 []string) error {
	commands := [][]string{{"secure-zone", origin}, nsec3, {"rectify-zone", origin}}
	for _, args := range commands {
		if len(args) == 0 {
			continue
		}
		if err := b.pdnsutil(settings, args...); err != nil {
			return err
		}
	}
	return nil
}

// pdnsutil runs one command with these settings.
func (b *bench) pdnsutil(settings string, args ...string) error {
	dir, err := os.MkdirTemp(b.dir, "pdnsutil")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "pdns.conf"), []byte(settings), 0o600); err != nil {
		return err
	}
	return b.command(nil, "pdnsutil", append([]string{"--config-dir=" + dir}, args...)...)
}
