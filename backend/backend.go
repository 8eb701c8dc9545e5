// Package backend answers PowerDNS: it speaks the remote backend's protocol over HTTP (RESTful, form
// and JSON) and over a unix socket.
//
// What is served is the table in methods.go; each method is one function that reads its params, asks
// Zones and appends to a reply. The connectors (http.go, unix.go) only turn bytes into params and a
// reply into bytes, so that a method is the same over all of them. "Do not know" is never "does not
// exist": only what is known not to exist is answered false or [], all else is an error, of which
// PowerDNS makes SERVFAIL.
//
// The other way round, a Purger (purge.go) tells PowerDNS what to take out of its caches when the data
// change.
package backend

import (
	"context"
	"iter"
	"log/slog"
	"net/netip"
	"runtime"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"redyn/backend/dns"
)

// Zones is what the methods ask of the data. All answers come from memory, each from one moment of
// each zone. A name given to it may lie in memory that is used again after the call: it is not kept.
type Zones interface {
	// Lookup appends the RRsets of name to dst: those of typ, or all if typ is TypeANY; an empty
	// non-terminal is one Answer of TypeENT. Only zone id answers, or with AnyZone every zone that
	// holds the name. It fails if the name is in a zone that is not known.
	Lookup(dst []dns.Answer, name dns.Name, typ dns.Type, id dns.ZoneID) ([]dns.Answer, error)
	// List yields the whole zone with this id, or any id if it is AnyZone, and this name: the SOA
	// first, and the empty non-terminals too. It fails with dns.ErrNotFound if there is no such zone.
	// Another error is: not known.
	List(id dns.ZoneID, name dns.Name) (iter.Seq[dns.Answer], error)
	// Zone returns the zone named name, and false if there is none. It may be one that is Unknown.
	Zone(name dns.Name) (dns.Zone, bool)
	// Zones yields all zones in canonical order.
	Zones() iter.Seq[dns.Zone]
	// Metadata returns the metadata of the zone named name; it is not changed. It fails if it is not
	// known.
	Metadata(name dns.Name) (dns.Metadata, error)
	// Search yields at most max records whose name or content matches pattern, in which * is any
	// text and ? any character.
	Search(pattern string, max int) iter.Seq[dns.Answer]

	// ZoneByID returns the zone with this id, and false if there is none.
	ZoneByID(id dns.ZoneID) (dns.Zone, bool)
	// Neighbours returns the names between which name stands in the zone's NSEC chain: the greatest
	// that is not after it, and the next after that one. False is no such zone or chain.
	Neighbours(id dns.ZoneID, name dns.Name) (before, after dns.Name, ok bool)
	// HashNeighbours is the same for the NSEC3 chain, with the name that has the hash before. False
	// is also that the zone keeps no such chain, or that hash is none.
	HashNeighbours(id dns.ZoneID, hash string) (before string, unhashed dns.Name, after string, ok bool)
	// Keys returns the DNSSEC keys of the zone named name. It fails if they are not all known.
	Keys(name dns.Name) ([]dns.Key, error)
	// TSIGKey returns the TSIG key named name, or dns.ErrNotFound. Another error is: not known.
	TSIGKey(name dns.Name) (dns.TSIGKey, error)
	// TSIGKeys returns all TSIG keys. It fails if they are not all known.
	TSIGKeys() ([]dns.TSIGKey, error)
	// Autoprimaries returns the accounts of the servers that may have zones created here.
	Autoprimaries() map[dns.Autoprimary]string
}

// Options say what a Backend serves, and to whom. Only Zones is needed.
type Options struct {
	Zones Zones
	// Store takes what is written. Nil: nothing can be.
	Store Store
	// Loaded is closed once Zones holds all there is; until then everything but initialize is
	// answered with an error. Nil: it does from the start.
	Loaded <-chan struct{}
	// New is closed once it is known that there are no zones to load yet. Then getAllDomains is
	// answered with none before Loaded, or PowerDNS would not start. Nil: that is not known.
	New <-chan struct{}
	// Reload is called when PowerDNS's operator asks for all data to be read again. It does not wait.
	Reload func()
	// Stats returns a line of figures about the data, for the operator's command "stats".
	Stats func() string
	// Methods are those that are served; the zero value is AllMethods.
	Methods Methods
	// Allow are the peers that may ask over HTTP besides those on loopback addresses.
	Allow []netip.Prefix
	// CloseAfterReply closes each HTTP connection after its reply: PowerDNS waits up to 1 ms
	// before it uses one again, and not at all to open a new one.
	CloseAfterReply bool
	// ReadTimeout is the longest time from the first byte of a request to its last; 0 is
	// DefaultReadTimeout.
	ReadTimeout time.Duration
	// TransactionTimeout is how long a transaction may be silent before it is abandoned; 0 is
	// DefaultTransactionTimeout.
	TransactionTimeout time.Duration
	// IsHost says of which names PowerDNS is not to keep the addresses. Nil: of none.
	IsHost func(name dns.Name) bool
	// Purger is told what is asked for. Nil: nothing is purged.
	Purger *Purger
	// Log is where faults are told; nil tells nobody.
	Log *slog.Logger
	// Metrics is where the figures are registered; nil is nowhere.
	Metrics prometheus.Registerer
}

// DefaultReadTimeout is how long the rest of a request is waited for.
const DefaultReadTimeout = 10 * time.Second

// DefaultTransactionTimeout is how long a transaction may be silent. While PowerDNS waits for the next
// packet of a transfer nothing is fed; it gives up after 10 seconds unless told otherwise.
const DefaultTransactionTimeout = 5 * time.Minute

// Backend answers PowerDNS's requests from Zones. Its methods may be called at the same time.
type Backend struct {
	Options
	keys    sync.Mutex // held while a key is read, changed and written
	loaded  <-chan struct{}
	log     *slog.Logger
	metrics *metrics
	traffic *traffic  // nil: nobody wants to know
	calls   sync.Pool // of *call

	spinners spinners
}

// New returns a Backend.
func New(o Options) *Backend {
	b := &Backend{Options: o, loaded: o.Loaded, log: o.Log, metrics: newMetrics()}
	if b.loaded == nil {
		loaded := make(chan struct{})
		close(loaded)
		b.loaded = loaded
	}
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	if b.ReadTimeout == 0 {
		b.ReadTimeout = DefaultReadTimeout
	}
	if b.TransactionTimeout == 0 {
		b.TransactionTimeout = DefaultTransactionTimeout
	}
	if o.Purger != nil {
		b.traffic = &o.Purger.traffic
	}
	if o.Metrics != nil {
		o.Metrics.MustRegister(b.metrics)
	}
	b.spinners.never = runtime.GOMAXPROCS(0) == 1
	b.calls.New = func() any { return &call{series: b.metrics.share()} }
	return b
}

// call is one request from its first byte to its last, with the memory that answering it needs. Calls
// are used again, so that a lookup allocates nothing.
type call struct {
	params params
	reply  reply
	series []series // where it is counted
}

// most is how much memory of a kind a call keeps for the next request.
const most = 64 << 10

func (b *Backend) newCall() *call { return b.calls.Get().(*call) }

func (b *Backend) release(c *call) {
	c.reset()
	b.calls.Put(c)
}

// reset makes c ready for another request.
func (c *call) reset() {
	c.params.reset()
	c.reply.reset()
}

// serve answers the request in c.params with method m: c.reply holds a result or a fault then. It
// always returns, and counts and logs what went wrong. It returns where the time that it took is counted.
func (b *Backend) serve(ctx context.Context, via connector, m *method, c *call) *series {
	if err := b.run(ctx, m, c); err != nil {
		b.fail(ctx, via, m, c, err)
	}
	s := &c.series[indexOf(via, m)]
	s.count[c.reply.outcome].Add(1)
	return s
}

// fail makes c.reply tell of err, and logs it.
func (b *Backend) fail(ctx context.Context, via connector, m *method, c *call, err error) {
	c.reply.fail(err)
	b.report(ctx, via, m, &c.reply, err)
	if m.isFatal() {
		c.reply.undo()
	}
}

// epoch is a moment to measure from: time.Since(epoch) costs half of what time.Now does.
var epoch = time.Now()
