package auth_test

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"redyn/auth"
	"redyn/backend/dns"
)

// A host gets a token, a store keeps the credential, and an update that brings the token is verified.
func Example() {
	secret := auth.GenerateToken() // shown once
	c, err := auth.NewTokenCredential(secret)
	if err != nil {
		panic(err)
	}
	c.Grant.Hosts = []auth.Area{{Host: 17, Name: "h.example.org."}}
	stored, err := c.Encode()
	if err != nil {
		panic(err)
	}

	found, err := auth.DecodeCredential(stored) // by auth.HashToken(secret)
	if err != nil {
		panic(err)
	}
	v := auth.NewVerifier(auth.Options{})
	ask := func(name dns.Name) {
		_, err := v.Secret(context.Background(), []auth.Credential{found}, secret, auth.Request{
			Now:     time.Unix(1_700_000_000, 0),
			From:    netip.MustParseAddr("192.0.2.77"),
			Targets: []auth.Target{{Zone: "example.org.", Name: name, Type: dns.TypeA}},
		})
		fmt.Printf("%s %v, for the audit log %q\n", name, err, auth.ReasonOf(err))
	}
	ask("h.example.org.")
	ask("www.example.org.")
	fmt.Println(secret)
	// Output:
	// h.example.org. <nil>, for the audit log ""
	// www.example.org. denied, for the audit log "name not granted"
	// REDACTED
}
