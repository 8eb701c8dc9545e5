package updater

import (
	"context"
	"slices"

	"redyn/auth"
	"redyn/backend/dns"
)

// wish is what a request wants changed, and how it proves that it may, whatever its protocol.
type wish struct {
	protocol string
	proof    proof
	hosts    []*hostWish
	named    []dns.Name // that it is about, for the log, if it has a flaw and so no hosts
	// flaw is what is wrong with it, which only those are told that prove who they are.
	flaw error
	// oneZone says that the hosts have to be in one zone.
	oneZone bool
	// reads says that nothing is to be changed.
	reads bool
	// limitless says that it is about other records than addresses, of which there is a limit for each
	// host, or about others, too.
	limitless bool
}

// names are those of its hosts that have one, as far as they are known by then.
func (w *wish) names() []string {
	var names []string
	for _, name := range w.named {
		names = append(names, string(name))
	}
	if len(names) > 0 {
		return names
	}
	for _, h := range w.hosts {
		if h.name != "" {
			names = append(names, string(h.name))
		}
	}
	return names
}

// hostWish is what is wanted of one host.
type hostWish struct {
	// The host: by number, by name, or, if neither is given, the only one that the credential is for;
	// that is the first of a wish.
	id   auth.HostID
	name dns.Name
	// zone is the one that holds it; empty if that is the one with the longest name.
	zone dns.Name
	// guessed says that the number is that of a user, which may mean nothing.
	guessed bool

	edits []edit
	host  auth.Host // as the store knows it; zero if it is not registered
}

// clone returns a wish that can be changed.
func (w wish) clone() wish {
	w.hosts = slices.Clone(w.hosts)
	for i, h := range w.hosts {
		one := *h
		one.edits = slices.Clone(h.edits)
		w.hosts[i] = &one
	}
	return w
}

// setsAddresses reports whether addresses of a dynamic host are to be set.
func (h *hostWish) setsAddresses() bool {
	return h.host.ID != 0 && slices.ContainsFunc(h.edits, func(e edit) bool { return e.typ == dns.TypeA || e.typ == dns.TypeAAAA })
}

// result is what has become of one host.
type result struct {
	name    dns.Name
	sets    []dns.RRset // as they were set
	content []string    // of these
	changed bool
}

// fulfil is the one way that every change goes. Its error is a fault.
func (u *Updater) fulfil(ctx context.Context, r *request, w wish) ([]result, error) {
	a := &attempt{u: u, r: r, wish: w}
	results, err := a.run(ctx)
	if err != nil {
		return nil, u.tellFault(ctx, a, err)
	}
	u.tell(ctx, a, results)
	return results, nil
}

// find asks the store, and limits who asks.
func (u *Updater) find(ctx context.Context, r *request, q auth.Query) (auth.Found, error) {
	if err := u.admits(r); err != nil {
		return auth.Found{}, err
	}
	found, err := u.Store.Find(ctx, u.limiting(r, q))
	return u.heard(r, found, err)
}

// admits fails if the store is not to be asked for a request now.
func (u *Updater) admits(r *request) error {
	if !u.loaded() {
		return errUnavailable
	}
	if wait := u.guard.wait(r.from, r.now); wait > 0 {
		return limited(wait)
	}
	return nil
}

// limiting is the query of a request, with who asks and how often he may.
func (u *Updater) limiting(r *request, q auth.Query) auth.Query {
	q.From, q.FromLimit, q.FailureLimit = r.from, u.SourceLimit, u.FailureLimit
	return q
}

// heard takes the store's answer to a query.
func (u *Updater) heard(r *request, found auth.Found, err error) (auth.Found, error) {
	switch {
	case err != nil:
		u.guard.count(r.from, r.now)
	case found.RetryAfter > 0:
		u.guard.hold(r.from, r.now, found.RetryAfter)
		err = limited(found.RetryAfter)
	}
	return found, err
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
