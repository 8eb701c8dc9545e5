package updater

import (
	"strconv"
	"time"

	"github.com/valyala/fasthttp"
)

// reply is an answer. Its body is text unless json says otherwise.
type reply struct {
	status  int
	body    string
	json    bool
	outcome outcome

	allow      string        // with 405
	retryAfter time.Duration // with 429
}

// say is a reply that tells something.
func say(text string) reply { return reply{status: fasthttp.StatusOK, body: text} }

// challenge asks for a password first of all: wget and uclient-fetch send what they have only after
// that, and only if they know the scheme.
const challenge = `Basic realm="redyn", charset="UTF-8"`

// write hands the reply to fasthttp.
func (p *reply) write(fc *fasthttp.RequestCtx, secure bool) {
	h := &fc.Response.Header
	fc.SetStatusCode(p.status)
	h.SetContentType("text/plain")
	if p.json {
		h.SetContentType(typeJSON)
	}
	h.Set(fasthttp.HeaderCacheControl, "no-store")
	h.Set(fasthttp.HeaderXContentTypeOptions, "nosniff")
	if secure {
		h.Set(fasthttp.HeaderStrictTransportSecurity, "max-age=31536000")
	}
	if p.status == fasthttp.StatusUnauthorized {
		h.SetCanonical([]byte(fasthttp.HeaderWWWAuthenticate), []byte(challenge))
	}
	if p.allow != "" {
		h.Set(fasthttp.HeaderAllow, p.allow)
	}
	if p.retryAfter > 0 {
		h.Set(fasthttp.HeaderRetryAfter, strconv.Itoa(int(p.retryAfter/time.Second)))
	}
	fc.SetBodyString(p.body)
}

// statusOf is the status of faults where a protocol does not say otherwise.
func statusOf(o outcome) int {
	switch o {
	case deniedOutcome:
		return fasthttp.StatusUnauthorized
	case nohostOutcome, notfqdnOutcome:
		return fasthttp.StatusNotFound
	case limitedOutcome:
		return fasthttp.StatusTooManyRequests
	case unavailableOutcome:
		return fasthttp.StatusServiceUnavailable
	case failedOutcome:
		return fasthttp.StatusInternalServerError
	case badOutcome, numhostOutcome, refusedOutcome:
		return fasthttp.StatusBadRequest
	}
	return fasthttp.StatusOK
}

// plain words a fault as it is.
func plain(f *fault) reply {
	p := reply{status: statusOf(f.outcome), body: f.text, outcome: f.outcome, allow: f.allow, retryAfter: f.retryAfter}
	if f.allow != "" {
		p.status = fasthttp.StatusMethodNotAllowed
	}
	return p
}
