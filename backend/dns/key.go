package dns

import (
	"fmt"
	"log/slog"
	"net/netip"
)

// KeyID is the number of a DNSSEC key within its zone: from 1 on, never given twice.
type KeyID int32

// Key is a DNSSEC key of a zone, as PowerDNS gives it to the backend and asks for it back.
type Key struct {
	ID        KeyID
	Flags     uint16 // of the DNSKEY (RFC 4034 section 2.1.1): 256 or 257
	Active    bool   // it signs
	Published bool   // it is in the DNSKEY RRset
	// Content is the private key in the form of BIND's key files.
	Content string
}

// String tells of the key, but not its secret.
func (k Key) String() string {
	return fmt.Sprintf("key %d flags %d active %t published %t", k.ID, k.Flags, k.Active, k.Published)
}

// LogValue keeps the secret out of logs.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// TSIGKey is a secret that two servers share (RFC 8945).
type TSIGKey struct {
	Name      Name
	Algorithm Name   // such as hmac-sha256.
	Secret    string // base64
}

// String tells of the key, but not its secret.
func (k TSIGKey) String() string { return fmt.Sprintf("TSIG key %s %s", k.Name, k.Algorithm) }

// LogValue keeps the secret out of logs.
func (k TSIGKey) LogValue() slog.Value { return slog.StringValue(k.String()) }

// Autoprimary is a server whose NOTIFY may create a secondary zone here, if the zone's NS name its
// nameserver. The zone is given an account, which is kept beside it.
type Autoprimary struct {
	IP         netip.Addr
	Nameserver Name
}
