package backend

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
)

func TestNeighbours(t *testing.T) {
	z := newFake()
	a := newAsker(t, start(t, Options{Zones: z}))
	f := func(relative, unhashed, before, after string) {
		t.Helper()
		want := fmt.Sprintf(`{"result":{"unhashed":%q,"before":%q,"after":%q}}`, unhashed, before, after)
		a.ask("getBeforeAndAfterNamesAbsolute", fmt.Sprintf(`{"id": 1, "qname": %q}`, relative), want)
		a.restful("GET /dns/getBeforeAndAfterNamesAbsolute/1/"+strings.ReplaceAll(url.PathEscape(relative), ".", "%2e"), "", want)
	}
	f(".", "example.org.", ".", `a\.b\032c/d.`)
	f("nz.", "ns.example.org.", "ns.", "sub.")
	f("x.wild.", "*.wild.example.org.", "*.wild.", "www.")
	f("zzz.", "www.example.org.", "www.", ".")
	a.restful("GET /dns/getBeforeAndAfterNamesAbsolute/2/%2e", "", `{"result":{"unhashed":".","before":".","after":"."}}`)
	a.ask("getBeforeAndAfterNamesAbsolute", `{"id": 77, "qname": "."}`, `{"result":false}`)
	a.ask("getBeforeAndAfterNamesAbsolute", `{"id": -1, "qname": "a."}`, `{"result":false}`)
	a.ask("getBeforeAndAfterNamesAbsolute", `{"qname": "a."}`, "fault:id")
	a.ask("getBeforeAndAfterNamesAbsolute", `{"id": 1, "qname": "`+strings.Repeat("a.", 126)+`"}`, "fault:255")
	const hash = "7baeg6h46kfnslhmvnevkq1a6i08e02n"
	z.hashes = map[string][3]string{hash: {"5blo6f6tm0s7li1hp1vj4hfomhmhris2", "www.example.org.", "km2siui3i6gp2a2nje2ckdg2a66er2sj"}}
	f(hash+".", "www.example.org.", "5blo6f6tm0s7li1hp1vj4hfomhmhris2.", "km2siui3i6gp2a2nje2ckdg2a66er2sj.")
	f(strings.ToUpper(hash)+".", "www.example.org.", "5blo6f6tm0s7li1hp1vj4hfomhmhris2.", "km2siui3i6gp2a2nje2ckdg2a66er2sj.")
}
