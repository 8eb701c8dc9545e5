package backend

// appendString appends s as a JSON string (RFC 8259 section 7). Octets beyond ASCII go as they are:
// PowerDNS takes them so, and nothing is lost of data that is not UTF-8.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	done := 0
	for i := 0; i < len(s); i++ {
		if !escaped[s[i]] {
			continue
		}
		dst = append(dst, s[done:i]...)
		dst = appendEscape(dst, s[i])
		done = i + 1
	}
	dst = append(dst, s[done:]...)
	return append(dst, '"')
}

// escaped are the octets that a JSON string holds only as an escape.
var escaped = func() (t [256]bool) {
	for c := range 0x20 {
		t[c] = true
	}
	t['"'], t['\\'], t[0x7f] = true, true, true
	return t
}()

func appendEscape(dst []byte, c byte) []byte {
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
