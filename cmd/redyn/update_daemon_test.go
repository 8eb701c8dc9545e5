package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// story runs a daemon that looks every minute, against a server that sees what address returns and
// answers what answer returns at a time. It returns when what was sent, and the daemon's end.
func story(t *testing.T, length time.Duration, address func(time.Duration) string, answer func(time.Duration) (int, string)) (sent, log string, err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		var all []string
		update := func(r *http.Request) (int, string, error) {
			at := time.Since(begin)
			status, body := answer(at)
			all = append(all, fmt.Sprintf("%s %s %d", at.Round(time.Minute), r.URL.Query().Get("myipv4"), status))
			return status, body, nil
		}
		see := func(*http.Request) (int, string, error) { return http.StatusOK, address(time.Since(begin)), nil }
		away := func(*http.Request) (int, string, error) { return 0, "", syscall.ENETUNREACH }
		out := newLines()
		d := &updateDaemon{
			client: newWired(update, map[*ipFamily]wire{ipv4: see, ipv6: away}), every: time.Minute,
			log: slog.New(out), report: func([]updateResult) error { return nil },
		}
		ctx, cancel := context.WithTimeout(t.Context(), length)
		defer cancel()
		err = d.run(ctx)
		sent, log = strings.Join(all, "; "), out.String()
	})
	return sent, log, err
}

func always(text string) func(time.Duration) string {
	return func(time.Duration) string { return text }
}

func good(time.Duration) (int, string) { return http.StatusOK, "good" }

// Only what has changed is sent, and once a day what has not.
func TestDaemonChanges(t *testing.T) {
	moves := func(at time.Duration) string {
		if at < 90*time.Minute {
			return "192.0.2.1"
		}
		return "192.0.2.2"
	}
	sent, log, err := story(t, 26*time.Hour, moves, good)
	if want := "0s 192.0.2.1 200; 1h30m0s 192.0.2.2 200; 25h30m0s 192.0.2.2 200"; sent != want || log != "" || err != nil {
		t.Errorf("sent is %s; want %s\n%s%v", sent, want, log, err)
	}
}

// A server that is out of order is asked less and less often, and all is well again with the first
// success.
func TestDaemonBackOff(t *testing.T) {
	down := func(at time.Duration) (int, string) {
		if at < 3*time.Hour {
			return http.StatusServiceUnavailable, "911"
		}
		return good(at)
	}
	sent, log, err := story(t, 5*time.Hour, always("192.0.2.1"), down)
	failures := strings.Count(sent, " 503")
	if failures < 9 || failures > 14 || strings.Count(sent, " 200") != 1 || err != nil {
		t.Errorf("sent is %s, %v", sent, err)
	}
	if strings.Count(log, "\n") != failures || !strings.Contains(log, `level=WARN msg="no update; trying again" wait=1`) {
		t.Errorf("logged is %s", log)
	}
}

// What cannot get better ends the daemon.
func TestDaemonRefused(t *testing.T) {
	for _, word := range []string{"badauth", "nohost"} {
		revoked := func(at time.Duration) (int, string) {
			if at > time.Hour {
				return http.StatusOK, word
			}
			return good(at)
		}
		moves := func(at time.Duration) string { return fmt.Sprintf("192.0.2.%d", int(at.Hours())) }
		sent, _, err := story(t, 9*time.Hour, moves, revoked)
		if err == nil || !strings.Contains(err.Error(), "answers "+word) || strings.Count(sent, ";") != 2 {
			t.Errorf("sent is %s; the end is %v", sent, err)
		}
	}
}

// A server says itself when to come again.
func TestDaemonRetryAfter(t *testing.T) {
	s := newDynServer(t)
	s.answers["/nic/update"] = fail(http.StatusTooManyRequests, "abuse", "Retry-After: 7200")
	o := newWired(nil, nil).updateOptions
	o.url.Scheme, o.url.Host = "http", strings.TrimPrefix(s.URL, "http://")
	d := &updateDaemon{client: newUpdateClient(o), every: time.Minute, log: slog.New(newLines())}
	if wait, err := d.turn(t.Context()); wait != 2*time.Hour || err != nil {
		t.Errorf("the daemon waits %v, %v", wait, err)
	}
}

func TestParseRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	f := func(text string, want time.Duration) {
		t.Helper()
		if got := parseRetryAfter(text, now); got != want {
			t.Errorf("Retry-After: %s is %v; want %v", text, got, want)
		}
	}
	f("120", 2*time.Minute)
	f("4000000000", 24*time.Hour)
	f("Fri, 02 Jan 2026 03:05:05 GMT", time.Minute)
	f("Fri, 02 Jan 2026 03:03:05 GMT", 0)
	f("Fri, 02 Jan 2099 03:03:05 GMT", 24*time.Hour)
	f("soon", 0)
	f("-1", 0)
	f("", 0)
}

// FuzzUpdateAnswer: whatever a server sends, there is a word for each host, or one printable line.
func FuzzUpdateAnswer(f *testing.F) {
	f.Add(200, "good 192.0.2.1\nnochg 192.0.2.2", "", 2)
	f.Add(401, "badauth", "", 1)
	f.Add(503, "911", "60", 1)
	f.Add(200, "\xff\x1b[31m\r\n\x00", "Fri, 02 Jan 2026 03:05:05 GMT", 3)
	f.Fuzz(func(t *testing.T, status int, body, retryAfter string, hosts int) {
		hosts = min(max(hosts, 1), 20)
		a := updateAnswer{where: "https://dyn.example.org/nic/update", status: status, body: body, retryAfter: parseRetryAfter(retryAfter, time.Now())}
		words, err := a.words(hosts)
		if err == nil {
			if len(words) != hosts || status < 200 || status > 299 {
				t.Errorf("%d %q: %d words for %d hosts", status, body, len(words), hosts)
			}
			return
		}
		for _, c := range err.Error() {
			if c < ' ' || c > '~' {
				t.Errorf("%d %q: the error is %q", status, body, err)
			}
		}
		if a.retryAfter < 0 || a.retryAfter > 24*time.Hour {
			t.Errorf("Retry-After: %q is %v", retryAfter, a.retryAfter)
		}
	})
}
