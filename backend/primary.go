package backend

import (
	"context"
	"iter"
	"math"
	"strconv"

	"redyn/backend/dns"
)

// getUpdatedMasters answers with the zones whose secondaries are to be notified: PowerDNS, as a
// primary, asks again and again.
func (b *Backend) getUpdatedMasters(_ context.Context, _ *params, r *reply) error {
	streamZones(r, func(yield func(dns.Zone) bool) {
		for z := range b.Zones.Zones() {
			if z.Kind == dns.Master && z.Serial != z.NotifiedSerial && !yield(z) {
				return
			}
		}
	})
	return nil
}

func streamZones(r *reply, zones iter.Seq[dns.Zone]) {
	stream(r, zones, func(dst []byte, z dns.Zone) []byte { return append(appendZone(dst, &z), ',') })
}

// setNotified notes the serial of which a zone's secondaries have been notified.
func (b *Backend) setNotified(ctx context.Context, p *params, r *reply) error {
	z, ok, err := b.zoneOf(p, id)
	if err != nil {
		return err
	}
	text, err := p.need(serial)
	if err != nil {
		return err
	}
	if !ok {
		return refused("there is no zone with the id %s", p.text[id])
	}
	notified, err := parseSerial(text, z.Serial)
	if err != nil {
		return err
	}
	return b.update(ctx, p, r, z.Name, dns.ZoneUpdate{NotifiedSerial: &notified})
}

// parseSerial reads a serial as PowerDNS sends it: 4 as a float (7.000000), 5 as what its conversion
// to an int made of it, which over HTTP is the least one for all serials from 2^31 on. As that cannot
// be told apart it is taken for the current serial.
func parseSerial(text []byte, current dns.Serial) (dns.Serial, error) {
	n, err := strconv.ParseFloat(string(text), 64)
	switch {
	case err != nil || n != math.Trunc(n) || n < math.MinInt32 || n > math.MaxUint32:
		return 0, bad("serial %.40q is no number from 0 to 4294967295", text)
	case n == math.MinInt32:
		return current, nil
	}
	return dns.Serial(int64(n)), nil
}

// update changes what is known of a zone.
func (b *Backend) update(ctx context.Context, p *params, r *reply, zone dns.Name, u dns.ZoneUpdate) error {
	if err := b.apply(ctx, p, dns.ZoneChange{Zone: zone, Update: u}); err != nil {
		return err
	}
	r.bool(true)
	return nil
}
