package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"redyn/redisstore"
)

const (
	soakHosts   = freshHosts // that are updated, but for the first ones
	soakFixed   = 1          // the last that keeps its address
	soakUpdates = 500        // a second
	soakClients = 16         // that make them
	soakRest    = time.Second
	soakRounds  = 6                // at most, with a comparison after each
	soakRound   = 10 * time.Second // at least, if there are several
	soakSample  = 6                // of so many questions one is compared after a round but the last
)

// soakSettings are those of both PowerDNS that are compared.
const soakSettings = "remote-dnssec=yes\ndname-processing=yes\nudp-truncation-threshold=4096\n"

// soakCaches let PowerDNS keep for longer than it runs, so that nothing becomes right by itself.
const soakCaches = "cache-ttl=7200\nquery-cache-ttl=7200\nnegquery-cache-ttl=7200\n"

// soak is a PowerDNS that is purged, and who changes and asks.
type soak struct {
	*bench
	way       freshWay
	server    redynServer
	redis     string
	store     *redisstore.Store
	seed      uint64
	changers  []*soakChanger
	load      soakLoad
	updates   atomic.Int64 // through the update listener
	changes   atomic.Int64 // otherwise
	compared  int
	different int
	told      []string
}

// measureSoak changes all that can change at random while PowerDNS is under full load, and compares its
// answers from time to time, and at the end, with those of one that keeps nothing.
func measureSoak(b *bench) error {
	s := &soak{bench: b, seed: cmp.Or(b.opts.soakSeed, rand.Uint64())}
	if err := s.start(); err != nil {
		return err
	}
	defer s.store.Close()
	fmt.Printf("\nRandom changes (seed %d) under full load, PowerDNS %s keeping answers for two hours:\n", s.seed, pdnsVersion())
	if err := s.report("start"); err != nil {
		return err
	}
	whole := time.Duration(b.opts.soakSeconds) * time.Second
	rounds := min(soakRounds, max(1, int(whole/soakRound)))
	for n := range rounds {
		if err := s.round(n, whole/time.Duration(rounds), n == rounds-1); err != nil {
			return err
		}
	}
	return s.verdict()
}

// round changes and asks for d, and compares the answers to all questions, or to some.
func (s *soak) round(number int, d time.Duration, all bool) error {
	r := rand.New(rand.NewPCG(s.seed, uint64(3000+number)))
	stop := s.load.ask(r.Uint64())
	err := s.changeFor(d, r)
	time.Sleep(soakRest)
	if err := errors.Join(err, stop(), s.ctx.Err()); err != nil {
		return err
	}
	questions := s.load.questions
	if !all {
		questions = slices.DeleteFunc(slices.Clone(questions), func(soakQuestion) bool { return r.IntN(soakSample) > 0 })
	}
	begin := time.Now()
	differ, told, err := s.compareFresh(s.redis, s.way.port, questions)
	if err != nil {
		return err
	}
	s.compared += len(questions)
	s.different += differ
	s.told = append(s.told, told...)
	return s.report(fmt.Sprintf("after %v: %d answers, for %d names, compared in %.1f s: %d differ",
		d*time.Duration(number+1), len(questions), countNames(questions), time.Since(begin).Seconds(), differ))
}

// changeFor changes for d, or until a change fails.
func (s *soak) changeFor(d time.Duration, r *rand.Rand) error {
	ctx, cancel := context.WithTimeout(s.ctx, d)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	for _, w := range s.changers {
		group.Go(func() error { return w.run(ctx) })
	}
	hosts := rand.New(rand.NewPCG(r.Uint64(), 0))
	group.Go(func() error { return replaceHosts(ctx, s.store, hosts, &s.changes) })
	for range soakClients {
		client := rand.New(rand.NewPCG(r.Uint64(), 0))
		group.Go(func() error { return s.updateAs(ctx, client) })
	}
	return group.Wait()
}

// updateAs gives hosts new addresses until ctx ends, as one client.
func (s *soak) updateAs(ctx context.Context, r *rand.Rand) error {
	u, err := s.way.dial()
	if err != nil {
		return err
	}
	defer u.Close()
	for tick := time.NewTicker(time.Second * soakClients / soakUpdates); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		host := soakFixed + 1 + r.IntN(soakHosts-soakFixed-1)
		if err := u.update(host, versionAddr(uint32(time.Now().UnixMicro()&0xffffff))); err != nil {
			return fmt.Errorf("update %s: %w", hostName(host), err)
		}
		s.updates.Add(1)
	}
}

// report prints a line with what there was until now, and how much memory it takes.
func (s *soak) report(what string) error {
	heap, err := liveHeap(s.server.status)
	if err != nil {
		return err
	}
	var resident [2]int64
	for i, p := range []*process{s.server.process, s.way.process} {
		if resident[i], err = residentBytes(p.cmd.Process.Pid); err != nil {
			return err
		}
	}
	counts, err := metricSums("http://"+s.server.status+"/metrics", "go_goroutines", "redyn_purges_total", "redyn_purged_names_total")
	if err != nil {
		return err
	}
	fmt.Printf("%s\n  %d updates, %d other changes, %d answers, %d SERVFAIL, %d lost; %.0f purges of %.0f names; "+
		"redyn %d MiB, live heap %.1f MiB, %.0f goroutines; PowerDNS %d MiB\n",
		what, s.updates.Load(), s.changes.Load(), s.load.answered.Load(), s.load.failed.Load(), s.load.lost.Load(), counts[1], counts[2],
		resident[0]>>20, float64(heap)/(1<<20), counts[0], resident[1]>>20)
	return nil
}

// verdict is an error if anything was wrong.
func (s *soak) verdict() error {
	if q := s.load.firstFailed.Load(); q != nil {
		s.told = append(s.told, fmt.Sprintf("SERVFAIL to %s", q))
	}
	failed, lost := s.load.failed.Load(), s.load.lost.Load()
	if s.different == 0 && failed == 0 && lost == 0 {
		fmt.Printf("  no answer of %d differs, none is SERVFAIL, none is lost\n", s.compared)
		return nil
	}
	return fmt.Errorf("%d of %d answers differ, %d are SERVFAIL, %d are lost; seed %d\n%s",
		s.different, s.compared, failed, lost, s.seed, strings.Join(s.told[:min(len(s.told), soakShown)], "\n\n"))
}

// metricSums returns of each metric the sum over its labels.
func metricSums(url string, metrics ...string) ([]float64, error) {
	resp, err := http.Get(url)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	sums := make([]float64, len(metrics))
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		name, _, _ := strings.Cut(fields[0], "{")
		for i, metric := range metrics {
			if name != metric {
				continue
			}
			value, err := strconv.ParseFloat(fields[len(fields)-1], 64)
			if err != nil {
				return nil, err
			}
			sums[i] += value
		}
	}
	return sums, nil
}

// start starts Redis with all zones, a redyn, and a PowerDNS that it purges.
func (s *soak) start() error {
	zone, err := s.file(origin+"zone", func(w io.Writer) error { return writeZone(w, soakHosts) })
	if err != nil {
		return err
	}
	if s.redis, err = s.startHosts(zone); err != nil {
		return err
	}
	if s.store, err = redisstore.Open(redisstore.Options{URL: "redis://" + s.redis + "/0"}); err != nil {
		return err
	}
	for i, zone := range soakZones {
		w := newSoakChanger(s.store, zone, s.seed, uint64(i), &s.changes)
		if err := w.replace(s.ctx, zone); err != nil {
			return err
		}
		s.changers = append(s.changers, w)
	}
	if err := s.startServers(); err != nil {
		return err
	}
	if s.way.token, err = s.addToken(s.redis); err != nil {
		return err
	}
	s.load.port = s.way.port
	s.load.questions, err = soakQuestions()
	return err
}

// startServers starts redyn, signs the zones that are to be, and starts PowerDNS.
func (s *soak) startServers() error {
	ports := make([]int, 2)
	for i := range ports {
		var err error
		if ports[i], err = freePort(); err != nil {
			return err
		}
	}
	s.way.updater = loopback(ports[0])
	dir, err := os.MkdirTemp(s.dir, "pdns")
	if err != nil {
		return err
	}
	const apiKey = "soak"
	keyFile := filepath.Join(dir, "api.key")
	if err := os.WriteFile(keyFile, []byte(apiKey+"\n"), 0o600); err != nil {
		return err
	}
	s.server, err = s.startRedyn("soak", s.redis, "--updater-listen", s.way.updater, "--limit-source", "0", "--limit-failures", "0", "--limit-host", "0",
		"--pdns-control", filepath.Join(dir, "pdns.controlsocket"), "--pdns-api-url", "http://"+loopback(ports[1]), "--pdns-api-key-file", keyFile)
	if err != nil {
		return err
	}
	if err := s.signZones(); err != nil {
		return err
	}
	api := fmt.Sprintf("webserver=yes\nwebserver-address=127.0.0.1\nwebserver-port=%d\napi=yes\napi-key=%s\n", ports[1], apiKey)
	s.way.contestant = contestant{name: "soak", dir: dir, settings: s.common() + remote("unix:path="+s.server.unix) + soakSettings + soakCaches + api}
	return s.startPDNS(&s.way.contestant)
}

// signZones signs by an algorithm whose signatures of the same data are the same.
func (s *soak) signZones() error {
	settings := s.signing(s.server) + "default-ksk-algorithm=ed25519\n"
	for _, args := range [][]string{{"secure-zone", soakNSEC}, {"secure-zone", soakNSEC3}, {"set-nsec3", soakNSEC3, "1 0 0 -"}} {
		if err := s.pdnsutil(settings, args...); err != nil {
			return err
		}
	}
	return nil
}
