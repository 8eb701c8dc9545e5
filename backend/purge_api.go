package backend

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"redyn/backend/dns"
)

// pdnsAPI is PowerDNS's HTTP API. It flushes a name with all below it, one in each call. If the name is
// that of a zone, which it asks us for, it makes the zone known.
type pdnsAPI struct {
	flush  string
	key    string
	client http.Client
}

func newAPI(base, key string) *pdnsAPI {
	direct := http.DefaultTransport.(*http.Transport).Clone()
	direct.Proxy = nil // which would get the key
	return &pdnsAPI{
		flush: strings.TrimSuffix(base, "/") + "/api/v1/servers/localhost/cache/flush",
		key:   key,
		client: http.Client{
			Timeout:   purgeLimit,
			Transport: direct,
			CheckRedirect: func(*http.Request, []*http.Request) error {
				return http.ErrUseLastResponse // as another server would
			},
		},
	}
}

// purge makes zones known, and flushes the names twice, as controlSocket.each does.
func (a *pdnsAPI) purge(ctx context.Context, n names) error {
	stale := []dns.Name{dns.Root}
	if !n.all {
		stale = topmost(n)
	}
	for _, name := range slices.Concat(slices.Collect(maps.Keys(n.zones)), stale, stale) {
		if err := a.call(ctx, http.MethodPut, a.flush+"?domain="+url.QueryEscape(string(name))); err != nil {
			return err
		}
	}
	return nil
}

// topmost returns the names that are below no other.
func topmost(n names) (top []dns.Name) {
	list := slices.Concat(slices.Collect(maps.Keys(n.exact)), slices.Collect(maps.Keys(n.trees)))
	slices.SortFunc(list, dns.Compare)
	for _, name := range list {
		if len(top) == 0 || !name.Under(top[len(top)-1]) {
			top = append(top, name)
		}
	}
	return top
}

func (a *pdnsAPI) call(ctx context.Context, method, url string) error {
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return err
	}
	req.Header.Set("X-API-Key", a.key)
	resp, err := a.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, mostReply))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s %.80q", method, url, resp.Status, body)
	}
	return nil
}

// CheckAPI reports what is wrong with PowerDNS's HTTP API at a URL, if anything is.
func CheckAPI(ctx context.Context, base, key string) error {
	a := newAPI(base, key)
	return a.call(ctx, http.MethodGet, strings.TrimSuffix(a.flush, "/cache/flush"))
}
