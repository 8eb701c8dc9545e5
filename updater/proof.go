package updater

import (
	"encoding/base64"
	"slices"
	"strings"

	"redyn/auth"
	"redyn/backend/dns"
)

// proof is what a request has to show who asks.
type proof struct {
	kind   proofKind
	user   string // beside a secret
	named  bool   // the user has to be the credential, or its host, for tokens too
	secret auth.Secret
	hmac   auth.HMACSignature
	signed auth.Signed // without the token
	broken error       // of brokenProof
}

type proofKind uint8

const (
	noProof     proofKind = iota
	brokenProof           // there is one, and it cannot be read
	tokenProof            // a secret that can only be a token
	secretProof           // a token or a password, with a user
	hmacProof
	signedProof
)

// proof reads what a request shows. What is in its header decides, even if it cannot be read: a caller
// that means one thing is not taken at another word.
func (r *request) proof() proof {
	if r.headers.authorized {
		return r.headers.proof()
	}
	if password, ok := r.params.get("password"); ok {
		user, _ := r.params.get("username")
		return proof{kind: secretProof, user: user, secret: auth.NewSecret(password)}
	}
	return proof{}
}

// proofIfAny is proof for where only the header shows anything.
func (h *headers) proofIfAny() proof {
	if !h.authorized {
		return proof{}
	}
	return h.proof()
}

func (h *headers) proof() proof {
	if auth.IsHMAC(h.authorization) {
		signature, err := auth.ParseHMAC(h.authorization, h.conexim)
		if err != nil {
			return proof{kind: brokenProof, broken: err}
		}
		return proof{kind: hmacProof, hmac: signature}
	}
	scheme, rest, _ := strings.Cut(h.authorization, " ")
	rest = strings.Trim(rest, " ")
	switch strings.ToLower(scheme) {
	case "token", "bearer":
		return proof{kind: tokenProof, secret: auth.NewSecret(rest)}
	case "basic":
		if user, password, ok := parseBasic(rest); ok {
			return proof{kind: secretProof, user: user, secret: auth.NewSecret(password)}
		}
	}
	return proof{kind: brokenProof, broken: &auth.Denial{Reason: auth.ReasonMalformed}}
}

// parseBasic reads credentials of Basic authentication (RFC 7617): the password may have colons.
func parseBasic(text string) (user, password string, ok bool) {
	decoded, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil {
		return "", "", false
	}
	return strings.Cut(string(decoded), ":")
}

// ask adds to a query what the proof is to be compared with.
func (p *proof) ask(q *auth.Query) {
	switch p.kind {
	case tokenProof:
		q.TokenHash = auth.HashToken(p.secret)
	case secretProof:
		q.TokenHash = auth.HashToken(p.secret)
		p.askUser(q)
	case hmacProof:
		q.IDs = append(q.IDs, p.hmac.KeyID)
	case signedProof:
		q.ForHosts = true
	}
}

// askUser asks for the passwords that belong to a user: a host's name or number, or a credential's id.
func (p *proof) askUser(q *auth.Query) {
	if name, ok := userName(p.user); ok {
		q.HostNames = append(q.HostNames, name)
		q.ForHosts = true
		return
	}
	if id, err := auth.ParseHostID(p.user); err == nil {
		q.Hosts = append(q.Hosts, id)
		q.ForHosts = true
	}
	if p.user != "" {
		q.IDs = append(q.IDs, p.user)
	}
}

// userName returns the name if a user is a host's name. Names of people, with or without an @, are not.
func userName(user string) (dns.Name, bool) {
	first, _, _ := strings.Cut(user, ",")
	if !strings.Contains(strings.TrimSuffix(first, "."), ".") || strings.Contains(user, "@") {
		return "", false
	}
	name, err := dns.ParseName(first)
	return name, err == nil
}

// userName returns the name of the host that the user is, by name or number; empty if it is none.
func (p *proof) userName(known []auth.Host) dns.Name {
	if p.kind != secretProof {
		return ""
	}
	if name, ok := userName(p.user); ok {
		return name
	}
	if id, err := auth.ParseHostID(p.user); err == nil {
		for _, h := range known {
			if h.ID == id {
				return h.Name
			}
		}
	}
	return ""
}

// candidates returns the credentials that the proof may be of. A user that is no host has only the
// password whose id it is, while tokens do not care.
func (p *proof) candidates(found auth.Found) []auth.Credential {
	if p.kind != secretProof || p.userName(found.Hosts) != "" {
		return found.Credentials
	}
	return slices.DeleteFunc(slices.Clone(found.Credentials), func(c auth.Credential) bool {
		return c.ID != p.user && (p.named || c.Kind == auth.Password)
	})
}
