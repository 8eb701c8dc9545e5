package updater

import (
	"context"
	"errors"
	"hash/maphash"

	lru "github.com/hashicorp/golang-lru/v2"

	"redyn/auth"
)

// premises remember what the store answered to those who showed a secret, and whose updates went well.
// A host asks the same at each update, and nearly always the answer is the same. So it is not asked:
// the change is computed from what is remembered, and the store makes it if it would still answer that.
type premises struct {
	seed  maphash.Seed
	found *lru.Cache[uint64, auth.Found]
}

// mostPremises bounds the memory for them: each takes some 2 KB.
const mostPremises = 10_000

func newPremises() *premises {
	found, _ := lru.New[uint64, auth.Found](mostPremises) // which fails if that is not positive
	return &premises{maphash.MakeSeed(), found}
}

// key is that of a query, whoever asks it. If two have the same, the store tells.
func (p *premises) key(q *auth.Query) uint64 {
	var h maphash.Hash
	h.SetSeed(p.seed)
	_, _ = h.WriteString(q.TokenHash)
	for _, id := range q.IDs {
		_ = h.WriteByte('\n')
		_, _ = h.WriteString(id)
	}
	for _, id := range q.Hosts {
		_ = h.WriteByte('\n')
		_, _ = h.WriteString(id.String())
	}
	for _, name := range q.HostNames {
		_ = h.WriteByte('\n')
		_, _ = h.WriteString(string(name))
	}
	return h.Sum64()
}

// of returns what is remembered. Without a secret in the query that is nothing: what others can ask, too,
// would be answered in another time than what nobody asked.
func (p *premises) of(q *auth.Query) (auth.Found, bool) {
	if q.TokenHash == "" {
		return auth.Found{}, false
	}
	return p.found.Get(p.key(q))
}

// keep remembers what was found for somebody whose update went well. While there are failures, it is
// looked how many.
func (p *premises) keep(q *auth.Query, found auth.Found) {
	if q.TokenHash != "" && len(found.Failures) == 0 {
		p.found.Add(p.key(q), found)
	}
}

// presume makes the attempt from what is remembered, if that is enough to prove it. If it is not, or is
// not so any more, it returns false, and nothing has happened: a denial always comes of what the store
// says now.
func (a *attempt) presume(ctx context.Context) (done bool, results []result, err error) {
	if a.u.admits(a.r) != nil {
		return false, nil, nil
	}
	p := a.presumed(ctx)
	if p == nil {
		return false, nil, nil
	}
	results, err = p.write(ctx)
	var other *auth.PremiseError
	if errors.As(err, &other) {
		a.told = &other.Found
		return false, nil, nil
	}
	a.wish, a.verified = p.wish, p.verified
	if err == nil {
		a.u.Store.Used(p.verified.Credential.ID, a.r.now)
	} else if faultOf(err).outcome == unavailableOutcome {
		a.u.guard.count(a.r.from, a.r.now)
	}
	return true, results, err
}

// presumed returns the attempt as it is if what is remembered still holds; nil if it would come to nothing.
func (a *attempt) presumed(ctx context.Context) *attempt {
	found, ok := a.u.premises.of(&a.query)
	if !ok || a.wish.flaw != nil {
		return nil
	}
	p := &attempt{u: a.u, r: a.r, wish: a.wish.clone(), found: found}
	p.resolve()
	if p.wish.hosts[0].name == "" {
		return nil
	}
	var err error
	if p.verified, err = p.verify(ctx, p.request()); err != nil || p.settle(ctx) != nil {
		return nil
	}
	p.premise = &auth.Premise{Query: a.u.limiting(a.r, a.query), Basis: found.Basis}
	return p
}
