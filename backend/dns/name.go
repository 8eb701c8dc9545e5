package dns

import (
	"fmt"
	"strings"
)

// Limits of RFC 1035 section 2.3.4, in octets on the wire.
const (
	MaxNameLen  = 255
	MaxLabelLen = 63
)

// MaxNameText is the longest text of a canonical Name in bytes: 250 octets in four labels, each
// octet written as \DDD, and four dots.
const MaxNameText = 4*250 + 4

// Name is an absolute domain name in canonical form: lower case, one trailing dot, escaped as in
// zone files (RFC 1035 section 5.1): \X before . \ " ( ) ; @ $ and \DDD for what does not print.
// Two names are equal exactly if their texts are. The zero Name is not valid; get one from
// ParseName.
type Name string

// Root is the name of the root zone.
const Root Name = "."

// ParseName reads a domain name in presentation form; the final dot may be missing. It fails if
// an escape is broken, a label is empty or longer than MaxLabelLen, or the whole is longer than
// MaxNameLen on the wire.
func ParseName(text string) (Name, error) {
	if absolute, upper := scanPlain(text); absolute && !upper {
		return Name(text), nil
	}
	var buf [MaxNameText]byte
	b, err := AppendName(buf[:0], []byte(text))
	if err != nil {
		return "", err
	}
	return Name(b), nil
}

// MustParseName is ParseName for names known to be right; it panics if they are not.
func MustParseName(text string) Name {
	n, err := ParseName(text)
	if err != nil {
		panic(err)
	}
	return n
}

// AppendName appends the canonical form of the name written in text to dst. It needs no memory
// but dst's; text and the free part of dst must not overlap. It fails as ParseName does.
func AppendName(dst, text []byte) ([]byte, error) {
	if len(text) == 0 {
		return dst, fmt.Errorf("a name is empty; the root is written %q", ".")
	}
	if absolute, upper := scanPlain(text); absolute {
		dst = append(dst, text...)
		if upper {
			lower(dst[len(dst)-len(text):])
		}
		return dst, nil
	}
	return appendParsed(dst, text)
}

func appendParsed(dst, text []byte) ([]byte, error) {
	label, wire := 0, 1
	for i := 0; i < len(text); {
		c := text[i]
		if c == '.' {
			if label == 0 {
				return dst, nameError(text, "has an empty label")
			}
			dst = append(dst, '.')
			label = 0
			i++
			continue
		}
		if c == '\\' {
			octet, n := unescape(text[i:])
			if n == 0 {
				return dst, nameError(text, `has a broken escape; expected \X or \000 to \255`)
			}
			c = octet
			i += n
		} else {
			i++
		}
		if label == 0 {
			wire++
		}
		label++
		wire++
		if label > MaxLabelLen {
			return dst, nameError(text, "has a label of more than 63 octets")
		}
		if wire > MaxNameLen {
			return dst, nameError(text, "is longer than 255 octets")
		}
		dst = appendOctet(dst, c)
	}
	if label > 0 {
		dst = append(dst, '.')
	}
	return dst, nil
}

func nameError(text []byte, what string) error {
	const most = 80
	if len(text) > most {
		return fmt.Errorf("name %q... %s", text[:most], what)
	}
	return fmt.Errorf("name %q %s", text, what)
}

// unescape reads the escape that text begins with: the octet it stands for and its length, which
// is 0 if it is broken.
func unescape(text []byte) (octet byte, n int) {
	if len(text) < 2 {
		return 0, 0
	}
	if !isDigit(text[1]) {
		return text[1], 2
	}
	if len(text) < 4 || !isDigit(text[2]) || !isDigit(text[3]) {
		return 0, 0
	}
	v := int(text[1]-'0')*100 + int(text[2]-'0')*10 + int(text[3]-'0')
	if v > 255 {
		return 0, 0
	}
	return byte(v), 4
}

func appendOctet(dst []byte, c byte) []byte {
	switch octets[c] {
	case plain:
		return append(dst, c)
	case upper:
		return append(dst, c|0x20)
	case special:
		return append(dst, '\\', c)
	default:
		return append(dst, '\\', '0'+c/100, '0'+c/10%10, '0'+c%10)
	}
}

// How an octet of a label is written in a canonical name.
const (
	unprintable = iota
	plain
	upper
	special
)

var octets = func() (t [256]uint8) {
	for c := '!'; c <= '~'; c++ {
		t[c] = plain
	}
	for c := 'A'; c <= 'Z'; c++ {
		t[c] = upper
	}
	for _, c := range `.\"();@$` {
		t[c] = special
	}
	return t
}()

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// scanPlain reports whether text is an absolute name without any escape and within the limits, as
// nearly all are, and whether an upper-case letter alone keeps it from being canonical.
func scanPlain[Text string | []byte](text Text) (absolute, upperCase bool) {
	if len(text) > MaxNameLen-1 || len(text) < 2 {
		return string(text) == ".", false
	}
	start := 0
	for i := 0; i < len(text); i++ {
		switch octets[text[i]] {
		case plain:
			continue
		case upper:
			upperCase = true
			continue
		}
		if text[i] != '.' || i == start || i-start > MaxLabelLen {
			return false, false
		}
		start = i + 1
	}
	return start == len(text), upperCase
}

func lower(text []byte) {
	for i, c := range text {
		if octets[c] == upper {
			text[i] = c | 0x20
		}
	}
}

// Parent returns the name without its first label; the root's parent is the root.
func (n Name) Parent() Name {
	for i := 0; i < len(n)-1; i++ {
		switch n[i] {
		case '\\':
			i++
		case '.':
			return n[i+1:]
		}
	}
	return Root
}

// Labels returns the number of labels; the root has none.
func (n Name) Labels() int {
	count := 0
	for n != Root {
		n = n.Parent()
		count++
	}
	return count
}

// Under reports whether n is ancestor or lies below it.
func (n Name) Under(ancestor Name) bool {
	if ancestor == Root || n == ancestor {
		return true
	}
	return n.Below(ancestor)
}

// Below reports whether n lies below ancestor and is not ancestor itself.
func (n Name) Below(ancestor Name) bool {
	if ancestor == Root {
		return n != Root
	}
	cut := len(n) - len(ancestor)
	if cut <= 0 || n[cut-1] != '.' || n[cut:] != ancestor {
		return false
	}
	return !escapedAt(string(n), cut-1)
}

// escapedAt reports whether the byte at i belongs to an escape that began before it.
func escapedAt(text string, i int) bool {
	backslashes := 0
	for i > 0 && text[i-1] == '\\' {
		backslashes++
		i--
	}
	return backslashes%2 == 1
}

// IsWildcard reports whether the first label is a lone asterisk (RFC 4592).
func (n Name) IsWildcard() bool { return strings.HasPrefix(string(n), "*.") }

// Wildcard returns the name of the wildcard right below a name.
func Wildcard(parent Name) Name {
	if parent == Root {
		return "*."
	}
	return "*." + parent
}
