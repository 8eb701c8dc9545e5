package updater

import (
	"context"
	"errors"
	"net/netip"
	"strings"

	"github.com/goccy/go-json"

	"redyn/auth"
	"redyn/backend/dns"
)

// token gives out a host's one-time token, for a client to sign. It is no secret.
func (u *Updater) token(ctx context.Context, r *request) reply {
	token, err := u.oneTimeToken(ctx, r)
	switch {
	case errors.Is(err, dns.ErrNotFound):
		return plain(errNoHost)
	case err != nil:
		return plain(u.unavailable(ctx, r, err))
	}
	if _, pure := r.params.get("pure"); pure {
		return say(token)
	}
	return sayJSON(struct {
		Token string `json:"token"`
		IP    string `json:"ip"`
	}{token, r.from.String()})
}

func (u *Updater) oneTimeToken(ctx context.Context, r *request) (string, error) {
	host, err := u.findHost(ctx, r)
	if err != nil {
		return "", err
	}
	return u.Store.OneTimeToken(ctx, host.ID, u.TokenLife)
}

// findHost returns the host in the path. It fails with dns.ErrNotFound if there is none.
func (u *Updater) findHost(ctx context.Context, r *request) (auth.Host, error) {
	h := r.pathHost()
	var q auth.Query
	h.ask(&q)
	found, err := u.find(ctx, r, q)
	if err != nil {
		return auth.Host{}, err
	}
	if h.resolve(found.Hosts); h.host.ID == 0 {
		return auth.Host{}, dns.ErrNotFound
	}
	return h.host, nil
}

// nobody is a number that no host has.
const nobody auth.HostID = -1

// pathHost returns the host that the path names: by number, or else by name.
func (r *request) pathHost() *hostWish {
	text := r.segments[len(r.segments)-1]
	if id, err := auth.ParseHostID(text); err == nil {
		return &hostWish{id: id}
	}
	name, err := dns.ParseName(text)
	if err != nil {
		return &hostWish{id: nobody}
	}
	return &hostWish{name: name}
}

// update sets an address for whoever signed the host's one-time token with the host's key.
func (u *Updater) update(ctx context.Context, r *request) reply {
	return u.pathUpdate(ctx, r, "update", func(ip string) proof {
		signature, ok := r.params.get("signature")
		if !ok {
			return proof{}
		}
		p := proof{kind: signedProof, signed: auth.Signed{IP: ip, Signature: signature}}
		if text := r.path[strings.LastIndexByte(r.path, '/')+1:]; r.pathHost().id == 0 {
			p.signed.Name = text
		}
		return p
	})
}

// updateSimple sets an address for whoever knows the host's password.
func (u *Updater) updateSimple(ctx context.Context, r *request) reply {
	return u.pathUpdate(ctx, r, "update-simple", func(string) proof {
		password, ok := r.params.get("password")
		if !ok {
			return proof{}
		}
		return proof{kind: secretProof, user: r.segments[len(r.segments)-1], secret: auth.NewSecret(password)}
	})
}

// pathUpdate updates the host in the path. What its header shows goes before the protocol's own proof,
// which may depend on the address as the client wrote it.
func (u *Updater) pathUpdate(ctx context.Context, r *request, protocol string, own func(ip string) proof) reply {
	if err := r.withBody(); err != nil {
		return r.status(nil, faultOf(err))
	}
	w := wish{protocol: protocol, hosts: []*hostWish{r.pathHost()}}
	ip, err := r.ipAddress()
	if err != nil {
		return r.status(nil, faultOf(err))
	}
	e, err := onlyAddress(ip)
	if err != nil {
		return r.status(nil, faultOf(err))
	}
	w.hosts[0].edits = []edit{e}
	if w.proof = own(ip); r.headers.authorized {
		w.proof = r.headers.proof()
	}
	results, err := u.fulfil(ctx, r, w)
	if err != nil {
		f := faultOf(err)
		if f.outcome == nohostOutcome {
			f = errDenied
		}
		return r.status(nil, f)
	}
	return r.status(results, nil)
}

// ipAddress returns the address as the client sent it, or the caller's if it sent none.
func (r *request) ipAddress() (string, error) {
	long, isLong := r.params.get("ipAddress")
	short, isShort := r.params.get("ip")
	switch {
	case isLong && isShort && long != short:
		return "", bad("ipAddress and ip are different")
	case isLong:
		return long, nil
	case isShort:
		return short, nil
	}
	return r.from.String(), nil
}

// onlyAddress is an edit of the address's family alone. There is one: what else is signed or sent must
// not be overlooked.
func onlyAddress(text string) (edit, error) {
	addr, err := netip.ParseAddr(strings.TrimSpace(text))
	if err != nil || addr.Zone() != "" {
		return edit{}, bad("malformed: ipAddress %+.60q is no address", text)
	}
	if addr = addr.Unmap(); addr.Is4() {
		return put(ipv4, addr), nil
	}
	return put(ipv6, addr), nil
}

// status words an update of the host in the path: "ok", or what is wrong. Only who asks for it gets
// JSON: the shell clients say that they accept it, and print what they get.
func (r *request) status(results []result, f *fault) reply {
	p := say("ok")
	p.outcome = outcomeOf(results)
	if f != nil {
		p = plain(f)
	}
	if format, _ := r.params.get("format"); format != "json" || !strings.Contains(r.headers.accept, typeJSON) {
		return p
	}
	body := struct {
		Status string `json:"status"`
		Error  string `json:"error,omitempty"`
	}{Status: p.body}
	if f != nil {
		body.Status, body.Error = "error", f.text
	}
	text, _ := json.Marshal(body) // two strings always can be
	p.body, p.json = string(text), true
	return p
}

func sayJSON(v any) reply {
	text, err := json.Marshal(v)
	if err != nil {
		return plain(errFailed)
	}
	p := say(string(text))
	p.json = true
	return p
}

// unavailable logs that the store does not know, if that is why, and returns what the caller is told.
func (u *Updater) unavailable(ctx context.Context, r *request, err error) *fault {
	f := faultOf(err)
	if f.outcome == unavailableOutcome && !errors.Is(err, errUnavailable) {
		u.log.WarnContext(ctx, "not known now", "path", r.segments[0], "remote", r.from, "err", err)
	}
	return f
}
