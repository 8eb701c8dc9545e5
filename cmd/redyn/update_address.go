package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// ipFamily is one of the two kinds of addresses.
type ipFamily struct {
	name    string // of --family
	title   string
	network string // over which a server sees such an address
	param   string // of an update
}

var (
	ipv4 = &ipFamily{"ipv4", "IPv4", "tcp4", "myipv4"}
	ipv6 = &ipFamily{"ipv6", "IPv6", "tcp6", "myipv6"}

	bothFamilies = []*ipFamily{ipv4, ipv6}
)

// parseFamilies reads which families are to be set.
func parseFamilies(text string) ([]*ipFamily, error) {
	if text == "both" {
		return bothFamilies, nil
	}
	i := slices.IndexFunc(bothFamilies, func(f *ipFamily) bool { return f.name == text })
	if i < 0 {
		return nil, fmt.Errorf("%q is no family; expected ipv4, ipv6 or both", text)
	}
	return bothFamilies[i : i+1], nil
}

// of returns the addresses that are of the family.
func (f *ipFamily) of(addrs []netip.Addr) []netip.Addr {
	var own []netip.Addr
	for _, a := range addrs {
		if a.Is4() == (f == ipv4) {
			own = append(own, a)
		}
	}
	return own
}

// find returns the addresses to set: those that are given, or what the server sees over each family.
// Why it does not see one is in missed, unless there is no way to it in that family at all. It fails
// if it sees none.
func (u *updateClient) find(ctx context.Context) (addrs []netip.Addr, missed []error, err error) {
	if len(u.fixed) > 0 {
		return u.fixed, nil, nil
	}
	type seen struct {
		addr netip.Addr
		err  error
	}
	all := make([]seen, len(u.families))
	var asking sync.WaitGroup
	for i, f := range u.families {
		asking.Go(func() { all[i].addr, all[i].err = u.see(ctx, f) })
	}
	asking.Wait()
	var why []error
	for i, s := range all {
		switch {
		case s.err == nil:
			addrs = append(addrs, s.addr)
			continue
		case !isUnreachable(s.err):
			missed = append(missed, fmt.Errorf("%s is left as it is: %w", u.families[i].title, s.err))
		}
		why = append(why, fmt.Errorf("over %s: %w", u.families[i].title, s.err))
	}
	if len(addrs) == 0 {
		return nil, nil, fmt.Errorf("find this host's address: %w", errors.Join(why...))
	}
	return addrs, missed, nil
}

// see asks the server over a family which address it sees.
func (u *updateClient) see(ctx context.Context, f *ipFamily) (netip.Addr, error) {
	a, err := u.ask(ctx, u.over[f], http.MethodGet, u.url.JoinPath("myip"), nil, nil)
	if err != nil {
		return netip.Addr{}, err
	}
	if err := a.fault(); err != nil {
		return netip.Addr{}, err
	}
	addr, err := netip.ParseAddr(strings.TrimSpace(a.body))
	if err != nil || addr.Zone() != "" || len(f.of([]netip.Addr{addr.Unmap()})) == 0 {
		return netip.Addr{}, fmt.Errorf("%s answers %.40q, which is no %s address", a.where, a.body, f.title)
	}
	return addr.Unmap(), nil
}

// isUnreachable reports whether there is no way to a server in a family: it has no address there, or
// this host has none.
func isUnreachable(err error) bool {
	var unsuitable *net.AddrError
	var lookup *net.DNSError
	if errors.As(err, &unsuitable) || errors.As(err, &lookup) && lookup.IsNotFound {
		return true
	}
	return slices.ContainsFunc([]error{syscall.ENETUNREACH, syscall.EADDRNOTAVAIL, syscall.EAFNOSUPPORT}, func(e error) bool {
		return errors.Is(err, e)
	})
}
