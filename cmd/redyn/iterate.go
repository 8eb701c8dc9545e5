package main

import (
	"cmp"
	"errors"
	"iter"
	"maps"
	"slices"

	"redyn/backend/dns"
)

// sortedMap yields a map in the order of its keys.
func sortedMap[K cmp.Ordered, V any](m map[K]V) iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			if !yield(k, m[k]) {
				return
			}
		}
	}
}

func withoutErrors[V any](all iter.Seq[V]) iter.Seq2[V, error] {
	return func(yield func(V, error) bool) {
		for v := range all {
			if !yield(v, nil) {
				return
			}
		}
	}
}

// once yields each RRset of a zone once, with its newest value: the store may yield one again that
// is changed while it is read.
func once(sets iter.Seq2[dns.RRset, error]) iter.Seq2[dns.RRset, error] {
	return func(yield func(dns.RRset, error) bool) {
		all, err := collect(sets)
		if err != nil {
			yield(dns.RRset{}, err)
			return
		}
		for _, set := range all {
			if !yield(set, nil) {
				return
			}
		}
	}
}

// collect returns each RRset once.
func collect(sets iter.Seq2[dns.RRset, error]) ([]dns.RRset, error) {
	type key struct {
		name dns.Name
		typ  dns.Type
	}
	var all []dns.RRset
	index := make(map[key]int)
	for set, err := range sets {
		if err != nil {
			return nil, err
		}
		k := key{set.Name, set.Type}
		if at, ok := index[k]; ok {
			all[at] = set
			continue
		}
		index[k] = len(all)
		all = append(all, set)
	}
	return all, nil
}

func isNotFound(err error) bool { return errors.Is(err, dns.ErrNotFound) }
