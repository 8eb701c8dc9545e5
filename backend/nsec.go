package backend

import (
	"context"
	"strings"

	"redyn/backend/dns"
)

// getBeforeAndAfterNamesAbsolute answers with the neighbours of a name in the order of its zone's
// denials: for NSEC of a name relative to the zone (. is the apex), for NSEC3 of a hash. PowerDNS
// goes by what it remembers of the metadata, for up to a minute: while a zone changes from NSEC to
// NSEC3 it still asks for names, and gets the right ones. The unhashed name is absolute.
func (b *Backend) getBeforeAndAfterNamesAbsolute(_ context.Context, p *params, r *reply) error {
	z, ok, err := b.zoneOf(p, id)
	if err != nil {
		return err
	}
	relative, err := p.name(qname)
	if err != nil {
		return err
	}
	if !ok {
		r.none()
		return nil
	}
	hash := strings.TrimSuffix(string(relative), ".")
	if before, unhashed, after, ok := b.Zones.HashNeighbours(z.ID, hash); ok {
		r.neighbours(unhashed, before+".", after+".")
		return nil
	}
	name, err := absolute(relative, z.Name)
	if err != nil {
		return err
	}
	before, after, ok := b.Zones.Neighbours(z.ID, name)
	if !ok {
		r.none()
		return nil
	}
	r.neighbours(before, below(before, z.Name), below(after, z.Name))
	return nil
}

func (r *reply) neighbours(unhashed dns.Name, before, after string) {
	r.begin()
	r.b = append(r.b, `{"unhashed":`...)
	r.b = appendString(r.b, string(unhashed))
	r.b = append(r.b, `,"before":`...)
	r.b = appendString(r.b, before)
	r.b = append(r.b, `,"after":`...)
	r.b = appendString(r.b, after)
	r.b = append(r.b, '}')
	r.end()
}

// absolute returns the name that stands relative to the apex.
func absolute(relative, apex dns.Name) (dns.Name, error) {
	switch {
	case relative == dns.Root:
		return apex, nil
	case apex == dns.Root:
		return relative, nil
	}
	name, err := dns.ParseName(string(relative + apex))
	if err != nil {
		return "", bad("qname: %v", err)
	}
	return name, nil
}

// below returns name as it stands relative to the apex, which is . itself.
func below(name, apex dns.Name) string {
	switch {
	case name == apex:
		return "."
	case apex == dns.Root:
		return string(name)
	}
	return string(name[:len(name)-len(apex)])
}
