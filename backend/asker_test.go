package backend

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// asker asks one method over every connector. Each time what is written is the same, so that the
// answers are.
type asker struct {
	t                          *testing.T
	unix, post, postJSON, rest *peer
}

func newAsker(t *testing.T, s *server) *asker {
	t.Helper()
	return &asker{t, dial(t, "unix", s.unix), dial(t, "tcp", s.http), dial(t, "tcp", s.http), dial(t, "tcp", s.http)}
}

// ask asks as JSON and as a form; want is the answer, or a part of it after "fault:".
func (a *asker) ask(method, parameters, want string) {
	a.t.Helper()
	request := fmt.Sprintf(`{"method": %q, "parameters": %s}`, method, parameters)
	a.check("over unix "+request, a.unix.line(request), want)
	_, got := a.postJSON.exchange("POST /dns", fmt.Sprintf("Content-Length: %d\r\n", len(request)), request)
	a.check("as JSON "+request, got, want)
	body := "parameters=" + url.QueryEscape(parameters)
	_, got = a.post.exchange("POST /dns/"+method, fmt.Sprintf("Content-Length: %d\r\n", len(body)), body)
	a.check("as a form "+request, got, want)
}

// restful asks with a path and a body; after the path there may be header lines.
func (a *asker) restful(request, body, want string) {
	a.t.Helper()
	request, header, _ := strings.Cut(request, "\n")
	if header != "" {
		header += "\r\n"
	}
	header += fmt.Sprintf("Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\nContent-Length: %d\r\n", len(body))
	r, got := a.rest.exchange(request, header, body)
	a.check(request+" "+body, got, want)
	if ok := r.StatusCode == 200; ok == strings.HasPrefix(want, "fault:") || !ok && r.StatusCode < 400 {
		a.t.Errorf("%s has status %d", request, r.StatusCode)
	}
}

func (a *asker) check(asked, got, want string) {
	a.t.Helper()
	if part, ok := strings.CutPrefix(want, "fault:"); ok {
		if !strings.HasPrefix(got, `{"error":"`) || !strings.Contains(got, part) {
			a.t.Errorf("%s = %s; want a fault with %s", asked, got, part)
		}
	} else if got != want {
		a.t.Errorf("%s = %s; want %s", asked, got, want)
	}
}

const done = `{"result":true}`
