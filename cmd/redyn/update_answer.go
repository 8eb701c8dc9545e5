package main

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"redyn/auth"
)

// updateAnswer is what a server answers.
type updateAnswer struct {
	where      string // that was asked, without the query
	status     int
	body       string
	location   string
	retryAfter time.Duration
}

// updateFault is why a server has not done what it was asked for.
type updateFault struct {
	text string
	// final says that the same request will be refused again.
	final      bool
	retryAfter time.Duration
}

func (f *updateFault) Error() string { return f.text }

// fault returns why an answer's status is not one of success; nil if it is.
func (a *updateAnswer) fault() error {
	text := fmt.Sprintf("%s answers %d", a.where, a.status)
	if line := a.firstLine(); line != "" {
		text += ": " + line
	}
	switch {
	case a.status >= 200 && a.status < 300:
		return nil
	case strings.Contains(a.body, auth.SkewText):
		return &updateFault{text: text + " (the server's clock or this one's is wrong)"}
	case a.location != "" && a.status >= 300 && a.status < 400:
		return &updateFault{text: fmt.Sprintf("%s; it points to %.200q, to which no secret is sent", text, a.location)}
	}
	temporary := []int{http.StatusRequestTimeout, http.StatusConflict, http.StatusTooEarly, http.StatusTooManyRequests}
	final := a.status >= 400 && a.status < 500 && !slices.Contains(temporary, a.status)
	if hint := hints[a.firstWord()]; final && hint != "" {
		text += " (" + hint + ")"
	}
	return &updateFault{text: text, final: final, retryAfter: a.retryAfter}
}

// hints say what the words of dyndns2 for a lasting refusal mean.
var hints = map[string]string{
	"badauth":  "the credential is wrong, has ended, or is not for this",
	"nohost":   "a host is not there, or not the credential's",
	"notfqdn":  "a host is no full domain name",
	"numhost":  "these are too many hosts at once",
	"abuse":    "the server has blocked a host",
	"badagent": "the server refuses this client",
	"!yours":   "a host is not the credential's",
	"!donator": "the server wants this paid for",
	"!active":  "the server wants this activated",
}

// words returns good or nochg for each of n hosts, or a fault.
func (a *updateAnswer) words(n int) ([]string, error) {
	if err := a.fault(); err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimSpace(a.body), "\n")
	words := make([]string, 0, n)
	for _, line := range lines[:min(len(lines), n)] {
		word, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		if word != "good" && word != "nochg" {
			return nil, a.refusal(word, line)
		}
		words = append(words, word)
	}
	switch {
	case len(lines) == 1: // is said of all
		return slices.Repeat(words, n), nil
	case len(lines) != n:
		return nil, &updateFault{text: fmt.Sprintf("%s answers %d lines for %s", a.where, len(lines), plural(n, "host"))}
	}
	return words, nil
}

// refusal is the fault that a word of dyndns2 stands for. One that is unknown may come from whoever is
// between here and the server today.
func (a *updateAnswer) refusal(word, line string) error {
	hint, final := hints[word]
	text := fmt.Sprintf("%s answers %s", a.where, cmp.Or(printable(line), "nothing"))
	switch {
	case final:
		text += " (" + hint + ")"
	case word != "911" && word != "dnserr":
		text += ", which is neither good nor nochg"
	}
	return &updateFault{text: text, final: final, retryAfter: a.retryAfter}
}

// ok returns nil if a signed update is made, or a fault.
func (a *updateAnswer) ok() error {
	if err := a.fault(); err != nil {
		return err
	}
	if word := a.firstWord(); word != "ok" {
		return a.refusal(word, a.body)
	}
	return nil
}

func (a *updateAnswer) firstLine() string {
	line, _, _ := strings.Cut(strings.TrimSpace(a.body), "\n")
	return printable(line)
}

func (a *updateAnswer) firstWord() string {
	word, _, _ := strings.Cut(a.firstLine(), " ")
	return word
}

// printable is a line that a server has sent, as it can be shown on a terminal.
func printable(line string) string {
	const most = 200
	line = strings.TrimSpace(line)
	quoted := strconv.QuoteToASCII(line[:min(len(line), most)])
	return quoted[1 : len(quoted)-1]
}

// parseRetryAfter reads a Retry-After, in seconds or as a date (RFC 9110 section 10.2.3); 0 if it is
// neither. Nobody waits for longer than a day.
func parseRetryAfter(text string, now time.Time) time.Duration {
	const most = 24 * time.Hour
	if seconds, err := strconv.ParseUint(text, 10, 32); err == nil {
		return min(time.Duration(seconds)*time.Second, most)
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(at.Sub(now), 0), most)
	}
	return 0
}
