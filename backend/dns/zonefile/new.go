package zonefile

import (
	"strings"

	"redyn/backend/dns"
)

// DefaultTTL is that of records of which nobody says how long they may be kept, in seconds.
const DefaultTTL = 3600

// Times of a new zone's SOA, in seconds: RIPE-203, with a shorter time for denials.
const (
	soaRefresh = 86400
	soaRetry   = 7200
	soaExpire  = 3600000
	soaMinimum = 300
)

// NewZone returns the SOA and the NS records of a new zone. The servers are the content of NS records,
// and the first of them is the SOA's primary; mailbox is what ParseMailbox returns.
func NewZone(zone dns.Name, servers []string, mailbox string, serial dns.Serial) []dns.RRset {
	soa := dns.SOA{
		MName: servers[0], RName: mailbox, Serial: serial,
		Refresh: soaRefresh, Retry: soaRetry, Expire: soaExpire, Minimum: soaMinimum,
	}
	return []dns.RRset{
		dns.NewRRset(zone, dns.TypeSOA, DefaultTTL, soa.String()),
		dns.NewRRset(zone, dns.TypeNS, DefaultTTL, servers...),
	}
}

// ParseMailbox turns user@domain into the name that a SOA has for it (RFC 1035 section 8); the empty
// text is hostmaster in the zone.
func ParseMailbox(text string, zone dns.Name) (string, error) {
	if text == "" {
		if zone == dns.Root {
			return "hostmaster.", nil
		}
		return "hostmaster." + string(zone), nil
	}
	if local, domain, ok := strings.Cut(text, "@"); ok {
		text = strings.NewReplacer(`\`, `\\`, ".", `\.`).Replace(local) + "." + domain
	}
	return ParseContent(dns.TypePTR, text, dns.Root)
}

// ParseContents is ParseContent for the records of an RRset as somebody types them: a TXT record without
// quotes is one text.
func ParseContents(typ dns.Type, texts []string) ([]string, error) {
	content := make([]string, len(texts))
	for i, text := range texts {
		if (typ == dns.TypeTXT || typ == typeSPF) && !strings.Contains(text, `"`) {
			text = `"` + text + `"`
		}
		var err error
		if content[i], err = ParseContent(typ, text, dns.Root); err != nil {
			return nil, err
		}
	}
	return content, nil
}

const typeSPF dns.Type = 99
