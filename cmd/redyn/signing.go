package main

import (
	"slices"
	"strings"

	"redyn/backend/dns"
)

// signing tells whether a zone is signed, and how what does not exist is denied: its DNSSEC keys and
// metadata say so.
func signing(z dns.ZoneData) string {
	mode := "NSEC"
	if param := metaValue(z.Metadata, "NSEC3PARAM"); param != "" {
		mode = "NSEC3"
		if f := strings.Fields(param); len(f) > 1 && f[1] != "0" {
			mode += " opt-out"
		}
		if metaValue(z.Metadata, "NSEC3NARROW") == "1" {
			mode += " narrow"
		}
	}
	switch {
	case isPresigned(z):
		return "pre-signed " + mode
	case isLiveSigned(z):
		return mode
	}
	return "unsigned"
}

// isPresigned reports whether the zone brings its own signatures.
func isPresigned(z dns.ZoneData) bool { return metaValue(z.Metadata, "PRESIGNED") == "1" }

// isLiveSigned reports whether PowerDNS signs the zone.
func isLiveSigned(z dns.ZoneData) bool {
	active := slices.ContainsFunc(z.Keys, func(k dns.Key) bool { return k.Active })
	return !isPresigned(z) && (active || z.KeysUnknown)
}

// metaValue returns the first value of a kind, which is the one that PowerDNS reads.
func metaValue(meta dns.Metadata, kind string) string {
	if values := meta[kind]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// keyInfo is a DNSSEC key as it is printed, without its secret.
type keyInfo struct {
	ID        dns.KeyID `json:"id"`
	Flags     uint16    `json:"flags"`
	Active    bool      `json:"active"`
	Published bool      `json:"published"`
}

func newKeyInfos(keys []dns.Key) []keyInfo {
	infos := make([]keyInfo, len(keys))
	for i, k := range keys {
		infos[i] = keyInfo{k.ID, k.Flags, k.Active, k.Published}
	}
	return infos
}

func (k keyInfo) String() string {
	words := []string{"ZSK"}
	if k.Flags&1 != 0 { // the SEP flag (RFC 4034 section 2.1.1)
		words[0] = "KSK or CSK"
	}
	if k.Active {
		words = append(words, "active")
	}
	if k.Published {
		words = append(words, "published")
	}
	return strings.Join(words, ", ")
}
