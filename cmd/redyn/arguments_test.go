package main

import (
	"io"
	"strings"
	"testing"
)

func TestArrange(t *testing.T) {
	f := func(line, want string, env ...string) {
		t.Helper()
		lookup := func(name string) (string, bool) {
			for _, e := range env {
				if key, value, _ := strings.Cut(e, "="); key == name {
					return value, true
				}
			}
			return "", false
		}
		app := newApp(strings.NewReader(""), io.Discard, io.Discard)
		got, err := arrange(app, append([]string{"redyn"}, strings.Fields(line)...), lookup)
		text := strings.Join(got, " ")
		if err != nil {
			text = err.Error()
		}
		if text != want {
			t.Errorf("arrange(%s) = %s; want %s", line, text, want)
		}
	}
	// Commands, flags, arguments: wherever the flags stood.
	f("zone list", "redyn zone list --")
	f("zone export example.org --redis-url unix:///r", "redyn zone export --redis-url=unix:///r -- example.org")
	f("--redis-url unix:///r zone --json list", "redyn zone list --redis-url=unix:///r --json=true --")
	f("record set a TXT -ttl 5 x", "redyn record set --ttl=5 -- a TXT x")
	f("record set a TXT -- -x --ttl", "redyn record set -- a TXT -x --ttl")
	f("zone --json autoprimary list", "redyn zone autoprimary list --json=true --")
	f("tsig add a --secret - --json", "redyn tsig add --secret=- --json=true -- a")
	f("record set a TXT - x", "redyn record set -- a TXT - x")
	// A flag wins over the environment. What a command does not know is not given to it.
	f("zone list", "redyn zone list --redis-prefix=x: --", "REDYN_REDIS_PREFIX=x:", "REDYN_BACKEND_LISTEN=127.0.0.1:1")
	f("zone list --redis-prefix y:", "redyn zone list --redis-prefix=y: --", "REDYN_REDIS_PREFIX=x:")
	// An empty variable is as good as none, except where empty means none.
	f("health", "redyn health --status-listen= --", "REDYN_STATUS_LISTEN=")
	f("zone list", "redyn zone list --redis-prefix={redyn}: --", "REDYN_REDIS_PREFIX=", "REDYN_REDIS_TIMEOUT=")
	// Help and version need nothing else.
	f("zone import --help --replace", "redyn zone import --help=true --")
	f("zone show example.org --help", "redyn zone show --help=true --")
	f("help", "redyn --help=true --")
	// Faults name what is wrong.
	f("serve --backend-listen 8053", `--backend-listen: "8053" is no address and port; expected something like 127.0.0.1:8053 or [::1]:8053`)
	f("health", `REDYN_STATUS_LISTEN: "x" is no address and port; expected something like 127.0.0.1:8053 or [::1]:8053`, "REDYN_STATUS_LISTEN=x")
	f("zone lst", `redyn zone has no command "lst"; expected create, list, show, delete, set, import, export, check, autoprimary`)
	f("zone autoprimary lst", `redyn zone autoprimary has no command "lst"; expected add, list, delete`)
}
