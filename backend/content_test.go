package backend

import (
	"testing"

	"redyn/backend/dns"
)

func TestAppendContent(t *testing.T) {
	f := func(typ, content, want string) {
		t.Helper()
		number, err := dns.ParseType(typ)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(appendContent(nil, number, content)); got != `"`+want+`"` {
			t.Errorf("%s %s is written %s, want %q", typ, content, got, want)
		}
	}
	f("A", "192.0.2.1", "192.0.2.1")
	f("NS", "ns1.example.org.", "ns1.example.org")
	f("NS", ".", ".")
	f("MX", "0 .", "0 .")
	f("MX", "10 Mail.example.org.", "10 Mail.example.org")
	f("SOA", "ns1.example.org. host\\.master.example.org. 1 2 3 4 5", `ns1.example.org host\\.master.example.org 1 2 3 4 5`)
	f("CNAME", `a\..example.`, `a\\..example`)
	f("CNAME", `a\.`, `a\\.`)
	f("CNAME", `a\\.`, `a\\\\`)
	f("CNAME", `q\".example.`, `q\\\".example`)
	f("SRV", "0 5 5060 sip.example.org.", "0 5 5060 sip.example.org")
	f("NAPTR", `10 10 "u" "E2U+sip" "!^.*$!sip:a. b.!" .`, `10 10 \"u\" \"E2U+sip\" \"!^.*$!sip:a. b.!\" .`)
	f("NAPTR", `10 10 "s" "a.\" ." "" _sip._udp.example.`, `10 10 \"s\" \"a.\\\" .\" \"\" _sip._udp.example`)
	f("HTTPS", `1 svc.example.org. key65400=a. alpn="h2."`, `1 svc.example.org key65400=a. alpn=\"h2.\"`)
	f("TXT", `"ends in a dot."`, `\"ends in a dot.\"`)
	f("TYPE65400", `\# 1 2e`, `\\# 1 2e`)
}
