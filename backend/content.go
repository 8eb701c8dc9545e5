package backend

import "redyn/backend/dns"

// appendContent appends a record's data as a JSON string, in the form in which PowerDNS writes it
// itself: names without the final dot, but for the root. PowerDNS reads either form, but its
// check-zone complains of data that it would write otherwise.
func appendContent(dst []byte, typ dns.Type, content string) []byte {
	if !hasNames(typ) {
		return appendString(dst, content)
	}
	dst = append(dst, '"')
	quoted := false
	fields := 0
	for i := 0; i < len(content); i++ {
		switch c := content[i]; {
		case c == '\\' && i+1 < len(content):
			dst = append(dst, '\\', '\\')
			i++
			dst = appendOctet(dst, content[i])
			continue
		case c == '"':
			quoted = !quoted
		case c == ' ' && !quoted:
			fields++
		case c == '.' && !quoted && endsName(content, i) && !(isSVCB(typ) && fields > 1):
			continue
		}
		dst = appendOctet(dst, content[i])
	}
	return append(dst, '"')
}

// endsName reports whether the dot at i, outside of quotes, is a name's last and not its only octet.
func endsName(content string, i int) bool {
	return i > 0 && content[i-1] != ' ' && (i+1 == len(content) || content[i+1] == ' ')
}

// isSVCB reports whether parameters follow the name, which may end in a dot for reasons of their own.
func isSVCB(typ dns.Type) bool { return typ == dns.TypeSVCB || typ == dns.TypeHTTPS }

// hasNames reports whether there are domain names in the data of a type.
func hasNames(typ dns.Type) bool {
	switch typ {
	case dns.TypeNS, dns.TypeCNAME, dns.TypeSOA, dns.TypePTR, dns.TypeMX, dns.TypeSRV, dns.TypeDNAME, dns.TypeALIAS,
		dns.TypeSVCB, dns.TypeHTTPS, dns.TypeRRSIG, dns.TypeNSEC,
		7,   // MB
		8,   // MG
		9,   // MR
		14,  // MINFO
		17,  // RP
		18,  // AFSDB
		35,  // NAPTR
		36,  // KX
		45,  // IPSECKEY
		107: // LP
		return true
	}
	return false
}
