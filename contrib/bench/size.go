package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// The contestants of measureSize.
const (
	manyHosts = "many hosts"
	manyZones = "many zones"
	fewHosts  = "few hosts"
)

// sized is a redyn with a data set of some size.
type sized struct {
	redynServer
	dataSet
	title              string
	redis, prefix      string
	updater            string
	importing, loading time.Duration
	heap, resident     int64
}

// measureSize imports a big zone, very many zones, and a small zone, and compares what they take.
func measureSize(b *bench) error {
	redis, err := b.startRedis()
	if err != nil {
		return err
	}
	all := []*sized{
		{title: manyHosts, prefix: "{hosts}:", dataSet: oneZone(b.opts.manyHosts)},
		{title: manyZones, prefix: "{zones}:", dataSet: smallZones(b.opts.manyZones, b.opts.zoneNames)},
		{title: fewHosts, prefix: "{few}:", dataSet: oneZone(b.opts.hosts)},
	}
	for _, s := range all {
		s.redis = redis
		if err := b.startSized(s); err != nil {
			return fmt.Errorf("%s: %w", s.title, err)
		}
		s.tell()
	}
	if err := b.measureSizedLookups(all); err != nil {
		return err
	}
	if err := b.measureSizedChanges(all); err != nil {
		return err
	}
	if err := b.measureAllDomains(all[1]); err != nil {
		return err
	}
	return b.measureZoneCache(all[1])
}

// startSized imports a data set under a prefix of its own and serves it. Loading is the time from the
// start of the program until it is ready.
func (b *bench) startSized(s *sized) error {
	begin := time.Now()
	if err := b.importSized(s, &begin); err != nil {
		return err
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	s.updater = loopback(port)
	s.importing, begin = time.Since(begin), time.Now()
	s.redynServer, err = b.startRedyn(s.title, s.redis, "--redis-url", "unix://"+b.redisSocket(s.redis), "--redis-prefix", s.prefix,
		"--updater-listen", s.updater, "--limit-source", "0", "--limit-failures", "0", "--limit-host", "0")
	if err != nil {
		return err
	}
	s.loading = time.Since(begin)
	if s.heap, err = liveHeap(s.status); err != nil {
		return err
	}
	s.resident, err = residentBytes(s.process.cmd.Process.Pid)
	return err
}

// importSized imports the files of a data set; begin becomes the time when they were written.
func (b *bench) importSized(s *sized, begin *time.Time) error {
	files, err := b.zoneFiles(s.dataSet)
	if err != nil {
		return err
	}
	*begin = time.Now()
	for len(files) > 0 {
		n := min(len(files), filesAtOnce)
		args := append([]string{"zone", "import", "--redis-url", "unix://" + b.redisSocket(s.redis), "--redis-prefix", s.prefix, "--"}, files[:n]...)
		if err := b.command(nil, b.redyn, args...); err != nil {
			return err
		}
		for _, path := range files[:n] {
			if err := os.Remove(path); err != nil {
				return err
			}
		}
		files = files[n:]
	}
	return nil
}

// filesAtOnce is how many names of files the kernel surely takes for one command.
const filesAtOnce = 10_000

// zoneFiles writes the zones of a data set as master files.
func (b *bench) zoneFiles(d dataSet) ([]string, error) {
	if d.zones == 1 {
		path, err := b.file(origin+"zone", func(w io.Writer) error { return writeZone(w, d.hosts) })
		return []string{path}, err
	}
	paths := make([]string, d.zones)
	for i := range paths {
		var err error
		if paths[i], err = b.file(zoneName(i)+"zone", func(w io.Writer) error { return d.writeSmallZone(w, i) }); err != nil {
			return nil, err
		}
	}
	return paths, nil
}

// tell prints what it takes to hold the data.
func (s *sized) tell() {
	fmt.Printf("\n%s: %d zones, %d hosts\n", s.title, s.zones, s.hosts)
	fmt.Printf("import %.1f s (%.0f hosts/s), load %.1f s, live heap %d MiB (%.0f bytes a host, %.0f a zone), resident %d MiB\n",
		s.importing.Seconds(), float64(s.hosts)/s.importing.Seconds(), s.loading.Seconds(),
		s.heap>>20, float64(s.heap)/float64(s.hosts), float64(s.heap)/float64(s.zones), s.resident>>20)
	if s.title == manyHosts {
		fmt.Println("row 6 wants a million hosts loaded in 10 s, with 400 bytes a host")
	}
}

// measureSizedLookups compares lookups with those in the small zone.
func (b *bench) measureSizedLookups(all []*sized) error {
	asked := make([]alone, len(all))
	for i, s := range all {
		asked[i] = alone{target{s.title, "unix", s.unix, s.process, s.dataSet, nil}, 1}
	}
	sums, err := b.askInTurn(asked)
	if err != nil {
		return err
	}
	results := make([]series, len(all))
	for i, s := range all {
		results[i].name = s.title
		for _, l := range sums[i] {
			results[i].values = append(results[i].values, l.perSecond())
		}
	}
	printTable(fmt.Sprintf("Lookups/s (backend alone, unix, 1 connection; %d rounds of %v)", b.opts.rounds, b.seconds()), results, []goal{
		{"6", manyHosts, fewHosts, 0.95, atLeast},
		{"", manyZones, fewHosts, 0, atLeast},
	})
	return nil
}

// liveHeap is what a redyn's heap holds after a collection.
func liveHeap(status string) (int64, error) {
	var live int64
	for range 2 { // a pool lets go of what it holds in the second
		resp, err := http.Get("http://" + status + "/debug/pprof/heap?gc=1&debug=1")
		if err != nil {
			return 0, err
		}
		live = 0
		for in := bufio.NewScanner(resp.Body); in.Scan(); {
			if text, ok := strings.CutPrefix(in.Text(), "# HeapAlloc = "); ok {
				live, err = strconv.ParseInt(text, 10, 64)
			}
		}
		_ = resp.Body.Close()
		if err != nil || live == 0 {
			return 0, fmt.Errorf("no HeapAlloc in the heap profile: %v", err)
		}
	}
	return live, nil
}

// residentBytes is the memory that the kernel counts for a process.
func residentBytes(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text))
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize()), err
}
