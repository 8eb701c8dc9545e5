package backend

// request reads one request of the JSON connectors, {"method":NAME,"parameters":{...}}, into p and
// returns the method's name. It needs no memory: strings are decoded where they stand in line, so
// that line is spoilt afterwards and p is valid as long as line is. Members may come in any order,
// unknown ones are skipped, and of two alike the last counts, as for encoding/json.
func (p *params) request(line []byte) (method []byte, err error) {
	if p.usualLookup(line) {
		return usualMethod, nil
	}
	s := scanner{b: line}
	if !s.opens('{') {
		return nil, s.fault("object")
	}
	for more := s.first('}'); more; more = s.next('}') {
		key := s.key()
		switch string(key) {
		case "method":
			if s.peek() != '"' {
				return nil, s.fault("method's name")
			}
			method = s.str()
		case "parameters":
			p.forget()
			p.object(&s)
		default:
			s.skip(0)
		}
	}
	s.ends()
	if s.failed {
		return nil, s.fault("JSON")
	}
	if len(method) == 0 {
		return nil, bad("the request names no method")
	}
	return method, nil
}

// parameters reads the parameters alone, as the form connector sends them.
func (p *params) parameters(text []byte) error {
	s := scanner{b: text}
	p.object(&s)
	s.ends()
	if s.failed {
		return s.fault("JSON")
	}
	return nil
}

// object reads an object of parameters; null is one without any.
func (p *params) object(s *scanner) {
	if s.peek() == 'n' {
		s.literal("null")
		return
	}
	if !s.opens('{') {
		s.fail()
		return
	}
	for more := s.first('}'); more; more = s.next('}') {
		f, ok := fieldOf(s.key())
		if !ok {
			s.skip(0)
			continue
		}
		p.value(s, f)
	}
}

// value reads the value of f: the text of a string or a number; null is none.
func (p *params) value(s *scanner, f field) {
	switch c := s.peek(); {
	case c == 'n':
		s.literal("null")
		p.unset(f)
		if f >= values {
			p.values, p.records = p.values[:0], p.records[:0]
		}
	case f >= values:
		p.nested(s, f)
	case (c == 't' || c == 'f') && f != active && f != published:
		s.fail()
	default:
		p.set(f, s.scalar())
	}
}

// scalar reads a string, a number, true or false, and returns its text.
func (s *scanner) scalar() []byte {
	start := s.i
	switch c := s.peek(); {
	case c == '"':
		return s.str()
	case c == 't':
		start = s.i
		s.literal("true")
	case c == 'f':
		start = s.i
		s.literal("false")
	case c == '-' || '0' <= c && c <= '9':
		start = s.i
		s.number()
	default:
		s.fail()
	}
	return s.b[start:s.i]
}

// scanner reads JSON (RFC 8259) from left to right. After a mistake it has failed, and nothing follows.
type scanner struct {
	b      []byte
	i      int
	failed bool
}

// deepest is how deep values may lie in each other.
const deepest = 64

func (s *scanner) fault(wanted string) error {
	return bad("no %s at octet %d of the request", wanted, s.i+1)
}

// fail makes what was read so far all there is.
func (s *scanner) fail() {
	s.failed = true
	s.b = s.b[:min(s.i, len(s.b))]
}

// peek skips white space and returns the next octet, 0 at the end.
func (s *scanner) peek() byte {
	if s.i < len(s.b) && s.b[s.i] > ' ' {
		return s.b[s.i]
	}
	return s.space()
}

func (s *scanner) space() byte {
	for ; s.i < len(s.b); s.i++ {
		switch c := s.b[s.i]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

// opens reads an opening bracket.
func (s *scanner) opens(bracket byte) bool {
	if s.peek() != bracket {
		s.fail()
		return false
	}
	s.i++
	return true
}

// first reports whether a first member follows, and reads the closing bracket if not.
func (s *scanner) first(closing byte) bool {
	if s.peek() == closing {
		s.i++
		return false
	}
	return true
}

// next reads the comma before another member, or the closing bracket.
func (s *scanner) next(closing byte) bool {
	switch s.peek() {
	case ',':
		s.pass()
		return true
	case closing:
		s.i++
		return false
	}
	s.fail()
	return false
}

// key reads a member's name and the colon.
func (s *scanner) key() []byte {
	if s.peek() != '"' {
		s.fail()
		return nil
	}
	k := s.str()
	if s.peek() != ':' {
		s.fail()
		return nil
	}
	s.pass()
	return k
}

// pass goes past a comma or a colon and the space that PowerDNS writes after it.
func (s *scanner) pass() {
	s.i++
	if s.i < len(s.b) && s.b[s.i] == ' ' {
		s.i++
	}
}

// ends makes anything but white space a mistake.
func (s *scanner) ends() {
	if s.peek(); s.i < len(s.b) {
		s.fail()
	}
}

// skip reads any value.
func (s *scanner) skip(depth int) {
	switch c := s.peek(); {
	case c == '"':
		s.str()
	case c == '{' || c == '[':
		s.nested(depth + 1)
	case c == '-' || '0' <= c && c <= '9':
		s.number()
	case c == 't':
		s.literal("true")
	case c == 'f':
		s.literal("false")
	case c == 'n':
		s.literal("null")
	default:
		s.fail()
	}
}

func (s *scanner) nested(depth int) {
	if depth > deepest {
		s.fail()
		return
	}
	object := s.b[s.i] == '{'
	s.i++
	closing := byte(']')
	if object {
		closing = '}'
	}
	for more := s.first(closing); more; more = s.next(closing) {
		if object {
			s.key()
		}
		s.skip(depth)
	}
}

func (s *scanner) literal(text string) {
	if len(s.b)-s.i < len(text) || string(s.b[s.i:s.i+len(text)]) != text {
		s.fail()
		return
	}
	s.i += len(text)
}

func (s *scanner) number() {
	s.accept('-', '-')
	if !s.accept('0', '0') {
		s.digits()
	}
	if s.accept('.', '.') {
		s.digits()
	}
	if s.accept('e', 'e') || s.accept('E', 'E') {
		if !s.accept('+', '+') {
			s.accept('-', '-')
		}
		s.digits()
	}
}

// accept reads one octet from low to high, if that is next.
func (s *scanner) accept(low, high byte) bool {
	if s.i < len(s.b) && low <= s.b[s.i] && s.b[s.i] <= high {
		s.i++
		return true
	}
	return false
}

// digits reads at least one digit.
func (s *scanner) digits() {
	if !s.accept('0', '9') {
		s.fail()
	}
	for s.accept('0', '9') {
	}
}
