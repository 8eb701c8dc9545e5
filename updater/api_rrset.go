package updater

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"redyn/backend/dns"
	"redyn/backend/dns/zonefile"
)

// apiRRset is an RRset in JSON.
type apiRRset struct {
	Name    dns.Name `json:"name"`
	Type    string   `json:"type"`
	TTL     uint32   `json:"ttl"`
	Content []string `json:"content"`
}

func newAPIRRset(s dns.RRset) apiRRset {
	return apiRRset{s.Name, s.Type.String(), s.TTL, append([]string{}, s.Content...)}
}

// apiRRsets is a part of the RRsets that there are.
type apiRRsets struct {
	RRsets []apiRRset `json:"rrsets"`
	Next   dns.Name   `json:"next,omitempty"`
}

// listRRsets shows what a zone has, or one name of it, as far as it is granted. A page has all of a
// name or nothing.
func (c *apiCall) listRRsets(ctx context.Context) (any, error) {
	zone, page := c.name("the zone", c.args[0]), c.page()
	typ := dns.TypeANY
	if text, ok := c.r.params.get("type"); ok {
		typ = c.rrtype(text)
	}
	var host *hostWish
	if text, ok := c.r.params.get("name"); ok {
		host = &hostWish{zone: zone, name: c.name("name", text)}
		c.wish.hosts = append(c.wish.hosts, host)
	}
	if err := c.admit(ctx); err != nil {
		return nil, err
	}
	z, ok := c.u.Zones.Zone(zone)
	if !ok {
		return nil, errNoSuch
	}
	if host != nil {
		return c.rrsetsAt(z, host, typ)
	}
	if !c.covers(c.wholeZone(zone)) {
		return nil, errNoSuch
	}
	return c.rrsetsOf(z, typ, page)
}

// rrsetsAt returns what a zone has at one name.
func (c *apiCall) rrsetsAt(z dns.Zone, h *hostWish, typ dns.Type) (any, error) {
	list := apiRRsets{RRsets: []apiRRset{}}
	grant := &c.verified.Credential.Grant
	if !h.name.Under(z.Name) || !grant.Near(h.name) {
		return nil, errNoSuch
	}
	answers, err := c.u.Zones.Lookup(nil, h.name, typ, z.ID)
	if err != nil {
		return nil, err
	}
	for _, a := range answers {
		if a.Type != dns.TypeENT && grant.Allows(c.u.target(h, a.Type)) {
			list.RRsets = append(list.RRsets, newAPIRRset(a.RRset))
		}
	}
	return list, nil
}

func (c *apiCall) rrsetsOf(z dns.Zone, typ dns.Type, page page) (any, error) {
	list := apiRRsets{RRsets: []apiRRset{}}
	all, err := c.u.Zones.List(z.ID, z.Name)
	if err != nil {
		return nil, err
	}
	grant := &c.verified.Credential.Grant
	var last dns.Name
	for a := range all {
		h := &hostWish{zone: z.Name, name: a.Name}
		if a.Type == dns.TypeENT || typ != dns.TypeANY && typ != a.Type || !page.has(a.Name) || !grant.Allows(c.u.target(h, a.Type)) {
			continue
		}
		if a.Name != last && len(list.RRsets) >= page.limit {
			list.Next = last
			break
		}
		last = a.Name
		list.RRsets = append(list.RRsets, newAPIRRset(a.RRset))
	}
	return list, nil
}

// rrtype reads a type.
func (c *apiCall) rrtype(text string) dns.Type {
	typ, err := zonefile.ParseType(text)
	if err != nil {
		c.doubt(bad("the type: %v", err))
	}
	return typ
}

// inPath returns the wish for the RRset in the path.
func (c *apiCall) inPath() *hostWish {
	h := c.at(c.name("the zone", c.args[0]), c.name("the name", c.args[1]))
	h.edits = []edit{{typ: c.rrtype(c.args[2])}}
	return h
}

// at returns the wish for a name in a zone, adding one if need be.
func (c *apiCall) at(zone, name dns.Name) *hostWish {
	i := slices.IndexFunc(c.wish.hosts, func(h *hostWish) bool { return h.name == name })
	if i < 0 {
		if !name.Under(zone) {
			c.doubt(bad("%s does not lie in zone %s", name, zone))
		}
		i = len(c.wish.hosts)
		c.wish.hosts = append(c.wish.hosts, &hostWish{zone: zone, name: name})
	}
	return c.wish.hosts[i]
}

func (c *apiCall) showRRset(ctx context.Context) (any, error) {
	h := c.inPath()
	if err := c.admit(ctx); err != nil {
		return nil, err
	}
	set, err := c.current(h)
	if err == nil && len(set.Content) == 0 {
		err = errNoSuch
	}
	if err != nil {
		return nil, err
	}
	return newAPIRRset(set), nil
}

// current returns the RRset of a wish as it is in memory now; without content if there is none.
func (c *apiCall) current(h *hostWish) (dns.RRset, error) {
	z, ok := c.u.Zones.Zone(h.zone)
	if !ok {
		return dns.RRset{}, errNoSuch
	}
	answers, err := c.u.Zones.Lookup(nil, h.name, h.edits[0].typ, z.ID)
	if err != nil || len(answers) == 0 {
		return dns.RRset{Name: h.name, Type: h.edits[0].typ}, err
	}
	return answers[0].RRset, nil
}

// rrsetValue is what an RRset is to be.
type rrsetValue struct {
	TTL     *uint32  `json:"ttl"`
	Content lineList `json:"content"`
}

func (c *apiCall) putRRset(ctx context.Context) (any, error) {
	var body rrsetValue
	c.decode(&body)
	h := c.inPath()
	if len(body.Content) == 0 {
		c.doubt(bad("content: there is none; expected DELETE for that"))
	}
	h.edits[0] = c.put(h.edits[0].typ, body.TTL, body.Content)
	return c.changed(ctx, h)
}

// put is an edit that makes these the only records.
func (c *apiCall) put(typ dns.Type, ttl *uint32, texts []string) edit {
	content := c.content(typ, texts)
	c.checkTTL(ttl)
	return edit{typ: typ, fresh: func(old dns.RRset, _ uint32) dns.RRset {
		return dns.NewRRset(old.Name, old.Type, ttlOf(ttl, old), slices.Clone(content)...)
	}}
}

// rrsetEdit is what is to become of an RRset's records.
type rrsetEdit struct {
	TTL    *uint32  `json:"ttl"`
	Add    lineList `json:"add"`
	Remove lineList `json:"remove"`
}

func (c *apiCall) changeRRset(ctx context.Context) (any, error) {
	var body rrsetEdit
	c.decode(&body)
	h := c.inPath()
	typ := h.edits[0].typ
	add, remove := c.content(typ, body.Add), c.content(typ, body.Remove)
	c.checkTTL(body.TTL)
	h.edits[0] = edit{typ: typ, computed: true, fresh: func(old dns.RRset, _ uint32) dns.RRset {
		content := slices.DeleteFunc(slices.Clone(old.Content), func(text string) bool { return slices.Contains(remove, text) })
		return dns.NewRRset(old.Name, old.Type, ttlOf(body.TTL, old), append(content, add...)...)
	}}
	return c.changed(ctx, h)
}

// changed makes the change, and returns the RRset that it is about.
func (c *apiCall) changed(ctx context.Context, h *hostWish) (any, error) {
	if _, err := c.change(ctx); err != nil {
		return nil, err
	}
	set, err := c.current(h)
	if err != nil {
		return nil, err
	}
	return newAPIRRset(set), nil
}

// change makes what is wished.
func (c *apiCall) change(ctx context.Context) ([]result, error) {
	results, err := c.run(ctx)
	if err == nil {
		c.u.tell(ctx, c.attempt, results)
	}
	return results, err
}

func (c *apiCall) deleteRRset(ctx context.Context) (any, error) {
	h := c.inPath()
	h.edits[0] = c.put(h.edits[0].typ, nil, nil)
	results, err := c.change(ctx)
	if err == nil && !results[0].changed {
		err = errNoSuch
	}
	return nil, err
}

// rrsetChanges are RRsets of one zone that change together. One without content is deleted.
type rrsetChanges struct {
	RRsets []rrsetChange `json:"rrsets"`
}

type rrsetChange struct {
	Name    string   `json:"name"`
	Type    string   `json:"type"`
	TTL     *uint32  `json:"ttl"`
	Content lineList `json:"content"`
}

// mostRRsets bounds one change.
const mostRRsets = 500

func (c *apiCall) changeRRsets(ctx context.Context) (any, error) {
	var body rrsetChanges
	c.decode(&body)
	if n := len(body.RRsets); n == 0 || n > mostRRsets {
		c.doubt(bad("rrsets: there are %d; 1 to %d are right", n, mostRRsets))
	}
	zone := c.name("the zone", c.args[0])
	for i, one := range body.RRsets {
		c.where = fmt.Sprintf("rrsets[%d], %.300s %.40s: ", i, one.Name, one.Type)
		h, typ := c.at(zone, c.name("name", one.Name)), c.rrtype(one.Type)
		if slices.ContainsFunc(h.edits, func(e edit) bool { return e.typ == typ }) {
			c.doubt(bad("the RRset is given twice"))
		}
		h.edits = append(h.edits, c.put(typ, one.TTL, one.Content))
	}
	c.where = ""
	if _, err := c.change(ctx); err != nil {
		return nil, err
	}
	z, _ := c.u.Zones.Zone(zone)
	return newAPIZone(z), nil
}

// content makes the data of records canonical.
func (c *apiCall) content(typ dns.Type, texts []string) []string {
	content, err := zonefile.ParseContents(typ, texts)
	if err != nil {
		c.doubt(bad("content: %v", err))
	}
	return content
}

func (c *apiCall) checkTTL(ttl *uint32) {
	if ttl != nil && *ttl > dns.MaxTTL {
		c.doubt(bad("ttl %d is not from 0 to %d", *ttl, dns.MaxTTL))
	}
}

// ttlOf is the TTL that is wanted, or else the one that is there.
func ttlOf(ttl *uint32, old dns.RRset) uint32 {
	switch {
	case ttl != nil:
		return *ttl
	case len(old.Content) > 0:
		return old.TTL
	}
	return zonefile.DefaultTTL
}

// fitsZone reports why a zone cannot have what is to be set at a name, if so.
func fitsZone(zone dns.Zone, h *hostWish, answers []dns.Answer, r result) error {
	if err := changeable(zone); err != nil {
		return err
	}
	types := make(map[dns.Type]bool)
	for _, a := range answers {
		types[a.Type] = a.Type != dns.TypeENT
	}
	for _, set := range r.sets {
		if err := fitsAlone(zone, set); err != nil {
			return err
		}
		types[set.Type] = len(set.Content) > 0
	}
	var there []dns.Type
	for typ, is := range types {
		if is {
			there = append(there, typ)
		}
	}
	slices.Sort(there)
	if conflict := zonefile.CNAMEConflict(h.name, there); conflict != "" {
		return refused("%s", conflict)
	}
	return nil
}

// mostWire bounds an RRset: an answer has 65,535 octets at most, with its header, and signatures.
const mostWire = 60_000

// wireLength is about how many octets the records take in an answer.
func wireLength(set dns.RRset) (n int) {
	const frame = 12 // a pointer to the name, type, class, TTL and length
	for _, text := range set.Content {
		switch set.Type {
		case dns.TypeA:
			n += frame + 4
		case dns.TypeAAAA:
			n += frame + 16
		default:
			n += frame + len(text)
		}
	}
	return n
}

// fitsAlone reports what is wrong with an RRset, whatever is beside it.
func fitsAlone(zone dns.Zone, set dns.RRset) error {
	if size := wireLength(set); size > mostWire {
		return refused("%s %s would take some %d octets in an answer; %d are most", set.Name, set.Type, size, mostWire)
	}
	n := len(set.Content)
	switch set.Type {
	case dns.TypeSOA:
		if set.Name != zone.Name || n == 0 {
			return refused("%s SOA: a zone has its SOA at its apex, and keeps it", set.Name)
		}
		fallthrough
	case dns.TypeCNAME, dns.TypeDNAME:
		if n > 1 {
			return refused("%s can have one %s, not %d", strings.TrimSuffix(string(set.Name), "."), set.Type, n)
		}
	}
	return nil
}
