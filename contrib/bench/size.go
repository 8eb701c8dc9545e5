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
	fewHosts  = "few hosts"
)

// measureSize imports a big zone, loads it, and compares lookups with those of a small one.
func measureSize(b *bench) error {
	redis, err := b.startRedis()
	if err != nil {
		return err
	}
	big, importing, loading, err := b.startSized("many", redis, b.opts.manyHosts)
	if err != nil {
		return err
	}
	heap, err := liveHeap(big.status)
	if err != nil {
		return err
	}
	rss, err := residentBytes(big.process.cmd.Process.Pid)
	if err != nil {
		return err
	}
	small, _, _, err := b.startSized("few", redis, b.opts.hosts)
	if err != nil {
		return err
	}
	all := []alone{
		{target{manyHosts, "unix", big.unix, big.process, b.opts.manyHosts, nil}, 1},
		{target{fewHosts, "unix", small.unix, small.process, b.opts.hosts, nil}, 1},
	}
	sums, err := b.askInTurn(all)
	if err != nil {
		return err
	}
	results := make([]series, len(all))
	for i, a := range all {
		results[i].name = a.name
		for _, l := range sums[i] {
			results[i].values = append(results[i].values, l.perSecond())
		}
	}
	printTable(fmt.Sprintf("Lookups/s in a zone of %d hosts beside one of %d (backend alone, unix, 1 connection; %d rounds of %v)",
		b.opts.manyHosts, b.opts.hosts, b.opts.rounds, b.seconds()), results, []goal{
		{"6", manyHosts, fewHosts, 0.95, atLeast},
	})
	perHost := float64(heap) / float64(b.opts.manyHosts)
	fmt.Printf("import %.1f s (%.0f hosts/s); load %.1f s (goal, row 6: 10 s); "+
		"live heap %.0f bytes a host (goal, row 6: 400); resident %d MiB\n",
		importing.Seconds(), float64(b.opts.manyHosts)/importing.Seconds(), loading.Seconds(), perHost, rss>>20)
	return nil
}

// startSized imports a zone of that many hosts under a prefix of its own and serves it. Loading is
// the time from the start of the program until it is ready.
func (b *bench) startSized(name, redis string, hosts int) (s redynServer, importing, loading time.Duration, err error) {
	zone, err := b.file(name+".zone", func(w io.Writer) error { return writeZone(w, hosts) })
	if err != nil {
		return s, 0, 0, err
	}
	defer os.Remove(zone)
	prefix := "{" + name + "}:"
	begin := time.Now()
	if err := b.command(nil, b.redyn, "zone", "import", "--redis-url", "redis://"+redis+"/0", "--redis-prefix", prefix, zone); err != nil {
		return s, 0, 0, err
	}
	importing, begin = time.Since(begin), time.Now()
	s, err = b.startRedyn(name, redis, "--redis-prefix", prefix)
	return s, importing, time.Since(begin), err
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
