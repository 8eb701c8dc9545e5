package updater

import (
	"context"
	"slices"
	"strings"

	"redyn/auth"
)

// nic updates addresses as dyn.com did (dyndns2): a line for each host.
func (u *Updater) nic(ctx context.Context, r *request) reply {
	if err := r.withBody(); err != nil {
		return plain(faultOf(err))
	}
	p, err := r.withPath()
	if err != nil {
		return plain(faultOf(err))
	}
	w := r.hostsWish(p)
	w.protocol = "dyndns2"
	results, err := u.fulfil(ctx, r, w)
	return u.word(Dyndns2Style, results, err)
}

// withPath returns the parameters and those in the path, as Conexim has them:
// /nic/update/HOSTNAME/ADDRESS. What is signed of a request stays as it is.
func (r *request) withPath() (params, error) {
	if endsInNic(r.segments) {
		return r.params, nil
	}
	p := slices.Clone(r.params)
	keys := []string{"hostname", "myip"}
	for i, text := range r.segments[2:] {
		p = append(p, auth.Param{Key: keys[i], Value: text})
	}
	return p, p.check()
}

// isNic reports whether a path is one of dyndns2's: /nic/update and /v3/update, at the end of any
// other path too, as clients are told a server with a path; or with host and address behind it.
func isNic(segments []string) bool {
	n := len(segments)
	return endsInNic(segments) || (n == 3 || n == 4) && segments[0] == "nic" && segments[1] == "update"
}

func endsInNic(segments []string) bool {
	n := len(segments)
	return n > 1 && segments[n-1] == "update" && (segments[n-2] == "nic" || segments[n-2] == "v3")
}

// gluedText helps whose client writes the host's name right behind the path.
const gluedText = "the path has a host's name glued to it; expected something like /nic/update?hostname=%h&myip=%i"

// isGlued reports whether a client has put a name right behind the path, for want of a place for it.
func isGlued(segments []string) bool {
	n := len(segments)
	return n > 1 && (segments[n-2] == "nic" || segments[n-2] == "v3") &&
		strings.HasPrefix(segments[n-1], "update") && strings.Contains(segments[n-1], ".")
}
