package main

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"redyn/auth"
)

// updateClient sends updates to one server.
type updateClient struct {
	updateOptions
	any  http.RoundTripper               // over whatever family
	over map[*ipFamily]http.RoundTripper // over one
	now  func() time.Time
}

func newUpdateClient(o updateOptions) *updateClient {
	u := &updateClient{updateOptions: o, any: o.transport(""), over: make(map[*ipFamily]http.RoundTripper), now: time.Now}
	for _, f := range o.families {
		u.over[f] = o.transport(f.network)
	}
	return u
}

// transport goes to the server itself: a proxy's address is not ours. Each request has a connection of
// its own, as the next one is far away, and is sent once.
func (o *updateOptions) transport(network string) *http.Transport {
	dialer := &net.Dialer{Timeout: o.timeout}
	return &http.Transport{
		Proxy:             nil,
		DisableKeepAlives: true,
		TLSClientConfig:   o.tls,
		DialContext: func(ctx context.Context, byDefault, addr string) (net.Conn, error) {
			return dialer.DialContext(ctx, cmp.Or(network, byDefault), addr)
		},
	}
}

// send sets the addresses at the server.
func (u *updateClient) send(ctx context.Context, addrs []netip.Addr) ([]updateResult, error) {
	if u.proof.key != nil {
		return u.sendSigned(ctx, addrs)
	}
	return u.sendNic(ctx, addrs)
}

// sendNic sets them by dyndns2: all hosts and families in one request. A family that there is nothing
// to say of is left as it is.
func (u *updateClient) sendNic(ctx context.Context, addrs []netip.Addr) ([]updateResult, error) {
	names := make([]string, len(u.hosts))
	for i, h := range u.hosts {
		names[i] = h.name
	}
	query := []auth.Param{{Key: "hostname", Value: strings.Join(names, ",")}}
	for _, f := range bothFamilies {
		query = append(query, auth.Param{Key: f.param, Value: cmp.Or(strings.Join(addrTexts(f.of(addrs)), ","), "preserve")})
	}
	target := u.url.JoinPath("nic", "update")
	header := u.authorize(http.MethodGet, target.EscapedPath(), query)
	target.RawQuery = encodeParams(query)
	a, err := u.ask(ctx, u.any, http.MethodGet, target, header, nil)
	if err != nil {
		return nil, err
	}
	words, err := a.words(len(names))
	if err != nil {
		return nil, err
	}
	results := make([]updateResult, len(names))
	for i, name := range names {
		results[i] = updateResult{name, words[i], addrs}
	}
	return results, nil
}

func encodeParams(params []auth.Param) string {
	pairs := make([]string, len(params))
	for i, p := range params {
		pairs[i] = p.Key + "=" + url.QueryEscape(p.Value)
	}
	return strings.Join(pairs, "&")
}

// authorize makes the headers that show who asks: a signature, or the secret.
func (u *updateClient) authorize(method, path string, params []auth.Param) http.Header {
	if u.proof.id != "" {
		signed := auth.HMACRequest{Method: method, Path: path, Params: params}
		authorization, conexim := signed.Sign(u.proof.id, u.proof.secret, u.now())
		return http.Header{"Authorization": {authorization}, "Conexim-Time": {conexim}}
	}
	basic := base64.StdEncoding.EncodeToString([]byte(u.hosts[0].name + ":" + u.proof.secret.Reveal()))
	return http.Header{"Authorization": {"Basic " + basic}}
}

// mostAnswer bounds what is read of an answer.
const mostAnswer = 64 << 10

// ask sends a request, a form if there is one, and reads the answer. Redirections are not followed: a
// secret goes where it was sent.
func (u *updateClient) ask(ctx context.Context, via http.RoundTripper, method string, target *url.URL, header http.Header, form url.Values) (updateAnswer, error) {
	ctx, cancel := context.WithTimeout(ctx, u.timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, target.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return updateAnswer{}, err
	}
	if header != nil {
		request.Header = header
	}
	request.Header.Set("User-Agent", "redyn/"+programVersion())
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	response, err := via.RoundTrip(request)
	if err != nil {
		return updateAnswer{}, u.explain(ctx, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, mostAnswer))
	if err != nil {
		return updateAnswer{}, u.explain(ctx, err)
	}
	return updateAnswer{
		where: target.Scheme + "://" + target.Host + target.EscapedPath(), status: response.StatusCode, body: string(body),
		location: response.Header.Get("Location"), retryAfter: parseRetryAfter(response.Header.Get("Retry-After"), u.now()),
	}, nil
}

// explain words the end of the wait.
func (u *updateClient) explain(ctx context.Context, err error) error {
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil {
		return fmt.Errorf("%s does not answer within %s", u.url.Host, u.timeout)
	}
	return err
}
