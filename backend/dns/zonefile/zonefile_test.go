package zonefile_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"redyn/backend/dns"
	"redyn/backend/dns/zonefile"
)

// parse returns the records of a master file, one a line.
func parse(text string, origin dns.Name) (string, error) {
	var out strings.Builder
	for r, err := range zonefile.Parse(strings.NewReader(text), zonefile.Options{File: "zone.db", Origin: origin}) {
		if err != nil {
			return out.String(), err
		}
		fmt.Fprintf(&out, "%d %s %d %s %s\n", r.Pos.Line, r.Name, r.TTL, r.Type, r.Content)
	}
	return out.String(), nil
}

func TestParse(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		got, err := parse(text, "example.org.")
		if got != strings.TrimPrefix(want, "\n") || err != nil {
			t.Errorf("Parse(%s) =\n%s%v; want%s", text, got, err, want)
		}
	}
	f("", "")
	f("; only a comment", "")
	// Parentheses, comments inside them, a SOA without TTL, blank owners, @.
	f(`$ORIGIN example.org.
@	IN SOA ns1 hostmaster (
		2024010100 ; serial
		1h 15m 1w
		300 )
	NS	ns1 ; a comment ( with " everything
	NS	ns2.example.net.
@ MX 10 mail`, `
2 example.org. 300 SOA ns1.example.org. hostmaster.example.org. 2024010100 3600 900 604800 300
6 example.org. 300 NS ns1.example.org.
7 example.org. 300 NS ns2.example.net.
8 example.org. 300 MX 10 mail.example.org.
`)
	// TTL and class in any order, in any case; TTLs with units; $TTL.
	f(`$TTL 1h
a 60 IN A 192.0.2.1
b in 1m30s A 192.0.2.2
c CLASS1 a 192.0.2.3
d 1w2d a 192.0.2.4
$ttl 5
e A 192.0.2.5`, `
2 a.example.org. 60 A 192.0.2.1
3 b.example.org. 90 A 192.0.2.2
4 c.example.org. 3600 A 192.0.2.3
5 d.example.org. 777600 A 192.0.2.4
7 e.example.org. 5 A 192.0.2.5
`)
	// Without $TTL the last TTL holds (RFC 1035 section 5.1).
	f("a 60 A 192.0.2.1\nb A 192.0.2.2\n", "1 a.example.org. 60 A 192.0.2.1\n2 b.example.org. 60 A 192.0.2.2\n")
	// Owners that look like something else, escapes, the root, a second origin relative to the first.
	f("IN 1 IN A 192.0.2.1\nA 1 A 192.0.2.1\n60 60 A 192.0.2.1\n", `
1 in.example.org. 1 A 192.0.2.1
2 a.example.org. 1 A 192.0.2.1
3 60.example.org. 60 A 192.0.2.1
`)
	f(`a\.b\032\$ 1 A 192.0.2.1
$ORIGIN sub
WWW 1 A 192.0.2.1
$ORIGIN .
org 1 NS ns.example.`, `
1 a\.b\032\$.example.org. 1 A 192.0.2.1
3 www.sub.example.org. 1 A 192.0.2.1
5 org. 1 NS ns.example.
`)
	// Line ends of other systems, a byte order mark, a string with what ends words elsewhere.
	f("\xef\xbb\xbfa 1 TXT \"x;y ( z\"\r\n 1 TXT \"p\"\"q\"\r\n", `
1 a.example.org. 1 TXT "x;y ( z"
2 a.example.org. 1 TXT "p" "q"
`)
	f("a 1 (TXT\n\"b\"\n) \n (2) A 192.0.2.1\n", "1 a.example.org. 1 TXT \"b\"\n4 a.example.org. 2 A 192.0.2.1\n")
	// RFC 3597 and types of PowerDNS.
	f("a 1 TYPE65280 \\# 2 ( ab\n cd )\nb 1 ALIAS c\nd 1 LUA A \"x ; y\"\n", `
1 a.example.org. 1 TYPE65280 \# 2 abcd
3 b.example.org. 1 ALIAS c.example.org.
4 d.example.org. 1 LUA A "x ; y"
`)
}

func TestParseGenerate(t *testing.T) {
	f := func(line, want string) {
		t.Helper()
		got, err := parse("$TTL 1\n"+line, "2.0.192.in-addr.arpa.")
		if got != strings.TrimPrefix(want, "\n") || err != nil {
			t.Errorf("%s =\n%s%v; want%s", line, got, err, want)
		}
	}
	f("$GENERATE 1-3/2 $ CNAME $.0-2", `
2 1.2.0.192.in-addr.arpa. 1 CNAME 1.0-2.2.0.192.in-addr.arpa.
2 3.2.0.192.in-addr.arpa. 1 CNAME 3.0-2.2.0.192.in-addr.arpa.
`)
	f("$GENERATE 9-10 host${-1,3} 60 IN A 10.0.${0,0,d}.1", `
2 host008.2.0.192.in-addr.arpa. 60 A 10.0.9.1
2 host009.2.0.192.in-addr.arpa. 60 A 10.0.10.1
`)
	f("$GENERATE 26-26 a TXT ${0,4,x} ${0,0,X} ${0,0,o} $$ \\$ \"a $ b\"", `
2 a.2.0.192.in-addr.arpa. 1 TXT "001a" "1A" "32" "$" "$" "a 26 b"
`)
	f("$GENERATE 18-18 ${0,7,n} PTR h", `
2 2.1.0.0.2.0.192.in-addr.arpa. 1 PTR h.2.0.192.in-addr.arpa.
`)
	// An even width ends with a dot.
	f("$GENERATE 18-18 ${0,8,n}x CNAME ${0,4,N}h${0,2,n}", `
2 2.1.0.0.x.2.0.192.in-addr.arpa. 1 CNAME 2.1.h2.1.2.0.192.in-addr.arpa.
`)
	// From BIND's manual.
	f(`$GENERATE 1-2 HOST-$ MX "0 ."`, `
2 host-1.2.0.192.in-addr.arpa. 1 MX 0 .
2 host-2.2.0.192.in-addr.arpa. 1 MX 0 .
`)
	f(`$GENERATE 1-1 a CAA "0 issue \"ca; x=$\""`, `
2 a.2.0.192.in-addr.arpa. 1 CAA 0 issue "ca; x=1"
`)
	f(`$GENERATE 1-1 a LUA A "f($, 2)"`, `
2 a.2.0.192.in-addr.arpa. 1 LUA A "f(1, 2)"
`)
	f(`$GENERATE 1-1 a TXT "b $ c"`, `
2 a.2.0.192.in-addr.arpa. 1 TXT "b 1 c"
`)
	f(`$GENERATE 1-1 a 60 IN SRV "0 5 5060 sip-$"`, `
2 a.2.0.192.in-addr.arpa. 60 SRV 0 5 5060 sip-1.2.0.192.in-addr.arpa.
`)
}

func TestParseErrors(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		_, err := parse(text, "example.org.")
		if err == nil || !strings.HasPrefix(err.Error(), "zone.db:") || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%q): %v; want %s", text, err, want)
		}
	}
	f("a 1 A 192.0.2.1\n\n\nb 1 A 1.2.3\n", "zone.db:4: b.example.org. A: \"1.2.3\" is no IPv4 address")
	f("a 1 A 192.0.2.1\nb 1 MX (\n10\n", `zone.db:2: "(" without ")"`)
	f("a 1 A 192.0.2.1 )\n", `zone.db:1: ")" without "("`)
	f("a 1 TXT \"b\nc\"\n", "zone.db:1: a string has no closing quote")
	f("a 1 TXT b\\\n", "zone.db:1: a line ends with a lone backslash")
	f("a 1 CH TXT b\n", "zone.db:1: class CH cannot be served; expected IN")
	f("a CLASS3 TXT b\n", "class CLASS3 cannot be served")
	f("a 2147483648 A 192.0.2.1", "TTL \"2147483648\" is wrong")
	f("a 1x A 192.0.2.1", "TTL \"1x\" is wrong")
	f("a A 192.0.2.1", `has no TTL; put a line such as "$TTL 3600" before it`)
	f(" 1 A 192.0.2.1", "no owner")
	f("a 1 A", "no data after the type")
	f("a 1 IN", "has no type")
	f("a 1 IN IN A 192.0.2.1", `type "IN" is unknown`)
	f("a \"\"", "where the type belongs")
	f("a 1 B 192.0.2.1", `type "B" is unknown`)
	f("a 1 AXFR x", "no record has it")
	f("a..b 1 A 192.0.2.1", "empty label")
	f("\"a\" 1 A 192.0.2.1", "in quotes")
	f("$ORIGIN", "expected: $ORIGIN name.")
	f("$TTL x", "TTL \"x\" is wrong")
	f("$FOO x", `directive "$FOO" is unknown`)
	f("$INCLUDE x", "not allowed here")
	f("$GENERATE 2-1 a A 192.0.2.1", "such as 1-254")
	f("$GENERATE 0-2147483647 a 1 A 192.0.2.1", "more than")
	f("$GENERATE 1-2 a${0,1,q} 1 A 192.0.2.1", "expected ${offset,width,base}")
	f("$GENERATE 1-2 a${0 1 A 192.0.2.1", `without "}"`)
	f(`$GENERATE 1-2 a 1 MX ""`, "no data after the type")
	f(`$GENERATE 1-2 a 1 MX "1 ( b"`, `"(" without ")"`)
	f("$GENERATE 1-2 a${-2} 1 A 192.0.2.1", "below 0")
	f(strings.Repeat("a", 1<<20), "longer than")

	if _, err := parse("a 1 A 192.0.2.1\n", ""); err == nil || !strings.Contains(err.Error(), "$ORIGIN") {
		t.Errorf("a relative name without origin: %v", err)
	}
	if _, err := parse("@ 1 A 192.0.2.1\n", ""); err == nil || !strings.Contains(err.Error(), "$ORIGIN") {
		t.Errorf("@ without origin: %v", err)
	}
}

func TestParseInclude(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// Paths are relative to the including file. Origin and owner end with the included file.
	write("main.db", "$TTL 1\nwww A 192.0.2.1\n$INCLUDE sub/hosts.db sub\n AAAA 2001:db8::1\na A 192.0.2.2\n$INCLUDE sub/hosts.db\n")
	write("sub/hosts.db", "a A 192.0.2.3\n$INCLUDE more.db\n")
	write("sub/more.db", "$ORIGIN b\nc A 192.0.2.4\n")
	write("loop.db", "$INCLUDE loop.db\n")
	write("bad.db", "$INCLUDE sub/bad.db\n")
	write("sub/bad.db", "\nx y z\n")

	read := func(name string) (string, error) {
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		var out strings.Builder
		o := zonefile.Options{File: f.Name(), Origin: "example.org.", Open: zonefile.OpenFile}
		for r, err := range zonefile.Parse(f, o) {
			if err != nil {
				return out.String(), err
			}
			fmt.Fprintf(&out, "%s:%d %s %s\n", filepath.Base(r.Pos.File), r.Pos.Line, r.Name, r.Content)
		}
		return out.String(), nil
	}
	got, err := read("main.db")
	want := `main.db:2 www.example.org. 192.0.2.1
hosts.db:1 a.sub.example.org. 192.0.2.3
more.db:2 c.b.sub.example.org. 192.0.2.4
main.db:4 www.example.org. 2001:db8::1
main.db:5 a.example.org. 192.0.2.2
hosts.db:1 a.example.org. 192.0.2.3
more.db:2 c.b.example.org. 192.0.2.4
`
	if got != want || err != nil {
		t.Errorf("main.db =\n%s%v; want\n%s", got, err, want)
	}
	if _, err := read("loop.db"); err == nil || !strings.Contains(err.Error(), "does a file include itself?") {
		t.Errorf("loop.db: %v", err)
	}
	if _, err := read("bad.db"); err == nil || !strings.HasPrefix(err.Error(), filepath.Join(dir, "sub/bad.db")+":2: ") {
		t.Errorf("bad.db: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("$ORIGIN example.org.\n@ 1 IN SOA ns1 ( hostmaster 1 2 3 4\n 5 )\n NS ns1\n")
	f.Add("$TTL 1h\na IN TXT \"x;y\" \\; ; comment\n$GENERATE 1-3 b${0,2,x} A 192.0.2.$\n")
	f.Add("a 1 TYPE1 \\# 4 c0000201\nb 1 LUA A \"x\"\nc 1 SVCB 1 . alpn=\"h2\"\n$ORIGIN .\n")
	f.Fuzz(func(t *testing.T, text string) {
		n := 0
		for r, err := range zonefile.Parse(strings.NewReader(text), zonefile.Options{File: "f", Origin: "example.org."}) {
			if err != nil {
				break
			}
			if name, err := dns.ParseName(string(r.Name)); err != nil || name != r.Name {
				t.Fatalf("owner %q is not canonical: %v", r.Name, err)
			}
			if c, err := zonefile.ParseContent(r.Type, r.Content, dns.Root); err != nil || c != r.Content {
				t.Fatalf("%s %q is not canonical: %q, %v", r.Type, r.Content, c, err)
			}
			if n++; n == 1000 {
				break
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	f := func(name, line string) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			text := strings.Repeat(line+"\n", b.N)
			b.SetBytes(int64(len(line) + 1))
			b.ResetTimer()
			for _, err := range zonefile.Parse(strings.NewReader(text), zonefile.Options{Origin: "example.org."}) {
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	f("A", "host12345 60 IN A 192.0.2.1")
	f("MX", "host12345.example.org. 60 IN MX 10 mail.example.org.")
	f("TXT", `host12345 60 IN TXT "v=spf1 -all; \"quoted\""`)
	f("TLSA", "_443._tcp 60 IN TLSA 3 1 1 d2abde240d7cd3ee6b4b28c54df034b97983a1d16e8a410e4561cb106618e971")
}
