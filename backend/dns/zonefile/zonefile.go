// Package zonefile turns text into records and back: whole master files (RFC 1035 section 5), and
// the data of single records as people and PowerDNS write them.
//
// What it returns is canonical: names are absolute with a final dot, numbers and addresses have
// one spelling, strings are quoted, so that equal data have equal texts, in a form that PowerDNS
// from 4.7 on reads. The case of names inside the data stays as it is written.
//
// Entries and the common types are read here, the other types by miekg/dns. Its own reader of master
// files would not do: it tells no line of a record, gives those of $GENERATE a TTL of an hour
// whatever $TTL says, and takes empty data and strings that go over the end of a line.
package zonefile

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strconv"

	"redyn/backend/dns"
)

// Record is one record of a master file, and where it stands there.
type Record struct {
	Name    dns.Name
	Type    dns.Type
	TTL     uint32
	Content string
	Pos     Pos
}

// Pos is a place in a file. The zero Pos is no place.
type Pos struct {
	File string
	Line int
}

func (p Pos) String() string {
	if p.Line == 0 {
		return p.File
	}
	return p.File + ":" + strconv.Itoa(p.Line)
}

// Error is a fault in a master file.
type Error struct {
	Pos Pos
	Err error
}

func (e *Error) Error() string { return e.Pos.String() + ": " + e.Err.Error() }

func (e *Error) Unwrap() error { return e.Err }

// Options say how a master file is read.
type Options struct {
	// File is its name, for errors and for $INCLUDE.
	File string
	// Origin is what names without a final dot are relative to before the first $ORIGIN. Without it
	// such names are an error.
	Origin dns.Name
	// Open opens what $INCLUDE names; without it $INCLUDE is an error.
	Open func(path string) (io.ReadCloser, error)
}

// OpenFile opens files of the operating system, for Options.Open.
func OpenFile(path string) (io.ReadCloser, error) { return os.Open(path) }

// Parse reads a master file record by record; it keeps no more than one entry in memory. It ends
// with the first fault, which is an *Error unless reading failed.
func Parse(r io.Reader, o Options) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		p := parser{open: o.Open, yield: yield}
		err := p.file(r, o.File, o.Origin)
		if err != nil && !errors.Is(err, errStopped) {
			yield(Record{}, err)
		}
	}
}

// errStopped says that nobody wants more records.
var errStopped = errors.New("stopped")

func faultf(format string, args ...any) error { return fmt.Errorf(format, args...) }
