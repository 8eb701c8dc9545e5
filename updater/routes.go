package updater

import (
	"context"
	"net/http"
	"slices"
	"strings"
)

// route is what is served on some paths, and how it is asked for.
type route struct {
	protocol string
	methods  []string // nil: serve looks at them
	match    func(r *request) bool
	serve    func(*Updater, context.Context, *request) reply
}

var (
	get       = []string{http.MethodGet}
	post      = []string{http.MethodPost}
	getOrPost = []string{http.MethodGet, http.MethodPost}
)

// routes are all that is served. The first that matches the path has the request, whatever its method.
var routes = []route{
	{"api", nil, isAPI, (*Updater).api},
	{"myip", get, at("/myip", "/checkip", "/nic/checkip", "/nic/checkip.html"), (*Updater).myip},
	{"domain", get, below("/domain/"), (*Updater).domain},
	{"token", get, below("/token/"), (*Updater).token},
	{"update", post, below("/update/"), (*Updater).update},
	{"update-simple", post, below("/update-simple/"), (*Updater).updateSimple},
	{"httpreq", post, at("/present"), (*Updater).present},
	{"httpreq", post, at("/cleanup"), (*Updater).cleanup},
	{"acme-dns", post, isACMEUpdate, (*Updater).acmeUpdate},
	{"acme-dns", post, at("/register"), (*Updater).register},
	{"acme-dns", get, at("/health"), (*Updater).health},
	{"dyndns2", getOrPost, func(r *request) bool { return isNic(r.segments) }, (*Updater).nic},
	{"dyndns2", getOrPost, func(r *request) bool { return isGlued(r.segments) }, glued},
	{"none", getOrPost, isNothing, nothing},
	{"desec", getOrPost, func(*request) bool { return true }, (*Updater).desec},
}

// routeOf finds who serves a request.
func routeOf(r *request) *route {
	i := slices.IndexFunc(routes, func(one route) bool { return one.match(r) })
	return &routes[i] // the last matches all
}

// at matches these paths.
func at(paths ...string) func(*request) bool {
	return func(r *request) bool { return slices.Contains(paths, r.path) }
}

// below matches paths with one more segment, which is not empty.
func below(prefix string) func(*request) bool {
	return func(r *request) bool {
		rest, ok := strings.CutPrefix(r.path, prefix)
		return ok && rest != "" && !strings.Contains(rest, "/")
	}
}

// isACMEUpdate reports whether a request is an update of acme-dns, whose path others may have too.
func isACMEUpdate(r *request) bool {
	return r.path == "/update" && r.method == http.MethodPost &&
		(r.headers.apiUser != "" || r.headers.apiKey != "" || r.headers.contentType == typeJSON)
}

// isNothing reports whether the path is one of pictures, which browsers ask for on their own, or of
// what may be served there one day.
func isNothing(r *request) bool {
	path := strings.ToLower(r.path)
	return strings.HasSuffix(path, ".ico") || strings.HasSuffix(path, ".png") || strings.HasPrefix(path, "/api/")
}

func nothing(*Updater, context.Context, *request) reply {
	return reply{status: http.StatusNotFound, body: "nothing is here", outcome: readOutcome}
}

func glued(*Updater, context.Context, *request) reply { return plain(bad("%s", gluedText)) }
