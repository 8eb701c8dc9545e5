package backend

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/valyala/fasthttp"

	"redyn/backend/dns"
)

// outcome is how a request ended, as it is counted.
type outcome uint8

const (
	okOutcome       outcome = iota // answered with something
	noneOutcome                    // answered: there is none
	unservedOutcome                // the method is not served
	badOutcome                     // the request was wrong
	deniedOutcome                  // the peer or the setting of methods does not allow it
	failedOutcome                  // not known, or broken
	outcomes
)

func (o outcome) String() string {
	return [...]string{"ok", "none", "unserved", "bad", "denied", "failed"}[o]
}

const (
	statusBad         = fasthttp.StatusBadRequest
	statusForbidden   = fasthttp.StatusForbidden
	statusNotFound    = fasthttp.StatusNotFound
	statusWrongVerb   = fasthttp.StatusMethodNotAllowed
	statusTooLarge    = fasthttp.StatusRequestEntityTooLarge
	statusFailed      = fasthttp.StatusInternalServerError
	statusUnserved    = fasthttp.StatusNotImplemented
	statusUnavailable = fasthttp.StatusServiceUnavailable
)

// fault is an error that the caller is told with a status of its own; all others are a 500.
type fault struct {
	status int
	text   string
}

func (f *fault) Error() string { return f.text }

var (
	errLoading  = &fault{statusUnavailable, "the zones are not loaded yet"}
	errUnserved = &fault{statusUnserved, "this method is not served"}
)

func bad(format string, args ...any) error {
	return &fault{statusBad, fmt.Sprintf(format, args...)}
}

// refused says why something is not written. PowerDNS takes any such answer for a failure, which false
// would not be to all of it.
func refused(format string, args ...any) error {
	return &fault{statusFailed, fmt.Sprintf(format, args...)}
}

// panicked is the error that a panic was made of.
type panicked struct {
	value any
	stack []byte
}

func (p *panicked) Error() string { return fmt.Sprintf("panic: %v", p.value) }

// statusOf returns the status that tells of err, and how that is counted.
func statusOf(err error) (int, outcome) {
	var f *fault
	if !errors.As(err, &f) {
		return statusFailed, failedOutcome
	}
	switch {
	case f.status == statusForbidden:
		return f.status, deniedOutcome
	case f.status == statusUnserved:
		return f.status, unservedOutcome
	case f.status >= statusFailed:
		return f.status, failedOutcome
	}
	return f.status, badOutcome
}

// report logs what went wrong: a fault of ours as an error, what was not written as a warning, and a
// fault of the caller's for the curious.
func (b *Backend) report(ctx context.Context, via connector, m *method, r *reply, err error) {
	level := slog.LevelDebug
	var f *fault
	switch known := errors.As(err, &f); {
	case errors.Is(err, dns.ErrUnknown): // told when it could not be read
	case !known && r.status == statusFailed:
		level = slog.LevelError
	case known && m.access == writes && r.outcome == failedOutcome, r.status == statusTooLarge:
		level = slog.LevelWarn
	}
	if !b.log.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("connector", via.String()), slog.String("method", m.name),
		slog.Int("status", r.status), slog.Any("err", err),
	}
	var p *panicked
	if errors.As(err, &p) {
		attrs = append(attrs, slog.String("stack", string(p.stack)))
	}
	b.log.LogAttrs(ctx, level, "request not answered", attrs...)
}

// unexpected counts and logs a panic outside of a method. It is that request's end, not the process's.
func (b *Backend) unexpected(ctx context.Context, via connector, p any) {
	b.metrics.count(via, unknownReads, failedOutcome)
	b.report(ctx, via, unknownReads, &reply{status: statusFailed}, &panicked{p, debug.Stack()})
}

// cutOff counts and logs that a long answer ended before its end: PowerDNS went, or a fault of ours.
func (b *Backend) cutOff(ctx context.Context, via connector, m *method, err error) {
	b.metrics.count(via, m, failedOutcome)
	r := reply{status: statusUnavailable}
	var p *panicked
	if errors.As(err, &p) {
		r.status = statusFailed
	}
	b.report(ctx, via, m, &r, err)
}
