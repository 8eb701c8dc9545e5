package zonefile

import (
	"net/netip"
	"strconv"
	"strings"

	"redyn/backend/dns"
)

// data is one record's data while it is read: what is left of its words, and the canonical text.
type data struct {
	dst    []byte
	e      *entry
	words  []word
	origin dns.Name
}

// field is one part of a record's data. Both ways of reading it append its canonical form.
type field struct {
	what     string // for errors
	read     func(*data) error
	unpack   func(*wire) error
	optional bool // may be empty, and writes the blank before it itself
}

var (
	ipv4   = field{what: "address", read: (*data).ipv4, unpack: func(w *wire) error { return w.addr(4) }}
	ipv6   = field{what: "address", read: (*data).ipv6, unpack: func(w *wire) error { return w.addr(16) }}
	name   = field{what: "name", read: (*data).name, unpack: (*wire).name}
	u8     = unsigned(1)
	u16    = unsigned(2)
	u32    = unsigned(4)
	period = field{what: "seconds", read: (*data).period, unpack: func(w *wire) error { return w.uint(4) }}
	tag    = field{what: "tag", read: (*data).tag, unpack: (*wire).tag}
	text   = field{what: `"text"`, read: (*data).text, unpack: (*wire).text}
	texts  = field{what: `"text"...`, read: (*data).texts, unpack: (*wire).texts}
	long   = field{what: `"text"`, read: (*data).long, unpack: (*wire).long}
	params = field{what: "[key=value...]", read: (*data).params, unpack: (*wire).params, optional: true}
	qtype  = field{what: "TYPE", read: (*data).qtype}
	code   = field{what: `"code"`, read: (*data).code}
)

func unsigned(size int) field {
	return field{
		what:   "number",
		read:   func(d *data) error { return d.number(8 * size) },
		unpack: func(w *wire) error { return w.uint(size) },
	}
}

func (d *data) next() (text []byte, quoted bool) {
	w := d.words[0]
	d.words = d.words[1:]
	return d.e.text(w), w.quoted
}

func (d *data) ipv4() error {
	text, _ := d.next()
	addr, err := netip.ParseAddr(string(text))
	if err != nil || !addr.Is4() {
		return faultf("%s is no IPv4 address; expected something like 192.0.2.1", quote(string(text)))
	}
	d.dst = addr.AppendTo(d.dst)
	return nil
}

func (d *data) ipv6() error {
	text, _ := d.next()
	addr, err := netip.ParseAddr(string(text))
	if err != nil || !addr.Is6() || addr.Zone() != "" {
		return faultf("%s is no IPv6 address; expected something like 2001:db8::1", quote(string(text)))
	}
	d.dst = addr.AppendTo(d.dst)
	return nil
}

func (d *data) name() error {
	text, quoted := d.next()
	if quoted {
		return faultf("%q is in quotes; expected a name without", text)
	}
	spelled, err := absolute(text, d.origin)
	d.dst = append(d.dst, spelled...)
	return err
}

func (d *data) number(bits int) error {
	text, _ := d.next()
	n, err := strconv.ParseUint(string(text), 10, bits)
	if err != nil {
		return faultf("%s is no number from 0 to %d", quote(string(text)), uint64(1)<<bits-1)
	}
	d.dst = strconv.AppendUint(d.dst, n, 10)
	return nil
}

func (d *data) period() error {
	text, _ := d.next()
	n, ok := parseSeconds(string(text))
	if !ok || n > 1<<32-1 {
		return faultf("%s is no time; expected 0 to 4294967295 seconds, or such as 1d12h", quote(string(text)))
	}
	d.dst = strconv.AppendUint(d.dst, n, 10)
	return nil
}

// tag reads the property of a CAA record (RFC 8659 section 4.1). Case does not matter in it, but is signed.
func (d *data) tag() error {
	text, _ := d.next()
	d.dst = append(d.dst, text...)
	return checkTag(string(text))
}

func checkTag(text string) error {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	if text == "" || len(text) > 255 || strings.Trim(text, letters+"0123456789") != "" {
		return faultf("tag %s is wrong; expected letters or digits, such as issue", quote(text))
	}
	return nil
}

// text reads a character-string (RFC 1035 section 3.3).
func (d *data) text() error {
	octets, err := d.octets()
	if err != nil {
		return err
	}
	if len(octets) > maxString {
		return faultf("a text is longer than %d octets", maxString)
	}
	d.dst = appendQuoted(d.dst, octets)
	return nil
}

// texts reads one or more character-strings; a longer text becomes several.
func (d *data) texts() error {
	size := 0
	for first := true; len(d.words) > 0; first = false {
		octets, err := d.octets()
		if err != nil {
			return err
		}
		for {
			if !first {
				d.dst = append(d.dst, ' ')
			}
			first = false
			part := octets[:min(len(octets), maxString)]
			d.dst = appendQuoted(d.dst, part)
			size += 1 + len(part)
			if octets = octets[len(part):]; len(octets) == 0 {
				break
			}
		}
	}
	return checkSize(size)
}

// long reads text that is the rest of the data, and so has no length of its own (RFC 7553, RFC 8659).
func (d *data) long() error {
	octets, err := d.octets()
	if err != nil {
		return err
	}
	d.dst = appendQuoted(d.dst, octets)
	return checkSize(8 + 255 + len(octets))
}

// qtype reads the type that a LUA record answers.
func (d *data) qtype() error {
	text, _ := d.next()
	typ, err := dns.ParseType(string(text))
	d.dst = append(d.dst, typ.String()...)
	return err
}

// code reads the program of a LUA record. PowerDNS joins its parts with blanks between them, so
// they stay as they are.
func (d *data) code() error {
	size := 0
	for first := true; len(d.words) > 0; first = false {
		octets, err := d.octets()
		if err != nil {
			return err
		}
		if !first {
			d.dst = append(d.dst, ' ')
		}
		d.dst = appendQuoted(d.dst, octets)
		size += len(octets)
	}
	return checkSize(size)
}

// The most octets of a character-string and of a record's data.
const (
	maxString = 255
	maxData   = 65535
)

func checkSize(octets int) error {
	if octets > maxData {
		return faultf("the data is longer than %d octets", maxData)
	}
	return nil
}

// octets reads a word or a quoted string, its escapes resolved; in the entry's own memory.
func (d *data) octets() ([]byte, error) {
	return octetsOf(d.next())
}

func octetsOf(text []byte, quoted bool) ([]byte, error) {
	out := text[:0]
	for i := 0; i < len(text); {
		if c := text[i]; c != '\\' {
			if c == '"' && !quoted {
				return nil, faultf(`%s has a quote inside a word; expected "..." around the whole`, quote(string(text)))
			}
			out = append(out, c)
			i++
			continue
		}
		octet, n := unescape(text[i:])
		if n == 0 {
			return nil, faultf(`%s has a broken escape; expected \X or \000 to \255`, quote(string(text)))
		}
		out = append(out, octet)
		i += n
	}
	return out, nil
}

// appendQuoted appends a quoted string; PowerDNS reads the same escapes.
func appendQuoted(dst, octets []byte) []byte {
	dst = append(dst, '"')
	for _, c := range octets {
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < ' ' || c > '~':
			dst = append(dst, '\\', '0'+c/100, '0'+c/10%10, '0'+c%10)
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}

// unescape reads the escape that text begins with: its octet, and its length or 0 if it is broken.
func unescape(text []byte) (octet byte, n int) {
	if len(text) < 2 {
		return 0, 0
	}
	if text[1] < '0' || text[1] > '9' {
		return text[1], 2
	}
	if len(text) < 4 {
		return 0, 0
	}
	v, err := strconv.ParseUint(string(text[1:4]), 10, 8)
	if err != nil {
		return 0, 0
	}
	return byte(v), 4
}

func unescapeText(text []byte) string {
	var out []byte
	for len(text) > 0 {
		octet, n := text[0], 1
		if octet == '\\' {
			if o, size := unescape(text); size > 0 {
				octet, n = o, size
			}
		}
		out = append(out, octet)
		text = text[n:]
	}
	return string(out)
}

func strconvQuote(text string) string { return strconv.QuoteToASCII(text) }
