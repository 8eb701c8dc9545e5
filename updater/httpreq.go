package updater

import (
	"context"
	"crypto/sha256"
	"encoding/base64"

	"redyn/backend/dns"
)

// present and cleanup add and take away a challenge's value, as lego's httpreq and acme.sh's acmeproxy
// ask for it. The JSON goes back as it came, which acmeproxy looks for the value in.
func (u *Updater) present(ctx context.Context, r *request) reply { return u.httpreq(ctx, r, addValue) }

func (u *Updater) cleanup(ctx context.Context, r *request) reply { return u.httpreq(ctx, r, dropValue) }

func (u *Updater) httpreq(ctx context.Context, r *request, edit func(value string) edit) reply {
	if err := r.withJSON(); err != nil {
		return plain(faultOf(err))
	}
	w := wish{protocol: "httpreq", limitless: true, proof: r.headers.proofIfAny()}
	name, value, err := r.challenge()
	if err != nil {
		w.flaw = err
	} else {
		w.challenge(name, edit(value))
	}
	results, err := u.fulfil(ctx, r, w)
	if err != nil {
		return plain(faultOf(err))
	}
	return reply{status: statusOf(readOutcome), body: r.body, json: true, outcome: outcomeOf(results)}
}

// challenge wants an edit of the challenges at a name.
func (w *wish) challenge(name dns.Name, e edit) {
	w.hosts = []*hostWish{{name: name, edits: []edit{e}}}
}

// challenge returns the name and the value in the members fqdn and value, or in those of lego's raw
// mode, domain and keyAuth.
func (r *request) challenge() (name dns.Name, value string, err error) {
	fqdn, _ := r.params.get("fqdn")
	value, _ = r.params.get("value")
	domain, raw := r.params.get("domain")
	if keyAuth, ok := r.params.get("keyAuth"); raw && ok {
		sum := sha256.Sum256([]byte(keyAuth))
		fqdn, value = challengeLabel+domain, base64.RawURLEncoding.EncodeToString(sum[:])
	}
	if name, err = dns.ParseName(fqdn); err != nil || !isChallenge(name) {
		return "", "", bad("fqdn %+.80q is no name below %s", fqdn, challengeLabel)
	}
	if !isValue(value) {
		return "", "", bad("value %+.80q is none of a challenge, which is base64 in the URL alphabet", value)
	}
	return name, value, nil
}
