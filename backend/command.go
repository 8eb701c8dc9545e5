package backend

import (
	"bytes"
	"context"
	"fmt"

	"redyn/backend/dns"
)

// directBackendCmd is the operator's pdnsutil backend-cmd remote 'COMMAND', each in quotes of its own:
//
//	stats      figures about the data
//	zone NAME  what is known of a zone
//	reload     read all data again
//
// All else is echoed, as upstream's own backends do.
func (b *Backend) directBackendCmd(_ context.Context, p *params, r *reply) error {
	text, err := p.need(query)
	if err != nil {
		return err
	}
	words := bytes.Fields(text)
	switch {
	case len(words) == 1 && string(words[0]) == "stats" && b.Stats != nil:
		r.text(b.Stats())
	case len(words) == 1 && string(words[0]) == "reload" && b.Reload != nil:
		b.Reload()
		r.text("reloading")
	case len(words) == 2 && string(words[0]) == "zone":
		r.text(b.describe(string(words[1])))
	default:
		r.text(string(text))
	}
	return nil
}

// describe tells a person what is known of a zone.
func (b *Backend) describe(text string) string {
	apex, err := dns.ParseName(text)
	if err != nil {
		return err.Error()
	}
	z, ok, err := b.zoneNamed(apex)
	if err != nil {
		return err.Error()
	}
	if !ok {
		return fmt.Sprintf("no zone %s", apex)
	}
	return fmt.Sprintf("zone %s id %d kind %s serial %d notified %d", z.Name, z.ID, z.Kind, z.Serial, z.NotifiedSerial)
}
