package backend

import (
	"unicode/utf16"
	"unicode/utf8"
)

// str reads a string and returns its text, decoded in place.
func (s *scanner) str() []byte {
	start := s.i + 1
	s.i = start + plainLen(s.b[start:])
	if s.i < len(s.b) {
		switch s.b[s.i] {
		case '"':
			s.i++
			return s.b[start : s.i-1]
		case '\\':
			return s.escapedStr(start)
		}
	}
	s.fail()
	return nil
}

// escapedStr reads the rest of a string from its first escape on. No escape is shorter than what
// it stands for, so the text fits where the string stood.
func (s *scanner) escapedStr(start int) []byte {
	text := s.b[start:s.i]
	for s.i < len(s.b) {
		c := s.b[s.i]
		switch {
		case c == '"':
			s.i++
			return text
		case c < ' ':
			s.fail()
			return nil
		case c != '\\':
			text = append(text, c)
			s.i++
		default:
			r, n := s.escape()
			if n == 0 {
				s.fail()
				return nil
			}
			s.i += n
			text = utf8.AppendRune(text, r)
		}
	}
	s.fail()
	return nil
}

// escape returns what the escape that is next stands for, and its length, which is 0 if it is broken.
func (s *scanner) escape() (r rune, n int) {
	if s.i+1 >= len(s.b) {
		return 0, 0
	}
	switch c := s.b[s.i+1]; c {
	case '"', '\\', '/':
		return rune(c), 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
	default:
		return 0, 0
	}
	r = s.hex4(s.i)
	if r < 0 {
		return 0, 0
	}
	if utf16.IsSurrogate(r) {
		if pair := utf16.DecodeRune(r, s.hex4(s.i+6)); pair != utf8.RuneError {
			return pair, 12
		}
		return utf8.RuneError, 6
	}
	return r, 6
}

// hex4 returns the code unit of the \uXXXX at i, and -1 if there is none.
func (s *scanner) hex4(i int) rune {
	if i+6 > len(s.b) || s.b[i] != '\\' || s.b[i+1] != 'u' {
		return -1
	}
	var r rune
	for _, c := range s.b[i+2 : i+6] {
		d := unhex(c)
		if d < 0 {
			return -1
		}
		r = r<<4 | rune(d)
	}
	return r
}

// unhex returns the value of a hexadecimal digit, -1 if it is none.
func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
