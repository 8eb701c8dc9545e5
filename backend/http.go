package backend

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
)

const (
	// mostBody bounds a request's body or line. The longest is feedEnts, with all empty non-terminals of a
	// zone: 100,000 are PowerDNS's max-ent-entries, 176 octets one of a reverse zone takes as a form.
	mostBody = 32 << 20
	// mostHeader bounds the request line and the headers: a name of 255 octets, all of them escaped
	// for DNS and again for the URL, takes 1,500.
	mostHeader = 4 << 10
)

var contentType = []byte("application/json")

// ServeHTTP answers what comes over ln in the three forms of the HTTP connector. It returns after
// ctx ends and the requests that run then are answered.
func (b *Backend) ServeHTTP(ctx context.Context, ln net.Listener) error {
	set := b.listen(ctx, ln, &b.metrics.httpConns)
	s := &fasthttp.Server{
		Handler:            func(fc *fasthttp.RequestCtx) { b.handle(ctx, fc) },
		HeaderReceived:     takeTarget,
		ErrorHandler:       b.unreadable,
		ReadBufferSize:     mostHeader,
		MaxRequestBodySize: mostBody,
		CloseOnShutdown:    true,
		Logger:             quiet{},
		// What PowerDNS does not read is not written, and headers are found whatever their case.
		NoDefaultServerHeader:         true,
		NoDefaultDate:                 true,
		NoDefaultContentType:          true,
		DisableHeaderNamesNormalizing: true,
	}
	stopping := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		set.stop()
		stopping <- s.Shutdown()
	})
	err := s.Serve(set)
	if !stop() {
		err = errors.Join(err, <-stopping)
	}
	if err != nil {
		return fmt.Errorf("serve PowerDNS over HTTP: %w", err)
	}
	return nil
}

// quiet drops what fasthttp would log: broken requests are counted instead.
type quiet struct{}

func (quiet) Printf(string, ...any) {}

// handle answers one HTTP request. What goes deeper knows nothing of HTTP.
func (b *Backend) handle(ctx context.Context, fc *fasthttp.RequestCtx) {
	defer func() {
		if p := recover(); p != nil {
			b.unexpected(ctx, viaREST, p)
			fc.Response.Reset()
			fc.Response.SetStatusCode(statusFailed)
			fc.SetConnectionClose()
		}
	}()
	conn := fc.Conn().(*conn)
	conn.complete()
	conn.writeSoon(fc.Time().Sub(epoch))
	c := conn.begin(b)
	via, m, err := b.read(fc, conn, c)
	if err == nil && m.access != reads && byBrowser(&fc.Request.Header) {
		err = &fault{statusForbidden, "a web page may not ask for this"}
	}
	if err != nil {
		b.refuse(ctx, via, m, c, err)
	} else {
		s := b.serve(ctx, via, m, c)
		lookup := m == lookupMethod
		if n := conn.timing.weigh(lookup); n > 0 {
			s.observe(time.Since(fc.Time()), n)
			if lookup {
				conn.spin.asked(fc.Time().Sub(epoch), &b.spinners)
			}
		}
	}
	most := mostGathered
	if conn.session.busy() {
		// A transaction may not outlive an answer in chunks: PowerDNS takes the last chunk for the end, before the
		// empty line that follows it, and if it has not read that too, leaves the connection for a new one.
		most = math.MaxInt
	}
	b.gather(ctx, via, m, c, most)
	if b.CloseAfterReply && !conn.session.busy() {
		fc.SetConnectionClose()
		conn.cork()
	}
	if c.reply.status != 0 {
		fc.SetStatusCode(c.reply.status)
	}
	fc.Response.Header.SetContentTypeBytes(contentType)
	if c.reply.chunks != nil {
		conn.session.trail.end() // PowerDNS does not store what is so long
		conn.chunked = true
		fc.SetBodyStream(&body{ctx, b, via, m, c}, -1)
		return
	}
	fc.Response.SetBodyRaw(c.reply.b) // which stays until the next request
}

// takeTarget has fasthttp not take the request's target apart, decode and normalize it: that is a sixth of
// what it does for a request, and of no use here (see target). So the target goes where the name of the
// client is, which nobody reads.
func takeTarget(h *fasthttp.RequestHeader) fasthttp.RequestConfig {
	h.SetUserAgentBytes(h.RequestURI())
	h.SetRequestURI("/")
	return fasthttp.RequestConfig{}
}

// read finds out which of the three forms a request has, and reads its method and params.
func (b *Backend) read(fc *fasthttp.RequestCtx, conn *conn, c *call) (connector, *method, error) {
	if conn.denied {
		return viaREST, unknownReads, &fault{statusForbidden, "this address may not ask; see --backend-allow"}
	}
	name, segments, query, ok := target(fc.UserAgent())
	if !ok {
		return viaREST, unknownReads, &fault{statusNotFound, "nothing is here; PowerDNS asks below " + prefix}
	}
	p := &c.params
	if len(name) == 0 {
		if !fc.IsPost() {
			return viaJSON, unknownReads, &fault{statusWrongVerb, "a request without a method in its path is a POST of JSON"}
		}
		name, err := p.request(fc.Request.Body())
		if err != nil {
			return viaJSON, unknownReads, err
		}
		return viaJSON, find(name), nil
	}
	m := find(name)
	parameters, err := p.form(fc.Request.Body())
	if err != nil {
		return viaForm, m, err
	}
	if parameters != nil && fc.IsPost() {
		return viaForm, m, p.parameters(parameters)
	}
	if m == unknownReads || m == unknownWrites {
		return viaREST, m, nil
	}
	if string(fc.Method()) != m.verb {
		return viaREST, m, &fault{statusWrongVerb, fmt.Sprintf("%s is asked by %s", m.name, m.verb)}
	}
	if err := p.path(m, segments); err != nil {
		return viaREST, m, err
	}
	if _, err := p.form(query); err != nil {
		return viaREST, m, err
	}
	p.headers(&fc.Request.Header)
	return viaREST, m, nil
}

// byBrowser reports whether a browser sends a request for a page, which it may be led to do by a page from
// anywhere (Fetch standard, sections 3.2 and 3.8).
func byBrowser(h *fasthttp.RequestHeader) bool {
	for key := range h.All() {
		if strings.EqualFold(string(key), "Origin") || strings.EqualFold(string(key), "Sec-Fetch-Site") {
			return true
		}
	}
	return false
}

// headers reads what travels in headers.
func (p *params) headers(h *fasthttp.RequestHeader) {
	const zone, transaction = "X-Remotebackend-Zone-Id", "X-Remotebackend-Trxid" // as PowerDNS writes them
	for key, value := range h.All() {
		switch {
		case len(key) == len(zone) && (string(key) == zone || strings.EqualFold(string(key), zone)):
			p.set(zoneID, value)
		case len(key) == len(transaction) && strings.EqualFold(string(key), transaction):
			p.set(trxid, value)
		}
	}
}

// refuse answers a request that could not be read.
func (b *Backend) refuse(ctx context.Context, via connector, m *method, c *call, err error) {
	c.reply.fail(err)
	b.report(ctx, via, m, &c.reply, err)
	b.metrics.count(via, m, c.reply.outcome)
}

// unreadable answers what is no HTTP request, is too large, or did not come in time.
func (b *Backend) unreadable(fc *fasthttp.RequestCtx, err error) {
	f := &fault{statusBad, "this is no HTTP request"}
	var small *fasthttp.ErrSmallBuffer
	var timeout net.Error
	switch {
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		f = &fault{statusTooLarge, fmt.Sprintf("the body is longer than %d octets", mostBody)}
	case errors.As(err, &small):
		f = &fault{fasthttp.StatusRequestHeaderFieldsTooLarge, fmt.Sprintf("the header is longer than %d octets", mostHeader)}
	case errors.As(err, &timeout) && timeout.Timeout():
		f = &fault{fasthttp.StatusRequestTimeout, "the rest of the request did not come in time"}
	}
	c := b.newCall()
	defer b.release(c)
	b.refuse(context.Background(), viaREST, unknownReads, c, f)
	fc.SetStatusCode(f.status)
	fc.Response.Header.SetContentTypeBytes(contentType)
	fc.Response.SetBody(c.reply.b)
	fc.Conn().(*conn).linger = true
}

// body is a long answer on its way: fasthttp makes each piece a chunk.
type body struct {
	ctx context.Context
	b   *Backend
	via connector
	m   *method
	c   *call
}

// WriteTo writes the answer. An error on the way cuts it off, which PowerDNS notices.
func (s *body) WriteTo(w io.Writer) (n int64, err error) {
	err = s.c.reply.chunks(func(piece []byte) error {
		written, err := w.Write(piece)
		n += int64(written)
		return err
	})
	if err != nil {
		s.b.cutOff(s.ctx, s.via, s.m, err)
	}
	return n, err
}

// SupportsBodyWriteTo tells fasthttp that WriteTo writes what Read would read.
func (s *body) SupportsBodyWriteTo() bool { return true }

// Read is not called, as there is WriteTo.
func (s *body) Read([]byte) (int, error) { return 0, io.ErrNoProgress }

// Close has nothing to close.
func (s *body) Close() error { return nil }
