package updater

import (
	"context"
	"strings"

	"github.com/valyala/fasthttp"

	"redyn/auth"
	"redyn/backend/dns"
)

// acmeUpdate sets a challenge as acme-dns does: the two newest values of a subdomain stay. The subdomain
// is one that was registered here, or the name of a host.
func (u *Updater) acmeUpdate(ctx context.Context, r *request) reply {
	if r.withJSON() != nil {
		return acmeError(fasthttp.StatusBadRequest, "malformed_json_payload")
	}
	w := wish{protocol: "acme-dns", limitless: true, proof: r.proof()}
	if r.headers.apiUser != "" || r.headers.apiKey != "" {
		w.proof = proof{kind: secretProof, named: true, user: r.headers.apiUser, secret: auth.NewSecret(r.headers.apiKey)}
	}
	txt, _ := r.params.get("txt")
	name, ok := u.challengeOf(r)
	switch {
	case !ok:
		w.flaw = bad("bad_subdomain")
	case len(txt) != valueLen || !isValue(txt):
		w.flaw = bad("bad_txt")
	default:
		w.challenge(name, newestValue(txt))
	}
	results, err := u.fulfil(ctx, r, w)
	if err != nil {
		return acmeFault(faultOf(err))
	}
	return reply{status: fasthttp.StatusOK, body: `{"txt": "` + txt + `"}`, json: true, outcome: outcomeOf(results)}
}

// valueLen is the length of the base64 of SHA-256, without padding.
const valueLen = 43

// challengeOf returns the name of a subdomain's challenges.
func (u *Updater) challengeOf(r *request) (dns.Name, bool) {
	subdomain, _ := r.params.get("subdomain")
	if !strings.Contains(subdomain, ".") && u.RegisterZone != "" {
		subdomain += "." + string(u.RegisterZone)
	}
	name, err := dns.ParseName(challengeLabel + subdomain)
	return name, err == nil && name.Labels() > 2
}

// acmeFault words a fault as acme-dns does: whatever is not granted is forbidden.
func acmeFault(f *fault) reply {
	word := map[outcome]string{
		deniedOutcome: "forbidden", nohostOutcome: "forbidden", badOutcome: f.text, refusedOutcome: "bad_subdomain",
		limitedOutcome: "too_many_requests",
	}[f.outcome]
	if word == "" {
		word = "db_error"
	}
	p := acmeError(statusOf(f.outcome), word)
	if word == "forbidden" {
		p.status = fasthttp.StatusUnauthorized
	}
	p.outcome, p.retryAfter = f.outcome, f.retryAfter
	return p
}

func acmeError(status int, word string) reply {
	return reply{status: status, body: `{"error": "` + word + `"}`, json: true, outcome: badOutcome}
}

// health says that this server answers; acme-dns has nothing more to say either.
func (u *Updater) health(context.Context, *request) reply { return say("") }
