package updater

import "context"

// myip tells the caller its address, as it is seen here. It asks nobody, and is not limited.
func (u *Updater) myip(_ context.Context, r *request) reply {
	if !r.from.IsValid() {
		return plain(errFailed)
	}
	return say(r.from.String())
}
