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

// read reads a request up to, but without, what depends on the protocol: its body.
func (u *Updater) read(fc *fasthttp.RequestCtx) (*request, error) {
	h := &fc.Request.Header
	path, query, _ := strings.Cut(originForm(string(h.RequestURI())), "?")
	r := &request{method: string(h.Method()), path: path, now: u.Now()}
	if misframed(h.RawHeaders()) {
		return r, bad("a request has Content-Length or Transfer-Encoding: chunked, never both, and no other encoding")
	}
	var ok bool
	if !strings.HasPrefix(path, "/") {
		return r, errNoPath
	}
	if r.segments, ok = splitPath(path); !ok {
		return r, bad("the path has a broken escape; right is %%XX, and not %%00")
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

func readHeaders(h *fasthttp.RequestHeader) (headers, error) {
	contentType, _, _ := strings.Cut(string(h.ContentType()), ";")
	read := headers{
		agent: string(h.UserAgent()), contentType: strings.ToLower(strings.TrimSpace(contentType)),
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
			return read, bad("the header %s stands twice", one.key)
		}
		if len(values) > 0 {
			*one.to = string(values[0])
			read.authorized = read.authorized || one.key == fasthttp.HeaderAuthorization
		}
	}
	return read, nil
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
