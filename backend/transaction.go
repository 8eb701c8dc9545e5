package backend

import (
	"context"

	"redyn/backend/dns"
)

// How transactions end, in the figures.
const (
	committedEnd = "committed"
	abortedEnd   = "aborted"
	failedEnd    = "failed"
)

// startTransaction begins to write to a zone: with the zone's id all its records are replaced by what
// is fed, and with a negative one it is changed. A zone that is not there is answered false, which
// PowerDNS takes for what it is here.
func (b *Backend) startTransaction(ctx context.Context, p *params, r *reply) error {
	apex, err := p.name(domain)
	if err != nil {
		return err
	}
	number, err := p.need(trxid)
	if err != nil {
		return err
	}
	if _, err := p.need(domainID); err != nil {
		return err
	}
	whole, err := p.zone(domainID)
	if err != nil {
		return err
	}
	zone, ok, err := b.zoneNamed(apex)
	if err != nil {
		return err
	}
	if !ok {
		r.none()
		return nil
	}
	var e edits
	if whole == dns.AnyZone {
		e = newUpdate(b, zone, p.from.peer())
	} else {
		replacement, err := b.Store.BeginReplace(ctx, zone.Name, who, p.from.peer())
		if err != nil {
			return told(err)
		}
		e = newLoad(zone, replacement)
	}
	b.begin(p.from, string(number), zone, e)
	r.bool(true)
	return nil
}

// commitTransaction makes what was written since startTransaction visible to all at once, or fails.
func (b *Backend) commitTransaction(ctx context.Context, p *params, r *reply) error {
	number, err := p.need(trxid)
	if err != nil {
		return err
	}
	s := p.from
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.take(string(number))
	if t == nil {
		return notOpen(number)
	}
	if err := t.commit(ctx); err != nil {
		b.abandon(t, failedEnd)
		return told(err)
	}
	b.metrics.transactions.Add(-1)
	b.metrics.ended(committedEnd)
	r.bool(true)
	return nil
}

// abortTransaction leaves nothing of what was written. That is so of a transaction, too, that is not
// open: PowerDNS aborts on a new connection what failed on the one before.
func (b *Backend) abortTransaction(_ context.Context, p *params, r *reply) error {
	number, err := p.need(trxid)
	if err != nil {
		return err
	}
	s := p.from
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.take(string(number)); t != nil {
		b.abandon(t, abortedEnd)
	}
	r.bool(true)
	return nil
}

func notOpen(trxid []byte) error {
	return refused("transaction %.40q is not open on this connection", trxid)
}

// within runs write in the transaction that is asked for.
func (b *Backend) within(p *params, r *reply, write func(*transaction) error) error {
	number, err := p.need(trxid)
	if err != nil {
		return err
	}
	s := p.from
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.find(string(number))
	if t == nil {
		return notOpen(number)
	}
	if err := write(t); err != nil {
		return told(err)
	}
	r.bool(true)
	return nil
}

// feedRecord adds a record. It waits for nothing most of the time: a transfer feeds millions.
func (b *Backend) feedRecord(ctx context.Context, p *params, r *reply) error {
	return b.within(p, r, func(t *transaction) error {
		if len(p.records) != 1 {
			return refused("feedRecord has %d records; expected one rr", len(p.records))
		}
		if typ := p.records[0].typ; len(typ) == 0 || isENT(typ) {
			return nil
		}
		one, err := p.records[0].parse(t.zone.Name)
		if err != nil {
			return err
		}
		return t.feed(ctx, one)
	})
}

// isENT reports whether a type is that which PowerDNS gives empty non-terminals.
func isENT(text []byte) bool { return string(text) == "TYPE0" }

// feedEnts and feedEnts3 name a zone's empty non-terminals, or fail to: over HTTP the names are lost.
// Zones knows them by itself.
func (b *Backend) feedEnts(_ context.Context, p *params, r *reply) error {
	return b.within(p, r, func(*transaction) error { return nil })
}

// replaceRRSet puts records in the place of an RRset, or with the type ANY of all at a name; none
// take it away. Before PowerDNS's API sets what is at an empty non-terminal, it replaces that, as TYPE0.
func (b *Backend) replaceRRSet(ctx context.Context, p *params, r *reply) error {
	return b.within(p, r, func(t *transaction) error {
		owner, err := p.kept(qname)
		if err != nil {
			return err
		}
		if !owner.Under(t.zone.Name) {
			return refused("%s is not in zone %s", owner, t.zone.Name)
		}
		if text, _ := p.need(qtype); isENT(text) {
			return nil
		}
		typ, err := p.qtype()
		if err != nil {
			return err
		}
		sets, err := parseSets(p.records, t.zone.Name)
		if err != nil {
			return err
		}
		for _, set := range sets {
			if set.Name != owner || typ != dns.TypeANY && set.Type != typ {
				return refused("record %s %s does not belong to %s %s", set.Name, set.Type, owner, typ)
			}
		}
		return t.replace(ctx, owner, typ, sets)
	})
}
