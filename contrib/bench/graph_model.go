package main

import (
	"maps"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// records are what a name has: its data by type.
type records map[uint16]string

// model is a part of the zone below its apex, by names. It answers as RFC 1034 section 4.3.2 and RFC 4592 have
// it, and knows nothing of how redyn does that.
type model map[string]records

// answer is what a question for a type of a name gets, as told writes it.
func (m model) answer(name string, typ uint16) string {
	var answers []string
	for {
		if cut := m.cutAbove(name); cut != "" {
			return told(dns.RcodeSuccess, answers, m.referral(cut))
		}
		found, exists := m.at(name)
		data, has := found[typ]
		target, alias := found[dns.TypeCNAME]
		switch {
		case !exists:
			return told(dns.RcodeNameError, answers, nil)
		case has:
			return told(dns.RcodeSuccess, append(answers, line(name, typ, data)), nil)
		case !alias:
			return told(dns.RcodeSuccess, answers, nil)
		}
		answers = append(answers, line(name, dns.TypeCNAME, target))
		name = target
	}
}

// cutAbove is the highest delegation at or above a name, "" if it is not delegated.
func (m model) cutAbove(name string) (cut string) {
	for ; name != origin; name = parent(name) {
		if _, is := m[name][dns.TypeNS]; is {
			cut = name
		}
	}
	return cut
}

// referral is what a delegation says: its name server, and that one's address if it is known.
func (m model) referral(cut string) []string {
	server := m[cut][dns.TypeNS]
	lines := []string{line(cut, dns.TypeNS, server)}
	if addr, known := m[server][dns.TypeA]; known {
		lines = append(lines, line(server, dns.TypeA, addr))
	}
	return lines
}

// at is what a name has, itself or by the wildcard at its closest encloser.
func (m model) at(name string) (found records, exists bool) {
	if m.exists(name) {
		return m[name], true
	}
	encloser := parent(name)
	for !m.exists(encloser) {
		encloser = parent(encloser)
	}
	wildcard := "*." + encloser
	return m[wildcard], m.exists(wildcard)
}

// exists reports whether a name has data, or one below it has.
func (m model) exists(name string) bool {
	if name == origin {
		return true
	}
	for owner, has := range m {
		if len(has) > 0 && (owner == name || strings.HasSuffix(owner, "."+name)) {
			return true
		}
	}
	return false
}

// with is the model with other records at a name.
func (m model) with(name string, has records) model {
	changed := maps.Clone(m)
	changed[name] = has
	return changed
}

func parent(name string) string {
	_, above, _ := strings.Cut(name, ".")
	return above
}

func line(name string, typ uint16, data string) string {
	return name + " " + dns.TypeToString[typ] + " " + data
}

// told is an answer in words: the rcode, the records of the answer section, and those of a referral.
func told(rcode int, answers, referral []string) string {
	answers, referral = slices.Sorted(slices.Values(answers)), slices.Sorted(slices.Values(referral))
	return dns.RcodeToString[rcode] + ": " + strings.Join(answers, ", ") + "; " + strings.Join(referral, ", ")
}

// toldBy is what a reply says. Signatures do not count, nor the SOA of a denial, which has a serial.
func toldBy(reply *dns.Msg) string {
	var referral []string
	for _, record := range reply.Ns {
		if record.Header().Rrtype == dns.TypeNS {
			referral = append(referral, lineOf(record))
		}
	}
	for _, record := range reply.Extra {
		if record.Header().Rrtype == dns.TypeA {
			referral = append(referral, lineOf(record))
		}
	}
	var answers []string
	for _, record := range reply.Answer {
		if record.Header().Rrtype != dns.TypeRRSIG {
			answers = append(answers, lineOf(record))
		}
	}
	return told(reply.Rcode, answers, referral)
}

func lineOf(record dns.RR) string {
	h := record.Header()
	return line(h.Name, h.Rrtype, strings.TrimPrefix(record.String(), h.String()))
}
