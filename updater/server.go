package updater

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
)

const (
	// mostHeader bounds the request line and the headers; twenty names of 255 octets fit.
	mostHeader = 8 << 10
	// mostBody bounds the body: the signature of an RSA key of 8,192 bits takes 2 KB.
	mostBody = 16 << 10
	// mostConns bounds the connections at a time.
	mostConns = 10_000
	// writeTimeout and idleTimeout bound how long a peer may not read, and may ask nothing.
	writeTimeout = 10 * time.Second
	idleTimeout  = time.Minute
	// mostTime bounds the work on a request; waiting for a turn to hash a password is most of it.
	mostTime = 10 * time.Second
	// stopTime is how long requests may go on once the server is to stop.
	stopTime = 5 * time.Second
)

// Serve answers what comes over ln, under TLS if secure is not nil. It returns after ctx ends and the
// requests that run then are answered.
func (u *Updater) Serve(ctx context.Context, ln net.Listener, secure *tls.Config) error {
	set := u.listen(ctx, ln)
	ln = set
	if secure != nil {
		ln = tlsListener{ln, secure}
	}
	s := &fasthttp.Server{
		Handler:                      func(fc *fasthttp.RequestCtx) { u.handle(context.WithoutCancel(ctx), fc) },
		ErrorHandler:                 u.unreadable,
		ReadBufferSize:               mostHeader,
		MaxRequestBodySize:           mostBody,
		Concurrency:                  mostConns,
		ReadTimeout:                  u.ReadTimeout,
		WriteTimeout:                 writeTimeout,
		IdleTimeout:                  idleTimeout,
		ConnState:                    set.note,
		CloseOnShutdown:              true,
		NoDefaultServerHeader:        true,
		DisablePreParseMultipartForm: true,
		Logger:                       quiet{},
	}
	stopping := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		bound, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
		defer cancel()
		set.stop()
		stopping <- s.ShutdownWithContext(bound)
	})
	err := s.Serve(ln)
	if !stop() {
		late := <-stopping
		if errors.Is(late, context.DeadlineExceeded) {
			u.log.WarnContext(ctx, "requests are cut off, which took too long", "dur", stopTime)
			late = nil
		}
		err = errors.Join(err, late)
	}
	if err != nil {
		return fmt.Errorf("serve updates: %w", err)
	}
	return nil
}

// quiet drops what fasthttp would log: requests, with the secrets in them.
type quiet struct{}

func (quiet) Printf(string, ...any) {}

// handle answers one HTTP request. What goes deeper knows nothing of HTTP but status codes. A fault in
// one request is that one's end, not the program's.
func (u *Updater) handle(ctx context.Context, fc *fasthttp.RequestCtx) {
	ctx, cancel := context.WithTimeout(ctx, mostTime)
	defer cancel()
	p, protocol := reply{}, "none"
	defer func() {
		if fault := recover(); fault != nil {
			u.log.ErrorContext(ctx, "a request caused a fault", "protocol", protocol, "err", fmt.Sprint(fault), "stack", string(debug.Stack()))
			fc.Response.Reset()
			p = worded(fc, errFailed)
			fc.SetConnectionClose()
		}
		p.write(fc, fc.IsTLS())
		u.metrics.observe(protocol, p.outcome, time.Since(fc.Time()))
	}()
	r, err := u.read(fc)
	if err != nil {
		p = worded(fc, faultOf(err))
		fc.SetConnectionClose()
		return
	}
	route := routeOf(r)
	protocol = route.protocol
	if route.methods != nil && !slices.Contains(route.methods, r.method) {
		p = plain(wrongMethod(route))
		return
	}
	p = route.serve(u, ctx, r)
}

func wrongMethod(r *route) *fault {
	allow := strings.Join(r.methods, ", ")
	return &fault{outcome: badOutcome, text: "the method is not allowed here; expected " + allow, allow: allow}
}

// worded answers with a fault where no protocol has the request, or its own fails: the path says whose
// words it takes.
func worded(fc *fasthttp.RequestCtx, f *fault) reply {
	if strings.HasPrefix(originForm(string(fc.RequestURI())), apiPrefix) {
		return apiFault(f)
	}
	return plain(f)
}

// unreadable answers what is no HTTP request, is too large, or did not come in time.
func (u *Updater) unreadable(fc *fasthttp.RequestCtx, err error) {
	f, status := bad("this is no HTTP request"), fasthttp.StatusBadRequest
	var small *fasthttp.ErrSmallBuffer
	var late net.Error
	switch {
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		f, status = bad("the body is longer than %d octets", mostBody), fasthttp.StatusRequestEntityTooLarge
	case errors.As(err, &small):
		f, status = bad("the header is longer than %d octets", mostHeader), fasthttp.StatusRequestHeaderFieldsTooLarge
	case errors.As(err, &late) && late.Timeout():
		f, status = bad("the rest of the request did not come in time"), fasthttp.StatusRequestTimeout
	case errors.Is(err, fasthttp.ErrorInvalidURI):
		f = errNoPath
	}
	p := worded(fc, f)
	p.status = status
	p.write(fc, fc.IsTLS())
	u.metrics.observe("none", p.outcome, 0)
	linger(fc.Conn())
}
