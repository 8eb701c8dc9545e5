package updater

import (
	"errors"
	"fmt"
	"time"

	"redyn/auth"
)

// outcome is how a request ended, as it is counted.
type outcome uint8

const (
	readOutcome        outcome = iota // something was told, nothing was to be changed
	goodOutcome                       // changed
	nochgOutcome                      // all was as wanted already
	deniedOutcome                     // not proved, or not allowed
	nohostOutcome                     // a name that is not there, or not the credential's
	notfqdnOutcome                    // a name that is none
	numhostOutcome                    // too many names
	badOutcome                        // the request is wrong
	refusedOutcome                    // the zone cannot have it
	limitedOutcome                    // too often
	unavailableOutcome                // not known: come again
	failedOutcome                     // a fault of ours
	outcomes
)

func (o outcome) String() string {
	return [...]string{
		"read", "good", "nochg", "denied", "nohost", "notfqdn", "numhost", "bad", "refused", "limited", "unavailable", "failed",
	}[o]
}

// fault is why a request is not done, as far as the caller may know: how it is worded is the
// protocol's.
type fault struct {
	outcome    outcome
	text       string // what is wrong, and what would be right
	retryAfter time.Duration
	allow      string // methods, if the request's is not among them
}

func (f *fault) Error() string { return f.text }

// bad says what is wrong with a request.
func bad(format string, args ...any) *fault {
	return &fault{outcome: badOutcome, text: fmt.Sprintf(format, args...)}
}

// refused says why a zone cannot have what is wanted.
func refused(format string, args ...any) *fault {
	return &fault{outcome: refusedOutcome, text: fmt.Sprintf(format, args...)}
}

var (
	errDenied      = &fault{outcome: deniedOutcome, text: "Authentication failed."}
	errSkew        = &fault{outcome: deniedOutcome, text: auth.SkewText}
	errNoPath      = bad("the target does not begin with /, or has a control character; expected a server with a path, such as HOST/nic/update?hostname=%%h&myip=%%i")
	errNoHost      = &fault{outcome: nohostOutcome, text: "there is no such host, or it is not granted"}
	errNotFQDN     = &fault{outcome: notfqdnOutcome, text: "a host's name is no full domain name"}
	errNumHost     = &fault{outcome: numhostOutcome, text: fmt.Sprintf("there are more than %d hosts, which are most at once", mostHosts)}
	errUnavailable = &fault{outcome: unavailableOutcome, text: "not available now; try again later"}
	errFailed      = &fault{outcome: failedOutcome, text: "a fault of this server"}
)

// limited says when to come again.
func limited(wait time.Duration) *fault {
	wait = max((wait + time.Second - 1).Truncate(time.Second), time.Second)
	return &fault{outcome: limitedOutcome, text: fmt.Sprintf("too many requests; try again in %s", wait), retryAfter: wait}
}

// faultOf returns what the caller may know of an error.
func faultOf(err error) *fault {
	var f *fault
	var limit *auth.LimitError
	switch {
	case errors.As(err, &f):
		return f
	case errors.As(err, &limit):
		return limited(limit.RetryAfter)
	case errors.Is(err, auth.ErrSkew):
		return errSkew
	case errors.Is(err, auth.ErrDenied), errors.Is(err, auth.ErrUsed):
		return errDenied
	}
	return errUnavailable
}
