// Command bench measures redyn under a real PowerDNS, beside the least that any backend could do
// and beside PowerDNS's own backends, and prints one table of medians, ranges and ratios.
//
//	go run ./contrib/bench                    all but parts transfer and soak, some ten minutes
//	go run ./contrib/bench -parts dns -rounds 9 -v
//	go run ./contrib/bench -parts transfer -rounds 3
//	go run ./contrib/bench -parts soak         ten minutes
//
// All contestants run at once and are measured in turn, round after round, so that whatever else
// the machine does falls on all of them alike; a ratio is taken within a round, and its median and
// range over the rounds are shown. It needs redis-server, pdns_server with its remote, bind,
// gsqlite3 and lmdb backends, sqlite3 and dnsperf. Every server listens on a free loopback port or on a
// socket in a directory of its own and ends with the program.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// options are the flags.
type options struct {
	parts       string
	only        string
	rounds      int
	seconds     float64
	hosts       int
	manyHosts   int
	manyZones   int
	zoneNames   int
	loadRecords int
	axfrRecords int
	clients     int
	outstanding int
	receivers   int
	threads     int
	soakSeconds int
	soakSeed    uint64
	redyn       string
	profile     string
	verbose     bool
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "respond" {
		fail(respond(os.Args[2:]))
		return
	}
	var o options
	flag.StringVar(&o.parts, "parts", "dns,alone,size,updates,fresh,graph,nodes,dnssec", "what to measure: dns (PowerDNS and dnsperf), alone (the backend without PowerDNS), size (a million hosts, a hundred thousand zones), "+
		"updates (beside DNS UPDATE), fresh (its caches on, while hosts change), graph (the same, while CNAMEs, wildcards and delegations do), "+
		"nodes (until another has a change), dnssec (signed NXDOMAIN), transfer (load-zone and AXFR), soak (answers right after all kinds of changes)")
	flag.StringVar(&o.only, "only", "", "measure only contestants whose name contains one of these, separated by commas")
	flag.IntVar(&o.rounds, "rounds", 15, "rounds over all contestants")
	flag.Float64Var(&o.seconds, "seconds", 1, "seconds for each contestant in each round, such as 0.5")
	flag.IntVar(&o.hosts, "hosts", 10_000, "hosts in the zone")
	flag.IntVar(&o.manyHosts, "many-hosts", 1_000_000, "hosts in the big zone of part size")
	flag.IntVar(&o.manyZones, "many-zones", 100_000, "zones of part size")
	flag.IntVar(&o.zoneNames, "zone-names", 10, "names in each of them")
	flag.IntVar(&o.loadRecords, "load-records", 100_000, "records of the zone that part transfer has pdnsutil load")
	flag.IntVar(&o.axfrRecords, "axfr-records", 10_000, "records of the zone that part transfer transfers")
	flag.IntVar(&o.clients, "clients", 8, "clients that dnsperf acts as")
	flag.IntVar(&o.outstanding, "outstanding", 100, "questions that dnsperf has under way")
	flag.IntVar(&o.receivers, "receiver-threads", 1, "PowerDNS's receiver threads, each with its own distributor threads")
	flag.IntVar(&o.threads, "distributor-threads", 3, "PowerDNS's distributor threads, each a connection to the backend")
	flag.IntVar(&o.soakSeconds, "soak-seconds", 600, "how long part soak changes and asks")
	flag.Uint64Var(&o.soakSeed, "soak-seed", 0, "what part soak draws its changes from; 0: another each time")
	flag.StringVar(&o.redyn, "redyn", "", "the redyn to measure (default: built from this module)")
	flag.StringVar(&o.profile, "profile", "", "write a CPU profile of redyn in part alone to this file; -only redyn makes it what cmd/redyn/default.pgo is")
	flag.BoolVar(&o.verbose, "v", false, "show PowerDNS's settings and each round")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "bench: unexpected argument %q; there are only flags\n", flag.Arg(0))
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, o)
	if ctx.Err() != nil {
		err = errors.New("interrupted")
	}
	fail(err)
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

var parts = []struct {
	name string
	run  func(*bench) error
}{
	{"dns", measureDNS},
	{"alone", measureAlone},
	{"size", measureSize},
	{"updates", measureUpdates},
	{"fresh", measureFresh},
	{"graph", measureGraph},
	{"nodes", measureNodes},
	{"dnssec", measureDNSSEC},
	{"transfer", measureTransfer},
	{"soak", measureSoak},
}

func run(ctx context.Context, o options) error {
	wanted := strings.Split(o.parts, ",")
	for _, name := range wanted {
		if !slices.ContainsFunc(parts, func(p struct {
			name string
			run  func(*bench) error
		},
		) bool {
			return p.name == name
		}) {
			return fmt.Errorf("-parts: there is no part %q; expected dns, alone, size, updates, fresh, graph, nodes, dnssec, transfer or soak", name)
		}
	}
	if o.rounds < 1 || o.seconds < 0.1 {
		return fmt.Errorf("-rounds must be 1 or more, -seconds 0.1 or more")
	}
	if o.soakSeconds < 1 {
		return fmt.Errorf("-soak-seconds must be 1 or more")
	}
	if o.manyZones < 1 || o.zoneNames < 3 {
		return fmt.Errorf("-many-zones must be 1 or more, -zone-names 3 or more")
	}
	dir, err := os.MkdirTemp("", "redyn-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{ctx: ctx, opts: o, dir: dir}
	defer b.stopAll()
	if err := b.findRedyn(); err != nil {
		return err
	}
	fmt.Print(machine())
	for _, p := range parts {
		if !slices.Contains(wanted, p.name) {
			continue
		}
		if err := p.run(b); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		b.stopAll()
	}
	return nil
}

// findRedyn builds redyn, unless one is given.
func (b *bench) findRedyn() error {
	if b.opts.redyn != "" {
		path, err := filepath.Abs(b.opts.redyn)
		b.redyn = path
		return err
	}
	b.redyn = filepath.Join(b.dir, "redyn")
	build := exec.CommandContext(b.ctx, "go", "build", "-o", b.redyn, "redyn/cmd/redyn")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build redyn: %w\n%s", err, out)
	}
	return nil
}

// seconds is how long each contestant is measured in each round.
func (b *bench) seconds() time.Duration { return time.Duration(b.opts.seconds * float64(time.Second)) }

// rounds calls measure once for each of n contestants in each round, each round beginning with
// another one; round -1 only warms up.
func (b *bench) rounds(n, rounds int, d time.Duration, measure func(round, contestant int, d time.Duration) error) error {
	for round := -1; round < rounds; round++ {
		for i := range n {
			if err := b.ctx.Err(); err != nil {
				return err
			}
			length := d
			if round < 0 {
				length = min(d, time.Second)
			}
			if err := measure(round, (i+round+n)%n, length); err != nil {
				return err
			}
		}
	}
	return nil
}

// chosen reports whether -only lets a contestant take part.
func (b *bench) chosen(name string) bool {
	return slices.ContainsFunc(strings.Split(b.opts.only, ","), func(part string) bool {
		return strings.Contains(name, part)
	})
}
