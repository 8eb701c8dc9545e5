package zonefile

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"redyn/backend/dns"
)

// appendGeneric reads \# LENGTH HEX... (RFC 3597 section 5).
func appendGeneric(dst []byte, typ dns.Type, e *entry, words []word) ([]byte, error) {
	if typ == dns.TypeALIAS || typ == dns.TypeLUA {
		return dst, faultf(`\# is not possible for this type; expected: %s`, form(layouts[typ]))
	}
	if len(words) == 0 {
		return dst, faultf(`\# without length; expected \# LENGTH HEX`)
	}
	size, err := strconv.ParseUint(string(e.text(words[0])), 10, 16)
	if err != nil {
		return dst, faultf(`\# %s: the length is no number from 0 to 65535`, quote(string(e.text(words[0]))))
	}
	var digits []byte
	for _, w := range words[1:] {
		digits = append(digits, e.text(w)...)
	}
	octets := make([]byte, len(digits)/2)
	if _, err := hex.Decode(octets, digits); err != nil {
		return dst, faultf(`\# %d: the data is not hexadecimal, or half an octet is missing`, size)
	}
	if uint64(len(octets)) != size {
		return dst, faultf(`\# %d: the data has %d octets`, size, len(octets))
	}
	return appendWire(dst, typ, octets)
}

// appendWire writes data from the wire in the form that PowerDNS knows.
func appendWire(dst []byte, typ dns.Type, octets []byte) ([]byte, error) {
	if strings.HasPrefix(typ.String(), "TYPE") {
		dst = fmt.Appendf(dst, `\# %d`, len(octets))
		if len(octets) > 0 {
			dst = hex.AppendEncode(append(dst, ' '), octets)
		}
		return dst, nil
	}
	layout := layouts[typ]
	if layout == nil {
		return unpackForeign(dst, typ, octets)
	}
	w := wire{dst: dst, rest: octets}
	for i, f := range layout {
		if i > 0 && !f.optional {
			w.dst = append(w.dst, ' ')
		}
		if err := f.unpack(&w); err != nil {
			return dst, err
		}
	}
	if len(w.rest) > 0 {
		return dst, faultf("%d octets of data are too much; expected: %s", len(w.rest), form(layout))
	}
	return w.dst, nil
}

// wire is one record's data on the wire while it is read, and the canonical text.
type wire struct {
	dst  []byte
	rest []byte
}

func (w *wire) take(size int) ([]byte, error) {
	if size > len(w.rest) {
		return nil, faultf("the data ends too soon")
	}
	part := w.rest[:size]
	w.rest = w.rest[size:]
	return part, nil
}

func (w *wire) number(size int) (n uint64, err error) {
	part, err := w.take(size)
	for _, c := range part {
		n = n<<8 | uint64(c)
	}
	return n, err
}

// counted takes octets that a number of the given size counts.
func (w *wire) counted(size int) ([]byte, error) {
	n, err := w.number(size)
	if err != nil {
		return nil, err
	}
	return w.take(int(n))
}

func (w *wire) uint(size int) error {
	n, err := w.number(size)
	w.dst = strconv.AppendUint(w.dst, n, 10)
	return err
}

func (w *wire) addr(size int) error {
	part, err := w.take(size)
	if err != nil {
		return err
	}
	addr, _ := netip.AddrFromSlice(part)
	w.dst = addr.AppendTo(w.dst)
	return nil
}

// name reads a name, which is never compressed here (RFC 3597 section 4).
func (w *wire) name() error {
	var text []byte
	for {
		label, err := w.counted(1)
		if err != nil {
			return err
		}
		if len(label) == 0 {
			break
		}
		if len(label) > dns.MaxLabelLen {
			return faultf("a name is compressed, or a label is longer than %d octets", dns.MaxLabelLen)
		}
		for _, c := range label {
			text = fmt.Appendf(text, `\%03d`, c)
		}
		text = append(text, '.')
	}
	if len(text) == 0 {
		text = append(text, '.')
	}
	spelled, err := absolute(text, dns.Root)
	w.dst = append(w.dst, spelled...)
	return err
}

func (w *wire) text() error {
	part, err := w.counted(1)
	w.dst = appendQuoted(w.dst, part)
	return err
}

func (w *wire) texts() error {
	for first := true; first || len(w.rest) > 0; first = false {
		if !first {
			w.dst = append(w.dst, ' ')
		}
		if err := w.text(); err != nil {
			return err
		}
	}
	return nil
}

func (w *wire) tag() error {
	part, err := w.counted(1)
	if err != nil {
		return err
	}
	w.dst = append(w.dst, part...)
	return checkTag(string(part))
}

func (w *wire) long() error {
	w.dst = appendQuoted(w.dst, w.rest)
	w.rest = nil
	return nil
}
