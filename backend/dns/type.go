package dns

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
)

// Type is an RR type (RFC 6895); its text is the mnemonic that PowerDNS knows, else TYPE65280 as
// in RFC 3597.
type Type uint16

// Types that the code speaks of by name. TypeENT and TypeANY never are types of records: PowerDNS
// reads the first as an empty non-terminal and asks the second for every type of a name.
// TypeALIAS and TypeLUA are PowerDNS's own.
const (
	TypeENT        Type = 0
	TypeA          Type = 1
	TypeNS         Type = 2
	TypeCNAME      Type = 5
	TypeSOA        Type = 6
	TypePTR        Type = 12
	TypeMX         Type = 15
	TypeTXT        Type = 16
	TypeAAAA       Type = 28
	TypeSRV        Type = 33
	TypeDNAME      Type = 39
	TypeDS         Type = 43
	TypeRRSIG      Type = 46
	TypeNSEC       Type = 47
	TypeDNSKEY     Type = 48
	TypeNSEC3      Type = 50
	TypeNSEC3PARAM Type = 51
	TypeSVCB       Type = 64
	TypeHTTPS      Type = 65
	TypeANY        Type = 255
	TypeCAA        Type = 257
	TypeALIAS      Type = 65401
	TypeLUA        Type = 65402
)

// mnemonics are the types whose text all PowerDNS versions from 4.7 on read and write; a type that
// is missing here travels as TYPEnnn with content in the form of RFC 3597.
var mnemonics = map[Type]string{
	1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 7: "MB", 8: "MG", 9: "MR", 12: "PTR", 13: "HINFO", 14: "MINFO", 15: "MX",
	16: "TXT", 17: "RP", 18: "AFSDB", 25: "KEY", 28: "AAAA", 29: "LOC", 33: "SRV", 35: "NAPTR",
	36: "KX", 37: "CERT", 39: "DNAME", 42: "APL", 43: "DS", 44: "SSHFP", 45: "IPSECKEY",
	46: "RRSIG", 47: "NSEC", 48: "DNSKEY", 49: "DHCID", 50: "NSEC3", 51: "NSEC3PARAM", 52: "TLSA",
	53: "SMIMEA", 57: "RKEY", 59: "CDS", 60: "CDNSKEY", 61: "OPENPGPKEY", 62: "CSYNC", 63: "ZONEMD",
	64: "SVCB", 65: "HTTPS", 99: "SPF", 104: "NID", 105: "L32", 106: "L64", 107: "LP", 108: "EUI48",
	109: "EUI64", 249: "TKEY", 250: "TSIG", 251: "IXFR", 252: "AXFR", 253: "MAILB", 254: "MAILA",
	255: "ANY", 256: "URI", 257: "CAA", 32769: "DLV", 65401: "ALIAS", 65402: "LUA",
}

// others are types that PowerDNS, or a newer one, names when it hands over a record, though not all
// versions from 4.7 on can read the data under that name.
var others = map[string]Type{
	"SIG": 24, "A6": 38, "HHIT": 67, "BRID": 68, "RESINFO": 261, "WALLET": 262, "ADDR": 65400,
}

var byMnemonic = func() map[string]Type {
	m := maps.Clone(others)
	for t, text := range mnemonics {
		m[text] = t
	}
	return m
}()

// ParseType reads a mnemonic or TYPEnnn, in any case. The empty text is not a type.
func ParseType(text string) (Type, error) {
	if t, ok := byMnemonic[text]; ok {
		return t, nil
	}
	up := strings.ToUpper(text)
	if t, ok := byMnemonic[up]; ok {
		return t, nil
	}
	if digits, ok := strings.CutPrefix(up, "TYPE"); ok {
		if n, err := strconv.ParseUint(digits, 10, 16); err == nil && n != 0 {
			return Type(n), nil
		}
	}
	return 0, fmt.Errorf("type %.40q is unknown; expected A, AAAA, ... or TYPE1 to TYPE65535", text)
}

// texts are the mnemonics of the types below 258: nearly all there are, found without hashing.
var texts = func() (list [258]string) {
	for t, text := range mnemonics {
		if int(t) < len(list) {
			list[t] = text
		}
	}
	return list
}()

func (t Type) String() string {
	if int(t) < len(texts) && texts[t] != "" {
		return texts[t]
	}
	if text, ok := mnemonics[t]; ok {
		return text
	}
	if t == TypeENT {
		return ""
	}
	return "TYPE" + strconv.Itoa(int(t))
}

// IsMeta reports whether t asks for something and can never be the type of a record
// (RFC 6895 section 3.1).
func (t Type) IsMeta() bool { return t == TypeENT || t == 41 || 128 <= t && t <= 255 }
