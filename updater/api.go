package updater

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"redyn/auth"
	"redyn/backend/dns"
)

// Manager keeps zones, hosts and credentials for the REST API. Each change is told with who asks for
// it, and from where, and returns once Zones shows it. All fail with dns.ErrNotFound if what they are
// about is not there, and with dns.ErrExists if what they are to add is.
type Manager interface {
	// CreateZone creates a zone with these RRsets.
	CreateZone(ctx context.Context, z dns.Zone, sets []dns.RRset, who, from string) error
	DeleteZone(ctx context.Context, name dns.Name, who, from string) error
	// HostsAmong returns hosts in canonical order of their names: the first of those that are wanted, at
	// most limit of them.
	HostsAmong(ctx context.Context, wanted func(dns.Name) bool, limit int) ([]auth.Host, error)
	// AddHost makes a name a dynamic host, and returns it with its number.
	AddHost(ctx context.Context, h auth.Host, who, from string) (auth.Host, error)
	SetHostPolicy(ctx context.Context, id auth.HostID, p auth.HostPolicy, who, from string) error
	// DeleteHost takes a host away, what credentials grant as that host, and, with addresses, those.
	DeleteHost(ctx context.Context, id auth.HostID, addresses bool, who, from string) error
	CreateCredential(ctx context.Context, c auth.Credential, who, from string) error
	RevokeCredential(ctx context.Context, id, who, from string) error
	DeleteCredential(ctx context.Context, id, who, from string) error
}

// apiPrefix begins the paths of the REST API.
const apiPrefix = "/api/v1/"

// operation is one thing that can be done on a path of the API.
type operation struct {
	method string
	path   string   // behind the prefix; {...} stands for one segment
	query  []string // parameters
	status int      // of success
	serve  func(*apiCall, context.Context) (any, error)
}

// operations are the API; contrib/openapi.yaml describes them. The answer of one is JSON, or nothing.
var operations = []operation{
	{http.MethodGet, "zones", []string{"after", "limit"}, http.StatusOK, (*apiCall).listZones},
	{http.MethodPost, "zones", nil, http.StatusCreated, (*apiCall).createZone},
	{http.MethodGet, "zones/{zone}", nil, http.StatusOK, (*apiCall).showZone},
	{http.MethodDelete, "zones/{zone}", nil, http.StatusNoContent, (*apiCall).deleteZone},
	{http.MethodGet, "zones/{zone}/rrsets", []string{"name", "type", "after", "limit"}, http.StatusOK, (*apiCall).listRRsets},
	{http.MethodPatch, "zones/{zone}/rrsets", nil, http.StatusOK, (*apiCall).changeRRsets},
	{http.MethodGet, "zones/{zone}/rrsets/{name}/{type}", nil, http.StatusOK, (*apiCall).showRRset},
	{http.MethodPut, "zones/{zone}/rrsets/{name}/{type}", nil, http.StatusOK, (*apiCall).putRRset},
	{http.MethodPatch, "zones/{zone}/rrsets/{name}/{type}", nil, http.StatusOK, (*apiCall).changeRRset},
	{http.MethodDelete, "zones/{zone}/rrsets/{name}/{type}", nil, http.StatusNoContent, (*apiCall).deleteRRset},
	{http.MethodGet, "hosts", []string{"after", "limit"}, http.StatusOK, (*apiCall).listHosts},
	{http.MethodPost, "hosts", nil, http.StatusCreated, (*apiCall).addHost},
	{http.MethodGet, "hosts/{host}", nil, http.StatusOK, (*apiCall).showHost},
	{http.MethodPatch, "hosts/{host}", nil, http.StatusOK, (*apiCall).changeHost},
	{http.MethodDelete, "hosts/{host}", []string{"addresses"}, http.StatusNoContent, (*apiCall).deleteHost},
	{http.MethodGet, "credentials", []string{"host", "zone"}, http.StatusOK, (*apiCall).listCredentials},
	{http.MethodPost, "credentials", nil, http.StatusCreated, (*apiCall).createCredential},
	{http.MethodGet, "credentials/{credential}", nil, http.StatusOK, (*apiCall).showCredential},
	{http.MethodPatch, "credentials/{credential}", nil, http.StatusOK, (*apiCall).changeCredential},
	{http.MethodDelete, "credentials/{credential}", nil, http.StatusNoContent, (*apiCall).deleteCredential},
}

func isAPI(r *request) bool { return strings.HasPrefix(r.path, apiPrefix) }

// apiCall is a request of the API on its way. Who asks is known once admit has returned.
type apiCall struct {
	*attempt
	args  []string // what the path has for {...}
	where string   // in the body; it stands before what is wrong there
}

func (u *Updater) api(ctx context.Context, r *request) reply {
	if u.Manager == nil {
		return nothing(u, ctx, r)
	}
	op, args, err := findOperation(r)
	if err != nil {
		return apiFault(faultOf(err))
	}
	c := &apiCall{attempt: &attempt{u: u, r: r, wish: wish{
		protocol: "api", limitless: true, reads: op.method == http.MethodGet, proof: r.headers.proofIfAny(),
		flaw: checkQuery(r, op),
	}}, args: args}
	value, err := op.serve(c, ctx)
	if err != nil {
		return apiFault(c.fault(ctx, err))
	}
	p := reply{status: op.status, outcome: goodOutcome}
	if value != nil {
		p = sayJSON(value)
		p.status, p.outcome = op.status, goodOutcome
	}
	if c.wish.reads {
		p.outcome = readOutcome
	}
	return p
}

// findOperation returns the operation that a request asks for, and what its path has for {...}.
func findOperation(r *request) (*operation, []string, error) {
	segments := r.segments[strings.Count(apiPrefix, "/")-1:]
	var allowed []string
	for i := range operations {
		op := &operations[i]
		args, ok := op.match(segments)
		switch {
		case ok && op.method == r.method:
			return op, args, nil
		case ok:
			allowed = append(allowed, op.method)
		}
	}
	if len(allowed) == 0 {
		return nil, nil, errNoOperation
	}
	return nil, nil, wrongMethod(&route{methods: allowed})
}

// match returns what the segments have for {...}, if they are the operation's.
func (o *operation) match(segments []string) (args []string, ok bool) {
	words := strings.Split(o.path, "/")
	if len(words) != len(segments) {
		return nil, false
	}
	for i, word := range words {
		switch {
		case word[0] == '{' && segments[i] != "":
			args = append(args, segments[i])
		case word != segments[i]:
			return nil, false
		}
	}
	return args, true
}

// checkQuery refuses parameters that nobody reads, that stand twice, or that belong into the body: a
// signature covers both together, and so does not say which is where.
func checkQuery(r *request, op *operation) error {
	for i, one := range r.params {
		if !slices.Contains(op.query, one.Key) {
			return bad("parameter %+.40q is not known here", one.Key)
		}
		if slices.ContainsFunc(r.params[:i], func(o auth.Param) bool { return o.Key == one.Key }) {
			return bad("parameter %+.40q is given twice", one.Key)
		}
	}
	if r.body != "" && (op.method == http.MethodGet || op.method == http.MethodDelete) {
		return bad("there is a body, which is not for %s", op.method)
	}
	return nil
}

// doubt notes what is wrong with the request. The first is told, to whoever proves who he is.
func (c *apiCall) doubt(err error) {
	if err == nil || c.wish.flaw != nil {
		return
	}
	var f *fault
	if c.where != "" && errors.As(err, &f) {
		located := *f
		located.text = c.where + f.text
		err = &located
	}
	c.wish.flaw = err
}

// Faults of the API alone.
var (
	errNoOperation = &fault{outcome: nohostOutcome, text: "nothing is on this path; contrib/openapi.yaml has all that are"}
	errNoSuch      = &fault{outcome: nohostOutcome, text: "there is no such thing, or it is not granted"}
	errThere       = &fault{outcome: refusedOutcome, text: "it exists already"}
	errMore        = &fault{outcome: refusedOutcome, text: "this would grant more than the credential that asks for it does"}
)

// fault returns what the caller may know of an error.
func (c *apiCall) fault(ctx context.Context, err error) *fault {
	switch {
	case errors.Is(err, dns.ErrNotFound), errors.Is(err, errNoHost):
		return errNoSuch
	case errors.Is(err, dns.ErrExists):
		return errThere
	}
	return c.u.tellFault(ctx, c.attempt, err)
}

func apiFault(f *fault) reply {
	p := plain(f)
	p.body, p.json = sayJSON(struct {
		Error string `json:"error"`
	}{f.text}).body, true
	switch f {
	case errThere:
		p.status = fasthttp.StatusConflict
	case errMore:
		p.status = fasthttp.StatusForbidden
	}
	return p
}

// covers reports whether the credential has all of a grant, wherever that may be used from.
func (c *apiCall) covers(g auth.Grant) bool {
	own := &c.verified.Credential.Grant
	g.Networks = own.Networks
	return own.Covers(g, c.u.zoneName)
}

// coversFromAbove is covers without what the credential has for that very name: what is above a name
// decides whether it is a zone or a host, not who has it.
func (c *apiCall) coversFromAbove(name dns.Name, g auth.Grant) bool {
	own := c.verified.Credential.Grant
	itself := func(a auth.Area) bool { return a.Name == name }
	own.Hosts = slices.DeleteFunc(slices.Clone(own.Hosts), itself)
	if len(g.Zones) > 0 {
		own.Zones = slices.DeleteFunc(slices.Clone(own.Zones), itself)
	}
	g.Networks = own.Networks
	return own.Covers(g, c.u.zoneName)
}

// spend uses up the signature of a request whose change is none of the data: then it is not made twice,
// and not at all if the signature was used before.
func (c *apiCall) spend(ctx context.Context) error {
	if c.verified.Replay != nil {
		err := c.u.Store.Update(ctx, dns.Change{Who: c.who(), From: c.from()}, auth.Use{Replay: c.verified.Replay})
		if err != nil {
			return c.failed(ctx, err)
		}
	}
	c.upgrade(ctx)
	return nil
}

func (c *apiCall) who() string { return c.verified.Credential.ID }

func (c *apiCall) from() string { return c.r.from.String() }

// tell logs a change.
func (c *apiCall) tell(ctx context.Context, what string, about ...any) {
	c.u.log.InfoContext(ctx, what, append(about, "key", c.who(), "remote", c.r.from, "protocol", c.wish.protocol, "agent", c.r.headers.agent)...)
}

// timeOrNil is a time as JSON has it: whole seconds, and null for none.
func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC().Truncate(time.Second)
	return &t
}
