package backend

import (
	"fmt"
	"testing"
)

func TestKeys(t *testing.T) {
	m := newMemory(t)
	a := newAsker(t, start(t, Options{Zones: m, Store: m}))
	const private = `Private-key-format: v1.2\nAlgorithm: 13 (ECDSAP256SHA256)\nPrivateKey: AAA=\n`
	a.restful("GET /dns/getDomainKeys/example%2eorg%2e", "", `{"result":[]}`)
	a.restful("PUT /dns/addDomainKey/example%2eorg%2e", "active=1&content=Private%2dkey%2dformat%3a%20v1%2e2%0aAlgorithm%3a%2013%20%28ECDSAP256SHA256%29%0aPrivateKey%3a%20AAA%3d%0a&flags=257&published=0", `{"result":1}`)
	a.restful("GET /dns/getDomainKeys/example%2eorg%2e", "", `{"result":[{"id":1,"flags":257,"active":true,"published":false,"content":"`+private+`"}]}`)
	if got := a.unix.line(`{"method": "addDomainKey", "parameters": {"key": {"active": false, "content": "` + private + `", "flags": 256, "published": true}, "name": "example.org."}}`); got != `{"result":2}` {
		t.Errorf("a second key is %s", got)
	}
	want := func(active, published bool) {
		t.Helper()
		a.ask("getDomainKeys", `{"name":"example.org."}`, fmt.Sprintf(`{"result":[{"id":1,"flags":257,"active":true,"published":false,"content":"%s"},`+
			`{"id":2,"flags":256,"active":%t,"published":%t,"content":"%[1]s"}]}`, private, active, published))
	}
	want(false, true)
	for _, step := range []struct {
		method            string
		active, published bool
	}{
		{"activateDomainKey", true, true},
		{"unpublishDomainKey", true, false},
		{"deactivateDomainKey", false, false},
		{"publishDomainKey", false, true},
	} {
		a.restful("POST /dns/"+step.method+"/2/example%2eorg%2e", "", done)
		want(step.active, step.published)
		a.ask(step.method, `{"id":2,"name":"example.org."}`, done)
		want(step.active, step.published)
		a.ask(step.method, `{"id":9,"name":"example.org."}`, "fault:no key 9")
		a.ask(step.method, `{"id":9,"name":"nope.example."}`, "fault:no key 9")
	}
	a.restful("DELETE /dns/removeDomainKey/2/example%2eorg%2e", "", done)
	a.ask("removeDomainKey", `{"id":2,"name":"example.org."}`, done)
	a.restful("GET /dns/getDomainKeys/example%2eorg%2e", "", `{"result":[{"id":1,"flags":257,"active":true,"published":false,"content":"`+private+`"}]}`)
	a.ask("addDomainKey", `{"name":"example.org.","key":{"flags":257}}`, "fault:content")
	a.ask("addDomainKey", `{"name":"example.org.","key":{"content":"x"}}`, "fault:flags")
	a.ask("addDomainKey", `{"name":"example.org.","key":{"content":"x","flags":-1}}`, "fault:flags")
	a.ask("addDomainKey", `{"name":"example.org.","key":{"content":"x","flags":1,"active":7}}`, "fault:active")
	a.ask("addDomainKey", `{"name":"example.org.","key":7}`, "fault:JSON")
	a.ask("addDomainKey", `{"name":"nope.example.","key":{"content":"x","flags":1}}`, "fault:not found")
}

// TestKeysUnknown: a zone whose keys are not known is not unsigned.
func TestKeysUnknown(t *testing.T) {
	z := newFake()
	z.unknown = true
	a := newAsker(t, start(t, Options{Zones: z}))
	a.restful("GET /dns/getDomainKeys/example%2eorg%2e", "", "fault:internal error")
	a.ask("getTSIGKey", `{"name":"k."}`, "fault:internal error")
	a.ask("getTSIGKeys", `{}`, "fault:internal error")
}
