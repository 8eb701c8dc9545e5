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

// mostPremises bounds the memory for them: most take some 2 KB.
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

// keep remembers what was found for somebody whose update went well, if it is little. While there are
// failures, it is looked how many.
func (p *premises) keep(q *auth.Query, found auth.Found) {
	if q.TokenHash != "" && len(found.Failures) == 0 && isLittle(&found) {
		p.found.Add(p.key(q), found)
	}
}

// drop forgets what was found for somebody who is denied now.
func (p *premises) drop(q *auth.Query) {
	if q.TokenHash != "" {
		p.found.Remove(p.key(q))
	}
}

// isLittle reports whether an answer is of a few hosts and a few credentials that grant few names each.
func isLittle(found *auth.Found) bool {
	const most = 16
	if len(found.Hosts) > most || len(found.Credentials) > most {
		return false
	}
	areas := 0
	for i := range found.Credentials {
		areas += len(found.Credentials[i].Grant.Hosts) + len(found.Credentials[i].Grant.Zones)
	}
	return areas <= 2*most
}

// presume makes the attempt from what is remembered, if that is enough to prove it. If it is not, or is
// not so any more, it returns false, and the attempt is to be made as any other: a denial always comes of
// what the store says now.
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
	switch {
	case err == errPresumed:
		return false, nil, nil
	case errors.As(err, &other):
		a.told = &other.Found // the request was counted for it
		return false, nil, nil
	case p.premise == nil:
		a.u.Store.Used(p.verified.Credential.ID, a.r.now)
	default:
		a.u.guard.count(a.r.from, a.r.now)
	}
	a.wish, a.verified = p.wish, p.verified
	return true, results, err
}

// presumed returns the attempt as it is if what is remembered still holds; nil if it would come to
// nothing, or more has to be done to prove it than to compare: a denial is to take the same time, whatever
// is remembered.
func (a *attempt) presumed(ctx context.Context) *attempt {
	found, ok := a.u.premises.of(a.ask())
	if !ok || a.wish.flaw != nil {
		return nil
	}
	p := &attempt{u: a.u, r: a.r, wish: a.wish.clone(), found: found}
	p.resolve()
	if p.wish.hosts[0].name == "" || !p.recall() || p.settle(ctx) != nil {
		return nil
	}
	p.premise = &auth.Premise{Query: a.u.limiting(a.r, *a.ask()), Basis: found.Basis}
	return p
}

// recall verifies a secret as far as that takes no time.
func (a *attempt) recall() (ok bool) {
	p := &a.wish.proof
	if p.kind == tokenProof || p.kind == secretProof {
		a.verified, ok = a.u.Verifier.Recall(p.candidates(a.found), p.secret, a.request())
	}
	return ok
}
