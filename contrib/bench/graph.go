package main

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/miekg/dns"

	"redyn/redisstore"
)

// The contestants of measureGraph: what changes, and what acknowledges it.
const (
	graphQuiet = "redyn, nothing changes"
	graphAPI   = "redyn, changes by the REST API"
	graphApply = "redyn, changes as redyn record set makes them"

	graphSigned = "redyn, signed zone, changes by the REST API"
)

const (
	storiesEach = 3 // of each plot
	graphAskers = 8 // who ask for names of stories all the time
	graphPause  = 50 * time.Millisecond
)

// graphResult is what came of one plot's changes.
type graphResult struct {
	freshResult
	questions int      // of those who ask all the time
	mixed     int      // how many of the old answers were not right before the change either
	old       []string // the old answers in words
}

// graphResults are those of all plots, by name.
type graphResults map[string]*graphResult

func newGraphResults() graphResults {
	r := make(graphResults)
	for _, p := range plots {
		r[p.name] = new(graphResult)
	}
	return r
}

func (r graphResults) add(o graphResults) {
	for name, one := range o {
		r[name].add(*one)
	}
}

func (r *graphResult) add(o graphResult) {
	r.freshResult.add(o.freshResult)
	r.questions += o.questions
	r.mixed += o.mixed
	r.old = append(r.old, o.old...)
}

// measureGraph asks PowerDNS with its caches on while CNAMEs, wildcards and delegations change, and asks for
// each name that a change may be about from the moment on at which it was acknowledged.
func measureGraph(b *bench) error {
	graphs, err := b.startGraphs()
	var ways []graphWay
	for _, g := range graphs {
		defer g.store.Close()
		ways = append(ways, g.ways...)
	}
	if err != nil || len(ways) == 0 {
		return err
	}
	questions, err := b.file("questions", oneZone(b.opts.hosts).writeQuestions)
	if err != nil {
		return err
	}
	rates, results := make([]series, len(ways)), make([]graphResults, len(ways))
	for i, w := range ways {
		rates[i].name, results[i] = w.name, newGraphResults()
	}
	err = b.rounds(len(ways), b.opts.rounds, b.seconds(), func(round, i int, d time.Duration) error {
		qps, faults, result, err := b.graphRound(ways[i], questions, d)
		if err != nil {
			return fmt.Errorf("%s: %w", ways[i].name, err)
		}
		if b.opts.verbose {
			for name, one := range result {
				for _, text := range one.old {
					fmt.Printf("round %d: %s, %s: %s\n", round, ways[i].name, name, text)
				}
			}
		}
		if round >= 0 {
			rates[i].values = append(rates[i].values, qps)
			rates[i].faults += faults
			results[i].add(result)
		}
		return nil
	})
	if err != nil {
		return err
	}
	b.printGraph(rates, ways, results)
	return nil
}

// graph is a PowerDNS, the stories that are played in its zone, and how they are.
type graph struct {
	freshWay
	stories []*story
	store   *redisstore.Store
	ways    []graphWay
}

// startGraphs starts a redyn, and a PowerDNS that it purges, for the ways with an unsigned zone, and for that
// with a signed one. Those that it has started it returns in any case.
func (b *bench) startGraphs() (graphs []*graph, err error) {
	zone, err := b.file(origin+"zone", func(w io.Writer) error { return writeZone(w, b.opts.hosts) })
	if err != nil {
		return nil, err
	}
	for _, kind := range []struct {
		name string
		ways []string
	}{{purgedStock, []string{graphQuiet, graphAPI, graphApply}}, {purgedSigned, []string{graphSigned}}} {
		ways := slices.DeleteFunc(kind.ways, func(name string) bool { return !b.chosen(name) })
		if len(ways) == 0 {
			continue
		}
		g, err := b.startGraph(kind.name, zone, ways)
		if err != nil {
			return graphs, fmt.Errorf("%s: %w", kind.name, err)
		}
		graphs = append(graphs, g)
	}
	return graphs, nil
}

func (b *bench) startGraph(name, zone string, ways []string) (*graph, error) {
	g := &graph{stories: newStories(storiesEach)}
	var err error
	if g.freshWay, err = b.startPurged(name, zone); err != nil {
		return nil, err
	}
	if g.store, err = redisstore.Open(redisstore.Options{URL: "unix://" + b.redisSocket(g.redis)}); err != nil {
		return nil, err
	}
	apply, patch := applier{b.ctx, g.store}, newAPIPatcher(g.updater, g.token)
	changes := map[string]func(turn) error{graphAPI: patch.change, graphSigned: patch.change, graphApply: apply.change}
	for _, way := range ways {
		g.ways = append(g.ways, graphWay{way, g, changes[way]})
	}
	return g, apply.begin(g.stories)
}

// graphRound runs dnsperf, and meanwhile plays all stories if something is to change. Before, it fills the caches.
func (b *bench) graphRound(way graphWay, questions string, d time.Duration) (qps float64, faults int, r graphResults, err error) {
	g := way.in
	if _, _, err := b.dnsperf(g.port, questions, time.Second, perfGood); err != nil {
		return 0, 0, nil, err
	}
	var playing sync.WaitGroup
	var failed error
	playing.Go(func() { r, failed = g.play(way, time.Now().Add(d)) })
	qps, faults, err = b.dnsperf(g.port, questions, d, perfGood)
	playing.Wait()
	return qps, faults, r, errors.Join(err, failed)
}

// play changes what the stories have until end, while others ask.
func (g *graph) play(way graphWay, end time.Time) (graphResults, error) {
	var all sync.WaitGroup
	results, errs := make([]graphResults, graphAskers+len(g.stories)), make([]error, graphAskers+len(g.stories))
	for i := range results {
		results[i] = newGraphResults()
	}
	for i := range graphAskers {
		all.Go(func() { errs[i] = g.askAbout(end, results[i]) })
	}
	if way.change != nil {
		for i, s := range g.stories {
			i += graphAskers
			all.Go(func() { errs[i] = g.tell(s, way, end, results[i][s.plot.name]) })
		}
	}
	all.Wait()
	total := newGraphResults()
	for _, r := range results {
		total.add(r)
	}
	return total, errors.Join(errs...)
}

// tell plays one story: after each change all that is asked in it is, at once, until it is right.
func (g *graph) tell(s *story, way graphWay, end time.Time, r *graphResult) error {
	clients := make([]*dnsClient, len(s.asked))
	for i := range clients {
		var err error
		if clients[i], err = g.dialDNS(); err != nil {
			return err
		}
		defer clients[i].Close()
	}
	for time.Now().Before(end) {
		t := s.next()
		sent := time.Now()
		if err := way.change(t); err != nil {
			return err
		}
		good := s.acknowledged()
		r.acked = append(r.acked, good.Sub(sent))
		if err := r.awaitAll(s, clients, good); err != nil {
			return err
		}
		time.Sleep(rand.N(graphPause))
	}
	return nil
}

func (r *graphResult) awaitAll(s *story, clients []*dnsClient, good time.Time) error {
	var asking sync.WaitGroup
	results, errs := make([]graphResult, len(clients)), make([]error, len(clients))
	for i, c := range clients {
		asking.Go(func() { errs[i] = results[i].awaitRight(s, i, c, good) })
	}
	asking.Wait()
	for _, one := range results {
		r.add(one)
	}
	return errors.Join(errs...)
}

// awaitRight asks until the answer is right.
func (r *graphResult) awaitRight(s *story, question int, c *dnsClient, good time.Time) error {
	for {
		is, got := r.askIn(s, question, c)
		if is == right && got != "" {
			r.fresh = append(r.fresh, time.Since(good))
			return nil
		}
		if time.Since(good) > 30*time.Second {
			return fmt.Errorf("%s gets %q half a minute after the change to %q", s.full(s.asked[question]), got,
				s.expected(s.current(), question))
		}
	}
}

// askIn asks one question of a story, and notes if the answer was old when it was asked for; "" is none.
func (r *graphResult) askIn(s *story, question int, c *dnsClient) (is verdict, got string) {
	from, asked := s.current(), time.Now()
	reply, err := c.ask(s.full(s.asked[question]))
	if err != nil || reply.Rcode == dns.RcodeServerFailure {
		r.lost++
		return right, ""
	}
	got = toldBy(reply)
	is, since := s.judge(question, from, got)
	if is == right {
		return is, got
	}
	late := asked.Sub(since)
	r.late = append(r.late, late)
	if is == mixed {
		r.mixed++
	}
	r.old = append(r.old, fmt.Sprintf("%s, %v after: %q, not %q", s.full(s.asked[question]), late, got, s.expected(from, question)))
	return is, got
}

// askAbout asks for names of stories, as they come.
func (g *graph) askAbout(end time.Time, r graphResults) error {
	ask, err := g.dialDNS()
	if err != nil {
		return err
	}
	defer ask.Close()
	for time.Now().Before(end) {
		s := g.stories[rand.IntN(len(g.stories))]
		one := r[s.plot.name]
		one.askIn(s, rand.IntN(len(s.asked)), ask)
		one.questions++
	}
	return nil
}

// printGraph shows questions/s, and what came of the changes meanwhile.
func (b *bench) printGraph(rates []series, ways []graphWay, results []graphResults) {
	printTable(fmt.Sprintf("Questions/s for hosts through pdns_server %s with its caches on, while names beside them change\n"+
		"(%d stories of each kind, %d clients ask for their names; dnsperf -c %d -q %d; %d hosts; %d rounds of %v)",
		pdnsVersion(), storiesEach, graphAskers, b.opts.clients, b.opts.outstanding, b.opts.hosts, b.opts.rounds, b.seconds()), rates,
		[]goal{{"", graphAPI, graphQuiet, 0, atLeast}, {"", graphApply, graphQuiet, 0, atLeast}, {"", graphSigned, graphQuiet, 0, atLeast}})
	for i, w := range ways {
		fmt.Println(w.name + " (median/99 %/worst):")
		for _, p := range plots {
			r := results[i][p.name]
			fmt.Printf("  %-13s %d questions meanwhile; ", p.name, r.questions)
			if len(r.acked) > 0 {
				fmt.Printf("%v; %d of the old ones were not right before either\n", r.freshResult, r.mixed)
			} else {
				fmt.Printf("old answers %d, lost %d\n", len(r.late), r.lost)
			}
		}
	}
	fmt.Println("  (goal of row 4: no old answer to a question asked after the acknowledgement, none lost)")
}
