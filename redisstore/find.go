package redisstore

import (
	"context"
	"crypto/sha1"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"redyn/auth"
	"redyn/backend/dns"
)

//go:embed request.lua
var requestLua string

//go:embed find.lua
var findLua string

var findScript = redis.NewScript(countLua + requestLua + findLua)

// Find counts a request against the limit of its source, and answers from the primary what it asks,
// in one step. If the source has to wait, that is all it answers. It fails with dns.ErrLost if there
// is no data set, and rather than leave out a credential that cannot be read.
func (s *Store) Find(ctx context.Context, q auth.Query) (auth.Found, error) {
	r, err := s.ask(ctx, findScript, []string{s.keys.epoch()}, requestArgs(q)...)
	return foundOrWait(r, err)
}

// foundOrWait reads what follows the word of request.lua's answer, or what outcome makes of that.
func foundOrWait(r []string, err error) (auth.Found, error) {
	var limit *auth.LimitError
	if errors.As(err, &limit) {
		return auth.Found{RetryAfter: limit.RetryAfter}, nil
	}
	var found auth.Found
	if err == nil {
		found, err = parseFound(r)
	}
	if err != nil {
		return auth.Found{}, fmt.Errorf("find credentials: %w", err)
	}
	return found, nil
}

// premiseArgs writes a premise as apply.lua reads it.
func premiseArgs(p *auth.Premise) []any {
	if p == nil {
		return nothing
	}
	request := requestArgs(p.Query)
	return append(append(make([]any, 0, 2+len(request)), 1+len(request), p.Basis), request...)
}

// otherwise reads the answer of apply.lua to a premise that does not hold.
func (r reply) otherwise() error {
	rest := r[1:]
	err := rest.outcome()
	if err == nil {
		rest = rest[1:]
	}
	found, err := foundOrWait(rest, err)
	if err != nil {
		return err
	}
	return &auth.PremiseError{Found: found}
}

// requestArgs writes the query as request.lua reads it.
func requestArgs(q auth.Query) []any {
	flag := func(on bool) string {
		if on {
			return "1"
		}
		return ""
	}
	failures, _ := limitArgs(q.FailureLimit)
	requests, per := limitArgs(q.FromLimit)
	args := append(make([]any, 0, 11+len(q.IDs)+len(q.Hosts)+len(q.HostNames)+len(q.ForZones)),
		sourceText(q.From), failures, requests, per, q.TokenHash, flag(q.ForHosts), flag(q.OneTimeToken))
	args = appendList(args, q.IDs)
	args = append(args, len(q.Hosts))
	for _, id := range q.Hosts {
		args = append(args, int64(id))
	}
	return appendList(appendList(args, q.HostNames), q.ForZones)
}

// appendList appends the length of the list, and what is in it.
func appendList[T ~string](args []any, list []T) []any {
	args = append(args, len(list))
	for _, text := range list {
		args = append(args, string(text))
	}
	return args
}

// How many values request.lua answers for each; the last of them is no part of the basis.
const (
	credentialValues = 3
	hostValues       = 6
)

// parseFound reads what request.lua answers.
func parseFound(r []string) (found auth.Found, err error) {
	if len(r) == 0 {
		return found, errors.New("the script answers nothing")
	}
	n, err := strconv.Atoi(r[0])
	hosts := 1 + n*credentialValues
	if err != nil || n < 0 || n > len(r) || len(r) < hosts || (len(r)-hosts)%hostValues != 0 {
		return found, fmt.Errorf("the script answers %d values, %q credentials among them", len(r), r[0])
	}
	basis := append(make([]string, 0, len(r)), r[0])
	for i := 1; i < hosts; i += credentialValues {
		basis = append(basis, r[i:i+credentialValues-1]...)
		c, err := parseCredential(r[i], r[i+2])
		if err != nil {
			return found, err
		}
		found.Credentials = append(found.Credentials, c)
		if failures, _ := strconv.Atoi(r[i+1]); failures > 0 {
			if found.Failures == nil {
				found.Failures = make(map[string]int)
			}
			found.Failures[c.ID] = failures
		}
	}
	for i := hosts; i < len(r); i += hostValues {
		basis = append(basis, r[i:i+hostValues-1]...)
		h, err := parseHost(r[i], r[i+1], r[i+2], r[i+3], r[i+5])
		if err != nil {
			return found, err
		}
		found.Hosts = append(found.Hosts, h)
		if token := r[i+4]; token != "" {
			if found.Tokens == nil {
				found.Tokens = make(map[auth.HostID]string)
			}
			found.Tokens[h.ID] = token
		}
	}
	sum := sha1.Sum([]byte(strings.Join(basis, "\n")))
	found.Basis = hex.EncodeToString(sum[:])
	return found, nil
}

// parseCredential reads the value and the last use in cred:<id>.
func parseCredential(value, lastUse string) (auth.Credential, error) {
	c, err := auth.DecodeCredential([]byte(value))
	if err != nil {
		return c, err
	}
	c.LastUse, err = parseTime(lastUse)
	return c, err
}

// parseHost reads what there is in host:<id>.
func parseHost(id, name, policy, created, changed string) (h auth.Host, err error) {
	if h.ID, err = auth.ParseHostID(id); err != nil {
		return h, err
	}
	errs := make([]error, 4)
	h.Name, errs[0] = dns.ParseName(name)
	h.Policy, errs[1] = auth.ParseHostPolicy(policy)
	h.Created, errs[2] = parseTime(created)
	h.Changed, errs[3] = parseTime(changed)
	if err := errors.Join(errs...); err != nil {
		return h, fmt.Errorf("host %d: %w", h.ID, err)
	}
	return h, nil
}

// parseTime reads what timeText writes.
func parseTime(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("time %.40q is no number of seconds", text)
	}
	return time.Unix(n, 0).UTC(), nil
}
