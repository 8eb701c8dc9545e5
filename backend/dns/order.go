package dns

import (
	"bytes"
	"strings"
)

// Compare orders names canonically, as RFC 4034 section 6.1 does: label by label from the right,
// each as its octets. The result is negative, zero or positive as a comes before, is, or follows b.
func Compare(a, b Name) int {
	if strings.IndexByte(string(a), '\\') >= 0 || strings.IndexByte(string(b), '\\') >= 0 {
		return compareEscaped(a, b)
	}
	i, j := len(a), len(b)
	for i > 0 && j > 0 && a[i-1] == b[j-1] {
		i--
		j--
	}
	switch {
	case i == 0 && j == 0:
		return 0
	case i == 0 && (b[j-1] == '.' || a == Root):
		return -1
	case j == 0 && (a[i-1] == '.' || b == Root):
		return 1
	}
	return strings.Compare(labelAround(string(a), i), labelAround(string(b), j))
}

// labelAround returns the label that ends with or reaches over the position i.
func labelAround(text string, i int) string {
	return text[strings.LastIndexByte(text[:i], '.')+1 : i+strings.IndexByte(text[i:], '.')]
}

func compareEscaped(a, b Name) int {
	var abuf, bbuf [MaxNameLen]byte
	aw, bw := a.AppendWire(abuf[:0]), b.AppendWire(bbuf[:0])
	var astarts, bstarts [MaxNameLen / 2]int
	i, j := labelStarts(aw, &astarts), labelStarts(bw, &bstarts)
	for i > 0 && j > 0 {
		i--
		j--
		al, bl := wireLabel(aw, astarts[i]), wireLabel(bw, bstarts[j])
		if c := bytes.Compare(al, bl); c != 0 {
			return c
		}
	}
	return i - j
}

// labelStarts notes where each label of a wire-format name begins and returns their number.
func labelStarts(wire []byte, starts *[MaxNameLen / 2]int) int {
	count := 0
	for at := 0; wire[at] != 0; at += 1 + int(wire[at]) {
		starts[count] = at
		count++
	}
	return count
}

func wireLabel(wire []byte, at int) []byte { return wire[at+1 : at+1+int(wire[at])] }

// AppendWire appends the uncompressed wire format (RFC 1035 section 3.1), which is the canonical form
// of RFC 4034 section 6.2 too.
func (n Name) AppendWire(dst []byte) []byte {
	if n == Root {
		return append(dst, 0)
	}
	length := len(dst)
	dst = append(dst, 0)
	for i := 0; i < len(n); i++ {
		switch c := n[i]; c {
		case '.':
			length = len(dst)
			dst = append(dst, 0)
			continue
		case '\\':
			octet, size := unescape([]byte(n[i:min(i+4, len(n))]))
			dst = append(dst, octet)
			i += size - 1
		default:
			dst = append(dst, c)
		}
		dst[length]++
	}
	return dst
}
