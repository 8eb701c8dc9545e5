package backend

import (
	"fmt"
	"net"
)

// Methods says which methods are served. The protocol has no authentication, so it is also who may
// read DNSSEC's private keys.
type Methods string

// The settings of --backend-methods. The empty text means AllMethods.
const (
	ReadMethods Methods = "read"
	KeyMethods  Methods = "read+keys"
	AllMethods  Methods = "all"
)

// ParseMethods reads a setting; the empty text is AllMethods.
func ParseMethods(text string) (Methods, error) {
	switch m := Methods(text); m {
	case "":
		return AllMethods, nil
	case ReadMethods, KeyMethods, AllMethods:
		return m, nil
	}
	return "", fmt.Errorf("methods %q are unknown; expected read, read+keys or all", text)
}

func (m Methods) allow(a access) bool {
	switch m {
	case ReadMethods:
		return a == reads
	case KeyMethods:
		return a == reads || a == readsKeys
	}
	return true
}

// allowed reports whether the peer may ask: on a loopback address, over a unix socket, or in Allow.
func (b *Backend) allowed(peer net.Addr) bool {
	tcp, ok := peer.(*net.TCPAddr)
	if !ok {
		return peer.Network() == "unix"
	}
	ip := tcp.AddrPort().Addr().Unmap().WithZone("")
	if ip.IsLoopback() {
		return true
	}
	for _, p := range b.Allow {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}
