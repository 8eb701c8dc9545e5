package main

import (
	"fmt"
	"io"
	"time"

	"github.com/miekg/dns"
)

// What is done to a whole zone, by name of a contestant.
const (
	loading  = "load-zone, "
	axfrOut  = "AXFR out, "
	longWait = 10 * time.Minute
)

var transferGoals = []goal{
	{"", loading + redynUnix, loading + sqliteBackend, 0, atLeast},
	{"", loading + redynHTTP, loading + sqliteBackend, 0, atLeast},
	{"", axfrOut + redynUnix, axfrOut + sqliteBackend, 0, atLeast},
	{"", axfrOut + redynHTTP, axfrOut + sqliteBackend, 0, atLeast},
}

// task is something that is done to a whole zone and timed.
type task struct {
	name    string
	records int
	run     func() error
}

// measureTransfer has pdnsutil load a zone, and transfers one, once in each round.
func measureTransfer(b *bench) error {
	tasks, err := b.transferTasks()
	if err != nil {
		return err
	}
	results := make([]series, len(tasks))
	for i, t := range tasks {
		results[i].name = t.name
	}
	err = b.rounds(len(tasks), b.opts.rounds, 0, func(round, i int, _ time.Duration) error {
		if round < 0 {
			return nil // there is nothing to warm up
		}
		begin := time.Now()
		if err := tasks[i].run(); err != nil {
			return fmt.Errorf("%s: %w", tasks[i].name, err)
		}
		took := time.Since(begin)
		if b.opts.verbose {
			fmt.Printf("round %d: %-50s %8.2f s\n", round, tasks[i].name, took.Seconds())
		}
		results[i].values = append(results[i].values, float64(tasks[i].records)/took.Seconds())
		return nil
	})
	if err != nil {
		return err
	}
	printTable(fmt.Sprintf("Records/s of whole zones through PowerDNS %s (load-zone of %d records, AXFR out of %d; %d rounds)",
		pdnsVersion(), b.opts.loadRecords, b.opts.axfrRecords, b.opts.rounds), results, transferGoals)
	return nil
}

// transferTasks starts everything. Each backend is there twice: for the zone that is loaded, again and
// again, and for the one that is transferred.
func (b *bench) transferTasks() ([]task, error) {
	loads, err := b.startHolders("load")
	if err != nil {
		return nil, err
	}
	serves, err := b.startHolders("axfr")
	if err != nil {
		return nil, err
	}
	zone, err := b.file("load.zone", func(w io.Writer) error { return writeZone(w, b.opts.loadRecords-3) })
	if err != nil {
		return nil, err
	}
	var tasks []task
	for _, c := range loads {
		if b.chosen(loading + c.name) {
			tasks = append(tasks, task{loading + c.name, b.opts.loadRecords, func() error { return b.pdnsutil(c.settings, "load-zone", origin, zone) }})
		}
	}
	for i := range serves {
		c := &serves[i]
		if !b.chosen(axfrOut + c.name) {
			continue
		}
		if err := b.startPDNS(c); err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		tasks = append(tasks, task{axfrOut + c.name, b.opts.axfrRecords, func() error { return axfr(loopback(c.port), b.opts.axfrRecords) }})
	}
	return tasks, nil
}

// startHolders has each backend hold the zone that is transferred.
func (b *bench) startHolders(name string) ([]contestant, error) {
	zone, err := b.file("axfr.zone", func(w io.Writer) error { return writeZone(w, b.opts.axfrRecords-3) })
	if err != nil {
		return nil, err
	}
	redyn, _, err := b.startRedynPair(name, zone)
	if err != nil {
		return nil, err
	}
	db, err := b.sqlite(func(w io.Writer) error { return writeSQL(w, b.opts.axfrRecords-3) })
	if err != nil {
		return nil, err
	}
	base := b.common()
	const patient = ",timeout=600000"
	return []contestant{
		{name: redynUnix, settings: base + remote("unix:path="+redyn.unix+patient)},
		{name: redynHTTP, settings: base + remote("http:url=http://"+redyn.http+"/dns"+patient)},
		{name: sqliteBackend, settings: base + "launch=gsqlite3\ngsqlite3-database=" + db + "\n"},
	}, nil
}

// axfr transfers the zone and counts its records.
func axfr(addr string, want int) error {
	m := new(dns.Msg)
	m.SetAxfr(origin)
	in, err := (&dns.Transfer{DialTimeout: ready, ReadTimeout: longWait}).In(m, addr)
	if err != nil {
		return err
	}
	got := -1 // the SOA comes twice
	for envelope := range in {
		if envelope.Error != nil {
			return envelope.Error
		}
		got += len(envelope.RR)
	}
	if got != want {
		return fmt.Errorf("%d records came of %d", got, want)
	}
	return nil
}
