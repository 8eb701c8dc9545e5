package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	mdns "github.com/miekg/dns"

	"redyn/backend/dns"
	"redyn/redisstore"
)

// graphWay makes changes: how, and what then acknowledges them.
type graphWay struct {
	name   string
	in     *graph
	change func(turn) error // nil: nothing changes
}

// rrset is the new value of one type of a name; without content it goes.
type rrset struct {
	Name    string   `json:"name"`
	Type    string   `json:"type"`
	TTL     uint32   `json:"ttl"`
	Content []string `json:"content"`
}

// rrsets are what a turn changes.
func (t turn) rrsets() (sets []rrset) {
	for typ := range t.old {
		if _, stays := t.next[typ]; !stays {
			sets = append(sets, rrset{Name: t.name, Type: mdns.TypeToString[typ], TTL: ttl, Content: []string{}})
		}
	}
	for typ, data := range t.next {
		sets = append(sets, rrset{t.name, mdns.TypeToString[typ], ttl, []string{data}})
	}
	return sets
}

// apiPatcher changes RRsets by the REST API, which answers when the node shows the change and has purged.
type apiPatcher struct {
	url, token string
	client     http.Client
}

func newAPIPatcher(listener, token string) *apiPatcher {
	return &apiPatcher{
		url: "http://" + listener + "/api/v1/zones/" + strings.TrimSuffix(origin, ".") + "/rrsets", token: token,
		client: http.Client{Timeout: ready, Transport: &http.Transport{MaxIdleConnsPerHost: len(plots) * storiesEach}},
	}
}

func (a *apiPatcher) change(t turn) error {
	body, err := json.Marshal(map[string]any{"rrsets": t.rrsets()})
	if err != nil {
		return err
	}
	request, err := http.NewRequest(http.MethodPatch, a.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+a.token)
	response, err := a.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("the API answers %s %q to %s", response.Status, text, body)
	}
	return err
}

// applier changes RRsets in Redis as redyn record set does, and then waits for the leases of the nodes.
type applier struct {
	ctx   context.Context
	store *redisstore.Store
}

func (a applier) change(t turn) error { return a.apply(t.rrsets()) }

func (a applier) apply(sets []rrset) error {
	change := dns.ZoneChange{Zone: origin}
	for _, s := range sets {
		change.RRsets = append(change.RRsets, dns.NewRRset(dns.Name(s.Name), dns.Type(mdns.StringToType[s.Type]), s.TTL, s.Content...))
	}
	r, err := a.store.Apply(a.ctx, dns.Change{Who: "bench", Zones: []dns.ZoneChange{change}})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(a.ctx, ready)
	defer cancel()
	late, err := a.store.WaitNodes(ctx, r)
	if err == nil && len(late) > 0 {
		err = errors.New("a node does not show a change")
	}
	return err
}

// begin makes what the stories have at the beginning.
func (a applier) begin(stories []*story) error {
	var sets []rrset
	for _, s := range stories {
		for name, has := range s.versions[0].model {
			sets = append(sets, turn{name: name, next: has}.rrsets()...)
		}
	}
	if err := a.apply(sets); err != nil {
		return err
	}
	for _, s := range stories {
		s.acknowledged()
	}
	return nil
}
