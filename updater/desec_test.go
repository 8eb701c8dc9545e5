package updater

import (
	"testing"

	"redyn/auth"
	"redyn/backend/dns"
)

const (
	home   dns.Name = "home.example.org."
	office dns.Name = "office.example.org."
	away   dns.Name = "away.example.net."
)

// desecServer has the host home, and a token for it.
func desecServer(t testing.TB, o Options) (*server, string) {
	t.Helper()
	s := serve(t, o)
	s.store.addHost(17, home)
	return s, "Authorization: Token " + s.tokenFor(nil, home)
}

// Which addresses an update sets, from a connection over IPv4 (deSEC's rules, updates.md A2).
func TestDeSECAddresses(t *testing.T) {
	s, token := desecServer(t, Options{})
	f := func(query, a, aaaa string) {
		t.Helper()
		s.store.set(home, dns.TypeA, "203.0.113.9")
		s.store.set(home, dns.TypeAAAA, "2001:db8:9::9")
		s.get("/?hostname=home.example.org"+query, token).is(t, 200, "good")
		s.hasText(home, dns.TypeA, a)
		s.hasText(home, dns.TypeAAAA, aaaa)
	}
	const old4, old6 = "203.0.113.9", "2001:db8:9::9"
	f("", "127.0.0.1", "")
	f("&myip=10.2.3.4", "10.2.3.4", "")
	f("&myipv4=10.2.3.4", "10.2.3.4", "")
	f("&ip=10.2.3.4", "10.2.3.4", "")
	f("&ip4=10.2.3.4", "10.2.3.4", "")
	f("&myip=2001:db8::1", "127.0.0.1", "2001:db8::1")
	f("&myipv6=2001:DB8::1", "127.0.0.1", "2001:db8::1")
	f("&ipv6=2001:db8::1&myip=10.2.3.4", "10.2.3.4", "2001:db8::1")
	f("&myip=10.2.3.4&myip2=2001:db8::1", "10.2.3.4", "2001:db8::1")

	// Nothing is: take it away. Placeholders of a family that there is not arrive so.
	f("&myip=", "", "")
	f("&myip=&ip=10.2.3.4", "", "")
	f("&myipv4=10.2.3.4&myipv6=", "10.2.3.4", "")
	f("&myipv4=", "", "")
	f("&myipv6=2001:db8::1&myip=", "", "2001:db8::1")

	// What says nothing of a family is passed over for the next.
	f("&myip=invalid&ip=10.4.2.1", "10.4.2.1", "")
	f("&myip=2001:db8::1&ip=10.4.2.1", "10.4.2.1", "2001:db8::1")
	f("&myipv4=10.1.1.1&myip=10.2.2.2&ip=10.3.3.3", "10.2.2.2", "")

	// Lists.
	f("&myip=10.2.3.4,2001:db8::1", "10.2.3.4", "2001:db8::1")
	f("&myip=2001:db8::1,+10.2.3.4,10.2.3.3,10.2.3.4", "10.2.3.3 10.2.3.4", "2001:db8::1")
	f("&myipv6=2001:db8::2,2001:db8::1&myipv4=preserve", old4, "2001:db8::1 2001:db8::2")

	// preserve.
	f("&myipv4=preserve&myipv6=2001:db8::1", old4, "2001:db8::1")
	f("&myipv6=preserve&myipv4=10.2.3.4", "10.2.3.4", old6)
	f("&myipv6=preserve", "127.0.0.1", old6)
	f("&myip=preserve", old4, old6)

	// IPv4 in IPv6 is IPv4.
	f("&myip=::ffff:10.2.3.4", "10.2.3.4", "")
	f("&myip=64:ff9b::10.2.3.4", "127.0.0.1", "64:ff9b::a02:304")

	// Prefixes move the addresses that there are.
	f("&myipv6=2001:db8:1:2::/64", "127.0.0.1", "2001:db8:1:2::9")
	f("&myipv6=2001:db8:1:2::77/64", "127.0.0.1", "2001:db8:1:2::9")
	f("&myipv4=192.0.2.0/24&myipv6=preserve", "192.0.2.9", old6)
	f("&myip=10.2.3.4&ip6lanprefix=2001:db8:1:2::/64", "10.2.3.4", "2001:db8:1:2::9")
	f("&myip=10.2.3.4&ipv6prefix=2001:db8:1:2::/56", "10.2.3.4", "2001:db8:1::9")
	f("&myip=10.0.0.0/7", "11.0.113.9", "")
}

func TestDeSECPrefixWithoutAddress(t *testing.T) {
	s, token := desecServer(t, Options{})
	s.get("/?myipv6=2001:db8:1:2::/64", token).is(t, 200, "good")
	s.hasText(home, dns.TypeAAAA, "")
	s.hasText(home, dns.TypeA, "127.0.0.1")
}

func TestDeSECContradictions(t *testing.T) {
	s, token := desecServer(t, Options{})
	s.store.addHost(18, away)
	s.store.credentials[0].Grant.Hosts = append(s.store.credentials[0].Grant.Hosts, auth.Area{Name: away})
	f := func(query, want string) {
		t.Helper()
		s.get("/?"+query, token).is(t, 400, want)
		if len(s.store.updates) > 0 {
			t.Errorf("%s changed something", query)
		}
	}
	const h = "hostname=home.example.org&"
	f(h+"myip=10.2.3.4asdf", `malformed: myip: "10.2.3.4asdf" is no IPv4 address`)
	f(h+"myip=010.2.3.4", `malformed: myip: "010.2.3.4" is no IPv4 address`)
	f(h+"myipv6=fe80::1%25eth0", `malformed: myipv6: "fe80::1%eth0" is no IPv6 address`)
	f(h+"myipv6=:::", `malformed: myipv6: ":::" is no IPv6 address`)
	f(h+"myip=10.2.3.4,preserve", `malformed: myip: "10.2.3.4,preserve" has "preserve" or nothing among addresses`)
	f(h+"myip=10.2.3.4,", `malformed: myip: "10.2.3.4," has "preserve" or nothing among addresses`)
	f(h+"myipv6=2001:db8::/64,2001:db8::1", `malformed: myipv6: "2001:db8::/64,2001:db8::1" is a prefix and more, and a prefix stands alone`)
	f(h+"myipv6=2001:db8::/129", `malformed: myipv6: "2001:db8::/129" is no IPv6 prefix`)
	f(h+"myipv4=192.0.2.0/24/24", `malformed: myipv4: "192.0.2.0/24/24" is no IPv4 prefix`)
	f("hostname=home.example.org,away.example.net", "home.example.org. and away.example.net. are of two domains")
	f(h+"myipv4:away.example.net=10.2.3.4", "home.example.org. and away.example.net. are of two domains")
	f(h+"myipv4:office.example.org=nonsense", `malformed: "myipv4:office.example.org" says nothing of IPv4`)
}

// Which host an update is for.
func TestDeSECHosts(t *testing.T) {
	s := serve(t, Options{})
	s.store.addHost(17, home)
	secret := s.tokenFor(func(c *auth.Credential) { c.Grant.Hosts[0].Below = true }, home)
	f := func(target, auth, want string, status int) {
		t.Helper()
		s.store.updates = nil
		s.get(target, auth).is(t, status, want)
		if (status == 200) != (len(s.store.updates) == 1) {
			t.Errorf("%s makes %d updates", target, len(s.store.updates))
		}
	}
	token := "Authorization: Token " + secret
	f("/?hostname=home.example.org", token, "good", 200)
	f("/any/path?hostname=HOME.Example.ORG.", token, "good", 200)
	f("/?hostname=*.home.example.org", token, "good", 200)
	f("/?hostname=a.home.example.org,home.example.org", token, "good", 200)
	f("/nic/dyndns?action=edit&started=1&hostname=YES&host_id=home.example.org&myip=10.1.2.3", token, "good", 200)
	f("/?hostname=&host_id=home.example.org", token, "good", 200)
	f("/", basic("home.example.org", secret), "good", 200)
	f("/", basic("Home.Example.Org", secret), "good", 200)
	f("/", basic("a.home.example.org", secret), "good", 200)
	f("/", basic("", secret), "good", 200)
	f("/", basic("someone@example.com", secret), "good", 200)
	f("/?username=home.example.org", basic("someone@example.com", secret), "good", 200)
	f("/?username=17", basic("someone@example.com", secret), "good", 200)
	f("/?username=someone@example.com", basic("someone@example.com", secret), "good", 200)
	f("/?username=office.example.org", basic("someone@example.com", secret), "nohost", 404)
	f("/?username=office.example.org", basic("home.example.org", secret), "good", 200)
	f("/", basic("none", secret), "good", 200)
	f("/", basic("17", secret), "good", 200)
	f("/", basic("99", secret), "good", 200)
	f("/", "Authorization: Bearer "+secret, "good", 200)
	f("/", "Authorization:  bearer   "+secret, "good", 200)
	f("/?username=home.example.org&password="+secret, "X: y", "good", 200)
	f("/?username=&password="+secret, "X: y", "good", 200)
	f("/?username=home.example.org", token, "good", 200)

	f("/?hostname=office.example.org", token, "nohost", 404)
	f("/?hostname=nowhere.example.com", token, "nohost", 404)
	f("/?hostname=home.example.org,", token, "nohost", 404)
	f("/?hostname=home", token, "nohost", 404)
	f("/?hostname=home.example.org,office.example.org", token, "nohost", 404)
	f("/?hostname=office.example.org", basic("home.example.org", secret), "nohost", 404)
	f("/?host_id=[domain]", token, "nohost", 404)

	// A user name must not mislead.
	f("/?hostname=home.example.org", basic("office.example.org", secret), "badauth", 401)
	f("/", basic("example.org", secret), "badauth", 401)
	f("/", basic("home.example.org", "wrong"), "badauth", 401)
	f("/", "Authorization: Token wrong", "badauth", 401)
	f("/", "X: y", "badauth", 401)
	f("/?username=home.example.org&password=wrong", "X: y", "badauth", 401)
	// A header that is there decides.
	f("/?username=home.example.org&password="+secret, "Authorization: Token wrong", "badauth", 401)
	f("/?username=home.example.org&password="+secret, "Authorization:", "badauth", 401)
	f("/?username=home.example.org&password="+secret, "Authorization: Digest x", "badauth", 401)
	f("/?username=home.example.org&password="+secret, "Authorization: Basic !", "badauth", 401)
}

func TestDeSECUndetermined(t *testing.T) {
	s := serve(t, Options{})
	token := "Authorization: Token " + s.tokenFor(nil, home, office)
	s.get("/", token).is(t, 404, "nohost")
	token = "Authorization: Token " + s.tokenFor(func(c *auth.Credential) { c.Grant.Zones = []auth.Area{{Name: "example.net."}} })
	s.get("/?myip=10.1.2.3", token).is(t, 200, "good")
	s.has("example.net.", dns.TypeA, "10.1.2.3")
	s.get("/?hostname=any.example.net", token).is(t, 200, "good")
	s.get("/?hostname=any.example.org", token).is(t, 404, "nohost")
}

// What is said of single hosts goes before what is said of all, and adds hosts of which nothing else is
// touched.
func TestDeSECPerHost(t *testing.T) {
	s := serve(t, Options{})
	const lan, nas dns.Name = "lan.example.org.", "nas.example.org."
	token := "Authorization: Token " + s.tokenFor(nil, home, office, lan, nas)
	for _, name := range []dns.Name{home, office, lan, nas} {
		s.store.set(name, dns.TypeA, "203.0.113.9")
		s.store.set(name, dns.TypeAAAA, "2001:db8:9::9")
	}
	s.get("/?hostname=home.example.org,office.example.org&myipv4=10.0.0.1&myipv6=2001:db8::1"+
		"&myipv4:office.example.org=10.0.0.2&myipv6:lan.example.org,nas.example.org=2001:db8:1:2::/64", token).is(t, 200, "good")
	s.has(home, dns.TypeA, "10.0.0.1")
	s.has(home, dns.TypeAAAA, "2001:db8::1")
	s.has(office, dns.TypeA, "10.0.0.2")
	s.has(office, dns.TypeAAAA, "2001:db8::1")
	s.has(lan, dns.TypeA, "203.0.113.9")
	s.has(lan, dns.TypeAAAA, "2001:db8:1:2::9")
	s.has(nas, dns.TypeA, "203.0.113.9")
	s.has(nas, dns.TypeAAAA, "2001:db8:1:2::9")
	if n := len(s.store.updates); n != 1 || len(s.store.updates[0].Zones) != 1 {
		t.Errorf("%d changes: %+v", n, s.store.updates)
	}

	// One that is not granted, and nothing changes.
	s.get("/?hostname=home.example.org&myip=10.9.9.9&myipv4:other.example.org=10.0.0.2", token).is(t, 404, "nohost")
	s.has(home, dns.TypeA, "10.0.0.1")
	s.get("/?hostname=home.example.org&myip=10.9.9.9&myipv4:office.example.org=preserve&myipv6:home.example.org=", token).is(t, 200, "good")
	s.has(office, dns.TypeA, "10.0.0.2")
	s.has(home, dns.TypeA, "10.9.9.9")
	s.has(home, dns.TypeAAAA)
}

// Of a host that is not granted not even nothing is wanted.
func TestDeSECPreserveNothing(t *testing.T) {
	s, token := desecServer(t, Options{})
	s.get("/?hostname=home.example.org&myip=preserve", token).is(t, 200, "good")
	s.get("/nic/update?hostname=home.example.org&myipv4=preserve", token).is(t, 200, "nochg")
	s.get("/?hostname=office.example.org&myip=preserve", token).is(t, 404, "nohost")
	s.get("/nic/update?hostname=office.example.org&myipv4=preserve", token).is(t, 200, "nohost")
	s.get("/nic/update?hostname=none.example.com&myipv4=preserve", token).is(t, 200, "nohost")
	s.get("/?hostname=home.example.org&myip=192.0.2.1&myipv4:office.example.org=preserve", token).is(t, 404, "nohost")
	s.has(home, dns.TypeA)
	half := "Authorization: Token " + s.tokenFor(func(c *auth.Credential) { c.Grant.Types = []dns.Type{dns.TypeAAAA} }, home)
	s.get("/?hostname=home.example.org&myipv4=preserve", half).is(t, 200, "good")
}

// The only host of a credential may be named in a parameter for it alone.
func TestDeSECPerHostOfTheOnlyHost(t *testing.T) {
	s, token := desecServer(t, Options{})
	s.get("/?myip=10.0.0.1&myipv4:home.example.org=10.0.0.2", token).is(t, 200, "good")
	s.has(home, dns.TypeA, "10.0.0.2")
}

func TestDeSECMissingFamily(t *testing.T) {
	f := func(o Options, policy auth.HostPolicy, query, a, aaaa string) {
		t.Helper()
		s := serve(t, o)
		s.store.addHost(17, home).Policy = policy
		s.store.set(home, dns.TypeA, "203.0.113.9")
		s.store.set(home, dns.TypeAAAA, "2001:db8:9::9")
		s.get("/?"+query, "Authorization: Token "+s.tokenFor(nil, home)).is(t, 200, "good")
		s.hasText(home, dns.TypeA, a)
		s.hasText(home, dns.TypeAAAA, aaaa)
		s.stop()
	}
	preserve := Options{MissingFamily: auth.PolicyPreserve}
	f(preserve, "", "myip=10.1.2.3", "10.1.2.3", "2001:db8:9::9")
	f(preserve, "", "myip=2001:db8::1", "203.0.113.9", "2001:db8::1")
	f(preserve, "", "", "127.0.0.1", "2001:db8:9::9")
	f(preserve, "", "myipv6=preserve", "127.0.0.1", "2001:db8:9::9")
	f(preserve, "", "myip=", "", "")
	f(preserve, auth.PolicyDelete, "hostname=home.example.org&myip=10.1.2.3", "10.1.2.3", "")
	f(preserve, auth.PolicyDelete, "myip=10.1.2.3", "10.1.2.3", "")
	f(Options{}, auth.PolicyPreserve, "hostname=home.example.org&myip=10.1.2.3", "10.1.2.3", "2001:db8:9::9")
	f(Options{}, auth.PolicyPreserve, "myip=10.1.2.3", "10.1.2.3", "2001:db8:9::9")
}

// A credential for one family neither sets nor deletes the other.
func TestDeSECTypes(t *testing.T) {
	s := serve(t, Options{})
	s.store.addHost(17, home)
	s.store.set(home, dns.TypeAAAA, "2001:db8:9::9")
	token := "Authorization: Token " + s.tokenFor(func(c *auth.Credential) { c.Grant.Types = []dns.Type{dns.TypeA} }, home)
	s.get("/?hostname=home.example.org&myip=10.1.2.3", token).is(t, 200, "good")
	s.has(home, dns.TypeA, "10.1.2.3")
	s.has(home, dns.TypeAAAA, "2001:db8:9::9")
	for _, target := range []string{
		"/?hostname=home.example.org&myipv6=2001:db8::1", "/?hostname=home.example.org&myipv6=", "/?myipv6=2001:db8::1",
	} {
		s.get(target, token).is(t, 401, "badauth")
	}
	s.has(home, dns.TypeAAAA, "2001:db8:9::9")
}

func TestDeSECPost(t *testing.T) {
	s, token := desecServer(t, Options{})
	s.post("/", "hostname=home.example.org&myip=10.1.2.3", token).is(t, 200, "good")
	s.has(home, dns.TypeA, "10.1.2.3")
	s.post("/?hostname=home.example.org", "myip=10.1.2.4", token).is(t, 200, "good")
	s.has(home, dns.TypeA, "10.1.2.4")
	s.post("/?hostname=home.example.org", "hostname=home.example.org", token).is(t, 400, `parameter "hostname" is given twice`)
}

// Pictures that browsers ask for are nobody's update.
func TestDeSECPictures(t *testing.T) {
	s, token := desecServer(t, Options{SourceLimit: auth.Limit{Count: 1, Per: 1e9}})
	for _, path := range []string{"/favicon.ico", "/apple-touch-icon.PNG", "/a/b.ico?hostname=home.example.org"} {
		s.get(path, token).is(t, 404, "nothing is here")
	}
	if len(s.store.asked) > 0 {
		t.Error("the store was asked")
	}
}

// What a zone cannot have is refused.
func TestDeSECRefused(t *testing.T) {
	s := serve(t, Options{})
	token := "Authorization: Token " + s.tokenFor(func(c *auth.Credential) {
		c.Grant.Zones = []auth.Area{{Name: "example.org."}, {Name: "second.example."}}
	})
	s.store.set("alias.example.org.", dns.TypeCNAME, "home.example.org.")
	s.store.set("sub.example.org.", dns.TypeNS, "ns.example.net.")
	s.store.load(dns.Zone{ID: 9, Name: "second.example.", Kind: dns.Slave},
		dns.NewRRset("second.example.", dns.TypeSOA, 60, "a. b. 1 2 3 4 5"))
	s.get("/?hostname=alias.example.org", token).is(t, 400, "alias.example.org. is an alias (CNAME), which has no other records")
	s.get("/?hostname=sub.example.org", token).is(t, 400, "sub.example.org. is delegated to other servers")
	s.get("/?hostname=below.sub.example.org", token).is(t, 404, "nohost")
	s.get("/?hostname=www.second.example", token).is(t, 400, "second.example. is a secondary zone; its records come from its primary")
	s.get("/?hostname=alias.example.org&myip=", token).is(t, 200, "good")
}

func (s *server) hasText(name dns.Name, typ dns.Type, want string) {
	s.t.Helper()
	if want == "" {
		s.has(name, typ)
		return
	}
	s.has(name, typ, want)
}
