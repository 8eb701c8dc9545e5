package updater

import (
	"strings"
)

// txtParam stands in the place of addresses where challenges are updated, as Hurricane Electric has it:
// hostname=_acme-challenge.home.example.org&txt=VALUE. Without a value there are none any more.
const txtParam = "txt"

// readChallenges reads an update of challenges. The two newest values stay: a certificate for a name and
// the wildcard below it takes both.
func (w *wish) readChallenges(p params, value string) error {
	w.limitless = true
	e := newestValue(value)
	switch {
	case value == "":
		e = changeTXT(func([]string) []string { return nil })
	case !isValue(value):
		return bad("%s %+.80q is no value of a challenge, which is base64 in the URL alphabet", txtParam, value)
	}
	for _, one := range p {
		if isAddressParam(one.Key) {
			return bad("%s is for challenges and %+.80q for addresses; one request has one of them", txtParam, one.Key)
		}
	}
	names, _, err := hostNames(p, &w.proof)
	if err != nil {
		return err
	}
	w.named = names
	if len(names) == 0 {
		return errNotFQDN
	}
	for _, name := range names {
		if !isChallenge(name) {
			return bad("%s is for names that begin with %s, and %s does not", txtParam, strings.TrimSuffix(challengeLabel, "."), name)
		}
		w.hosts = append(w.hosts, &hostWish{name: name, edits: []edit{e}})
	}
	return nil
}
