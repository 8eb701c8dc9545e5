package zonefile

import (
	"bufio"
	"errors"
	"io"
)

// maxEntry bounds the text of one entry: 65535 octets of data, each written as \DDD, fit in.
const maxEntry = 1 << 19

// lexer cuts a master file into entries: lines, or several lines where parentheses hold them
// together (RFC 1035 section 5.1). Escapes stay as they are written.
type lexer struct {
	r    *bufio.Reader
	line int
	// plain takes ; ( ) as parts of words: data as PowerDNS writes them, no file.
	plain bool
}

// entry is the words of one entry. Its memory is used again for the next one.
type entry struct {
	line  int
	blank bool // begins with white space: the owner is left out
	made  bool // by $GENERATE
	buf   []byte
	words []word
}

type word struct {
	start, end int
	quoted     bool
	line       int
}

func (e *entry) text(w word) []byte { return e.buf[w.start:w.end] }

// next reads the next entry that has words; io.EOF says that there is none.
func (l *lexer) next(e *entry) (err error) {
	for {
		e.buf, e.words, e.blank = e.buf[:0], e.words[:0], false
		e.line = l.line
		err := l.entry(e)
		if len(e.words) > 0 && (err == nil || errors.Is(err, io.EOF)) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (l *lexer) entry(e *entry) error {
	depth, opened := 0, 0
	for first := true; ; first = false {
		c, err := l.r.ReadByte()
		if err != nil {
			if depth > 0 && errors.Is(err, io.EOF) {
				e.words, l.line = e.words[:0], opened
				return faultf(`"(" without ")"`)
			}
			return err
		}
		switch {
		case c == '\n':
			l.line++
			if depth == 0 {
				return nil
			}
		case c == ' ' || c == '\t' || c == '\r':
			e.blank = e.blank || first
		case c == ';' && !l.plain:
			err = l.comment()
		case c == '(' && !l.plain:
			if depth == 0 {
				opened = l.line
			}
			depth++
		case c == ')' && !l.plain:
			if depth == 0 {
				return l.drop(e, faultf(`")" without "("`))
			}
			depth--
		case c == '"':
			err = l.quoted(e)
		default:
			err = l.word(e, c)
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return l.drop(e, err)
		}
		if len(e.words) == 1 {
			e.line = e.words[0].line
		}
	}
}

// drop makes an entry that is broken one without words.
func (l *lexer) drop(e *entry, err error) error {
	e.words = e.words[:0]
	return err
}

// comment skips what is left of the line.
func (l *lexer) comment() error {
	for {
		c, err := l.r.ReadByte()
		if err != nil {
			return err
		}
		if c == '\n' {
			return l.r.UnreadByte()
		}
	}
}

// quoted reads a string whose opening quote has been read.
func (l *lexer) quoted(e *entry) error {
	start := len(e.buf)
	if err := l.untilQuote(e); err != nil {
		return err
	}
	e.buf = e.buf[:len(e.buf)-1]
	e.words = append(e.words, word{start, len(e.buf), true, l.line})
	return nil
}

// untilQuote reads up to the closing quote, and that too.
func (l *lexer) untilQuote(e *entry) error {
	for {
		c, err := l.r.ReadByte()
		switch {
		case errors.Is(err, io.EOF) || err == nil && c == '\n':
			return faultf(`a string has no closing quote on its line`)
		case err != nil:
			return err
		}
		if e.buf = append(e.buf, c); c == '"' {
			return nil
		}
		if err := l.escaped(e, c); err != nil {
			return err
		}
	}
}

// escaped reads the octet after a backslash.
func (l *lexer) escaped(e *entry, c byte) error {
	if len(e.buf) > maxEntry {
		return faultf("an entry is longer than %d octets; is a parenthesis or a quote missing?", maxEntry)
	}
	if c != '\\' {
		return nil
	}
	c, err := l.r.ReadByte()
	if errors.Is(err, io.EOF) || err == nil && c == '\n' {
		return faultf(`a line ends with a lone backslash; expected \\`)
	}
	e.buf = append(e.buf, c)
	return err
}

// word reads a word whose first octet is c. A quote inside it, as in alpn="h2", belongs to it.
func (l *lexer) word(e *entry, c byte) error {
	start := len(e.buf)
	for {
		e.buf = append(e.buf, c)
		err := l.escaped(e, c)
		if err == nil && c == '"' {
			err = l.untilQuote(e)
		}
		if err == nil {
			c, err = l.r.ReadByte()
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if err != nil || isDelimiter(c, l.plain) {
			e.words = append(e.words, word{start, len(e.buf), false, l.line})
			if err != nil {
				return err
			}
			return l.r.UnreadByte()
		}
	}
}

func isDelimiter(c byte, plain bool) bool {
	switch c {
	case ' ', '\t', '\r', '\n':
		return true
	case ';', '(', ')':
		return !plain
	}
	return false
}
