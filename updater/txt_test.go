package updater

import (
	"testing"

	"redyn/auth"
	"redyn/backend/dns"
)

func TestTXT(t *testing.T) {
	s, secret := acmeServer(t, Options{HostLimit: auth.Limit{Count: 1, Per: 1e12}})
	own := basic("home.example.org", secret)
	const h = "?hostname=_acme-challenge.home.example.org"
	f := func(target, header string, status int, want string) {
		t.Helper()
		s.get(target, header).is(t, status, want)
	}
	one, two, three := `"`+challenge1+`"`, `"`+challenge2+`"`, `"third"`
	f("/nic/update"+h+"&txt="+challenge2, own, 200, "good "+two)
	f("/nic/update"+h+"&txt="+challenge2, own, 200, "nochg "+two)
	f("/nic/update"+h+"&txt="+challenge1, own, 200, "good "+one+","+two)
	f("/nic/update"+h+"&txt=third", own, 200, "good "+one+","+three)
	s.has(homeChallenge, dns.TypeTXT, one, three)
	f("/nic/update"+h+"&txt=", own, 200, "good")
	f("/nic/update"+h+"&txt=", own, 200, "nochg")
	s.has(homeChallenge, dns.TypeTXT)

	// As deSEC words it, and as Hurricane Electric takes it.
	f("/dyn"+h+"&txt="+challenge1, own, 200, "good")
	form := "hostname=_acme-challenge.home.example.org&password=" + secret + "&txt=" + challenge2
	s.send("POST /nic/update HTTP/1.1\r\nHost: dyn.example\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: "+
		itoa(len(form))+"\r\n\r\n"+form).is(t, 200, "good "+one+","+two)

	// Nobody who may set addresses alone sets challenges, and the other way round.
	f("/nic/update"+h+"&txt="+challenge1, "Authorization: Token "+s.tokenFor(nil, home), 401, "badauth")
	f("/nic/update"+h, own, 200, "nohost")

	f("/nic/update?hostname=_acme-challenge.office.example.org&txt=x", own, 200, "nohost")
	f("/nic/update?hostname=home.example.org&txt=x", own, 200, "dnserr")
	f("/dyn?hostname=home.example.org&txt=x", own, 400, "txt is for names that begin with _acme-challenge, and home.example.org. does not")
	f("/dyn"+h+"&txt=x&myip=192.0.2.1", own, 400, `txt is for challenges and "myip" for addresses; one request has one of them`)
	f("/dyn"+h+"&txt=x&myipv6:home.example.org=::1", own, 400, `txt is for challenges and "myipv6:home.example.org" for addresses; one request has one of them`)
	f("/dyn"+h+"&txt=%22a%22", own, 400, `txt "\"a\"" is no value of a challenge, which is base64 in the URL alphabet`)
	f("/dyn"+h+"&txt=x&txt=y", own, 400, `parameter "txt" is given twice`)
	f("/nic/update?txt=x", "Authorization: Token "+secret, 200, "notfqdn")
	f("/nic/update"+h+"&txt=x", basic("", "wrong"), 401, "badauth")
	s.has(homeChallenge, dns.TypeTXT, one, two)
}
