package updater

import (
	"fmt"
	"strings"

	"github.com/valyala/fasthttp"
)

// Style is the protocol in whose words an update of addresses is answered.
type Style string

// The styles.
const (
	AutoStyle    Style = "auto"    // dyndns2's on its own paths, deSEC's on all others
	DeSECStyle   Style = "desec"   // good; 404 nohost
	Dyndns2Style Style = "dyndns2" // good 192.0.2.1, a line for each host; names that are wrong with status 200
)

// ParseStyle reads a style; the empty text is AutoStyle.
func ParseStyle(text string) (Style, error) {
	switch s := Style(text); s {
	case "":
		return AutoStyle, nil
	case AutoStyle, DeSECStyle, Dyndns2Style:
		return s, nil
	}
	return "", fmt.Errorf("style %.40q is unknown; expected auto, desec or dyndns2", text)
}

// word answers an update of addresses, whose protocol has the words of byDefault.
func (u *Updater) word(byDefault Style, results []result, err error) reply {
	style := u.Style
	if style == AutoStyle || style == "" {
		style = byDefault
	}
	if err != nil {
		if style == Dyndns2Style {
			return dyndns2Fault(faultOf(err))
		}
		return desecFault(faultOf(err))
	}
	p := say("good")
	if style == Dyndns2Style {
		p = say(dyndns2Lines(results))
	}
	p.outcome = outcomeOf(results)
	return p
}

// outcomeOf is how an update without a fault is counted.
func outcomeOf(results []result) outcome {
	for _, r := range results {
		if r.changed {
			return goodOutcome
		}
	}
	return nochgOutcome
}

// dyndns2Lines has a line for each host: whether it changed, and the addresses that were set.
func dyndns2Lines(results []result) string {
	lines := make([]string, 0, len(results))
	for _, r := range results {
		line := "nochg"
		if r.changed {
			line = "good"
		}
		if len(r.content) > 0 {
			line += " " + strings.Join(r.content, ",")
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// dyndns2Fault words a fault as clients know it. Most of them read the word only if the status is 200.
func dyndns2Fault(f *fault) reply {
	p := plain(f)
	switch f.outcome {
	case deniedOutcome:
		p.body = badauth(f)
	case nohostOutcome, notfqdnOutcome, numhostOutcome:
		p.status, p.body = fasthttp.StatusOK, f.outcome.String()
	case badOutcome, refusedOutcome:
		p.status, p.body = fasthttp.StatusOK, "dnserr"
	case limitedOutcome:
		p.body = "abuse"
	case unavailableOutcome, failedOutcome:
		p.body = "911"
	}
	return p
}

// desecFault words a fault as deSEC does.
func desecFault(f *fault) reply {
	p := plain(f)
	switch f.outcome {
	case deniedOutcome:
		p.body = badauth(f)
	case nohostOutcome, notfqdnOutcome:
		p.body = nohostOutcome.String()
	}
	return p
}

// badauth is the word for a denial; only a wrong clock is told of.
func badauth(f *fault) string {
	if f == errSkew {
		return f.text
	}
	return "badauth"
}
