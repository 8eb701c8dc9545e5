package zonefile_test

import (
	"strings"
	"testing"

	"redyn/backend/dns"
	"redyn/backend/dns/zonefile"
)

// samples are record data of every type, as people write them, and their canonical form.
var samples = []struct{ typ, in, want string }{
	{"A", "192.0.2.1", "192.0.2.1"},
	{"NS", "ns1", "ns1.example.org."},
	{"CNAME", "WWW.Example.NET.", "WWW.Example.NET."},
	{"CNAME", "@", "example.org."},
	{"CNAME", `\065.a\.b.c\032d.e\;f.`, `A.a\.b.c\032d.e\;f.`},
	{"SOA", "ns1 hostmaster 2024010100 1h 15m 1w 300", "ns1.example.org. hostmaster.example.org. 2024010100 3600 900 604800 300"},
	{"MR", "new", "new.example.org."},
	{"PTR", "host", "host.example.org."},
	{"HINFO", `CPU "o s"`, `"CPU" "o s"`},
	{"MINFO", "a b", "a.example.org. b.example.org."},
	{"MX", "010 mail", "10 mail.example.org."},
	{"TXT", `"a;b" c\"d \065 "\000\255"`, `"a;b" "c\"d" "A" "\000\255"`},
	{"TXT", `""`, `""`},
	{"RP", "a .", "a.example.org. ."},
	{"AFSDB", "1 db", "1 db.example.org."},
	{"KEY", "256 3 8 AwEAAQ==", "256 3 8 AwEAAQ=="},
	{"AAAA", "2001:DB8:0::1", "2001:db8::1"},
	{"AAAA", "::ffff:192.0.2.1", "::ffff:192.0.2.1"},
	{"LOC", "52 14 05 N 00 08 50 E 10m", "52 14 5.000 N 00 08 50.000 E 10m 1m 10000m 10m"},
	{"LOC", "52 14 N 0 8 E 10m", "52 14 0.000 N 00 08 0.000 E 10m 1m 10000m 10m"},
	{"LOC", "52 s 1 e 10m", "52 00 0.000 S 01 00 0.000 E 10m 1m 10000m 10m"},
	{"SRV", "0 5 5060 sip", "0 5 5060 sip.example.org."},
	{"SRV", "0 0 0 .", "0 0 0 ."},
	{"NAPTR", `100 10 u "E2U+sip" "!^.*$!sip:i@example.org!" .`, `100 10 "u" "E2U+sip" "!^.*$!sip:i@example.org!" .`},
	{"KX", "10 kx", "10 kx.example.org."},
	{"CERT", "PGP 0 0 mQENBFoAAAA=", "3 0 0 mQENBFoAAAA="},
	{"DNAME", "other.example.", "other.example."},
	{"APL", "1:192.168.32.0/21 !1:192.168.38.0/28 2:2001:db8::/32", "1:192.168.32.0/21 !1:192.168.38.0/28 2:2001:db8::/32"},
	{"DS", "60485 5 1 2bb183af5f22588179a53b0a 98631fad1a292118", "60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118"},
	{"SSHFP", "2 1 123456789abcdef67890123456789abcdef67890", "2 1 123456789ABCDEF67890123456789ABCDEF67890"},
	{"IPSECKEY", "10 1 2 192.0.2.38 AQNRU3mG7TVTO2BkR47usntb102u", "10 1 2 192.0.2.38 AQNRU3mG7TVTO2BkR47usntb102u"},
	{"IPSECKEY", "10 2 2 2001:db8::1 AQNRU3mG7TVTO2BkR47usntb102u", "10 2 2 2001:db8::1 AQNRU3mG7TVTO2BkR47usntb102u"},
	{"IPSECKEY", "10 3 2 gw AQNRU3mG7TVTO2BkR47usntb102u", "10 3 2 gw.example.org. AQNRU3mG7TVTO2BkR47usntb102u"},
	{"IPSECKEY", "10 0 2 . AQNRU3mG7TVTO2BkR47usntb102u", "10 0 2 AQNRU3mG7TVTO2BkR47usntb102u"},
	{"IPSECKEY", "10 0 0 .", "10 0 0"},
	{
		"RRSIG", "A 5 3 86400 20030322173103 20030220173103 2642 example.com. oJB1W6WNGv+ldvQ3WDG0",
		"A 5 3 86400 20030322173103 20030220173103 2642 example.com. oJB1W6WNGv+ldvQ3WDG0",
	},
	{"NSEC", "host A MX NSEC TYPE1234 HIP RRSIG", "host.example.org. A MX RRSIG NSEC TYPE55 TYPE1234"},
	{"DNSKEY", "256 3 5 AQPSKmynfzW4 kyBv015MUG2DeIQ3", "256 3 5 AQPSKmynfzW4kyBv015MUG2DeIQ3"},
	{"DNSKEY", "256 3 rsasha256 AwEAAQ==", "256 3 8 AwEAAQ=="},
	{"CDNSKEY", "257 3 ECDSAP256SHA256 AwEAAQ==", "257 3 13 AwEAAQ=="},
	{"DHCID", "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=", "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA="},
	{"NSEC3", "1 1 12 aabbccdd 2vptu5timamqttgl4luu9kg21e0aor3s A RRSIG", "1 1 12 AABBCCDD 2VPTU5TIMAMQTTGL4LUU9KG21E0AOR3S A RRSIG"},
	{"NSEC3", "1 0 0 - 2vptu5timamqttgl4luu9kg21e0aor3s", "1 0 0 - 2VPTU5TIMAMQTTGL4LUU9KG21E0AOR3S"},
	{"NSEC3PARAM", "1 0 0 -", "1 0 0 -"},
	{"TLSA", "3 1 1 D2ABDE240D7CD3EE", "3 1 1 d2abde240d7cd3ee"},
	{"SMIMEA", "3 1 1 D2ABDE240D7CD3EE", "3 1 1 d2abde240d7cd3ee"},
	{"RKEY", "0 0 1 AwEAAQ==", "0 0 1 AwEAAQ=="},
	{"CDS", "0 0 0 00", "0 0 0 00"},
	{"CDNSKEY", "0 3 0 AA==", "0 3 0 AA=="},
	{"OPENPGPKEY", "mQENBFoAAAA=", "mQENBFoAAAA="},
	{"CSYNC", "66 3 AAAA NS A", "66 3 A NS AAAA"},
	{"ZONEMD", "2018031500 1 240 FEBE3D4CE2EC2FFA4BA99D46", "2018031500 1 240 febe3d4ce2ec2ffa4ba99d46"},
	{
		"SVCB", "1 svc ipv6hint=::1,::ffff:192.0.2.1 port=8443 mandatory=port,alpn alpn=h2,h3 ipv4hint=192.0.2.1",
		`1 svc.example.org. mandatory=alpn,port alpn="h2,h3" port=8443 ipv4hint=192.0.2.1 ipv6hint=::1,::ffff:192.0.2.1`,
	},
	{"HTTPS", "0 svc", "0 svc.example.org."},
	{"HTTPS", `1 . alpn="f\\\\oo\\,bar,h2" no-default-alpn ech="AEj+"`, `1 . alpn="f\\\\oo\\,bar,h2" no-default-alpn ech="AEj+"`},
	{"HTTPS", `1 . dohpath=/q{?dns} mandatory=dohpath key667="he llo"`, `1 . mandatory=key7 key7="/q{?dns}" key667="he llo"`},
	{"HTTPS", `1 . alpn="a;(b)" key667="a;(b)"`, `1 . alpn="a\059\040b\041" key667="a\059\040b\041"`},
	{
		"HTTPS", "1 . key667=\" !\\\"#$%&'*+,-./:<=>?@[\\\\]^_`{|}~\\000\\127\\255\"",
		"1 . key667=\" !\\\"#$%&'*+,-./:<=>?@[\\\\]^_`{|}~\\000\\127\\255\"",
	},
	{"HTTPS", `1 . key1=\002h2 key3="\000\080"`, `1 . alpn="h2" port=80`},
	{"SPF", `"v=spf1 -all"`, `"v=spf1 -all"`},
	{"NID", "10 0014:4fff:ff20:ee64", "10 0014:4fff:ff20:ee64"},
	{"NID", "10 14:4fff:0:e", "10 0014:4fff:0000:000e"},
	{"L64", "10 2001:db8:1140:1000", "10 2001:0DB8:1140:1000"},
	{"L32", "10 10.1.2.0", "10 10.1.2.0"},
	{"L64", "10 2001:0db8:1140:1000", "10 2001:0DB8:1140:1000"},
	{"LP", "10 l64", "10 l64.example.org."},
	{"EUI48", "00-00-5E-00-53-2A", "00-00-5e-00-53-2a"},
	{"EUI64", "00-00-5e-ef-10-00-00-2a", "00-00-5e-ef-10-00-00-2a"},
	{"URI", `10 1 "ftp://example.org/a\"b\\c"`, `10 1 "ftp://example.org/a\"b\\c"`},
	{"CAA", `128 ISSUE "ca.example; policy=ev"`, `128 ISSUE "ca.example; policy=ev"`},
	{"CAA", `\# 8 0005497353756561`, `0 IsSue "a"`},
	{"AMTRELAY", "10 1 1 203.0.113.15", `\# 6 0a81cb00710f`},
	{"AMTRELAY", "10 1 3 relay", `\# 21 0a830572656c6179076578616d706c65036f726700`},
	{"AMTRELAY", "10 0 2 2001:db8::15", `\# 18 0a0220010db8000000000000000000000015`},
	{"AMTRELAY", "10 1 0 .", `\# 2 0a80`},
	{"NXT", `\# 9 016101620000024001`, `\# 9 016101620000024001`},
	{"DLV", "60485 5 1 2bb183af", "60485 5 1 2BB183AF"},
	{"ALIAS", "target", "target.example.org."},
	{"LUA", `a "ifportup(443, {'192.0.2.1'})"`, `A "ifportup(443, {'192.0.2.1'})"`},
	{"LUA", `TXT ";return \"x\"" 'y'`, `TXT ";return \"x\"" "'y'"`},
	{"TYPE1", `\# 4 c0000201`, "192.0.2.1"},
	{"MX", `\# 6 000a 01 41 0100`, ""},
	{"MX", `\# 5 000a 01 4100`, "10 A."},
	{"SVCB", `\# 3 000100`, "1 ."},
	{"URI", `\# 8 0001000261225c62`, `1 2 "a\"\\b"`},
	{"URI", `10 1 ""`, `10 1 ""`},
	{"CAA", `0 issue ""`, `0 issue ""`},
	{"CAA", `\# 8 0005697373756561`, `0 issue "a"`},
	{"TXT", `\# 5 0161 0262 63`, `"a" "bc"`},
	{"MB", "host", "host.example.org."},
	{"MG", "host", "host.example.org."},
	{"SIG", `\# 3 010203`, `\# 3 010203`},
	{"A6", `\# 3 010203`, `\# 3 010203`},
	{"ADDR", `\# 3 010203`, `\# 3 010203`},
	{"HHIT", "AQID BA==", `\# 4 01020304`},
	{"BRID", "AQIDBA==", `\# 4 01020304`},
	{"RESINFO", `qnamemin "exterr=15"`, `\# 19 08716e616d656d696e096578746572723d3135`},
	{"WALLET", `BTC abc`, `\# 8 0342544303616263`},
	{"TYPE65280", `\# 0`, `\# 0`},
	{"TYPE65280", `\# 3 AB cdEF`, `\# 3 abcdef`},
	{"HIP", "2 200100107B1A74DF365639CC39F1D578 AwEAAbdx rvs.example.", `\# 39 10020006200100107b1a74df365639cc39f1d57803010001b77103727673076578616d706c6500`},
}

func TestParseContent(t *testing.T) {
	origin := dns.MustParseName("example.org.")
	for _, s := range samples {
		typ, err := zonefile.ParseType(s.typ)
		if err != nil {
			t.Errorf("ParseType(%q): %v", s.typ, err)
			continue
		}
		got, err := zonefile.ParseContent(typ, s.in, origin)
		if got != s.want || (err != nil) != (s.want == "") {
			t.Errorf("ParseContent(%s, %s) =\n%s, %v; want\n%s", s.typ, s.in, got, err, s.want)
			continue
		}
		if err != nil {
			continue
		}
		if again, err := zonefile.ParseContent(typ, got, dns.Root); again != got {
			t.Errorf("ParseContent(%s, %s) = %s, %v; its own output changes", s.typ, got, again, err)
		}
	}
}

func TestParseContentLong(t *testing.T) {
	got, err := zonefile.ParseContent(dns.TypeTXT, `"`+strings.Repeat("a", 254)+`\098c"`, dns.Root)
	if want := `"` + strings.Repeat("a", 254) + `b" "c"`; got != want || err != nil {
		t.Errorf("TXT of 256 octets = %s, %v; want %s", got, err, want)
	}
	if _, err := zonefile.ParseContent(dns.TypeTXT, strings.Repeat("a ", 32768), dns.Root); err == nil {
		t.Error("TXT of 65536 octets is accepted")
	}
	long := strings.Repeat("a", 300)
	if got, err := zonefile.ParseContent(dns.TypeCAA, "0 issue "+long, dns.Root); got != `0 issue "`+long+`"` {
		t.Errorf("CAA of 300 octets = %s, %v", got, err)
	}
}

// Data as PowerDNS writes it has no final dots, and special characters without escapes.
func TestParseContentOfPowerDNS(t *testing.T) {
	f := func(typ, in, want string) {
		t.Helper()
		parsed, _ := dns.ParseType(typ)
		if got, err := zonefile.ParseContent(parsed, in, dns.Root); got != want {
			t.Errorf("ParseContent(%s, %s) = %s, %v; want %s", typ, in, got, err, want)
		}
	}
	f("MX", "10 mail.example.org", "10 mail.example.org.")
	f("CNAME", "a;b(c)$d.example.org", `a\;b\(c\)\$d.example.org.`)
	f("SOA", "ns.unit.test. hostmaster.unit.test. 1 2 3 4 5", "ns.unit.test. hostmaster.unit.test. 1 2 3 4 5")
	f("CAA", "0 issue ", `0 issue ""`)
	for _, name := range []string{"LUA", "ALIAS", "HTTPS", "NID", "TYPE65400"} {
		const signature = " 13 3 300 20261224000000 20261126000000 1 example.org. AAAA"
		f("RRSIG", name+signature, name+signature)
		f("NSEC", "b.example.org. A "+name, "b.example.org. A "+name)
		f("NSEC3", "1 0 0 - 0123456789ABCDEFGHIJKLMNOPQRSTUV A "+name, "1 0 0 - 0123456789ABCDEFGHIJKLMNOPQRSTUV A "+name)
		f("CSYNC", "1 3 A "+name, "1 3 A "+name)
	}
	f("CSYNC", "1 3 A ADDR", "1 3 A TYPE65400")
	f("TYPE19", `"311061700956"`, `\# 13 0c333131303631373030393536`)
	f("TYPE27", `"-32.6882" "116.8652" "10.0"`, `\# 23 082d33322e36383832083131362e383635320431302e30`)
	f("URI", "10 1 ", `10 1 ""`)
	f("NSEC", "a(b.example.org A", `a\(b.example.org. A`)
}

func TestParseContentErrors(t *testing.T) {
	f := func(typ, in, want string) {
		t.Helper()
		parsed, err := zonefile.ParseType(typ)
		if err == nil {
			_, err = zonefile.ParseContent(parsed, in, dns.MustParseName("example.org."))
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseContent(%s, %s): %v; want %s", typ, in, err, want)
		}
	}
	f("A", "", "no data")
	f("A", "1.2.3", "expected something like 192.0.2.1")
	f("A", "192.0.2.1 192.0.2.2", `"192.0.2.2" is too much`)
	f("A", "192.0.2.1\nA 192.0.2.2", "more than one line")
	f("AAAA", "fe80::1%eth0", "no IPv6 address")
	f("AAAA", "192.0.2.1", "no IPv6 address")
	f("MX", "mail", "no number from 0 to 65535")
	f("MX", "10", "expected: number name")
	f("MX", "65536 mail", "no number from 0 to 65535")
	f("MX", `10 "mail"`, "quotes")
	f("CNAME", "a..b.", "empty label")
	f("CNAME", strings.Repeat("a", 64), "63 octets")
	f("CNAME", strings.Repeat("a.", 128), "255 octets")
	f("TXT", `"abc`, "closing quote")
	f("TXT", `a"b"`, "inside a word")
	f("TXT", `\300`, "broken escape")
	f("HINFO", strings.Repeat("a", 256)+" b", "255 octets")
	f("CAA", "0 is-sue x", "tag")
	f("CAA", "0 issue", "too soon")
	f("CAA", "0 ", "too soon")
	f("NID", "10 1:::2", "NID")
	f("NID", "10 1:2:3", "NID")
	f("DNSKEY", "256 3 FOO AwEAAQ==", "FOO")
	f("LOC", "52 14 05 06 N 0 8 50 E 10m", "LOC")
	f("CAA", "0 \u212a x", "tag")
	f("NSEC", "host.example. A MX FOO", "NSEC")
	f("DS", "1 2 3 xyz", "DS")
	f("A", `\# 3 c00002`, "too soon")
	f("A", `\# 4 c00002`, "has 3 octets")
	f("A", `\# 4 c000020`, "hexadecimal")
	f("A", `\# 5 c000020101`, "too much")
	f("SVCB", "1 . port=80 port=81", "twice")
	f("SVCB", "1 . mandatory=port", "not there")
	f("SVCB", "1 . no-default-alpn", "alpn")
	f("SVCB", "1 . foo=bar", "unknown")
	f("SVCB", `1 . key1="\003h2"`, "wrong value")
	f("SVCB", "1 . ohttp", "key8 (key8 is ohttp, key9 tls-supported-groups) has one form")
	f("SVCB", `1 . key9="\000\029"`, "key9 (key8 is ohttp, key9 tls-supported-groups) has one form")
	f("SVCB", "1 . tls-supported-groups=29,23", "key9 (key8 is ohttp, key9 tls-supported-groups) has one form")
	f("SVCB", `\# 9 0001 00 0009 0002 001d`, "key9 (key8 is ohttp, key9 tls-supported-groups) has one form")
	f("SVCB", "1 . ipv4hint=auto", "expected the addresses")
	f("SVCB", "0 svc port=80", "an alias (priority 0) has no parameters")
	f("SVCB", `\# 9 0000 00 0003 0002 0050`, "an alias (priority 0) has no parameters")
	f("NXT", "a.b. A MX", `expected \# LENGTH HEX`)
	f("ISDN", "150862028003217", `expected \# LENGTH HEX`)
	f("RRSIG", "TYPE0 5 3 86400 20030322173103 20030220173103 2642 example.com. AQNR", "covers no type")
	f("IPSECKEY", "10 1 3 192.0.2.1 AQNR", "unknown to PowerDNS")
	f("LOC", `\# 3 000000`, "no place on earth")
	f("LOC", `\# 16 00121613 00000000 80000000 00989a68`, "no place on earth")
	f("LOC", `\# 12 00121613 80000000 80000000`, "no place on earth")
	f("LUA", `\# 1 00`, "not possible")
	f("TYPE65280", "a b", `\# LENGTH HEX`)
	f("ANY", "x", "for questions")
	f("FOO", "x", "unknown")
}

func FuzzParseContent(f *testing.F) {
	for _, s := range samples {
		typ, _ := zonefile.ParseType(s.typ)
		f.Add(uint16(typ), s.in)
	}
	f.Fuzz(func(t *testing.T, typ uint16, text string) {
		got, err := zonefile.ParseContent(dns.Type(typ), text, dns.MustParseName("example.org."))
		if err != nil {
			return
		}
		again, err := zonefile.ParseContent(dns.Type(typ), got, dns.Root)
		if err != nil || again != got {
			t.Fatalf("%s %q becomes %q, and that %q, %v", dns.Type(typ), text, got, again, err)
		}
	})
}
