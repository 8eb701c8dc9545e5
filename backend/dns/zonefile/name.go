package zonefile

import (
	"bytes"

	"redyn/backend/dns"
)

// absolute returns the canonical text of a name, except that letters keep their case: @ is the
// origin, a name without a final dot is relative to it. The bytes are not to be changed.
func absolute(text []byte, origin dns.Name) ([]byte, error) {
	if len(text) == 1 && text[0] == '@' {
		if origin == "" {
			return nil, faultf(`"@" has no origin; put a line such as "$ORIGIN example.org." before it`)
		}
		return []byte(origin), nil
	}
	if len(text) == 0 {
		return nil, faultf(`a name is empty; the root is written "."`)
	}
	if !isAbsolute(text) {
		if origin == "" {
			return nil, faultf(`name %s has no final dot and no origin; put a line such as "$ORIGIN example.org." before it`, quote(string(text)))
		}
		long := make([]byte, 0, len(text)+1+len(origin))
		long = append(append(long, text...), '.')
		if origin != dns.Root {
			long = append(long, origin...)
		}
		text = long
	}
	var buf [dns.MaxNameText]byte
	canonical, err := dns.AppendName(buf[:0], text)
	if err != nil {
		return nil, err
	}
	if len(canonical) == len(text) && bytes.IndexByte(text, '\\') < 0 {
		return text, nil
	}
	return respell(bytes.Clone(canonical), text), nil
}

// isAbsolute reports whether the name ends with a dot that is not escaped.
func isAbsolute(text []byte) bool {
	if text[len(text)-1] != '.' {
		return false
	}
	backslashes := 0
	for i := len(text) - 2; i >= 0 && text[i] == '\\'; i-- {
		backslashes++
	}
	return backslashes%2 == 0
}

// respell gives the letters of a canonical name the case that they have in text.
func respell(canonical, text []byte) []byte {
	for at := 0; at < len(canonical) && len(text) > 0; {
		octet, n := text[0], 1
		if octet == '\\' {
			octet, n = unescape(text)
		}
		text = text[n:]
		switch {
		case canonical[at] != '\\':
			if 'A' <= octet && octet <= 'Z' {
				canonical[at] = octet
			}
			at++
		case '0' <= canonical[at+1] && canonical[at+1] <= '9':
			at += 4
		default:
			at += 2
		}
	}
	return canonical
}
