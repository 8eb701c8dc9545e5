package updater

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/valyala/fasthttp"
)

// from returns the address that a request comes from.
func (u *Updater) from(fc *fasthttp.RequestCtx) (netip.Addr, error) {
	peer := peerOf(fc.RemoteAddr())
	if u.ProxyHeader == PROXYProtocol {
		return clientOf(fc.Conn(), peer), nil
	}
	return u.caller(peer, &fc.Request.Header)
}

// caller returns the address that a request comes from: the peer, unless that is a trusted proxy. Then
// it is the last address that a proxy names and that is not a trusted proxy itself; what stands
// before it anybody may have written.
func (u *Updater) caller(peer netip.Addr, h *fasthttp.RequestHeader) (netip.Addr, error) {
	if !u.trusted(peer) {
		return peer, nil
	}
	named := make([]netip.Addr, 0, 2)
	for _, header := range u.proxyHeaders() {
		values := h.PeekAll(header)
		if len(values) == 0 {
			continue
		}
		lines := make([]string, len(values))
		for i, v := range values {
			lines[i] = string(v)
		}
		hops := forwardedFor
		if strings.EqualFold(header, forwardedHeader) {
			hops = forwarded
		}
		addr, ok := u.behind(peer, hops(strings.Join(lines, ",")))
		if !ok {
			return peer, bad("the proxy's %s does not say where the request comes from", header)
		}
		named = append(named, addr)
	}
	switch {
	case len(named) == 0:
		return peer, nil
	case len(named) > 1 && named[0] != named[1]:
		// One of them the proxy passed on as the caller wrote it.
		return peer, bad("%s and %s name different callers; --trusted-proxy-header says which to read", forwardedForHeader, forwardedHeader)
	}
	return named[0], nil
}

const (
	forwardedForHeader = fasthttp.HeaderXForwardedFor
	forwardedHeader    = fasthttp.HeaderForwarded
)

func (u *Updater) proxyHeaders() []string {
	if u.ProxyHeader != "" {
		return []string{u.ProxyHeader}
	}
	return []string{forwardedForHeader, forwardedHeader}
}

func (u *Updater) trusted(addr netip.Addr) bool {
	return slices.ContainsFunc(u.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// behind goes through the hops, the nearest last, until one is not trusted. A hop that is no address
// is nobody that could be trusted or limited.
func (u *Updater) behind(peer netip.Addr, hops []string) (netip.Addr, bool) {
	addr := peer
	for _, hop := range slices.Backward(hops) {
		var ok bool
		if addr, ok = parseHop(hop); !ok {
			return peer, false
		}
		if !u.trusted(addr) {
			break
		}
	}
	return addr, true
}

// parseHop reads an address with or without a port; one of IPv6 may stand in brackets, and must with
// a port.
func parseHop(text string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		var ap netip.AddrPort
		ap, err = netip.ParseAddrPort(text)
		addr = ap.Addr()
	}
	if inner, ok := strings.CutPrefix(text, "["); ok && err != nil {
		if inner, ok = strings.CutSuffix(inner, "]"); ok {
			addr, err = netip.ParseAddr(inner)
		}
	}
	return plainAddr(addr), err == nil
}

// forwardedFor returns the hops in X-Forwarded-For, and in other headers of that form.
func forwardedFor(text string) []string {
	var hops []string
	for hop := range strings.SplitSeq(text, ",") {
		hops = append(hops, strings.Trim(hop, " \t"))
	}
	return hops
}
