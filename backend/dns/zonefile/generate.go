package zonefile

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
)

// maxGenerate bounds how many entries one $GENERATE may stand for: all addresses of a /8.
const maxGenerate = 1 << 24

// generate makes the records that BIND's $GENERATE stands for: $ in owner and data is the number,
// ${offset,width,base} the number shifted, padded and in base d, o, x, X, or n, N (nibbles, least
// first, with dots); $$ and \$ are a dollar sign. Data that are one quoted string, as in BIND's manual, are
// the words in it, but for TXT.
func (p *parser) generate(e *entry, args []word) error {
	start, stop, step, err := parseRange(string(e.text(args[0])))
	if err != nil {
		return err
	}
	if (stop-start)/step >= maxGenerate {
		return faultf("$GENERATE would make more than %d records", maxGenerate)
	}
	made := entry{made: true}
	for n := start; n <= stop; n += step {
		made.line, made.buf, made.words = e.line, made.buf[:0], made.words[:0]
		for _, w := range args[1:] {
			at := len(made.buf)
			if made.buf, err = substitute(made.buf, string(e.text(w)), n); err != nil {
				return err
			}
			made.words = append(made.words, word{at, len(made.buf), w.quoted, e.line})
		}
		if text := made.text(made.words[0]); len(text) > 0 && text[0] == '$' {
			return faultf("$GENERATE makes an owner that begins with $")
		}
		if err := p.entry(&made); err != nil {
			return err
		}
	}
	return nil
}

// unpacked returns the words in a quoted string, as an entry of its own.
func (e *entry) unpacked(data word) (*entry, error) {
	text := bytes.ReplaceAll(e.text(data), []byte(`\"`), []byte(`"`))
	l := lexer{r: bufio.NewReader(bytes.NewReader(text)), line: e.line}
	var inside entry
	if err := l.next(&inside); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return &inside, nil
}

// parseRange reads start-stop[/step].
func parseRange(text string) (start, stop, step int64, err error) {
	span, stepText, hasStep := strings.Cut(text, "/")
	first, last, _ := strings.Cut(span, "-")
	step = 1
	a, errA := strconv.ParseUint(first, 10, 31)
	b, errB := strconv.ParseUint(last, 10, 31)
	if hasStep {
		var s uint64
		s, err = strconv.ParseUint(stepText, 10, 31)
		step = int64(s)
	}
	if errA != nil || errB != nil || err != nil || a > b || step == 0 {
		return 0, 0, 0, faultf("$GENERATE range %q is wrong; expected start-stop or start-stop/step, such as 1-254", text)
	}
	return int64(a), int64(b), step, nil
}

// substitute appends text to dst with the number n in place of each $.
func substitute(dst []byte, text string, n int64) ([]byte, error) {
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\' && i+1 < len(text):
			dst = append(dst, text[i], text[i+1])
			i++
		case text[i] != '$':
			dst = append(dst, text[i])
		case strings.HasPrefix(text[i+1:], "$"):
			dst = append(dst, '\\', '$')
			i++
		case strings.HasPrefix(text[i+1:], "{"):
			size := strings.IndexByte(text[i:], '}')
			if size < 0 {
				return dst, faultf(`$GENERATE: "${" without "}"`)
			}
			var err error
			if dst, err = appendNumber(dst, text[i+2:i+size], n); err != nil {
				return dst, err
			}
			i += size
		default:
			dst = strconv.AppendInt(dst, n, 10)
		}
	}
	return dst, nil
}

// appendNumber appends n as offset[,width[,base]] wants it.
func appendNumber(dst []byte, form string, n int64) ([]byte, error) {
	wrong := faultf("$GENERATE: ${%s} is wrong; expected ${offset,width,base} with a base of d, o, x, X, n or N", form)
	f := strings.Split(form, ",")
	base := "d"
	if len(f) == 3 {
		base = f[2]
	}
	offset, err := strconv.ParseInt(f[0], 10, 32)
	if err != nil || len(f) > 3 {
		return dst, wrong
	}
	width := uint64(0)
	if len(f) > 1 {
		if width, err = strconv.ParseUint(f[1], 10, 8); err != nil {
			return dst, wrong
		}
	}
	if n += offset; n < 0 {
		return dst, faultf("$GENERATE: ${%s} makes a number below 0", form)
	}
	var digits string
	switch base {
	case "d":
		digits = strconv.FormatInt(n, 10)
	case "o":
		digits = strconv.FormatInt(n, 8)
	case "x", "X":
		digits = strconv.FormatInt(n, 16)
	case "n", "N":
		return appendNibbles(dst, n, int(width), base == "N"), nil
	default:
		return dst, wrong
	}
	for pad := int(width) - len(digits); pad > 0; pad-- {
		dst = append(dst, '0')
	}
	if base == "X" {
		digits = strings.ToUpper(digits)
	}
	return append(dst, digits...), nil
}

// appendNibbles appends n as in ip6.arpa names: hexadecimal digits, the least first, with dots
// between them; width counts digits and dots, so that an even one ends with a dot.
func appendNibbles(dst []byte, n int64, width int, upper bool) []byte {
	const lowerDigits, upperDigits = "0123456789abcdef", "0123456789ABCDEF"
	digits := lowerDigits
	if upper {
		digits = upperDigits
	}
	for {
		dst = append(dst, digits[n&15])
		n >>= 4
		if width--; n == 0 && width <= 0 {
			return dst
		}
		dst = append(dst, '.')
		if width--; n == 0 && width <= 0 {
			return dst
		}
	}
}
