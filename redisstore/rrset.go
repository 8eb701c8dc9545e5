package redisstore

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"redyn/backend/dns"
)

// encodeRRset writes the value of an RRset as the store keeps it, without spaces, content sorted,
// so that equal RRsets are equal bytes. An RRset without content is the empty text.
func encodeRRset(set dns.RRset) string {
	if len(set.Content) == 0 {
		return ""
	}
	content := set.Content
	if !slices.IsSorted(content) {
		content = slices.Sorted(slices.Values(content))
	}
	size := len(`{"ttl":2147483647,"content":[]}`)
	for _, c := range content {
		size += len(c) + 8
	}
	b := make([]byte, 0, size)
	b = append(b, `{"ttl":`...)
	b = strconv.AppendUint(b, uint64(set.TTL), 10)
	b = append(b, `,"content":[`...)
	for i, c := range content {
		if i > 0 {
			if c == content[i-1] {
				continue
			}
			b = append(b, ',')
		}
		b = appendString(b, c)
	}
	return string(append(b, "]}"...))
}

// appendString writes text as a JSON string (RFC 8259 section 7).
func appendString(b []byte, text string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ':
			b = append(b, `\u00`...)
			b = append(b, hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// escapedLen returns how many bytes appendString writes between the quotes.
func escapedLen(text string) int {
	n := len(text)
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"' || c == '\\':
			n++
		case c < ' ':
			n += len(`\u0000`) - 1
		}
	}
	return n
}

// decodeRRset reads the value of an RRset. What encodeRRset writes is read quickly; any other JSON
// that says the same, written by hand perhaps, by encoding/json. The result does not hold on to text.
func decodeRRset(name dns.Name, typ dns.Type, text string) (dns.RRset, error) {
	set := dns.RRset{Name: name, Type: typ}
	if text == "" {
		return set, nil
	}
	ttl, content, ok := decodePlain(text)
	if !ok {
		var err error
		if ttl, content, err = decodeJSON(text); err != nil {
			return set, fmt.Errorf("RRset %s %s: %w", name, typ, err)
		}
	}
	if !slices.IsSorted(content) {
		slices.Sort(content)
	}
	set.TTL, set.Content = ttl, slices.Compact(content)
	return set, nil
}

func decodeJSON(text string) (uint32, []string, error) {
	var v struct {
		TTL     uint32   `json:"ttl"`
		Content []string `json:"content"`
	}
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return 0, nil, err
	}
	if len(v.Content) == 0 {
		return 0, nil, fmt.Errorf("no content in %.80q", text)
	}
	return v.TTL, v.Content, nil
}

// decodePlain reads text if it is written as encodeRRset writes it.
func decodePlain(text string) (ttl uint32, content []string, ok bool) {
	rest, ok := strings.CutPrefix(text, `{"ttl":`)
	if !ok {
		return 0, nil, false
	}
	ttl, n := decodeTTL(rest)
	if n == 0 {
		return 0, nil, false
	}
	if rest, ok = strings.CutPrefix(rest[n:], `,"content":["`); !ok {
		return 0, nil, false
	}
	// One record is what nearly all RRsets have.
	if end := strings.IndexByte(rest, '"'); end >= 0 && rest[end:] == `"]}` {
		c, _, ok := decodeString(rest)
		if !ok {
			return 0, nil, false
		}
		return ttl, []string{c}, true
	}
	content = make([]string, 0, strings.Count(rest, `","`)+1)
	for {
		c, n, ok := decodeString(rest)
		if !ok {
			return 0, nil, false
		}
		content = append(content, c)
		rest = rest[n:]
		if rest == "]}" {
			return ttl, content, true
		}
		if rest, ok = strings.CutPrefix(rest, `,"`); !ok {
			return 0, nil, false
		}
	}
}

// decodeTTL reads the decimal number that text begins with; n is its length, 0 if it is none.
func decodeTTL(text string) (ttl uint32, n int) {
	for n < len(text) && n < 10 && '0' <= text[n] && text[n] <= '9' {
		n++
	}
	if n == 0 || n > 1 && text[0] == '0' {
		return 0, 0
	}
	v, err := strconv.ParseUint(text[:n], 10, 32)
	if err != nil {
		return 0, 0
	}
	return uint32(v), n
}

// decodeString reads a JSON string whose opening quote is before text; n is what it takes up with
// the closing quote. It reads only the escapes \" and \\ and nothing but UTF-8.
func decodeString(text string) (s string, n int, ok bool) {
	escapes, ascii := 0, true
	for n < len(text) && text[n] != '"' {
		switch c := text[n]; {
		case c == '\\':
			if n+1 == len(text) || text[n+1] != '"' && text[n+1] != '\\' {
				return "", 0, false
			}
			escapes++
			n++
		case c < ' ':
			return "", 0, false
		case c >= utf8.RuneSelf:
			ascii = false
		}
		n++
	}
	if n >= len(text) || !ascii && !utf8.ValidString(text[:n]) {
		return "", 0, false
	}
	if escapes == 0 {
		return strings.Clone(text[:n]), n + 1, true
	}
	b := make([]byte, 0, n-escapes)
	for i := 0; i < n; i++ {
		if text[i] == '\\' {
			i++
		}
		b = append(b, text[i])
	}
	return string(b), n + 1, true
}
