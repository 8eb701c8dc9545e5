package zonefile

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"strings"

	"redyn/backend/dns"
)

// maxDepth bounds $INCLUDE inside $INCLUDE, so that a file that includes itself is an error.
const maxDepth = 16

// parser turns the entries of a master file and of what it includes into records.
type parser struct {
	open  func(path string) (io.ReadCloser, error)
	yield func(Record, error) bool
	depth int

	name       string // of the file being read
	origin     dns.Name
	owner      dns.Name
	ownerText  []byte // as owner was written last, under the same origin
	defaultTTL ttl    // of $TTL, or else of the SOA's minimum
	lastTTL    ttl    // written last
	content    []byte // memory used again
}

type ttl struct {
	seconds uint32
	known   bool
}

// file reads one file; its origin and owner end with it, its $TTL does not.
func (p *parser) file(r io.Reader, name string, origin dns.Name) error {
	outer := *p
	p.name, p.origin, p.owner, p.ownerText = name, origin, outer.owner, nil
	defer func() { p.name, p.origin, p.owner, p.ownerText = outer.name, outer.origin, outer.owner, nil }()

	l := lexer{r: bufio.NewReaderSize(r, 64<<10), line: 1}
	if bom, err := l.r.Peek(3); err == nil && string(bom) == "\xef\xbb\xbf" {
		_, _ = l.r.Discard(3)
	}
	var e entry
	for {
		err := l.next(&e)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = p.entry(&e)
		} else {
			e.line = l.line
		}
		if err != nil {
			return p.at(e.line, err)
		}
	}
}

// at says where err arose, unless that is said already.
func (p *parser) at(line int, err error) error {
	var known *Error
	if errors.Is(err, errStopped) || errors.As(err, &known) {
		return err
	}
	return &Error{Pos{p.name, line}, err}
}

func (p *parser) entry(e *entry) error {
	first := e.words[0]
	if text := e.text(first); !e.blank && !first.quoted && text[0] == '$' {
		return p.directive(strings.ToUpper(string(text)), e)
	}
	rec := Record{Pos: Pos{p.name, e.line}}
	words := e.words
	if !e.blank {
		if err := p.setOwner(e, first); err != nil {
			return err
		}
		words = words[1:]
	}
	if p.owner == "" {
		return faultf("the first record has no owner; expected a name at the beginning of the line")
	}
	rec.Name = p.owner
	return p.record(rec, e, words)
}

func (p *parser) setOwner(e *entry, w word) error {
	text := e.text(w)
	if p.ownerText != nil && bytes.Equal(p.ownerText, text) {
		return nil
	}
	if w.quoted {
		return faultf("owner %q is in quotes; expected a name without", text)
	}
	name, err := absolute(text, p.origin)
	if err != nil {
		return err
	}
	if p.owner, err = dns.ParseName(string(name)); err != nil {
		return err
	}
	p.ownerText = append(p.ownerText[:0], text...)
	return nil
}

// record reads what follows the owner: TTL and class in any order, the type, the data.
func (p *parser) record(rec Record, e *entry, words []word) error {
	var explicit ttl
	class := false
	for ; ; words = words[1:] {
		if len(words) == 0 {
			return faultf("%s has no type; expected: owner [TTL] [IN] TYPE data", rec.Name)
		}
		text := e.text(words[0])
		if words[0].quoted {
			return faultf("%s has %s where the type belongs; expected: owner [TTL] [IN] TYPE data", rec.Name, quote(string(text)))
		}
		if isClass, err := parseClass(text); err != nil {
			return err
		} else if isClass && !class {
			class = true
			continue
		}
		if '0' <= text[0] && text[0] <= '9' && !explicit.known {
			seconds, err := parseTTL(string(text))
			if err != nil {
				return err
			}
			explicit = ttl{seconds, true}
			continue
		}
		break
	}
	var err error
	if rec.Type, err = recordType(string(e.text(words[0]))); err != nil {
		return err
	}
	words = words[1:]
	if e.made && len(words) == 1 && words[0].quoted && rec.Type != dns.TypeTXT && rec.Type != typeSPF {
		if e, err = e.unpacked(words[0]); err != nil {
			return err
		}
		words = e.words
	}
	if p.content, err = appendContent(p.content[:0], rec.Type, e, words, p.origin); err != nil {
		return faultf("%s %s: %w", rec.Name, rec.Type, err)
	}
	rec.Content = string(p.content)
	if rec.TTL, err = p.ttl(explicit, rec); err != nil {
		return err
	}
	if !p.yield(rec, nil) {
		return errStopped
	}
	return nil
}

// ttl is the TTL of a record: its own; else $TTL (RFC 2308 section 4); else the one written last
// (RFC 1035); else, for the SOA and all after it, the SOA's minimum, as BIND takes it.
func (p *parser) ttl(explicit ttl, rec Record) (uint32, error) {
	switch {
	case explicit.known:
		p.lastTTL = explicit
		return explicit.seconds, nil
	case p.defaultTTL.known:
		return p.defaultTTL.seconds, nil
	case p.lastTTL.known:
		return p.lastTTL.seconds, nil
	case rec.Type == dns.TypeSOA:
		soa, err := dns.ParseSOA(rec.Content)
		if err != nil {
			return 0, err
		}
		p.defaultTTL = ttl{min(soa.Minimum, dns.MaxTTL), true}
		return p.defaultTTL.seconds, nil
	}
	return 0, faultf(`%s %s has no TTL; put a line such as "$TTL 3600" before it`, rec.Name, rec.Type)
}

func (p *parser) directive(name string, e *entry) error {
	args := e.words[1:]
	need := func(least, most int, form string) error {
		if len(args) < least || len(args) > most {
			return faultf("%s has %d arguments; expected: %s", name, len(args), form)
		}
		return nil
	}
	switch name {
	case "$ORIGIN":
		if err := need(1, 1, "$ORIGIN name."); err != nil {
			return err
		}
		origin, err := p.originOf(e.text(args[0]))
		if err != nil {
			return err
		}
		p.origin, p.ownerText = origin, nil
		return nil
	case "$TTL":
		if err := need(1, 1, "$TTL seconds"); err != nil {
			return err
		}
		seconds, err := parseTTL(string(e.text(args[0])))
		p.defaultTTL = ttl{seconds, true}
		return err
	case "$INCLUDE":
		if err := need(1, 2, "$INCLUDE file [origin]"); err != nil {
			return err
		}
		return p.include(e, args)
	case "$GENERATE":
		if err := need(3, len(args), "$GENERATE start-stop[/step] owner [TTL] [IN] TYPE data"); err != nil {
			return err
		}
		return p.generate(e, args)
	}
	return faultf("directive %q is unknown; expected $ORIGIN, $TTL, $INCLUDE or $GENERATE", name)
}

func (p *parser) originOf(text []byte) (dns.Name, error) {
	name, err := absolute(text, p.origin)
	if err != nil {
		return "", err
	}
	return dns.ParseName(string(name))
}

func (p *parser) include(e *entry, args []word) error {
	if p.open == nil {
		return faultf("$INCLUDE is not allowed here")
	}
	if p.depth == maxDepth {
		return faultf("$INCLUDE is nested more than %d deep; does a file include itself?", maxDepth)
	}
	origin := p.origin
	if len(args) == 2 {
		var err error
		if origin, err = p.originOf(e.text(args[1])); err != nil {
			return err
		}
	}
	path := unescapeText(e.text(args[0]))
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(p.name), path)
	}
	f, err := p.open(path)
	if err != nil {
		return faultf("$INCLUDE: %w", err)
	}
	defer f.Close()
	p.depth++
	defer func() { p.depth-- }()
	return p.file(f, path, origin)
}

// parseClass reports whether text is the class IN; any other class is an error.
func parseClass(text []byte) (bool, error) {
	switch up := strings.ToUpper(string(text)); {
	case up == "IN" || up == "CLASS1":
		return true, nil
	case up == "CH" || up == "CHAOS" || up == "HS" || up == "HESIOD" || up == "CS" || isClassNumber(up):
		return false, faultf("class %s cannot be served; expected IN", up)
	}
	return false, nil
}

func isClassNumber(up string) bool {
	digits, ok := strings.CutPrefix(up, "CLASS")
	return ok && digits != "" && strings.Trim(digits, "0123456789") == ""
}
