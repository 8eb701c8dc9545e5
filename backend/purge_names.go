package backend

import (
	"iter"
	"maps"
	"slices"

	"redyn/backend/dns"
)

// mostPurged is the most names that are remembered for a PowerDNS: beyond, all are purged.
const mostPurged = 100_000

// names are those to be purged, each once.
type names struct {
	all   bool
	exact map[dns.Name]struct{}
	trees map[dns.Name]struct{}
	zones map[dns.Name]struct{} // to be made known
}

func put(set *map[dns.Name]struct{}, list ...dns.Name) {
	if *set == nil && len(list) > 0 {
		*set = make(map[dns.Name]struct{}, len(list))
	}
	for _, name := range list {
		(*set)[name] = struct{}{}
	}
}

// add adds what is stale, but for serials.
func (n *names) add(s *dns.Stale) {
	n.all = n.all || s.All
	put(&n.trees, s.Trees...)
	put(&n.zones, s.Zones...)
	n.addExact(s.Names)
}

func (n *names) addExact(list []dns.Name) {
	put(&n.exact, list...)
	n.bound()
}

// merge adds those of o.
func (n *names) merge(o names) {
	n.all = n.all || o.all
	put(&n.exact, slices.Collect(maps.Keys(o.exact))...)
	put(&n.trees, slices.Collect(maps.Keys(o.trees))...)
	put(&n.zones, slices.Collect(maps.Keys(o.zones))...)
	n.bound()
}

func (n *names) bound() {
	if n.all = n.all || len(n.exact)+len(n.trees) > mostPurged; n.all {
		n.exact, n.trees = nil, nil
	}
}

// list yields them all, and whether they are purged with all names below.
func (n *names) list() iter.Seq2[dns.Name, bool] {
	return func(yield func(dns.Name, bool) bool) {
		for name := range n.exact {
			if !yield(name, false) {
				return
			}
		}
		for name := range n.trees {
			if !yield(name, true) {
				return
			}
		}
	}
}

// count is how many there are; all are one.
func (n *names) count() int {
	count := len(n.exact) + len(n.trees)
	if n.all {
		count++
	}
	return count
}

func (n *names) isEmpty() bool { return n.count()+len(n.zones) == 0 }
