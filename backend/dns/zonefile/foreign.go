package zonefile

import (
	"fmt"
	"slices"
	"strings"

	miekg "github.com/miekg/dns"

	"redyn/backend/dns"
)

// likeness gives types that miekg/dns does not know one that it knows and whose data has the same form.
var likeness = map[dns.Type]dns.Type{
	67:  49, // HHIT and BRID as DHCID: base64 of all
	68:  49,
	262: dns.TypeTXT, // WALLET
}

// obsolete are types that miekg/dns misreads: the bitmap of NXT is not NSEC's (RFC 2535 section 5.2), and
// ISDN need not have a sub-address (RFC 1183 section 3.2).
var obsolete = []dns.Type{20, 30}

// foreignType knows the mnemonics that PowerDNS 4.7 does not; such records travel as TYPEnnn.
func foreignType(text string) (dns.Type, bool) {
	n, ok := miekg.StringToType[strings.ToUpper(text)]
	return dns.Type(n), ok && n != 0
}

// appendForeign reads data by miekg/dns. What it accepts is packed and unpacked again, which finds
// what its reader lets through, and leaves one spelling.
func appendForeign(dst []byte, typ dns.Type, e *entry, words []word, origin dns.Name) ([]byte, error) {
	read := typ
	if like, ok := likeness[typ]; ok {
		read = like
	}
	if miekg.TypeToRR[uint16(read)] == nil || slices.Contains(obsolete, typ) {
		return dst, faultf(`the form of its data is not known; expected \# LENGTH HEX (RFC 3597)`)
	}
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = escaped(e.text(w), w.quoted)
	}
	line := fmt.Sprintf(". 0 IN TYPE%d %s\n", read, strings.Join(respelled(typ, texts), " "))
	rr, err := readRR(line, origin)
	if err != nil {
		return dst, err
	}
	wire, err := packData(rr, len(line))
	if err != nil {
		return dst, err
	}
	return appendWire(dst, typ, wire)
}

// escaped returns a word as it stands in a master file, where more octets end words than in the text
// it comes from.
func escaped(text []byte, quoted bool) string {
	var word strings.Builder
	word.Grow(len(text) + 2)
	if quoted {
		word.WriteByte('"')
	}
	inside := quoted
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text):
			word.WriteByte(c)
			i++
		case c == '"':
			inside = !inside
		case !inside && (c == ';' || c == '(' || c == ')'):
			word.WriteByte('\\')
		}
		word.WriteByte(text[i])
	}
	if quoted {
		word.WriteByte('"')
	}
	return word.String()
}

func readRR(line string, origin dns.Name) (miekg.RR, error) {
	zp := miekg.NewZoneParser(strings.NewReader(line), string(origin), "")
	rr, _ := zp.Next()
	if err := zp.Err(); err != nil {
		return nil, foreignError(err)
	}
	switch rr := rr.(type) {
	case nil:
		return nil, faultf("the data cannot be read")
	case *miekg.NSEC:
		sortTypes(&rr.TypeBitMap)
	case *miekg.NSEC3:
		sortTypes(&rr.TypeBitMap)
	case *miekg.CSYNC:
		sortTypes(&rr.TypeBitMap)
	}
	return rr, nil
}

// sortTypes puts types in the order of the wire; miekg/dns packs no other.
func sortTypes(types *[]uint16) {
	slices.Sort(*types)
	*types = slices.Compact(*types)
}

// foreignError takes out of an error of miekg/dns what is about the line made up in readRR.
func foreignError(err error) error {
	text := strings.TrimPrefix(err.Error(), "dns: ")
	if at := strings.LastIndex(text, " at line: "); at >= 0 {
		text = text[:at]
	}
	if near, ok := strings.CutPrefix(text, ": "); ok {
		text = "the data is wrong near " + near
	}
	return faultf("%s", text)
}

// packData returns the data of rr as it is on the wire, which is hardly longer than the text it
// comes from.
func packData(rr miekg.RR, text int) (wire []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = faultf("the data cannot be packed: %v", r)
		}
	}()
	const header = 11 // of the owner "."
	buf := make([]byte, header+min(2*text+64, maxData))
	rr.Header().Name = "."
	relay, _ := rr.(*miekg.AMTRELAY)
	discovery := uint8(0) // a bit beside the relay's type (RFC 8777 section 4.2.2), with which no relay is packed
	if relay != nil {
		discovery, relay.GatewayType = relay.GatewayType&0x80, relay.GatewayType&^0x80
	}
	end, err := miekg.PackRR(rr, buf, 0, nil, false)
	if err != nil {
		return nil, foreignError(err)
	}
	if relay != nil {
		buf[header+1] |= discovery
	}
	return buf[header:end], nil
}

// unpackForeign writes data from the wire by miekg/dns.
func unpackForeign(dst []byte, typ dns.Type, wire []byte) ([]byte, error) {
	if len(wire) == 0 { // APL may be (RFC 3123 section 4), but has no text then
		return dst, faultf("the data is empty")
	}
	header := miekg.RR_Header{Name: ".", Rrtype: uint16(typ), Class: miekg.ClassINET, Rdlength: uint16(len(wire))}
	rr, end, err := miekg.UnpackRRWithHeader(header, wire, 0)
	if err != nil {
		return dst, foreignError(err)
	}
	if end != len(wire) {
		return dst, faultf("the data is longer than its fields")
	}
	content, err := present(rr)
	if err == nil && (strings.Contains(content, "  ") || strings.HasSuffix(content, " ") || content == "") {
		return dst, faultf("a field is empty")
	}
	return append(dst, content...), err
}

// present writes data as PowerDNS reads it where that differs from how miekg/dns writes it.
func present(rr miekg.RR) (string, error) {
	switch rr := rr.(type) {
	case *miekg.CERT: // numbers only
		if rr.Type == 0 {
			return "", faultf("type 0 is reserved")
		}
		return fmt.Sprintf("%d %d %d %s", rr.Type, rr.KeyTag, rr.Algorithm, rr.Certificate), nil
	case *miekg.IPSECKEY:
		return presentIPSECKEY(rr)
	case *miekg.LOC:
		const size, degree = 16, 60 * 60 * 1000
		if rr.Hdr.Rdlength != size || !within(rr.Latitude, 90*degree) || !within(rr.Longitude, 180*degree) {
			return "", faultf("it is no place on earth (RFC 1876 section 2)")
		}
	case *miekg.NSEC:
		next, err := absolute([]byte(rr.NextDomain), dns.Root)
		return string(next) + bitmap(rr.TypeBitMap), err
	case *miekg.NSEC3:
		return fmt.Sprintf("%d %d %d %s %s%s", rr.Hash, rr.Flags, rr.Iterations, dash(rr.Salt), rr.NextDomain,
			bitmap(rr.TypeBitMap)), nil
	case *miekg.CSYNC:
		return fmt.Sprintf("%d %d%s", rr.Serial, rr.Flags, bitmap(rr.TypeBitMap)), nil
	case *miekg.RRSIG:
		if rr.TypeCovered == 0 {
			return "", faultf("it covers no type; expected something like A")
		}
		signer, err := absolute([]byte(rr.SignerName), dns.Root)
		return fmt.Sprintf("%s %d %d %d %s %s %d %s %s", dns.Type(rr.TypeCovered), rr.Algorithm, rr.Labels, rr.OrigTtl,
			miekg.TimeToString(rr.Expiration), miekg.TimeToString(rr.Inception), rr.KeyTag, signer, rr.Signature), err
	}
	return strings.TrimPrefix(rr.String(), rr.Header().String()), nil
}

// within reports whether a latitude or longitude of LOC lies that far from 0, which is in the middle.
func within(angle, most uint32) bool {
	const zero = 1 << 31
	return angle >= zero-most && angle <= zero+most
}

// presentIPSECKEY leaves the gateway out if there is none, as PowerDNS wants it.
func presentIPSECKEY(rr *miekg.IPSECKEY) (string, error) {
	if rr.Algorithm > 2 {
		return "", faultf("algorithm %d is unknown to PowerDNS; expected 0, 1 or 2", rr.Algorithm)
	}
	if rr.Algorithm == 0 && rr.PublicKey != "" {
		return "", faultf("algorithm 0 has no key")
	}
	gateway := ""
	switch rr.GatewayType {
	case miekg.IPSECGatewayNone:
	case miekg.IPSECGatewayHost:
		name, err := absolute([]byte(rr.GatewayHost), dns.Root)
		if err != nil {
			return "", err
		}
		gateway = " " + string(name)
	default:
		gateway = " " + rr.GatewayAddr.String()
	}
	key := ""
	if rr.PublicKey != "" {
		key = " " + rr.PublicKey
	}
	return fmt.Sprintf("%d %d %d%s%s", rr.Precedence, rr.GatewayType, rr.Algorithm, gateway, key), nil
}

func bitmap(types []uint16) string {
	var b strings.Builder
	for _, t := range types {
		b.WriteString(" " + dns.Type(t).String())
	}
	return b.String()
}

func dash(salt string) string {
	if salt == "" {
		return "-"
	}
	return strings.ToUpper(salt)
}
