package backend

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime/debug"
	"strconv"

	"redyn/backend/dns"
)

// reply is the answer to one request: either b, whole, or the pieces that chunks yields, each time anew.
type reply struct {
	b       []byte
	chunks  func(put func([]byte) error) error
	status  int // of HTTP, 0 for success
	outcome outcome
	answers []dns.Answer // a lookup's
}

func (r *reply) reset() {
	r.b = r.b[:0]
	if cap(r.b) > most {
		r.b = nil
	}
	if cap(r.answers) > most/64 {
		r.answers = nil
	}
	r.chunks, r.status, r.outcome = nil, 0, okOutcome
}

const (
	beginning = `{"result":`
	ending    = "}\n"
)

func (r *reply) begin() { r.b = append(r.b, beginning...) }
func (r *reply) end()   { r.b = append(r.b, ending...) }

// open and shut enclose members, each of which ends in a comma.
func (r *reply) open(bracket byte) { r.b = append(r.b, bracket) }

func (r *reply) shut(bracket byte, empty bool) {
	if empty {
		r.b = append(r.b, bracket)
		r.outcome = noneOutcome
	} else {
		r.b[len(r.b)-1] = bracket
	}
	r.end()
}

// none answers that there is no such thing.
func (r *reply) none() {
	r.bool(false)
	r.outcome = noneOutcome
}

func (r *reply) bool(v bool) {
	r.begin()
	r.b = strconv.AppendBool(r.b, v)
	r.end()
}

func (r *reply) text(s string) {
	r.begin()
	r.b = appendString(r.b, s)
	r.end()
}

// undo makes of an error that something was not done; it is counted as the error.
func (r *reply) undo() {
	r.b, r.status = r.b[:0], 0
	r.bool(false)
}

// fail makes r tell of err. There is no result in it, which is an error to PowerDNS over every
// connector, and never "there is none".
func (r *reply) fail(err error) {
	r.status, r.outcome = statusOf(err)
	text := err.Error()
	var f *fault
	if !errors.As(err, &f) && !errors.Is(err, dns.ErrUnknown) {
		text = "internal error" // what broke is the log's
	}
	r.chunks = nil
	r.b = append(r.b[:0], `{"error":`...)
	r.b = appendString(r.b, text)
	r.end()
}

// piece is how much of a long answer is gathered before it is written.
const piece = 32 << 10

// stream makes r a list of rows, which may be asked for twice. If it is long, it need never be in memory as a
// whole. Each row ends in a comma.
func stream[T any](r *reply, rows iter.Seq[T], appendRow func(dst []byte, row T) []byte) {
	r.chunks = func(put func([]byte) error) (err error) {
		defer func() {
			if p := recover(); p != nil {
				err = &panicked{p, debug.Stack()}
			}
		}()
		b := append(r.b[:0], beginning+"["...)
		empty := len(b)
		first := true
		for row := range rows {
			b = appendRow(b, row)
			if len(b) < piece {
				continue
			}
			// The last comma waits: what follows may be the end.
			if err = put(b[:len(b)-1]); err != nil {
				return fmt.Errorf("write a long answer: %w", err)
			}
			b = append(b[:0], ',')
			first = false
		}
		if first && len(b) == empty {
			b = append(b, ']')
		} else {
			b[len(b)-1] = ']'
		}
		r.b = append(b, ending...)
		return put(r.b)
	}
}

// mostGathered is how long a list may be that is written whole, and over HTTP has a length. Longer ones are
// streamed, there in chunks: with a length PowerDNS takes at most 2 MiB.
const mostGathered = 2 * piece

var errLong = errors.New("longer than is gathered")

// gather makes a list whole, if it has no more than so many octets: if it fails, that can be told.
func (b *Backend) gather(ctx context.Context, via connector, m *method, c *call, most int) {
	if c.reply.chunks == nil {
		return
	}
	var whole []byte
	err := c.reply.chunks(func(part []byte) error {
		if len(part) > most-len(whole) {
			return errLong
		}
		whole = append(whole, part...)
		return nil
	})
	if errors.Is(err, errLong) {
		return
	}
	c.reply.chunks, c.reply.b = nil, whole
	if err != nil {
		b.metrics.count(via, m, failedOutcome)
		b.fail(ctx, via, m, c, err)
	}
}

// appendRecords appends the records of an RRset, each followed by a comma. The zone's id is needed
// in what answers a lookup; auth is 1 to PowerDNS unless it is told 0, as a number.
func appendRecords(dst []byte, a *dns.Answer, withZone bool) []byte {
	if a.Type == dns.TypeENT {
		return appendTail(appendString(appendHead(dst, a), ""), a, a.TTL, withZone)
	}
	if len(a.Content) == 0 {
		return dst
	}
	head := len(dst)
	dst = appendHead(dst, a)
	content := len(dst)
	dst = appendContent(dst, a.Type, a.Content[0])
	tail := len(dst)
	dst = appendTail(dst, a, a.TTLOf(a.Content[0]), withZone)
	end := len(dst)
	for _, c := range a.Content[1:] {
		dst = append(dst, dst[head:content]...)
		dst = appendContent(dst, a.Type, c)
		if a.Type == dns.TypeRRSIG {
			dst = appendTail(dst, a, a.TTLOf(c), withZone)
			continue
		}
		dst = append(dst, dst[tail:end]...)
	}
	return dst
}

// appendHead and appendTail append what is the same for all records of an RRset, but for RRSIGs.
func appendHead(dst []byte, a *dns.Answer) []byte {
	dst = append(dst, `{"qtype":"`...)
	dst = append(dst, a.Type.String()...)
	dst = append(dst, `","qname":`...)
	dst = appendString(dst, string(a.Name))
	return append(dst, `,"content":`...)
}

func appendTail(dst []byte, a *dns.Answer, ttl uint32, withZone bool) []byte {
	dst = append(dst, `,"ttl":`...)
	dst = strconv.AppendUint(dst, uint64(ttl), 10)
	if withZone {
		dst = append(dst, `,"domain_id":`...)
		dst = strconv.AppendInt(dst, int64(a.Zone), 10)
	}
	if !a.Auth {
		dst = append(dst, `,"auth":0`...)
	}
	if a.Uncached {
		// PowerDNS keeps nothing that is for some clients only, as this says, for all that share a bit.
		dst = append(dst, `,"scopeMask":1`...)
	}
	return append(dst, "},"...)
}
