package dns_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"redyn/backend/dns"
)

func TestKeysAreNotTold(t *testing.T) {
	const secret = "c2VjcmV0"
	var log bytes.Buffer
	key := dns.Key{ID: 1, Flags: 257, Active: true, Published: true, Content: secret}
	tsig := dns.TSIGKey{Name: "k.", Algorithm: "hmac-sha256.", Secret: secret}
	slog.New(slog.NewTextHandler(&log, nil)).Info("keys", "key", key, "tsig", tsig)
	text := log.String() + fmt.Sprint(key, tsig) + fmt.Sprintf("%v %+v %s %v", key, key, key, []dns.TSIGKey{tsig})
	if strings.Contains(text, secret) {
		t.Errorf("a secret is told in %s", text)
	}
	if !strings.Contains(text, "key 1 flags 257 active true published true") {
		t.Errorf("the key is not told of in %s", text)
	}
}
