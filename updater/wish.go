package updater

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"redyn/auth"
	"redyn/backend/dns"
)

// wish is what a request wants changed, and how it proves that it may, whatever its protocol.
type wish struct {
	protocol string
	proof    proof
	hosts    []*hostWish
	// flaw is what is wrong with it, which only those are told that prove who they are.
	flaw error
	// oneZone says that the hosts have to be in one zone.
	oneZone bool
	// reads says that nothing is to be changed.
	reads bool
	// limitless says that it is no update of addresses, of which there is a limit for each host.
	limitless bool
}

// hostWish is what is wanted of one host.
type hostWish struct {
	// The host: by number, by name, or, if neither is given, the only one that the credential is for;
	// that is the first of a wish.
	id   auth.HostID
	name dns.Name
	// guessed says that the number is that of a user, which may mean nothing.
	guessed bool

	edits []edit
	host  auth.Host // as the store knows it; zero if it is not registered
}

// result is what has become of one host.
type result struct {
	name    dns.Name
	content []string // of what was set
	changed bool
}

// attempt is a wish on its way.
type attempt struct {
	u        *Updater
	r        *request
	wish     wish
	found    auth.Found
	verified auth.Verified
}

// fulfil is the one way that every change goes. Its error is a fault.
func (u *Updater) fulfil(ctx context.Context, r *request, w wish) ([]result, error) {
	a := &attempt{u: u, r: r, wish: w}
	results, err := a.run(ctx)
	f := faultOf(err)
	switch {
	case err == nil:
		u.tell(ctx, a, results)
		return results, nil
	case f.outcome == deniedOutcome:
		u.tellDenied(ctx, a, err)
	case f.outcome == unavailableOutcome && !errors.Is(err, errUnavailable):
		u.log.WarnContext(ctx, "an update cannot be made now", "protocol", w.protocol, "remote", r.from, "err", err)
	}
	return nil, f
}

func (a *attempt) run(ctx context.Context) ([]result, error) {
	if err := a.find(ctx); err != nil {
		return nil, err
	}
	if err := a.prove(ctx); err != nil {
		return nil, err
	}
	if a.wish.flaw != nil {
		return nil, a.wish.flaw
	}
	if err := a.settle(ctx); err != nil {
		return nil, err
	}
	return a.write(ctx)
}

// find limits the source, and asks the store what it knows of who asks for what.
func (a *attempt) find(ctx context.Context) error {
	q := auth.Query{OneTimeToken: a.wish.proof.kind == signedProof}
	a.wish.proof.ask(&q)
	for _, h := range a.wish.hosts {
		h.ask(&q)
	}
	var err error
	if a.found, err = a.u.find(ctx, a.r, q); err != nil {
		return err
	}
	for _, h := range a.wish.hosts {
		h.resolve(a.found.Hosts)
	}
	return nil
}

// find asks the store, and limits who asks.
func (u *Updater) find(ctx context.Context, r *request, q auth.Query) (auth.Found, error) {
	if !u.loaded() {
		return auth.Found{}, errUnavailable
	}
	if wait := u.guard.wait(r.from, r.now); wait > 0 {
		return auth.Found{}, limited(wait)
	}
	q.From, q.FromLimit, q.FailureLimit = r.from, u.SourceLimit, u.FailureLimit
	found, err := u.Store.Find(ctx, q)
	switch {
	case err != nil:
		u.guard.count(r.from, r.now)
		return found, err
	case found.RetryAfter > 0:
		u.guard.hold(r.from, r.now, found.RetryAfter)
		return found, limited(found.RetryAfter)
	}
	return found, nil
}

// ask adds the host to a query.
func (h *hostWish) ask(q *auth.Query) {
	switch {
	case h.id != 0:
		q.Hosts = append(q.Hosts, h.id)
	case h.name != "":
		q.HostNames = append(q.HostNames, h.name)
	}
}

// resolve finds the host among those that the store knows.
func (h *hostWish) resolve(known []auth.Host) {
	for _, k := range known {
		if h.id != 0 && k.ID == h.id || h.id == 0 && k.Name == h.name {
			h.host, h.id, h.name = k, k.ID, k.Name
		}
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
	credential := a.verified.Credential.ID
	if errors.As(err, &denial) {
		credential = denial.Credential
	}
	if lost := a.u.Store.Failed(ctx, a.r.from, credential, a.u.FailureLimit); lost != nil {
		a.u.log.WarnContext(ctx, "a failed authentication is not counted", "remote", a.r.from, "err", lost)
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
	return auth.Target{Zone: u.zoneName(h.name), Host: h.host.ID, Name: h.name, Type: typ}
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
		policy := cmp.Or(h.host.Policy, a.u.MissingFamily)
		h.edits = slices.DeleteFunc(h.edits, func(e edit) bool {
			return e.implied && (policy == auth.PolicyPreserve || !a.verified.Credential.Grant.Allows(a.u.target(h, e.typ)))
		})
	}
	return nil
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

// merge makes one of h and of another wish for the same host, which was for that alone.
func (w *wish) merge(h *hostWish) {
	for _, other := range w.hosts {
		if other == h || other.name != h.name {
			continue
		}
		for _, e := range other.edits {
			h.replace(e)
		}
	}
	w.hosts = slices.DeleteFunc(w.hosts, func(other *hostWish) bool { return other != h && other.name == h.name })
}

// conflictPauses are how long an update waits for what others changed to be seen in memory, before
// it is computed anew.
var conflictPauses = []time.Duration{
	time.Millisecond, 5 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond, 200 * time.Millisecond,
}

// write computes the change and has it made.
func (a *attempt) write(ctx context.Context) ([]result, error) {
	use := a.use()
	for try := 0; ; try++ {
		change, results, err := a.u.compute(&a.wish)
		if err != nil {
			return nil, err
		}
		change.Who, change.From = a.verified.Credential.ID, a.r.from.String()
		err = a.u.Store.Update(ctx, change, use)
		switch {
		case err == nil:
			a.upgrade(ctx)
			return results, nil
		case errors.Is(err, auth.ErrUsed):
			return nil, a.failed(ctx, err)
		case errors.Is(err, dns.ErrNotFound):
			return nil, errNoHost
		case !errors.Is(err, dns.ErrConflict) || try == len(conflictPauses):
			return nil, err
		}
		select {
		case <-time.After(conflictPauses[try]):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// use is what is used up with the change.
func (a *attempt) use() auth.Use {
	use := auth.Use{Replay: a.verified.Replay}
	if !a.wish.limitless {
		use.HostLimit = a.u.HostLimit
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

// tell logs a change: who made it, from where, and what.
func (u *Updater) tell(ctx context.Context, a *attempt, results []result) {
	level, names, content := slog.LevelDebug, make([]string, 0, len(results)), make([]string, 0, len(results))
	for _, r := range results {
		names = append(names, string(r.name))
		for _, text := range r.content {
			if !slices.Contains(content, text) {
				content = append(content, text)
			}
		}
		if r.changed {
			level = slog.LevelInfo
		}
	}
	u.log.Log(ctx, level, "host updated", "host", names, "addrs", content, "key", a.verified.Credential.ID,
		"remote", a.r.from, "protocol", a.wish.protocol, "agent", a.r.headers.agent, "changed", level == slog.LevelInfo)
}

func (u *Updater) tellDenied(ctx context.Context, a *attempt, err error) {
	if a.wish.proof.kind == noProof {
		return
	}
	attrs := []any{"remote", a.r.from, "protocol", a.wish.protocol, "agent", a.r.headers.agent, "err", err}
	if id := a.verified.Credential.ID; id != "" {
		attrs = append(attrs, "key", id)
	}
	u.log.InfoContext(ctx, "update denied", attrs...)
}
