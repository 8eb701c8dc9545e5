package backend

import (
	"encoding/binary"
	"math/bits"
)

// plainLen returns how many octets of text come before the first that a JSON string cannot hold as
// it is: a quote, a backslash or a control character. It looks at eight at a time.
func plainLen(text []byte) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; i+8 <= len(text); i += 8 {
		v := binary.LittleEndian.Uint64(text[i:])
		quote, backslash := v^ones*'"', v^ones*'\\'
		// The top bit of an octet that is 0 (of v: below ' ') is set, and of none before the first such.
		found := ((quote-ones)&^quote | (backslash-ones)&^backslash | (v-ones*' ')&^v) & tops
		if found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for ; i < len(text); i++ {
		if isSpecial(text[i]) {
			break
		}
	}
	return i
}

func isSpecial(c byte) bool { return c < ' ' || c == '"' || c == '\\' }

// appendString appends s as a JSON string (RFC 8259 section 7). Octets beyond ASCII go as they are:
// PowerDNS takes them so, and nothing is lost of data that is not UTF-8.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := len(dst)
	dst = append(dst, s...)
	if n := plainLen(dst[start:]); n < len(s) {
		dst = dst[:start+n]
		for i := n; i < len(s); i++ {
			dst = appendOctet(dst, s[i])
		}
	}
	return append(dst, '"')
}

func appendOctet(dst []byte, c byte) []byte {
	const hex = "0123456789abcdef"
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	}
	if c >= ' ' {
		return append(dst, c)
	}
	return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}

func appendStrings(dst []byte, list []string) []byte {
	dst = append(dst, '[')
	for i, s := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, s)
	}
	return append(dst, ']')
}
