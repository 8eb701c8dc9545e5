package backend

import (
	"testing"
)

func TestMetadataWrites(t *testing.T) {
	m := newMemory(t)
	a := newAsker(t, start(t, Options{Zones: m, Store: m}))
	a.restful("PATCH /dns/setDomainMetadata/example%2eorg%2e/X%2dOWN", "value[]=a%3db%26c%20d&value[]=", done)
	a.restful("GET /dns/getDomainMetadata/example%2eorg%2e/X%2dOWN", "", `{"result":["a=b&c d",""]}`)
	a.ask("setDomainMetadata", `{"kind": "X-OWN", "name": "example.org.", "value": ["a", "b"]}`, done)
	a.ask("getAllDomainMetadata", `{"name": "example.org."}`, `{"result":{"X-OWN":["a","b"]}}`)
	a.restful("PATCH /dns/setDomainMetadata/example%2eorg%2e/X%2dOWN", "", done)
	a.ask("getAllDomainMetadata", `{"name": "example.org."}`, `{"result":{}}`)
	a.ask("setDomainMetadata", `{"kind": "X-OWN", "name": "example.org.", "value": []}`, done)
	a.ask("setDomainMetadata", `{"kind": "X", "name": "nope.example.", "value": ["a"]}`, "fault:not found")
	a.ask("setDomainMetadata", `{"kind": "X", "name": "example.org.", "value": [{}]}`, "fault:JSON")
	if z, _ := m.Zone("example.org."); z.Serial != 1 {
		t.Errorf("metadata raise the serial to %d", z.Serial)
	}
}
