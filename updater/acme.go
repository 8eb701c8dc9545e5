package updater

import (
	"slices"
	"strings"

	"redyn/backend/dns"
)

// What ACME's DNS-01 challenge sets (RFC 8555 section 8.4): TXT records at this name, right below the
// one that is to be proved.
const challengeLabel = "_acme-challenge."

// isChallenge reports whether a name may have challenges.
func isChallenge(name dns.Name) bool {
	return strings.HasPrefix(string(name), challengeLabel) && name.Labels() > 1
}

// isValue reports whether a text can be the value of a challenge: base64 in the URL alphabet.
func isValue(text string) bool {
	const most = 255 // one string of a TXT record
	return text != "" && len(text) <= most &&
		strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

// quoted is a value as a record has it.
func quoted(value string) string { return `"` + value + `"` }

// changeTXT is an edit that makes of the values that there are others.
func changeTXT(change func(old []string) []string) edit {
	return edit{typ: dns.TypeTXT, computed: true, fresh: func(old dns.RRset, ttl uint32) dns.RRset {
		return dns.NewRRset(old.Name, old.Type, ttl, change(slices.Clone(old.Content))...)
	}}
}

// addValue is an edit that adds a value to those that there are.
func addValue(value string) edit {
	return changeTXT(func(old []string) []string { return append(old, quoted(value)) })
}

// dropValue is an edit that takes one value away.
func dropValue(value string) edit {
	return changeTXT(func(old []string) []string {
		return slices.DeleteFunc(old, func(text string) bool { return text == quoted(value) })
	})
}

// newestValue is an edit that adds a value and keeps the newest before it. Which that is of two, the
// TTL says: one second more, and it is the first in their order.
func newestValue(value string) edit {
	return edit{typ: dns.TypeTXT, computed: true, fresh: func(old dns.RRset, ttl uint32) dns.RRset {
		kept := old.Content
		if slices.Contains(kept, quoted(value)) {
			kept = slices.DeleteFunc(slices.Clone(kept), func(text string) bool { return text == quoted(value) })
		}
		switch {
		case len(kept) > 1 && old.TTL == ttl+1:
			kept = kept[:1]
		case len(kept) > 1:
			kept = kept[len(kept)-1:]
		}
		fresh := dns.NewRRset(old.Name, old.Type, ttl, append(slices.Clone(kept), quoted(value))...)
		if len(fresh.Content) > 1 && fresh.Content[0] == quoted(value) {
			fresh.TTL++
		}
		return fresh
	}}
}
