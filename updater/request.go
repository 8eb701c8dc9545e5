package updater

import (
	"bytes"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
)

// request is a request as the protocols see it.
type request struct {
	method   string
	path     string   // as it was sent, without the query
	segments []string // of the path, decoded
	params   params   // of query and body
	headers  headers
	body     string
	from     netip.Addr // the caller
	now      time.Time
}

// read reads a request. Its body stays text, which each protocol reads its own way.
func (u *Updater) read(fc *fasthttp.RequestCtx) (*request, error) {
	h := &fc.Request.Header
	path, query, _ := strings.Cut(originForm(string(h.RequestURI())), "?")
	r := &request{method: string(h.Method()), path: path, now: u.Now()}
	if misframed(h.RawHeaders()) {
		return r, bad("a request has Content-Length or Transfer-Encoding: chunked, never both, and no other encoding")
	}
	if closes(h.RawHeaders()) {
		fc.SetConnectionClose()
	}
	if coding := h.ContentEncoding(); len(coding) > 0 && len(fc.Request.Body()) > 0 && !bytes.EqualFold(coding, []byte("identity")) {
		return r, bad("the body has Content-Encoding %.40q; expected none", coding)
	}
	var ok bool
	if !strings.HasPrefix(path, "/") {
		return r, errNoPath
	}
	if r.segments, ok = splitPath(path); !ok {
		return r, bad("the path has a broken escape; expected %%XX, and not %%00")
	}
	var err error
	if r.from, err = u.from(fc); err != nil {
		return r, err
	}
	if r.headers, err = readHeaders(h); err != nil {
		return r, err
	}
	if r.params, err = parseParams(query); err != nil {
		return r, err
	}
	r.body = string(fc.Request.Body())
	return r, nil
}

// headers are those that somebody reads here.
type headers struct {
	authorization   string
	authorized      bool // there is an Authorization, be it empty
	conexim         string
	apiUser, apiKey string // of acme-dns
	accept, agent   string
	contentType     string // without parameters, in lower case
}

// mostAgent is how much of a User-Agent is logged.
const mostAgent = 200

func readHeaders(h *fasthttp.RequestHeader) (headers, error) {
	contentType, _, _ := strings.Cut(string(h.ContentType()), ";")
	agent := h.UserAgent()
	read := headers{
		agent: string(agent[:min(len(agent), mostAgent)]), contentType: strings.ToLower(strings.TrimSpace(contentType)),
	}
	for _, one := range []struct {
		key string
		to  *string
	}{
		{fasthttp.HeaderAuthorization, &read.authorization},
		{"Conexim-Time", &read.conexim},
		{"X-Api-User", &read.apiUser},
		{"X-Api-Key", &read.apiKey},
		{fasthttp.HeaderAccept, &read.accept},
	} {
		values := h.PeekAll(one.key)
		if len(values) > 1 && one.key != fasthttp.HeaderAccept {
			return read, bad("the header %s is given twice", one.key)
		}
		if len(values) > 0 {
			*one.to = string(values[0])
			read.authorized = read.authorized || one.key == fasthttp.HeaderAuthorization
		}
	}
	return read, nil
}

// closes reports whether a request is its connection's last (RFC 9110 section 7.6.1). fasthttp knows that word
// in lower case, and alone.
func closes(raw []byte) bool {
	for line := range bytes.Lines(raw) {
		key, value, _ := bytes.Cut(line, []byte(":"))
		if !bytes.EqualFold(bytes.TrimSpace(key), []byte("Connection")) {
			continue
		}
		for option := range bytes.SplitSeq(value, []byte(",")) {
			if bytes.EqualFold(bytes.TrimSpace(option), []byte("close")) {
				return true
			}
		}
	}
	return false
}

// misframed reports whether a request says in two ways where it ends, or in one that leaves it open, and so
// might end elsewhere for a proxy. fasthttp lets Transfer-Encoding win, and takes identity for no body.
func misframed(raw []byte) bool {
	var length, encoding, other bool
	for line := range bytes.Lines(raw) {
		key, value, _ := bytes.Cut(line, []byte(":"))
		switch key = bytes.TrimSpace(key); {
		case bytes.EqualFold(key, []byte("Content-Length")):
			length = true
		case bytes.EqualFold(key, []byte("Transfer-Encoding")):
			encoding = true
			other = other || !bytes.EqualFold(bytes.TrimSpace(value), []byte("chunked"))
		}
	}
	return other || length && encoding
}

// originForm takes scheme and host off a target as it is sent to a proxy (RFC 9112 section 3.2.2).
func originForm(target string) string {
	if strings.HasPrefix(target, "/") {
		return target
	}
	if _, rest, ok := strings.Cut(target, "://"); ok {
		if at := strings.IndexAny(rest, "/?"); at >= 0 {
			target = rest[at:]
		} else {
			target = ""
		}
		if !strings.HasPrefix(target, "/") {
			target = "/" + target
		}
	}
	return target
}

// splitPath returns the segments of a path, decoded. It fails at a broken escape and at NUL.
func splitPath(path string) (segments []string, ok bool) {
	for segment := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		decoded, err := url.PathUnescape(segment)
		if err != nil || strings.Contains(decoded, "\x00") {
			return nil, false
		}
		segments = append(segments, decoded)
	}
	return segments, true
}

func peerOf(a net.Addr) netip.Addr {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return plainAddr(tcp.AddrPort().Addr())
	}
	return netip.Addr{}
}

// plainAddr is an address without zone, as IPv4 if it is IPv4 in IPv6.
func plainAddr(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }
