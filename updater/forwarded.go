package updater

import "strings"

// forwarded returns who each hop in a Forwarded header (RFC 7239) says that its request is for; the
// empty text if it does not say, says it twice, or cannot be read.
func forwarded(text string) []string {
	var hops []string
	for {
		hop, rest, more := cutQuoted(text, ',')
		hops = append(hops, hopFor(hop))
		if !more {
			return hops
		}
		text = rest
	}
}

// hopFor returns the value of the pair "for" in one hop. All other pairs have to be whole, too: a quote
// that a caller leaves open would take in what the proxy wrote behind it.
func hopFor(hop string) (node string) {
	for more := true; more; {
		var pair string
		pair, hop, more = cutQuoted(hop, ';')
		key, value, _ := strings.Cut(pair, "=")
		value, ok := unquote(strings.Trim(value, " \t"))
		isFor := strings.EqualFold(strings.Trim(key, " \t"), "for")
		switch {
		case !ok, strings.ContainsAny(key, `"\`), isFor && node != "":
			return ""
		case isFor:
			node = value
		}
	}
	return node
}

// cutQuoted cuts text at the first sep that is not inside quotes.
func cutQuoted(text string, sep byte) (before, after string, found bool) {
	quoted := false
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '"':
			quoted = !quoted
		case text[i] == '\\' && quoted:
			i++
		case text[i] == sep && !quoted:
			return text[:i], text[i+1:], true
		}
	}
	return text, "", false
}

// unquote reads a token or a quoted string (RFC 9110 section 5.6.4).
func unquote(text string) (string, bool) {
	if !strings.HasPrefix(text, `"`) {
		return text, !strings.ContainsAny(text, `"\`)
	}
	var out strings.Builder
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '"':
			return out.String(), i == len(text)-1
		case '\\':
			if i++; i == len(text) {
				return "", false
			}
		}
		out.WriteByte(text[i])
	}
	return "", false
}
