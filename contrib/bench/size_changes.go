package main

import (
	"fmt"
	"strings"

	"redyn/auth"
	"redyn/backend/dns"
	"redyn/redisstore"
)

// measureSizedChanges changes addresses of hosts, one after the other, and compares how long it takes
// from sending a change until it is acknowledged, which is when lookups show it.
func (b *bench) measureSizedChanges(all []*sized) error {
	ways := make([]updateWay, len(all))
	for i, s := range all {
		token, err := b.addHosts(s)
		if err != nil {
			return fmt.Errorf("%s: %w", s.title, err)
		}
		request := func(host int, addr string) []byte { return nicUpdate(s.updated(host), addr, "", token) }
		ways[i] = updateWay{s.title, func(int, int) (writer, error) { return dialUpdater(s.updater, request) }, s.unix, s.updated}
	}
	results, err := b.updateInTurn(ways, 1)
	if err != nil {
		return err
	}
	var medians, tails []series
	for i, way := range ways {
		_, mid, tail := summarize(way.name, results[i])
		medians, tails = append(medians, mid), append(tails, tail)
	}
	goals := []goal{{"", manyHosts, fewHosts, 0, atMost}, {"", manyZones, fewHosts, 0, atMost}}
	printTable(fmt.Sprintf("Milliseconds from sending a change to its answer, median (%d hosts, 1 client; %d rounds of %v)",
		updatedHosts, b.opts.rounds, b.seconds()), medians, goals)
	printTable("The same, of 99 in 100", tails, goals)
	return nil
}

// updated is the i-th of the hosts that are updated: they are spread over the data set.
func (s *sized) updated(i int) string { return s.name(i * (s.hosts / updatedHosts)) }

// addHosts makes hosts of the names that are updated, and returns a token for all of them.
func (b *bench) addHosts(s *sized) (token string, err error) {
	url := "unix://" + b.redisSocket(s.redis)
	store, err := redisstore.Open(redisstore.Options{URL: url, Prefix: s.prefix})
	if err != nil {
		return "", err
	}
	defer store.Close()
	add := []string{"credential", "add", "--json", "--kind", "token", "--redis-url", url, "--redis-prefix", s.prefix}
	for i := range updatedHosts {
		name := s.updated(i)
		if _, _, err := store.AddHost(b.ctx, auth.Host{Name: dns.Name(name)}, "bench", ""); err != nil {
			return "", err
		}
		add = append(add, "--host", name)
	}
	text, err := b.output(b.redyn, add...)
	if err != nil {
		return "", err
	}
	return secretIn(strings.TrimSpace(text))
}
