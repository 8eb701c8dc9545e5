package updater

import "context"

// desec updates addresses as deSEC does: on any path that is nobody else's, all hosts in one domain,
// answered with a single word.
func (u *Updater) desec(ctx context.Context, r *request) reply {
	if err := r.withBody(); err != nil {
		return plain(faultOf(err))
	}
	w := r.hostsWish(r.params)
	w.protocol, w.oneZone = "desec", true
	results, err := u.fulfil(ctx, r, w)
	return u.word(DeSECStyle, results, err)
}
