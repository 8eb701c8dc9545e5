package zonefile

import (
	"bufio"
	"errors"
	"io"
	"strings"

	"redyn/backend/dns"
)

// layouts are the fields of the types whose data is read and written here: those that hold names
// or free text, whose spelling is ours to settle, and those that nearly every record has. All
// others go through miekg/dns (foreign.go).
var layouts = map[dns.Type][]field{
	dns.TypeA:     {ipv4},
	dns.TypeNS:    {name},
	dns.TypeCNAME: {name},
	dns.TypeSOA:   {name, name, u32, period, period, period, period},
	7:             {name}, // MB
	8:             {name}, // MG
	9:             {name}, // MR
	dns.TypePTR:   {name},
	13:            {text, text}, // HINFO
	14:            {name, name}, // MINFO
	dns.TypeMX:    {u16, name},
	dns.TypeTXT:   {texts},
	17:            {name, name}, // RP
	18:            {u16, name},  // AFSDB
	dns.TypeAAAA:  {ipv6},
	dns.TypeSRV:   {u16, u16, u16, name},
	35:            {u16, u16, text, text, text, name}, // NAPTR
	36:            {u16, name},                        // KX
	dns.TypeDNAME: {name},
	dns.TypeSVCB:  {u16, name, params},
	dns.TypeHTTPS: {u16, name, params},
	99:            {texts},     // SPF
	107:           {u16, name}, // LP
	typeURI:       {u16, u16, long},
	dns.TypeCAA:   {u8, tag, long},
	dns.TypeALIAS: {name},
	dns.TypeLUA:   {qtype, code},
}

const typeURI dns.Type = 256

// contentBuffer is enough for nearly all records' data at once.
const contentBuffer = 4 << 10

// ParseContent returns the canonical form of one record's data. It reads what a master file has
// after the type, without comments and parentheses, and thereby also what PowerDNS writes; names
// without a final dot are relative to origin.
func ParseContent(typ dns.Type, text string, origin dns.Name) (string, error) {
	if err := mayHold(typ); err != nil {
		return "", err
	}
	l := lexer{r: bufio.NewReaderSize(strings.NewReader(text), min(len(text), contentBuffer)), line: 1, plain: true}
	var e entry
	if err := l.next(&e); err != nil && !errors.Is(err, io.EOF) {
		return "", faultf("%s %s: %w", typ, quote(text), err)
	}
	if l.line > 1 {
		return "", faultf("%s %s is more than one line", typ, quote(text))
	}
	if (typ == dns.TypeCAA || typ == typeURI) && len(e.words) == 2 && strings.HasSuffix(text, " ") {
		e.words = append(e.words, word{quoted: true}) // an empty text, of which PowerDNS writes nothing
	}
	content, err := appendContent(nil, typ, &e, e.words, origin)
	if err != nil {
		return "", faultf("%s: %w", typ, err)
	}
	return string(content), nil
}

// appendContent appends the canonical form of the data in words.
func appendContent(dst []byte, typ dns.Type, e *entry, words []word, origin dns.Name) ([]byte, error) {
	if len(words) == 0 {
		return dst, faultf("no data after the type")
	}
	if string(e.text(words[0])) == `\#` && !words[0].quoted {
		return appendGeneric(dst, typ, e, words[1:])
	}
	layout := layouts[typ]
	if layout == nil {
		return appendForeign(dst, typ, e, words, origin)
	}
	d := data{dst: dst, e: e, words: words, origin: origin}
	for i, f := range layout {
		if i > 0 && !f.optional {
			d.dst = append(d.dst, ' ')
		}
		if len(d.words) == 0 && !f.optional {
			return dst, faultf("the data ends too soon; expected: %s", form(layout))
		}
		if err := f.read(&d); err != nil {
			return dst, err
		}
	}
	if len(d.words) > 0 {
		return dst, faultf("%s is too much; expected: %s", quote(string(e.text(d.words[0]))), form(layout))
	}
	return d.dst, nil
}

func form(layout []field) string {
	names := make([]string, len(layout))
	for i, f := range layout {
		names[i] = f.what
	}
	return strings.Join(names, " ")
}

// ParseType reads the type of a record: what dns.ParseType reads, and all other mnemonics that
// miekg/dns knows. A type that only asks, such as ANY, is an error.
func ParseType(text string) (dns.Type, error) { return recordType(text) }

func recordType(text string) (dns.Type, error) {
	typ, err := dns.ParseType(text)
	if err != nil {
		foreign, ok := foreignType(text)
		if !ok {
			return 0, err
		}
		typ = foreign
	}
	return typ, mayHold(typ)
}

func mayHold(typ dns.Type) error {
	if typ.IsMeta() {
		return faultf("type %q is for questions; no record has it", typ)
	}
	return nil
}

// quote quotes text for an error, shortened if it is long.
func quote(text string) string {
	const most = 60
	if len(text) > most {
		return strconvQuote(text[:most]) + "..."
	}
	return strconvQuote(text)
}
