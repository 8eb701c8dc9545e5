package updater

import (
	"cmp"
	"slices"
	"strings"

	"redyn/auth"
	"redyn/backend/dns"
)

// mostHosts is how many hosts one request may update; dyn.com has the same.
const mostHosts = 20

// hostsWish reads an update as deSEC and dyndns2 have it: which hosts, and what of each family, or which
// challenge.
func (r *request) hostsWish(p params) wish {
	w := wish{proof: r.proof()}
	var err error
	if value, ok := p.get(txtParam); ok {
		err = w.readChallenges(p, value)
	} else {
		err = w.readAddresses(r, p)
	}
	if err != nil {
		w.hosts, w.flaw = nil, err
	}
	return w
}

func (w *wish) readAddresses(r *request, p params) error {
	names, user, err := hostNames(p, &w.proof)
	if err != nil {
		return err
	}
	w.named = names
	general, err := r.general(p)
	if err != nil {
		return err
	}
	for _, name := range names {
		w.hosts = append(w.hosts, &hostWish{name: name, edits: slices.Clone(general)})
	}
	if len(names) == 0 {
		w.hosts = append(w.hosts, &hostWish{id: user, guessed: true, edits: general})
	}
	return w.special(p)
}

// hostNames returns the hosts that a request names: those of the first parameter that names any, else
// the user, who may also be the number of a host.
func hostNames(p params, shown *proof) ([]dns.Name, auth.HostID, error) {
	for _, key := range []string{"hostname", "host_id"} {
		if text, _ := p.get(key); text != "" && !strings.EqualFold(text, "YES") {
			names, err := parseNames(text)
			return names, 0, err
		}
	}
	user := shown.user
	if text, ok := p.get("username"); ok && (user == "" || strings.Contains(user, "@")) {
		user = text
	}
	if _, ok := userName(user); ok {
		names, err := parseNames(user)
		return names, 0, err
	}
	id, _ := auth.ParseHostID(user)
	return nil, id, nil
}

// parseNames reads names with commas between them. One that is given twice is one. It does not look at
// more than may be: a stranger may send thousands.
func parseNames(text string) ([]dns.Name, error) {
	var names []dns.Name
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		name, err := dns.ParseName(part)
		if err != nil || name.Labels() < 2 {
			return nil, errNotFQDN
		}
		switch {
		case slices.Contains(names, name):
		case len(names) == mostHosts:
			return nil, errNumHost
		default:
			names = append(names, name)
		}
	}
	return names, nil
}

// general returns the edits for all hosts. A family of which nothing is said has the caller's address,
// or none any more.
func (r *request) general(p params) ([]edit, error) {
	var said [2]wanted
	for i, f := range families {
		var err error
		if said[i], err = f.find(p); err != nil {
			return nil, err
		}
	}
	var edits []edit
	for i, f := range families {
		w, other := said[i], said[1-i]
		if !w.given && f.has(r.from) {
			w.addrs = append(w.addrs, r.from)
		}
		if e, ok := w.edit(f); ok {
			// The caller's address is what an update without any is about.
			e.implied = !w.given && (other.given && !other.keep || len(w.addrs) == 0)
			edits = append(edits, e)
		}
	}
	return edits, nil
}

// special adds what is said of single hosts, which goes before what is said of all.
func (w *wish) special(p params) error {
	for _, one := range p {
		for _, f := range families {
			list, ok := strings.CutPrefix(one.Key, f.perHost)
			if !ok {
				continue
			}
			said, err := f.parse(one.Value)
			if err != nil || !said.given {
				return bad("malformed: %+.80q says nothing of %s", one.Key, f.name)
			}
			names, err := parseNames(list)
			if err != nil {
				return err
			}
			for _, name := range names {
				if w.host(name).set(f, said); len(w.hosts) > mostHosts {
					return errNumHost
				}
			}
		}
	}
	return nil
}

// host returns what is wanted of a host, adding the host if need be.
func (w *wish) host(name dns.Name) *hostWish {
	i := slices.IndexFunc(w.hosts, func(h *hostWish) bool { return h.name == name })
	if i < 0 {
		i = len(w.hosts)
		w.hosts = append(w.hosts, &hostWish{name: name})
	}
	return w.hosts[i]
}

// set puts what is said of a family in the place of what was said before.
func (h *hostWish) set(f *family, said wanted) {
	h.edits = slices.DeleteFunc(h.edits, func(e edit) bool { return e.typ == f.typ })
	if e, ok := said.edit(f); ok {
		h.replace(e)
	}
}

// replace puts an edit in the place of that of the same type.
func (h *hostWish) replace(e edit) {
	h.edits = slices.DeleteFunc(h.edits, func(old edit) bool { return old.typ == e.typ })
	h.edits = append(h.edits, e)
	slices.SortFunc(h.edits, func(a, b edit) int { return cmp.Compare(a.typ, b.typ) })
}
