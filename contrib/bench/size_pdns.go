package main

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"time"
)

// zoneCache is a PowerDNS before very many zones, by how it gets to know them.
type zoneCache struct {
	title, settings string
	s               *sized
}

// measureZoneCache starts PowerDNS before very many zones, which answers once its zone cache is filled,
// and asks it questions. Over a unix socket with a zone cache it has a tenth of the zones: it takes time
// that grows with their number's square.
func (b *bench) measureZoneCache(s *sized) error {
	tenth := &sized{
		title: "a tenth of the zones", redis: s.redis, prefix: "{tenth}:",
		dataSet: smallZones(max(1, s.zones/10), b.opts.zoneNames),
	}
	if err := b.startSized(tenth); err != nil {
		return fmt.Errorf("%s: %w", tenth.title, err)
	}
	const cached, uncached = "zone-cache-refresh-interval=300\n", "zone-cache-refresh-interval=0\n"
	ways := []zoneCache{
		{"unix, no zone cache", remote("unix:path="+s.unix) + uncached, s},
		{"HTTP, zone cache", remote("http:url=http://"+s.http+"/dns,timeout=60000") + cached, s},
		{"unix, zone cache, a tenth of the zones", remote("unix:path="+tenth.unix+",timeout=60000") + cached, tenth},
	}
	if err := b.measureStarts(ways); err != nil {
		return err
	}
	if err := b.measureZoneCacheQuestions(ways[0], ways[2]); err != nil {
		return err
	}
	return b.measureRefresh(ways[1])
}

func (b *bench) startZoneCache(w zoneCache, more string) (contestant, error) {
	c := contestant{name: w.title, settings: b.common() + w.settings + more, host: w.s.name(1)}
	if err := b.startPDNS(&c); err != nil {
		return c, fmt.Errorf("%s: %w", w.title, err)
	}
	return c, nil
}

// measureStarts measures from the start of PowerDNS to its first answer.
func (b *bench) measureStarts(ways []zoneCache) error {
	took, cpu := make([]series, len(ways)), make([]series, len(ways))
	for i, w := range ways {
		took[i].name, cpu[i].name = w.title, w.title+", CPU"
		for range min(b.opts.rounds, 5) {
			begin := time.Now()
			c, err := b.startZoneCache(w, "")
			if err != nil {
				return err
			}
			took[i].values = append(took[i].values, time.Since(begin).Seconds())
			used, err := c.process.cpu()
			if err != nil {
				return err
			}
			cpu[i].values = append(cpu[i].values, used.Seconds())
			c.process.stop()
		}
	}
	printTable(fmt.Sprintf("Seconds from the start of PowerDNS %s to its first answer, and its processor time (%d zones)",
		pdnsVersion(), ways[0].s.zones), append(took, cpu...), nil)
	return nil
}

// measureZoneCacheQuestions says what it costs to have no zone cache: PowerDNS then looks for the zone of
// each name.
func (b *bench) measureZoneCacheQuestions(ways ...zoneCache) error {
	results := make([]series, len(ways))
	ports, questions := make([]int, len(ways)), make([]string, len(ways))
	for i, w := range ways {
		results[i].name = w.title
		c, err := b.startZoneCache(w, "")
		if err != nil {
			return err
		}
		ports[i] = c.port
		if questions[i], err = b.file(fmt.Sprint("questions", i), w.s.writeQuestions); err != nil {
			return err
		}
	}
	err := b.rounds(len(ways), b.opts.rounds, b.seconds(), func(round, i int, d time.Duration) error {
		qps, faults, err := b.dnsperf(ports[i], questions[i], d, perfGood)
		if err == nil && round >= 0 {
			results[i].values = append(results[i].values, qps)
			results[i].faults += faults
		}
		return err
	})
	if err != nil {
		return err
	}
	printTable(fmt.Sprintf("Questions/s through PowerDNS, its caches of answers off (%d rounds of %v)", b.opts.rounds, b.seconds()),
		results, []goal{{"", ways[0].title, ways[1].title, 0, atLeast}})
	return nil
}

// measureRefresh counts the processor time of PowerDNS that is asked nothing and refreshes its zone cache
// each second.
func (b *bench) measureRefresh(w zoneCache) error {
	c, err := b.startZoneCache(w, "zone-cache-refresh-interval=1\n")
	if err != nil {
		return err
	}
	defer c.process.stop()
	var cpu, own [2]time.Duration
	var asked [2]int
	for i := range cpu {
		if asked[i], err = w.s.domainsAsked(); err != nil {
			return err
		}
		if cpu[i], err = c.process.cpu(); err != nil {
			return err
		}
		if own[i], err = w.s.process.cpu(); err != nil {
			return err
		}
		if i == 0 {
			time.Sleep(max(5*time.Second, b.seconds()))
		}
	}
	n := asked[1] - asked[0]
	if n == 0 {
		return fmt.Errorf("%s: the zone cache was not refreshed", w.title)
	}
	fmt.Printf("\n%s: a refresh takes %.0f ms of PowerDNS's processor time and %.0f ms of redyn's (%d refreshes of %d zones)\n", w.title,
		milliseconds((cpu[1]-cpu[0])/time.Duration(n)), milliseconds((own[1]-own[0])/time.Duration(n)), n, w.s.zones)
	return nil
}

var domainsCounted = regexp.MustCompile(`(?m)^redyn_backend_requests_total\{.*method="getAllDomains".*\} ([0-9]+)`)

// domainsAsked is how often a redyn has answered with all zones.
func (s *sized) domainsAsked() (sum int, err error) {
	resp, err := http.Get("http://" + s.status + "/metrics")
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	for _, m := range domainsCounted.FindAllStringSubmatch(string(text), -1) {
		n, err := strconv.Atoi(m[1])
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, err
}
