package zonedb

import (
	"iter"
	"strings"

	"redyn/backend/dns"
)

// Search returns the records whose owner or content matches pattern, at most limit of them, zone by
// zone in canonical order. In the pattern * is any run of characters and ? any one; case does not
// matter, nor does a dot at the end of either. Of an RRset only the records that match are in an
// Answer. A zone is searched as it was when its turn came.
func (db *DB) Search(pattern string, limit int) iter.Seq[dns.Answer] {
	pattern = strings.TrimSuffix(pattern, ".")
	return func(yield func(dns.Answer) bool) {
		left := limit
		for z := range db.zones() {
			if left <= 0 {
				return
			}
			order, _ := z.snapshot()
			z.list(order, nsec3Params{}, func(a dns.Answer) bool {
				if a.Content = matching(pattern, a.RRset, left); len(a.Content) == 0 {
					return true
				}
				left -= len(a.Content)
				if !yield(a) {
					left = 0
				}
				return left > 0
			})
		}
	}
}

// matching returns the contents of the records of set that match pattern, at most limit.
func matching(pattern string, set dns.RRset, limit int) []string {
	if matches(pattern, string(set.Name)) {
		return set.Content[:min(limit, len(set.Content))]
	}
	var found []string
	for _, content := range set.Content {
		if len(found) < limit && matches(pattern, content) {
			found = append(found, content)
		}
	}
	return found
}

// matches reports whether text, without a dot at its end, is what pattern describes. It takes time
// in proportion to the product of their lengths at most: a * that did not go well is tried with a
// character more, and the ones before it never again.
func matches(pattern, text string) bool {
	text = strings.TrimSuffix(text, ".")
	p, t := 0, 0
	star, from := -1, 0 // the last * and the text from which on it was tried
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, from = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || lower(pattern[p]) == lower(text[t])):
			p++
			t++
		case star >= 0:
			from++
			p, t = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}
