package updater

import (
	"slices"
	"strings"

	"redyn/auth"
)

// params are the parameters of a request, those of the query before those of the body.
type params []auth.Param

// known are the parameters that some protocol reads. Each stands once: a proxy, or whoever signed the
// request, may have looked at the other one.
var known = slices.Concat(
	ipv4.params, ipv6.params,
	[]string{
		"hostname", "host_id", "username", "password",
		"signature", "ipAddress", "pure", "format",
		"fqdn", "value", "domain", "token", "keyAuth", "subdomain", "txt",
	},
)

// parseParams reads a query.
func parseParams(query string) (params, error) {
	p, err := auth.ParseForm(query)
	if err != nil {
		return nil, bad("the query: %v", err)
	}
	return p, params(p).check()
}

// check refuses NUL and parameters that stand twice.
func (p params) check() error {
	seen := make(map[string]bool)
	for _, one := range p {
		if strings.Contains(one.Key, "\x00") || strings.Contains(one.Value, "\x00") {
			return bad("parameter %+.40q holds NUL", one.Key)
		}
		if !slices.Contains(known, one.Key) && !perHost(one.Key) {
			continue
		}
		if seen[one.Key] {
			return bad("parameter %+.40q is given twice", one.Key)
		}
		seen[one.Key] = true
	}
	return nil
}

// get returns the parameter's value, and whether there is one.
func (p params) get(key string) (string, bool) {
	for _, one := range p {
		if one.Key == key {
			return one.Value, true
		}
	}
	return "", false
}

const (
	typeForm = "application/x-www-form-urlencoded"
	typeJSON = "application/json"
)

// withBody adds the parameters of the body, which is a form or, as HMAC clients send it, a JSON object.
func (r *request) withBody() error {
	return r.addBody(r.headers.contentType)
}

// withJSON adds the members of the body as parameters. It is JSON whatever its type is said to be: curl
// calls all that it posts a form.
func (r *request) withJSON() error {
	return r.addBody(typeJSON)
}

func (r *request) addBody(contentType string) error {
	if r.body == "" {
		return nil
	}
	var more []auth.Param
	var err error
	switch contentType {
	case typeForm:
		more, err = auth.ParseForm(r.body)
	case typeJSON:
		more, err = auth.ParseJSONParams([]byte(r.body))
	default:
		return bad("the body is neither %s nor %s", typeForm, typeJSON)
	}
	if err != nil {
		return bad("the body: %v", err)
	}
	r.params = append(r.params, more...)
	return r.params.check()
}
