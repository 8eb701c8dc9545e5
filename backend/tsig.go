package backend

import (
	"context"
	"errors"

	"redyn/backend/dns"
)

// getTSIGKey answers with one key.
func (b *Backend) getTSIGKey(_ context.Context, p *params, r *reply) error {
	n, err := p.name(name)
	if err != nil {
		return err
	}
	k, err := b.Zones.TSIGKey(n)
	switch {
	case errors.Is(err, dns.ErrNotFound):
		r.none()
		return nil
	case err != nil:
		return err
	}
	r.begin()
	r.b = appendTSIG(append(r.b, '{'), &k)
	r.end()
	return nil
}

// getTSIGKeys answers with all keys.
func (b *Backend) getTSIGKeys(_ context.Context, _ *params, r *reply) error {
	keys, err := b.Zones.TSIGKeys()
	if err != nil {
		return err
	}
	r.begin()
	r.open('[')
	for i := range keys {
		r.b = append(r.b, `{"name":`...)
		r.b = appendString(r.b, string(keys[i].Name))
		r.b = append(appendTSIG(append(r.b, ','), &keys[i]), ',')
	}
	r.shut(']', len(keys) == 0)
	return nil
}

func appendTSIG(dst []byte, k *dns.TSIGKey) []byte {
	dst = append(dst, `"algorithm":`...)
	dst = appendString(dst, string(k.Algorithm))
	dst = append(dst, `,"content":`...)
	dst = appendString(dst, k.Secret)
	return append(dst, '}')
}

// setTSIGKey adds a key, or puts it in the place of the one of that name.
func (b *Backend) setTSIGKey(ctx context.Context, p *params, r *reply) (err error) {
	var k dns.TSIGKey
	if k.Name, err = p.kept(name); err != nil {
		return err
	}
	if k.Algorithm, err = p.kept(algorithm); err != nil {
		return err
	}
	secret, err := p.need(content)
	if err != nil {
		return err
	}
	k.Secret = string(secret)
	return b.changeTSIG(ctx, p, r, k.Name, &k)
}

// deleteTSIGKey takes a key away. One that is not there is as wanted.
func (b *Backend) deleteTSIGKey(ctx context.Context, p *params, r *reply) error {
	n, err := p.kept(name)
	if err != nil {
		return err
	}
	return b.changeTSIG(ctx, p, r, n, nil)
}

func (b *Backend) changeTSIG(ctx context.Context, p *params, r *reply, name dns.Name, k *dns.TSIGKey) error {
	c := dns.Change{Server: dns.ServerChange{TSIG: map[dns.Name]*dns.TSIGKey{name: k}}}
	if err := b.change(ctx, p, c); err != nil {
		return err
	}
	r.bool(true)
	return nil
}
