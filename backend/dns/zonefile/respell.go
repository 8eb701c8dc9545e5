package zonefile

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	miekg "github.com/miekg/dns"

	"redyn/backend/dns"
)

const (
	typeX25      dns.Type = 19
	typeSIG      dns.Type = 24
	typeKEY      dns.Type = 25
	typeGPOS     dns.Type = 27
	typeLOC      dns.Type = 29
	typeIPSECKEY dns.Type = 45
	typeCDNSKEY  dns.Type = 60
	typeCSYNC    dns.Type = 62
	typeNID      dns.Type = 104
	typeL64      dns.Type = 106
)

// respelled returns words as miekg/dns reads them, where BIND and PowerDNS read others too.
func respelled(typ dns.Type, words []string) []string {
	switch typ {
	case typeIPSECKEY: // PowerDNS leaves out a gateway that is none
		if len(words) == 3 || len(words) > 3 && words[1] == "0" && words[3] != "." {
			return slices.Insert(words, 3, ".")
		}
	case typeKEY, dns.TypeDNSKEY, typeCDNSKEY:
		if len(words) > 2 {
			if number, ok := miekg.StringToAlgorithm[strings.ToUpper(words[2])]; ok {
				words[2] = strconv.Itoa(int(number))
			}
		}
	case typeNID, typeL64:
		if len(words) == 2 {
			words[1] = paddedGroups(words[1])
		}
	case typeLOC:
		return withSeconds(words)
	case typeSIG, dns.TypeRRSIG:
		numberTypes(words[:min(1, len(words))])
	case dns.TypeNSEC:
		numberTypes(words[min(1, len(words)):])
	case dns.TypeNSEC3:
		numberTypes(words[min(5, len(words)):])
	case typeCSYNC:
		numberTypes(words[min(2, len(words)):])
	case typeX25, typeGPOS: // strings, which may be quoted
		for i, word := range words {
			words[i] = strings.Trim(word, `"`)
		}
	}
	return words
}

// numberTypes writes types as TYPEnnn (RFC 3597): miekg/dns does not know all the names of PowerDNS, such as
// LUA.
func numberTypes(words []string) {
	for i, word := range words {
		if typ, err := dns.ParseType(word); err == nil {
			words[i] = fmt.Sprintf("TYPE%d", typ)
		}
	}
}

// paddedGroups gives each group of NID and L64 its leading zeros (RFC 6742).
func paddedGroups(text string) string {
	groups := strings.Split(text, ":")
	for i, group := range groups {
		if group != "" {
			groups[i] = strings.Repeat("0", max(0, 4-len(group))) + group
		}
	}
	return strings.Join(groups, ":")
}

// withSeconds adds the minutes and seconds that LOC may leave out (RFC 1876 section 3).
func withSeconds(words []string) (full []string) {
	numbers := 0
	for _, word := range words {
		switch strings.ToUpper(word) {
		case "N", "S", "E", "W":
			for ; numbers < 3; numbers++ {
				full = append(full, "0")
			}
			numbers = 0
		default:
			numbers++
		}
		full = append(full, word)
	}
	return full
}
