package zonefile

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Keys of service parameters (RFC 9460 section 14.3.2). PowerDNS 4.7 knows those of svcNames by name; all
// others are written as keyNNN.
const (
	svcMandatory     = 0
	svcALPN          = 1
	svcNoDefaultALPN = 2
	svcPort          = 3
	svcIPv4Hint      = 4
	svcECH           = 5
	svcIPv6Hint      = 6
	svcDohPath       = 7
	svcOHTTP         = 8
	svcTLSGroups     = 9
	svcInvalid       = 65535
)

var svcNames = []string{"mandatory", "alpn", "no-default-alpn", "port", "ipv4hint", "ech", "ipv6hint"}

// svcLater are keys that got names with PowerDNS 5.1. What is written there after key8= and key9= is not
// what it is before, so that no form of them suits all versions.
var svcLater = map[string]uint16{"dohpath": svcDohPath, "ohttp": svcOHTTP, "tls-supported-groups": svcTLSGroups}

// param is a service parameter, its value as on the wire.
type param struct {
	key   uint16
	value []byte
}

// params reads the service parameters of SVCB and HTTPS (RFC 9460 section 2.1); there may be none.
func (d *data) params() error {
	var params []param
	for len(d.words) > 0 {
		text, quoted := d.next()
		if quoted {
			return faultf("%q is no parameter; expected key=value", text)
		}
		p, err := parseParam(string(text))
		if err != nil {
			return faultf("parameter %s: %w", quote(string(text)), err)
		}
		params = append(params, p)
	}
	slices.SortFunc(params, func(a, b param) int { return int(a.key) - int(b.key) })
	return d.appendParams(params)
}

func (w *wire) params() error {
	var params []param
	for len(w.rest) > 0 {
		key, err := w.number(2)
		if err != nil {
			return err
		}
		value, err := w.counted(2)
		if err != nil {
			return err
		}
		params = append(params, param{uint16(key), value})
	}
	d := data{dst: w.dst}
	err := d.appendParams(params)
	w.dst = d.dst
	return err
}

// appendParams appends parameters that are in the order of the wire.
func (d *data) appendParams(params []param) error {
	if len(params) > 0 && bytes.HasPrefix(d.dst, []byte("0 ")) {
		return faultf("an alias (priority 0) has no parameters (RFC 9460 section 2.4.2)")
	}
	size := 0
	for i, p := range params {
		if i > 0 && p.key <= params[i-1].key {
			return faultf("parameter %s is given twice or out of order", svcName(p.key))
		}
		if err := p.check(params); err != nil {
			return faultf("parameter %s %w", svcName(p.key), err)
		}
		d.dst = p.append(append(d.dst, ' '))
		size += 4 + len(p.value)
	}
	return checkSize(2 + 255 + size)
}

func parseParam(text string) (param, error) {
	name, rest, hasValue := strings.Cut(text, "=")
	key, numbered, err := parseSvcKey(name)
	if err != nil {
		return param{}, err
	}
	word := []byte(rest)
	isQuoted := len(word) > 1 && word[0] == '"' && word[len(word)-1] == '"'
	if isQuoted {
		word = word[1 : len(word)-1]
	}
	value, err := octetsOf(word, isQuoted)
	if err != nil || numbered {
		return param{key, value}, err
	}
	if key == svcNoDefaultALPN && hasValue {
		return param{}, faultf("has no value")
	}
	value, err = packParam(key, string(value))
	return param{key, value}, err
}

// parseSvcKey reads a key; the value of a numbered one is given as on the wire.
func parseSvcKey(name string) (key uint16, numbered bool, err error) {
	if at := slices.Index(svcNames, name); at >= 0 {
		return uint16(at), false, nil
	}
	if key, ok := svcLater[name]; ok {
		return key, true, nil
	}
	if digits, ok := strings.CutPrefix(name, "key"); ok {
		if n, err := strconv.ParseUint(digits, 10, 16); err == nil && n != svcInvalid && (n == 0 || digits[0] != '0') {
			return uint16(n), true, nil
		}
	}
	return 0, false, faultf("key %s is unknown; expected %s or key0 to key65534", quote(name), strings.Join(svcNames, ", "))
}

// packParam turns the presentation of a value, its escapes resolved once, into the wire's.
func packParam(key uint16, text string) ([]byte, error) {
	var out []byte
	switch key {
	case svcPort:
		n, err := strconv.ParseUint(text, 10, 16)
		if err != nil {
			return nil, faultf("%s is no number from 0 to 65535", quote(text))
		}
		return binary.BigEndian.AppendUint16(nil, uint16(n)), nil
	case svcECH:
		out, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, faultf("the value is not base64")
		}
		return out, nil
	case svcALPN:
		return packALPN(text)
	case svcMandatory:
		var keys []uint16
		for name := range strings.SplitSeq(text, ",") {
			k, _, err := parseSvcKey(name)
			if err != nil {
				return nil, err
			}
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			out = binary.BigEndian.AppendUint16(out, k)
		}
	case svcIPv4Hint, svcIPv6Hint:
		if text == "auto" {
			return nil, faultf("auto, PowerDNS's svc-autohints, is not kept; expected the addresses")
		}
		for item := range strings.SplitSeq(text, ",") {
			addr, err := netip.ParseAddr(item)
			if err != nil || addr.Is4() != (key == svcIPv4Hint) || addr.Zone() != "" {
				return nil, faultf("%s is no such address", quote(item))
			}
			out = append(out, addr.AsSlice()...)
		}
	}
	return out, nil
}

// packALPN reads a list of protocols, in which a backslash makes a comma part of one
// (RFC 9460 appendix A.1).
func packALPN(text string) ([]byte, error) {
	var out, id []byte
	for i := 0; i <= len(text); i++ {
		switch {
		case i == len(text) || text[i] == ',':
			if len(id) == 0 || len(id) > 255 {
				return nil, faultf("a protocol is empty or longer than 255 octets")
			}
			out = append(append(out, byte(len(id))), id...)
			id = id[:0]
		case text[i] == '\\' && i+1 < len(text):
			i++
			id = append(id, text[i])
		default:
			id = append(id, text[i])
		}
	}
	return out, nil
}

// check finds what RFC 9460 forbids in a value, among all parameters of the record.
func (p param) check(all []param) error {
	size := len(p.value)
	has := func(key uint16) bool {
		return slices.ContainsFunc(all, func(o param) bool { return o.key == key })
	}
	wrong := false
	switch p.key {
	case svcMandatory:
		wrong = size == 0 || size%2 != 0
		for i := 0; i+1 < size; i += 2 {
			key := binary.BigEndian.Uint16(p.value[i:])
			if key == svcMandatory || !has(key) {
				return faultf("names %s, which is not there", svcName(key))
			}
			wrong = wrong || i > 0 && key <= binary.BigEndian.Uint16(p.value[i-2:])
		}
	case svcALPN:
		wrong = size == 0
		for v := p.value; len(v) > 0 && !wrong; {
			n := int(v[0])
			if wrong = n == 0 || n >= len(v); !wrong {
				v = v[1+n:]
			}
		}
	case svcNoDefaultALPN:
		if wrong = size != 0; !has(svcALPN) {
			return faultf("needs alpn beside it")
		}
	case svcPort:
		wrong = size != 2
	case svcIPv4Hint:
		wrong = size == 0 || size%4 != 0
	case svcIPv6Hint:
		wrong = size == 0 || size%16 != 0
	case svcECH:
		wrong = size == 0
	case svcOHTTP, svcTLSGroups:
		return faultf("(key8 is ohttp, key9 tls-supported-groups) has one form for PowerDNS 5.1 and another for those before; expected the record without it")
	case svcInvalid:
		return faultf("is reserved")
	}
	if wrong || size > maxData {
		return faultf("has a wrong value")
	}
	return nil
}

func svcName(key uint16) string {
	if int(key) < len(svcNames) {
		return svcNames[key]
	}
	return "key" + strconv.Itoa(int(key))
}

// append appends the parameter in a form that PowerDNS 4.7 reads: it knows no quotes around
// numbers, and wants a value for numbered keys.
func (p param) append(dst []byte) []byte {
	dst = append(dst, svcName(p.key)...)
	var list []string
	switch p.key {
	case svcNoDefaultALPN:
		return dst
	case svcMandatory:
		for v := p.value; len(v) >= 2; v = v[2:] {
			list = append(list, svcName(binary.BigEndian.Uint16(v)))
		}
	case svcPort:
		list = append(list, strconv.Itoa(int(binary.BigEndian.Uint16(p.value))))
	case svcIPv4Hint:
		list = addresses(p.value, 4)
	case svcIPv6Hint:
		list = addresses(p.value, 16)
	case svcECH:
		return append(base64.StdEncoding.AppendEncode(append(dst, `="`...), p.value), '"')
	case svcALPN:
		return appendValue(append(dst, '='), alpnList(p.value))
	default:
		return appendValue(append(dst, '='), p.value)
	}
	return append(append(dst, '='), strings.Join(list, ",")...)
}

// appendValue appends a quoted value. PowerDNS's reader of values ends at what stands for comments and
// lines held together in a master file.
func appendValue(dst, octets []byte) []byte {
	return append(dst, delimiters.Replace(string(appendQuoted(nil, octets)))...)
}

var delimiters = strings.NewReplacer(";", `\059`, "(", `\040`, ")", `\041`)

func addresses(value []byte, size int) (list []string) {
	for part := range slices.Chunk(value, size) {
		addr, _ := netip.AddrFromSlice(part)
		list = append(list, addr.String())
	}
	return list
}

func alpnList(value []byte) (list []byte) {
	for len(value) > 0 {
		if len(list) > 0 {
			list = append(list, ',')
		}
		id := value[1 : 1+value[0]]
		for _, c := range id {
			if c == ',' || c == '\\' {
				list = append(list, '\\')
			}
			list = append(list, c)
		}
		value = value[1+len(id):]
	}
	return list
}
