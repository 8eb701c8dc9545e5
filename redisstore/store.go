// Package redisstore keeps zones, records, hosts and credentials in Redis.
//
// Every change is one script that also appends to the change log (Store.Apply, Store.Update); a
// Follower brings a copy of all zones into memory and keeps it there. Hosts and credentials are in
// no copy: Store.Find reads from the primary what a request has to know, and Store.Update looks whether
// what was found before is still so. The keys are described in keys.go, the entries of the log in
// entry.go.
package redisstore

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"

	"redyn/auth"
	"redyn/backend/dns"
)

// Options say where the store is and how to speak to it. Only URL is needed.
type Options struct {
	// URL is the primary: all that is written, and what is read to be sure.
	URL string
	// ReadURL is the server that a Follower reads from, a replica perhaps; default is URL.
	ReadURL string
	// Prefix stands before every key; default is DefaultPrefix.
	Prefix string
	// Timeout is the longest wait for one command; default is one second.
	Timeout time.Duration
	// MaxConns is the most connections to one server; default is 32.
	MaxConns int
	// TLS has CAs and certificates for rediss:// URLs; nil takes the system's CAs.
	TLS *tls.Config
	// LogLength is about how many entries the change log keeps; default is 100,000. A node that is
	// further behind loads everything anew.
	LogLength int64
	// Sealer keeps DNSSEC keys, TSIG secrets and those of hmac credentials sealed; without one they
	// are stored as they are.
	Sealer *auth.Sealer
	// Log gets events; default is none.
	Log *slog.Logger
	// Now is the clock that serials are made from; default is time.Now.
	Now func() time.Time
}

// Store is a data set of zones in Redis. Its methods may be called at the same time.
type Store struct {
	rdb  redis.UniversalClient // the primary
	read redis.UniversalClient // where followers read; has more patience
	keys keyspace
	o    Options
	log  *slog.Logger

	secrets    secrets
	feedingTTL time.Duration

	uses   uses
	refsMu sync.Mutex
	refs   map[dns.Name]ref // where zones were seen last; scripts tell when that is wrong
}

// ref is what the keys of a zone are made from.
type ref struct {
	id  dns.ZoneID
	gen string
}

// URLError says what is wrong with Options.URL, or with Options.ReadURL. Its text holds no part of the URL
// that could be a password.
type URLError struct {
	Read bool // it is the ReadURL
	Err  error
}

func (e *URLError) Error() string {
	if e.Read {
		return "the Redis read URL " + e.Err.Error()
	}
	return "the Redis URL " + e.Err.Error()
}

func (e *URLError) Unwrap() error { return e.Err }

// Open returns the store at o.URL. It fails if a setting is wrong, with a *URLError if that is a URL; Redis
// need not be up.
func Open(o Options) (*Store, error) {
	o.Prefix = cmp.Or(o.Prefix, DefaultPrefix)
	o.Timeout = cmp.Or(o.Timeout, time.Second)
	o.MaxConns = cmp.Or(o.MaxConns, defaultConns)
	o.LogLength = cmp.Or(o.LogLength, 100_000)
	o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Store{secrets: secrets{o.Sealer}, feedingTTL: feedingTTL, keys: keyspace(o.Prefix), o: o, log: o.Log, refs: make(map[dns.Name]ref)}
	var err error
	if s.rdb, err = client(o.URL, o, o.Timeout); err != nil {
		return nil, &URLError{Err: err}
	}
	if s.read, err = client(cmp.Or(o.ReadURL, o.URL), o, max(o.Timeout, loadPatience)); err != nil {
		return nil, errors.Join(&URLError{Read: true, Err: err}, s.rdb.Close())
	}
	return s, nil
}

// loadPatience is how long a reply with a thousand records may take while zones are loaded.
const loadPatience = 10 * time.Second

// Close ends all connections. Followers are to have ended before.
func (s *Store) Close() error {
	return errors.Join(s.rdb.Close(), s.read.Close())
}

// Ping asks the primary for a sign of life.
func (s *Store) Ping(ctx context.Context) error { return explain(s.rdb.Ping(ctx).Err()) }

// PingRead asks the read server, which is the primary if there is no other, for a sign of life.
func (s *Store) PingRead(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.o.Timeout)
	defer cancel()
	return explain(s.read.Ping(ctx).Err())
}

// Epoch returns the id of the data set; it is empty if there is none: the store is new or lost.
func (s *Store) Epoch(ctx context.Context) (string, error) {
	t, err := s.primary().tail(ctx)
	return t.epoch, err
}

// Faults of the server that an operator can mend, by what Redis says of them.
var faults = []struct{ word, meaning string }{
	{"READONLY", "redis is a replica here: the Redis URL must name the primary"},
	{"NOAUTH", "redis wants a user and password"},
	{"WRONGPASS", "redis does not take the user and password"},
	{"NOPERM", "the Redis user lacks a right; README says which it needs"},
	{"The user executing the script can't", "the Redis user lacks a right; README says which it needs"},
	{"LOADING", "redis is loading its data"},
	{"MASTERDOWN", "the replica has lost its primary"},
	{"OOM ", "redis is out of memory"},
	{"MISCONF", "redis cannot save to disk and takes no writes"},
	{"NOREPLICAS", "redis has too few replicas to take writes"},
	{"CROSSSLOT", "redis is a Cluster: the Redis URL needs ?addr="},
}

// explain puts the meaning before an error of the server that an operator can mend.
func explain(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	for _, f := range faults {
		if strings.Contains(text, f.word) {
			return fmt.Errorf("%s: %w", f.meaning, err)
		}
	}
	return err
}

// sent reports whether the command that failed with err may have reached the server all the same.
func sent(err error) bool {
	var reply redis.Error
	var op *net.OpError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return true
	case errors.As(err, &reply), errors.Is(err, redis.ErrPoolTimeout), errors.Is(err, redis.ErrClosed):
		return false
	case errors.As(err, &op):
		return op.Op != "dial"
	}
	return true
}

// ended reports whether a command failed because its connection had ended, or did so.
func ended(err error) bool {
	for _, e := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
