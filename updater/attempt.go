package updater

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"redyn/auth"
	"redyn/backend/dns"
)

// attempt is a wish on its way.
type attempt struct {
	u        *Updater
	r        *request
	wish     wish
	query    *auth.Query // what has to be known; ask returns it
	told     *auth.Found // the answer, if it came without asking
	found    auth.Found
	verified auth.Verified
	premise  *auth.Premise // that found is still so; nil: it was asked, or the store knows that it is
}

func (a *attempt) run(ctx context.Context) ([]result, error) {
	query := a.ask()
	if done, results, err := a.presume(ctx); done {
		return results, err
	}
	if err := a.admit(ctx); err != nil {
		a.u.premises.drop(query)
		return nil, err
	}
	named := a.wish.hosts[0].name != ""
	if err := a.settle(ctx); err != nil {
		return nil, err
	}
	results, err := a.write(ctx)
	if err == nil && named {
		a.u.premises.keep(query, a.found)
	}
	return results, err
}

// admit finds out who asks, and whether he may.
func (a *attempt) admit(ctx context.Context) error {
	if err := a.find(ctx); err != nil {
		return err
	}
	if err := a.prove(ctx); err != nil {
		return err
	}
	return a.wish.flaw
}

// ask returns the query for what has to be known of who asks for what, as that was at first.
func (a *attempt) ask() *auth.Query {
	if a.query == nil {
		a.query = &auth.Query{OneTimeToken: a.wish.proof.kind == signedProof}
		a.wish.proof.ask(a.query)
		for _, h := range a.wish.hosts {
			h.ask(a.query)
		}
	}
	return a.query
}

// find limits the source, and asks the store.
func (a *attempt) find(ctx context.Context) (err error) {
	if a.told != nil {
		a.found, err = a.u.heard(a.r, *a.told, nil)
	} else {
		a.found, err = a.u.find(ctx, a.r, *a.ask())
	}
	a.resolve()
	return err
}

// resolve finds the hosts among those that were found.
func (a *attempt) resolve() {
	for _, h := range a.wish.hosts {
		h.resolve(a.found.Hosts)
	}
}

// prove verifies the proof, and that it is enough for what the request names. The names are part of
// what is verified, so that all denials take the same time.
func (a *attempt) prove(ctx context.Context) error {
	if a.wish.proof.kind == noProof {
		return errDenied
	}
	var err error
	a.verified, err = a.verify(ctx, a.request())
	switch {
	case auth.ReasonOf(err) == auth.ReasonName:
		return errNoHost
	case err != nil:
		return a.failed(ctx, err)
	}
	a.u.Store.Used(a.verified.Credential.ID, a.r.now)
	return nil
}

// failed counts what proves nothing. A wrong clock is no attempt to guess.
func (a *attempt) failed(ctx context.Context, err error) error {
	if !errors.Is(err, auth.ErrDenied) && !errors.Is(err, auth.ErrUsed) || errors.Is(err, auth.ErrSkew) {
		return err
	}
	var denial *auth.Denial
	meant := a.verified.Credential.ID
	if errors.As(err, &denial) {
		meant = denial.Credential
	}
	stranger := a.stranger()
	if stranger != "" {
		meant = stranger
	}
	failures, lost := a.u.Store.Failed(ctx, a.r.from, meant, a.u.FailureLimit)
	if lost != nil {
		a.u.log.WarnContext(ctx, "a failed authentication is not counted", "remote", a.r.from, "err", lost)
	}
	if stranger != "" {
		if ended := a.slow(ctx, failures-1); ended != nil {
			return ended
		}
	}
	return err
}

// request is what the credential is asked to allow.
func (a *attempt) request() auth.Request {
	r := auth.Request{Now: a.r.now, From: a.r.from, User: a.wish.proof.userName(a.found.Hosts), Reads: a.wish.reads}
	for _, h := range a.wish.hosts {
		for _, e := range h.edits {
			if h.name != "" && !e.implied {
				r.Targets = append(r.Targets, a.u.target(h, e.typ))
			}
		}
	}
	return r
}

func (u *Updater) target(h *hostWish, typ dns.Type) auth.Target {
	return auth.Target{Zone: cmp.Or(h.zone, u.zoneName(h.name)), Host: h.host.ID, Name: h.name, Type: typ}
}

// settle finds out what is left open until it is known who asks: the host that a credential is for,
// and what becomes of what the request does not mention.
func (a *attempt) settle(ctx context.Context) error {
	if h := a.wish.hosts[0]; h.name == "" {
		if err := a.only(ctx, h); err != nil {
			return err
		}
	}
	for _, h := range a.wish.hosts {
		if !a.concerns(h) {
			return errNoHost
		}
		policy := cmp.Or(h.host.Policy, a.u.MissingFamily)
		h.edits = slices.DeleteFunc(h.edits, func(e edit) bool {
			return e.implied && (policy == auth.PolicyPreserve || !a.verified.Credential.Grant.Allows(a.u.target(h, e.typ)))
		})
	}
	return nil
}

// concerns reports whether the credential is for a host at all. Of one of which nothing is wanted nothing
// was verified.
func (a *attempt) concerns(h *hostWish) bool {
	return slices.ContainsFunc(h.edits, func(e edit) bool { return !e.implied }) ||
		slices.ContainsFunc(families, func(f *family) bool { return a.verified.Credential.Grant.Allows(a.u.target(h, f.typ)) })
}

// only makes h the only host that the credential is for.
func (a *attempt) only(ctx context.Context, h *hostWish) error {
	grant := &a.verified.Credential.Grant
	areas := slices.Concat(grant.Hosts, grant.Zones)
	if h.id != 0 && !h.guessed || len(areas) != 1 {
		return errNoHost
	}
	found, err := a.u.Store.Find(ctx, auth.Query{HostNames: []dns.Name{areas[0].Name}})
	if err != nil {
		return err
	}
	h.id, h.name = 0, areas[0].Name
	h.resolve(found.Hosts)
	a.wish.merge(h)
	if err := a.verified.Credential.Check(a.request()); err != nil {
		return a.failed(ctx, err)
	}
	return nil
}

// conflictPauses are about how long an update waits for what others changed to be seen in memory, before
// it is computed anew.
var conflictPauses = []time.Duration{
	time.Millisecond, 5 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond, 200 * time.Millisecond,
}

// jittered is a pause that is another for each of those who met in a conflict, lest they meet again.
func jittered(pause time.Duration) time.Duration { return pause/2 + rand.N(pause) }

// errPresumed says that an attempt was to come to nothing before the store was asked whether it may.
var errPresumed = errors.New("what is remembered was not compared")

// write computes the change and has it made.
func (a *attempt) write(ctx context.Context) ([]result, error) {
	use := a.use()
	for try := 0; ; try++ {
		change, results, err := a.u.compute(&a.wish)
		switch {
		case err != nil && a.premise != nil:
			return nil, errPresumed
		case err != nil:
			return nil, err
		}
		change.Who, change.From = a.verified.Credential.ID, a.r.from.String()
		use.Premise = a.premise
		err = a.u.Store.Update(ctx, change, use)
		var limit *auth.LimitError
		if err == nil || errors.Is(err, dns.ErrConflict) || errors.Is(err, auth.ErrUsed) || errors.As(err, &limit) {
			a.premise = nil
		}
		switch {
		case err == nil:
			a.upgrade(ctx)
			return results, nil
		case errors.Is(err, auth.ErrUsed):
			return nil, a.failed(ctx, err)
		case errors.Is(err, dns.ErrNotFound) && a.premise != nil:
			return nil, errPresumed
		case errors.Is(err, dns.ErrNotFound):
			return nil, errNoHost
		case !errors.Is(err, dns.ErrConflict) || try == len(conflictPauses):
			return nil, err
		}
		select {
		case <-time.After(jittered(conflictPauses[try])):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// use is what is used up with the change.
func (a *attempt) use() auth.Use {
	use := auth.Use{Replay: a.verified.Replay, HostLimit: a.u.HostLimit}
	for _, h := range a.wish.hosts {
		if !a.wish.limitless || h.setsAddresses() {
			use.Hosts = append(use.Hosts, h.name)
		}
	}
	if len(use.Hosts) == 0 {
		// They are named all the same, so that the store knows the change again if its reply is lost.
		use.HostLimit = auth.Limit{}
		for _, h := range a.wish.hosts {
			use.Hosts = append(use.Hosts, h.name)
		}
	}
	if a.wish.proof.kind == signedProof {
		use.TokenHost = a.wish.hosts[0].id
		use.Token = a.found.Tokens[use.TokenHost]
	}
	return use
}

// upgrade stores a password's hash at today's cost. The update is made, whatever comes of that.
func (a *attempt) upgrade(ctx context.Context) {
	if !a.verified.Upgrade {
		return
	}
	hash, err := a.u.Verifier.Hash(ctx, a.wish.proof.secret)
	if err == nil {
		err = a.u.Store.UpgradePassword(ctx, a.verified.Credential, hash)
	}
	if err != nil {
		a.u.log.WarnContext(ctx, "a password's hash is not upgraded", "key", a.verified.Credential.ID, "err", err)
	}
}
