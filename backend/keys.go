package backend

import (
	"context"
	"slices"
	"strconv"

	"redyn/backend/dns"
)

// getDomainKeys answers with the DNSSEC keys of a zone. Keys that are not known are an error: with an
// empty answer PowerDNS would take the zone for unsigned.
func (b *Backend) getDomainKeys(_ context.Context, p *params, r *reply) error {
	apex, err := p.name(name)
	if err != nil {
		return err
	}
	keys, err := b.Zones.Keys(apex)
	if err != nil {
		return err
	}
	r.begin()
	r.open('[')
	for i := range keys {
		k := &keys[i]
		r.b = append(r.b, `{"id":`...)
		r.b = strconv.AppendInt(r.b, int64(k.ID), 10)
		r.b = append(r.b, `,"flags":`...)
		r.b = strconv.AppendUint(r.b, uint64(k.Flags), 10)
		r.b = append(r.b, `,"active":`...)
		r.b = strconv.AppendBool(r.b, k.Active)
		r.b = append(r.b, `,"published":`...)
		r.b = strconv.AppendBool(r.b, k.Published)
		r.b = append(r.b, `,"content":`...)
		r.b = appendString(r.b, k.Content)
		r.b = append(r.b, "},"...)
	}
	r.shut(']', len(keys) == 0)
	return nil
}

// addDomainKey adds a key to a zone and answers with its number.
func (b *Backend) addDomainKey(ctx context.Context, p *params, r *reply) error {
	apex, err := p.kept(name)
	if err != nil {
		return err
	}
	k, err := p.key()
	if err != nil {
		return err
	}
	if k.ID, err = b.Store.NextKeyID(ctx, apex); err != nil {
		return told(err)
	}
	if err := b.apply(ctx, p, dns.ZoneChange{Zone: apex, Keys: map[dns.KeyID]*dns.Key{k.ID: &k}}); err != nil {
		return err
	}
	r.begin()
	r.b = strconv.AppendInt(r.b, int64(k.ID), 10)
	r.end()
	return nil
}

// key returns the key that is given, which has no number yet.
func (p *params) key() (k dns.Key, err error) {
	text, err := p.need(content)
	if err != nil {
		return k, err
	}
	k.Content = string(text)
	number, err := p.need(flags)
	if err != nil {
		return k, err
	}
	n, err := strconv.ParseUint(string(number), 10, 16)
	if err != nil {
		return k, bad("flags %.40q are no number from 0 to 65535", number)
	}
	k.Flags = uint16(n)
	if k.Active, err = p.bool(active, true); err != nil {
		return k, err
	}
	k.Published, err = p.bool(published, true)
	return k, err
}

// removeDomainKey takes a key away. One that is not there is as wanted.
func (b *Backend) removeDomainKey(ctx context.Context, p *params, r *reply) error {
	apex, number, err := p.keyID()
	if err != nil {
		return err
	}
	if err := b.apply(ctx, p, dns.ZoneChange{Zone: apex, Keys: map[dns.KeyID]*dns.Key{number: nil}}); err != nil {
		return err
	}
	r.bool(true)
	return nil
}

func (b *Backend) activateDomainKey(ctx context.Context, p *params, r *reply) error {
	return b.changeKey(ctx, p, r, func(k *dns.Key) { k.Active = true })
}

func (b *Backend) deactivateDomainKey(ctx context.Context, p *params, r *reply) error {
	return b.changeKey(ctx, p, r, func(k *dns.Key) { k.Active = false })
}

func (b *Backend) publishDomainKey(ctx context.Context, p *params, r *reply) error {
	return b.changeKey(ctx, p, r, func(k *dns.Key) { k.Published = true })
}

func (b *Backend) unpublishDomainKey(ctx context.Context, p *params, r *reply) error {
	return b.changeKey(ctx, p, r, func(k *dns.Key) { k.Published = false })
}

// changeKey changes a key that is there.
func (b *Backend) changeKey(ctx context.Context, p *params, r *reply, edit func(*dns.Key)) error {
	apex, number, err := p.keyID()
	if err != nil {
		return err
	}
	b.keys.Lock()
	defer b.keys.Unlock()
	keys, err := b.Zones.Keys(apex)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(keys, func(k dns.Key) bool { return k.ID == number })
	if i < 0 {
		return refused("zone %s has no key %d", apex, number)
	}
	k := keys[i]
	edit(&k)
	if err := b.apply(ctx, p, dns.ZoneChange{Zone: apex, Keys: map[dns.KeyID]*dns.Key{number: &k}}); err != nil {
		return err
	}
	r.bool(true)
	return nil
}

// keyID returns the zone and the number of the key that is asked for.
func (p *params) keyID() (apex dns.Name, number dns.KeyID, err error) {
	if apex, err = p.kept(name); err != nil {
		return "", 0, err
	}
	text, err := p.need(id)
	if err != nil {
		return "", 0, err
	}
	n, err := strconv.ParseInt(string(text), 10, 32)
	if err != nil || n < 1 {
		return "", 0, bad("id %.40q is no number of a key", text)
	}
	return apex, dns.KeyID(n), nil
}
