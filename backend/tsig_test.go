package backend

import (
	"testing"
)

func TestTSIG(t *testing.T) {
	m := newMemory(t)
	a := newAsker(t, start(t, Options{Zones: m, Store: m}))
	a.restful("GET /dns/getTSIGKey/tk%2e", "", `{"result":false}`)
	a.restful("GET /dns/getTSIGKeys", "", `{"result":[]}`)
	a.restful("PATCH /dns/setTSIGKey/TK%2e", "algorithm=hmac%2dsha256%2e&content=AAA%2fAAA%3d", done)
	a.ask("setTSIGKey", `{"algorithm": "hmac-md5.sig-alg.reg.int.", "content": "AAAA", "name": "other"}`, done)
	a.restful("GET /dns/getTSIGKey/tk%2e", "", `{"result":{"algorithm":"hmac-sha256.","content":"AAA/AAA="}}`)
	a.ask("getTSIGKeys", `{}`, `{"result":[{"name":"other.","algorithm":"hmac-md5.sig-alg.reg.int.","content":"AAAA"},`+
		`{"name":"tk.","algorithm":"hmac-sha256.","content":"AAA/AAA="}]}`)
	a.restful("DELETE /dns/deleteTSIGKey/tk%2e", "", done)
	a.ask("deleteTSIGKey", `{"name":"tk."}`, done)
	a.ask("getTSIGKey", `{"name":"tk."}`, `{"result":false}`)
	a.ask("setTSIGKey", `{"name":"tk.","content":"AAAA"}`, "fault:algorithm")
	a.ask("setTSIGKey", `{"name":"tk.","algorithm":"x"}`, "fault:content")
}
