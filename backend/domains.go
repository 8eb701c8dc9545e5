package backend

import (
	"context"
	"strconv"

	"redyn/backend/dns"
)

// getAllDomains answers with all zones, also those that are not known, so that their names are asked
// for here and nowhere else. PowerDNS asks at its start, and exits if that fails, and
// whenever it fills its zone cache anew.
func (b *Backend) getAllDomains(_ context.Context, _ *params, r *reply) error {
	streamZones(r, b.Zones.Zones())
	return nil
}

func (b *Backend) getDomainInfo(ctx context.Context, p *params, r *reply) error {
	apex, err := p.name(name)
	if err != nil {
		return err
	}
	z, ok, err := b.zoneNamed(apex)
	if err != nil {
		return err
	}
	if !ok {
		r.none()
		return nil
	}
	if p.from.busy() {
		if z.Serial, err = p.from.serial(ctx, &z); err != nil {
			return err
		}
	}
	r.begin()
	r.b = appendZone(r.b, &z)
	r.end()
	return nil
}

// appendZone appends what PowerDNS reads of a zone, without what it takes for granted: kind native,
// and nothing or 0 for the rest.
func appendZone(dst []byte, z *dns.Zone) []byte {
	dst = append(dst, `{"id":`...)
	dst = strconv.AppendInt(dst, int64(z.ID), 10)
	dst = append(dst, `,"zone":`...)
	dst = appendString(dst, string(z.Name))
	dst = append(dst, `,"serial":`...)
	dst = strconv.AppendUint(dst, uint64(z.Serial), 10)
	if z.NotifiedSerial != 0 {
		dst = append(dst, `,"notified_serial":`...)
		dst = strconv.AppendUint(dst, uint64(z.NotifiedSerial), 10)
	}
	if !z.LastCheck.IsZero() {
		dst = append(dst, `,"last_check":`...)
		dst = strconv.AppendInt(dst, z.LastCheck.Unix(), 10)
	}
	if z.Kind != dns.Native && z.Kind != "" {
		dst = append(dst, `,"kind":`...)
		dst = appendString(dst, string(z.Kind))
	}
	if len(z.Masters) > 0 {
		dst = append(dst, `,"masters":`...)
		dst = appendStrings(dst, z.Masters)
	}
	return append(dst, '}')
}
