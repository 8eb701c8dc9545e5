// Package updater lets hosts change their own addresses over HTTP, by whatever protocol they speak.
//
// Each protocol is a file that reads a request into a wish and words what comes of it. In between all
// of them go one way (attempt.go): the source is limited, the credential proved, what it grants is
// looked at, a dns.Change is computed from the zones in memory, and the store makes all of it or
// nothing. What is served where is the table in routes.go.
//
// "Do not know" is never "no": if the store does not answer, or does not know what has become of a
// change, the caller is told to come again, and never that it may not.
package updater

import (
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/semaphore"

	"redyn/auth"
	"redyn/backend/dns"
)

// Options say what an Updater serves, and to whom. Zones and Store are needed; zero values of the
// others are good.
type Options struct {
	Zones Zones
	Store Store
	// Verifier proves credentials; nil is one with default options.
	Verifier *auth.Verifier
	// Loaded is closed once Zones holds all there is; until then callers are told to come again. Nil:
	// it does from the start.
	Loaded <-chan struct{}

	// TrustedProxies are peers whose word is taken for where a request comes from. They give it in
	// ProxyHeader; empty: in X-Forwarded-For or Forwarded. It may be PROXYProtocol.
	TrustedProxies []netip.Prefix
	ProxyHeader    string
	// SourceLimit is for the requests of one address, FailureLimit for those of them that prove
	// nothing, HostLimit for the changes of one host.
	SourceLimit, FailureLimit, HostLimit auth.Limit

	// MissingFamily is what becomes of addresses of a family that an update does not mention, unless
	// the host has a policy of its own; the zero value is auth.PolicyDelete.
	MissingFamily auth.HostPolicy
	// RefusedAddresses are networks whose addresses no host may have. What managers set by the REST API
	// is not looked at.
	RefusedAddresses []netip.Prefix
	// Style is the protocol in whose words an update is answered; the zero value is AutoStyle.
	Style Style
	// TTL is that of the records written, in seconds; 0 is DefaultTTL.
	TTL uint32
	// TokenLife is how long a one-time token can be used; 0 is DefaultTokenLife.
	TokenLife time.Duration
	// SignedPathPrefix stands before the path in what HMAC clients sign, if a proxy takes it away.
	SignedPathPrefix string
	// PrivateDomainView wants a credential for a view of a host's records.
	PrivateDomainView bool

	// RegisterZone is the name below which acme-dns clients may register subdomains; Registrar takes in
	// their credentials. Empty: nobody may.
	RegisterZone dns.Name
	Registrar    Registrar
	// Manager keeps zones, hosts and credentials for the REST API; nil is no such API. Sealer seals the
	// secrets of hmac credentials that are created there; nil leaves them plain.
	Manager Manager
	Sealer  *auth.Sealer

	// ReadTimeout is the longest time from the first byte of a request to its last; 0 is
	// DefaultReadTimeout.
	ReadTimeout time.Duration
	// Log is where changes and denials are told; nil tells nobody.
	Log *slog.Logger
	// Metrics is where the figures are registered; nil is nowhere.
	Metrics prometheus.Registerer
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Defaults of Options.
const (
	DefaultTTL         = 60
	DefaultTokenLife   = 300 * time.Second
	DefaultReadTimeout = 10 * time.Second
)

// Updater answers hosts. Its methods may be called at the same time.
type Updater struct {
	Options
	log      *slog.Logger
	metrics  *metrics
	guard    *guard
	premises *premises
	listing  *semaphore.Weighted // of calls that look through all hosts

	proxyTold sync.Once
}

// New returns an Updater.
func New(o Options) *Updater {
	u := &Updater{Options: o, log: o.Log, metrics: newMetrics(), guard: newGuard(o.SourceLimit), premises: newPremises(), listing: semaphore.NewWeighted(1)}
	if u.Verifier == nil {
		u.Verifier = auth.NewVerifier(auth.Options{})
	}
	if u.MissingFamily == auth.PolicyDefault {
		u.MissingFamily = auth.PolicyDelete
	}
	if u.TTL == 0 {
		u.TTL = DefaultTTL
	}
	if u.TokenLife == 0 {
		u.TokenLife = DefaultTokenLife
	}
	if u.ReadTimeout == 0 {
		u.ReadTimeout = DefaultReadTimeout
	}
	if u.log == nil {
		u.log = slog.New(slog.DiscardHandler)
	}
	if u.Now == nil {
		u.Now = time.Now
	}
	if o.Metrics != nil {
		u.metrics.register(o.Metrics, u.Verifier)
	}
	return u
}

// loaded reports whether Zones holds all there is.
func (u *Updater) loaded() bool {
	if u.Loaded == nil {
		return true
	}
	select {
	case <-u.Loaded:
		return true
	default:
		return false
	}
}

// zoneName returns the name of the zone that holds name; empty if there is none.
func (u *Updater) zoneName(name dns.Name) dns.Name {
	zone, _ := u.Zones.ZoneOf(name)
	return zone.Name
}
