package zonefile_test

import (
	"strings"
	"testing"

	"redyn/backend/dns"
	"redyn/backend/dns/zonefile"
)

func TestNewZone(t *testing.T) {
	sets := zonefile.NewZone("example.org.", []string{"ns2.example.net.", "ns1.example.org."}, "hostmaster.example.org.", 7)
	var out strings.Builder
	if err := zonefile.Write(&out, "example.org.", func(yield func(dns.RRset, error) bool) {
		for _, set := range sets {
			if !yield(set, nil) {
				return
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	const want = `example.org.	3600	IN	SOA	ns2.example.net. hostmaster.example.org. 7 86400 7200 3600000 300
example.org.	3600	IN	NS	ns1.example.org.
example.org.	3600	IN	NS	ns2.example.net.
`
	if out.String() != want {
		t.Errorf("a new zone is\n%swant\n%s", out.String(), want)
	}
}

func TestParseMailbox(t *testing.T) {
	f := func(text string, zone dns.Name, want string) {
		t.Helper()
		if got, err := zonefile.ParseMailbox(text, zone); err != nil || got != want {
			t.Errorf("ParseMailbox(%q, %s) = %q, %v; want %q", text, zone, got, err, want)
		}
	}
	f("", "example.org.", "hostmaster.example.org.")
	f("", ".", "hostmaster.")
	f("jane.doe@example.net", "example.org.", `jane\.doe.example.net.`)
	f("jane.example.net", "example.org.", "jane.example.net.")
	if got, err := zonefile.ParseMailbox("jane@example..net", "example.org."); err == nil {
		t.Errorf("ParseMailbox of an empty label = %q", got)
	}
}
