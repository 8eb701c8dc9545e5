package backend

import (
	"context"
	"iter"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"redyn/backend/dns"
)

// session is what one connection has open. PowerDNS numbers transactions by the clock's second, so that
// those of two threads or two servers are often alike, and reads and most writes name none at all: the
// connection tells them apart. The zero session has nothing open; nil is nobody's.
type session struct {
	conn  net.Conn
	trail *trail
	count atomic.Int32 // of open

	mu   sync.Mutex // held while one of open is used
	open []*transaction
}

// transaction is what a connection has begun to write to a zone.
type transaction struct {
	trxid string
	zone  dns.Zone
	edits
	used  time.Duration // since epoch
	timer *time.Timer
}

// edits are the writes of a transaction, which nobody else sees before commit.
type edits interface {
	// feed adds a record to those of its RRset.
	feed(ctx context.Context, one dns.RRset) error
	// replace puts sets, all at name, in the place of the RRset of that type, or of all if it is TypeANY.
	replace(ctx context.Context, name dns.Name, typ dns.Type, sets []dns.RRset) error
	// lookup returns what is at name with these writes done, without empty non-terminals.
	lookup(ctx context.Context, name dns.Name, typ dns.Type) ([]dns.RRset, error)
	// list returns the zone with these writes done. It stays as it is now, whatever is written.
	list(ctx context.Context, shown iter.Seq[dns.Answer]) (iter.Seq[dns.Answer], error)
	commit(ctx context.Context) error
	// abandon forgets all. It may follow a commit that failed.
	abandon(ctx context.Context)
}

// busy reports whether there is any transaction. It is asked for each lookup.
func (s *session) busy() bool { return s != nil && s.count.Load() > 0 }

// trailOf is the trail of a session, or nil.
func trailOf(s *session) *trail {
	if s == nil {
		return nil
	}
	return s.trail
}

// peer is where a session's requests come from, for the log.
func (s *session) peer() string {
	if s == nil || s.conn == nil {
		return ""
	}
	addr := s.conn.RemoteAddr()
	if addr.Network() == "unix" {
		return "unix"
	}
	return addr.String()
}

// begin opens a transaction. One with the same number on the same connection was left by PowerDNS.
func (b *Backend) begin(s *session, trxid string, zone dns.Zone, e edits) {
	t := &transaction{trxid: trxid, zone: zone, edits: e, used: time.Since(epoch)}
	s.mu.Lock()
	defer s.mu.Unlock()
	if left := s.take(trxid); left != nil {
		b.abandon(left, "left")
	}
	s.open = append(s.open, t)
	s.count.Add(1)
	b.metrics.transactions.Add(1)
	t.timer = time.AfterFunc(b.TransactionTimeout, func() { b.expire(s, t) })
}

// expire abandons a transaction that has been silent for too long.
func (b *Backend) expire(s *session, t *transaction) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.open, t) {
		return
	}
	if silent := time.Since(epoch) - t.used; silent < b.TransactionTimeout {
		t.timer.Reset(b.TransactionTimeout - silent)
		return
	}
	b.abandon(s.take(t.trxid), "silent")
}

// find returns an open transaction, or nil; s.mu is held.
func (s *session) find(trxid string) *transaction {
	for _, t := range s.open {
		if t.trxid == trxid {
			t.used = time.Since(epoch)
			return t
		}
	}
	return nil
}

// take is find for a transaction that ends.
func (s *session) take(trxid string) *transaction {
	t := s.find(trxid)
	if t == nil {
		return nil
	}
	s.open = slices.DeleteFunc(s.open, func(o *transaction) bool { return o == t })
	s.count.Add(-1)
	t.timer.Stop()
	return t
}

// abandon ends a transaction that leaves nothing, and tells why.
func (b *Backend) abandon(t *transaction, why string) {
	b.metrics.transactions.Add(-1)
	b.metrics.ended(why)
	ctx := context.Background() // whoever asked may be gone
	if why != abortedEnd {
		b.log.InfoContext(ctx, "transaction abandoned", "zone", t.zone.Name, "why", why)
	}
	t.edits.abandon(ctx)
}

// end abandons all that is open, as the connection ends.
func (b *Backend) end(s *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.open) > 0 {
		b.abandon(s.take(s.open[0].trxid), "disconnected")
	}
}

// lookup is answers, which all see, as this connection sees it: with what it wrote, and has not
// committed, in the zones that were asked for.
func (s *session) lookup(ctx context.Context, answers []dns.Answer, name dns.Name, typ dns.Type, id dns.ZoneID) ([]dns.Answer, error) {
	name = dns.Name(strings.Clone(string(name)))
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.open {
		if !name.Under(t.zone.Name) || id != dns.AnyZone && id != t.zone.ID {
			continue
		}
		t.used = time.Since(epoch)
		sets, err := t.lookup(ctx, name, typ)
		if err != nil {
			return nil, err
		}
		answers = slices.DeleteFunc(answers, func(a dns.Answer) bool {
			return a.Zone == t.zone.ID && (a.Type != dns.TypeENT || len(sets) > 0)
		})
		for _, set := range sets {
			auth, err := t.auth(ctx, set.Name, set.Type)
			if err != nil {
				return nil, err
			}
			answers = append(answers, dns.Answer{RRset: set, Zone: t.zone.ID, Auth: auth})
		}
	}
	return answers, nil
}

// auth reports whether the zone is authoritative for an RRset: not for what delegates, and not for
// what is below a delegation.
func (t *transaction) auth(ctx context.Context, name dns.Name, typ dns.Type) (bool, error) {
	for above := name; above != t.zone.Name; above = above.Parent() {
		if above == name && typ == dns.TypeDS {
			continue
		}
		cut, err := t.lookup(ctx, above, dns.TypeNS)
		if err != nil || len(cut) > 0 {
			return false, err
		}
	}
	return true, nil
}

// list is answers, all of a zone, as this connection sees it.
func (s *session) list(ctx context.Context, answers iter.Seq[dns.Answer], zone dns.Name) (iter.Seq[dns.Answer], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.open {
		if t.zone.Name != zone {
			continue
		}
		t.used = time.Since(epoch)
		var err error
		if answers, err = t.list(ctx, answers); err != nil {
			return nil, err
		}
	}
	return answers, nil
}

// serial returns the serial of a zone as this connection sees it.
func (s *session) serial(ctx context.Context, z *dns.Zone) (dns.Serial, error) {
	answers, err := s.lookup(ctx, []dns.Answer{}, z.Name, dns.TypeSOA, z.ID)
	if err != nil {
		return 0, err
	}
	for _, a := range answers {
		if soa, err := dns.ParseSOA(a.Content[0]); err == nil {
			return soa.Serial, nil
		}
	}
	return 0, nil
}
