package main

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// The contestants of measureFresh: how PowerDNS keeps answers, and what purges them.
const (
	purgedStock  = "redyn stock caches"
	purgedPacket = "redyn packet cache alone"
	purgedTypes  = "redyn consistent-backends=no"
	purgedSigned = "redyn signed zone"
	otherNode    = "redyn other node"
	whileUpdated = " updated"
	bindStock    = "bind stock caches"
	sqliteOff    = "gsqlite3 caches off"
)

const (
	updateRate   = 1000 // a second
	freshHosts   = 1024 // that are updated
	freshClients = 16   // that update them, each its own
)

// freshWay is a contestant: a PowerDNS and, if it is updated, the update listener behind it.
type freshWay struct {
	contestant
	updater, token string // "": it is not updated
	redis          string // where its zone is, if it is startPurged's
	signed         bool   // its zone is, and those who ask want to see that
}

// measureFresh asks PowerDNS with its caches on while hosts change their addresses, and asks for each
// that has changed from the moment on at which that was acknowledged.
func measureFresh(b *bench) error {
	ways, err := b.startFreshWays()
	if err != nil {
		return err
	}
	questions, err := b.file("questions", oneZone(b.opts.hosts).writeQuestions)
	if err != nil {
		return err
	}
	var rates []series
	var runs []freshRun
	index := make(map[string]int)
	for _, w := range ways {
		for _, suffix := range w.suffixes() {
			index[w.name+suffix] = len(runs)
			rates, runs = append(rates, series{name: w.name + suffix}), append(runs, freshRun{way: w, updated: suffix != ""})
		}
	}
	err = b.rounds(len(runs), b.opts.rounds, b.seconds(), func(round, i int, d time.Duration) error {
		run := &runs[i]
		qps, faults, result, err := b.freshRound(run, questions, d)
		if err != nil {
			return fmt.Errorf("%s: %w", rates[i].name, err)
		}
		if b.opts.verbose {
			fmt.Printf("round %d: %-45s %8.0f %4d faults %s\n", round, rates[i].name, qps, faults, result)
		}
		if round >= 0 {
			rates[i].values = append(rates[i].values, qps)
			rates[i].faults += faults
			run.result.add(result)
		}
		return nil
	})
	if err != nil {
		return err
	}
	b.printFresh(rates, runs)
	return b.measureBursts(ways)
}

// freshRun is a contestant with or without updates, and what came of them.
type freshRun struct {
	way     freshWay
	updated bool
	result  freshResult
}

// suffixes tell what a contestant is measured with.
func (w freshWay) suffixes() []string {
	if w.updater == "" {
		return []string{""}
	}
	return []string{"", whileUpdated}
}

// freshRound runs dnsperf, and updates meanwhile if there are to be any. Before, it fills the caches.
func (b *bench) freshRound(run *freshRun, questions string, d time.Duration) (qps float64, faults int, r freshResult, err error) {
	var more []string
	if run.way.signed {
		more = append(more, "-D")
	}
	if _, _, err := b.dnsperf(run.way.port, questions, time.Second, perfGood, more...); err != nil {
		return 0, 0, r, err
	}
	var updates sync.WaitGroup
	var failed error
	if run.updated {
		updates.Go(func() { r, failed = run.way.update(time.Now().Add(d)) })
	}
	qps, faults, err = b.dnsperf(run.way.port, questions, d, perfGood, more...)
	updates.Wait()
	if err == nil {
		err = failed
	}
	return qps, faults, r, err
}

// freshResult is what came of updates.
type freshResult struct {
	acked []time.Duration // from sending an update to its acknowledgement
	fresh []time.Duration // from there to the right answer
	late  []time.Duration // from there to a question that got an old answer
	lost  int             // questions without an answer, or with SERVFAIL
}

func (r *freshResult) add(o freshResult) {
	r.acked = append(r.acked, o.acked...)
	r.fresh = append(r.fresh, o.fresh...)
	r.late = append(r.late, o.late...)
	r.lost += o.lost
}

func (r freshResult) String() string {
	if len(r.acked) == 0 {
		return ""
	}
	return fmt.Sprintf("%d updates; acknowledged %s; fresh %s; old answers %d, the last %v after; lost %d",
		len(r.acked), spread(r.acked), spread(r.fresh), len(r.late), longest(r.late), r.lost)
}

// spread is the median, the 99th percentile and the worst.
func spread(times []time.Duration) string {
	if len(times) == 0 {
		return "-"
	}
	slices.Sort(times)
	return fmt.Sprintf("%.2f/%.2f/%.1f ms", milliseconds(times[len(times)/2]), milliseconds(times[len(times)*99/100]), milliseconds(times[len(times)-1]))
}

func longest(times []time.Duration) time.Duration {
	if len(times) == 0 {
		return 0
	}
	return slices.Max(times).Round(10 * time.Microsecond)
}

// update changes hosts at updateRate until end, by clients that keep to their times.
func (w freshWay) update(end time.Time) (total freshResult, err error) {
	var clients sync.WaitGroup
	results, errs := make([]freshResult, freshClients), make([]error, freshClients)
	begin := time.Now()
	for c := range freshClients {
		clients.Go(func() { results[c], errs[c] = w.updateAs(c, begin, end) })
	}
	clients.Wait()
	for c := range freshClients {
		if errs[c] != nil {
			return total, errs[c]
		}
		total.add(results[c])
	}
	return total, nil
}

// updateAs changes the hosts of one client, and asks for each until the answer is right.
func (w freshWay) updateAs(client int, begin, end time.Time) (r freshResult, err error) {
	u, err := w.dial()
	if err != nil {
		return r, err
	}
	defer u.Close()
	ask, err := w.dialDNS()
	if err != nil {
		return r, err
	}
	defer ask.Close()
	const every = time.Second * freshClients / updateRate
	for n := 0; ; n++ {
		due := begin.Add(every*time.Duration(n) + every*time.Duration(client)/freshClients)
		if !due.Before(end) {
			return r, nil
		}
		time.Sleep(time.Until(due))
		host := (n*freshClients + client) % freshHosts
		version := uint32(due.UnixMicro() & 0xffffff)
		sent := time.Now()
		if err := u.update(host, versionAddr(version)); err != nil {
			return r, err
		}
		good := time.Now()
		r.acked = append(r.acked, good.Sub(sent))
		if err := r.await(ask, host, version, good); err != nil {
			return r, err
		}
	}
}

// await asks until the answer is right.
func (r *freshResult) await(ask *dnsClient, host int, version uint32, good time.Time) error {
	for {
		asked := time.Now()
		got, err := ask.address(host)
		switch {
		case err != nil:
			r.lost++
		case got == version:
			r.fresh = append(r.fresh, time.Since(good))
			return nil
		default:
			r.late = append(r.late, asked.Sub(good))
		}
		if time.Since(good) > 30*time.Second {
			return fmt.Errorf("%s is still %s, not %s, half a minute after good", hostName(host), versionAddr(got), versionAddr(version))
		}
	}
}

// versionAddr is an address that says which one of a host's it is.
func versionAddr(version uint32) string {
	return fmt.Sprintf("10.%d.%d.%d", version>>16&255, version>>8&255, version&255)
}

func (w freshWay) dial() (*updaterClient, error) {
	return dialUpdater(w.updater, func(host int, addr string) []byte { return nicUpdate(hostName(host), addr, "", w.token) })
}
