package updater

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"redyn/auth"
	"redyn/backend/dns"
)

// record is a record as a view has it. All values are texts, as they came out of MySQL once.
type record struct {
	DomainID   string `json:"domain_id"`
	Name       string `json:"name"`
	Type       string `json:"type"`
	Content    string `json:"content"`
	TTL        string `json:"ttl"`
	ChangeDate string `json:"change_date"`
}

// domain shows the records at a host's own name; none for a host that is not known.
func (u *Updater) domain(ctx context.Context, r *request) reply {
	find := u.findHost
	if u.PrivateDomainView {
		find = u.findGranted
	}
	host, err := find(ctx, r)
	if err != nil && !errors.Is(err, dns.ErrNotFound) {
		return plain(u.unavailable(ctx, r, err))
	}
	records, err := u.records(host)
	if err != nil {
		return plain(u.unavailable(ctx, r, err))
	}
	return sayJSON(records)
}

// records returns the records of a host. It fails if they are not known.
func (u *Updater) records(host auth.Host) ([]record, error) {
	list := []record{}
	zone, ok := u.Zones.ZoneOf(host.Name)
	if host.ID == 0 || !ok {
		return list, nil
	}
	changed := host.Changed
	if changed.IsZero() {
		changed = host.Created
	}
	answers, err := u.Zones.Lookup(nil, host.Name, dns.TypeANY, zone.ID)
	if err != nil {
		return nil, err
	}
	for _, a := range answers {
		for _, content := range a.Content {
			list = append(list, record{
				host.ID.String(), strings.TrimSuffix(string(a.Name), "."), a.Type.String(), content,
				strconv.FormatUint(uint64(a.TTL), 10), strconv.FormatInt(changed.Unix(), 10),
			})
		}
	}
	return list, nil
}

// findGranted is findHost for a caller that must prove that it may see the host. A host that is not
// known is refused as one that is not granted.
func (u *Updater) findGranted(ctx context.Context, r *request) (auth.Host, error) {
	h := r.pathHost()
	a := &attempt{u: u, r: r, wish: wish{protocol: "domain", reads: true, proof: r.proof(), hosts: []*hostWish{h}}}
	err := a.find(ctx)
	if err == nil {
		err = a.prove(ctx)
	}
	if err == nil && (h.host.ID == 0 || !a.verified.Credential.Grant.Near(h.host.Name)) {
		err = errDenied
	}
	if errors.Is(err, auth.ErrDenied) {
		u.tellDenied(ctx, a, err)
	}
	return h.host, err
}
