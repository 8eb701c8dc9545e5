package backend

import "bytes"

// prefix is where the HTTP connectors' URLs begin.
const prefix = "/dns"

// target splits what stands in the request line into the method's name and what follows it. It is
// given the original text: a decoded path would have lost the root zone (%2e) and slashes in names
// (%2f). Without a method's name, as the JSON connector asks, method is empty.
func target(uri []byte) (method, segments, query []byte, ok bool) {
	path, query, _ := bytes.Cut(uri, []byte("?"))
	rest, ok := bytes.CutPrefix(path, []byte(prefix))
	if !ok || len(rest) > 0 && rest[0] != '/' {
		return nil, nil, nil, false
	}
	if len(rest) > 0 {
		rest = rest[1:]
	}
	method, segments, _ = bytes.Cut(rest, []byte("/"))
	return method, segments, query, true
}

// path reads the segments of a RESTful request: the method's fields in their order, each decoded
// after the path was split.
func (p *params) path(m *method, segments []byte) error {
	for i, f := range m.path {
		segment, rest, more := bytes.Cut(segments, []byte("/"))
		if more == (i == len(m.path)-1) {
			return bad("%s has the path %s/%s/...: %d segments", m.name, prefix, m.name, len(m.path))
		}
		text, ok := p.decode(segment, false)
		if !ok {
			return bad("the path has a broken escape; expected %% and two hexadecimal digits")
		}
		p.set(f, text)
		segments = rest
	}
	if len(m.path) == 0 && len(segments) > 0 {
		return bad("%s has the path %s/%s", m.name, prefix, m.name)
	}
	return nil
}

// decode returns text without percent escapes (RFC 3986 section 2.1), in p's memory; in forms + is
// a space.
func (p *params) decode(text []byte, form bool) (decoded []byte, ok bool) {
	buf, at := p.buf, len(p.buf)
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '+' && form:
			c = ' '
		case c == '%':
			if i+2 >= len(text) {
				return nil, false
			}
			high, low := unhex(text[i+1]), unhex(text[i+2])
			if high < 0 || low < 0 {
				return nil, false
			}
			c = byte(high<<4 | low)
			i += 2
		}
		buf = append(buf, c)
	}
	p.buf = buf
	return buf[at:], true
}
