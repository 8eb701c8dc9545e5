package redisstore

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"redyn/auth"
	"redyn/backend/dns"
)

// The keys, each behind the prefix (default "{redyn}:"). The braces of the prefix put them all in
// one slot of a Redis Cluster, so that one script may change several zones. All values are text;
// a person can read them with redis-cli.
//
//	epoch           HASH    id       random name of this data set; none: the data set is lost
//	                        schema   version of this table
//	                        last_zone  the zone id given last; starts at random, none is given twice
//	                        last_host  the number given to a host last; none is given twice
//	                        log      the id of the newest entry of the log
//	zones           HASH    zone name → zone id
//	zone:<id>       HASH    name kind policy notified_serial last_check masters account created,
//	                        gen (the generation of the zone's records),
//	                        last_key (the number of a DNSSEC key given last; none is given twice)
//	rr:<id>:<gen>   HASH    "<owner> <TYPE>" → {"ttl":60,"content":["192.0.2.1"]};
//	                        the SOA in it holds the only serial. A generation that is being fed
//	                        has a TTL; the one that the zone names has none.
//	meta:<id>       HASH    kind of domain metadata → ["value"]
//	key:<id>        HASH    number of a DNSSEC key → {"flags":257,"active":true,"published":true,
//	                        "content":"..."}, the content sealed for "key:<id> <number>"
//	tsig            HASH    name of a TSIG key → {"algorithm":"hmac-sha256.","secret":"..."}, the
//	                        secret sealed for "tsig <name>"
//	autoprimaries   HASH    "<address> <nameserver>" → {"account":"..."}
//	hosts           HASH    name of a dynamic host → its number
//	host:<id>       HASH    name policy created changed (last change of its addresses)
//	token:<host id> STRING  the host's one-time token, expires
//	creds           HASH    id of a credential → its kind
//	cred:<id>       HASH    value: {"id":"...","kind":"token","hosts":[...],...,"verifier":"..."},
//	                        an hmac secret in it sealed; last_use
//	tokens          HASH    SHA-256 of a token → id of its credential
//	grants:<name>   HASH    id → kind of the credentials that grant the name as a host's, or "<kind> below"
//	                        if they grant names below it, too, as one that grants a zone does
//	replay:<id>:<digest>    STRING  id of the change that used up the signature, expires
//	done:<change>   STRING  a host's update that changed nothing; expires soon
//	limit:source:<network>     STRING  requests that came from there, expires; likewise
//	limit:failures:<network>   failed authentications from there
//	limit:credential:<id>      failed authentications for it; or, of no password, for user:<digest>
//	limit:host:<name>          changes of it
//	nodes           SET     names of nodes that have, or had lately, a lease
//	node:<name>     HASH    a serving node's lease, expires; its fields stand at Node
//	probe:<random>  STRING  whether the primary takes a change; gone at once
//	log             STREAM  one entry per change, trimmed by MAXLEN ~; its fields stand in entry.go
type keyspace string

const schema = "1"

// DefaultPrefix stands before every key unless Options.Prefix says otherwise.
const DefaultPrefix = "{redyn}:"

func (k keyspace) epoch() string                     { return string(k) + "epoch" }
func (k keyspace) zones() string                     { return string(k) + "zones" }
func (k keyspace) log() string                       { return string(k) + "log" }
func (k keyspace) tsig() string                      { return string(k) + "tsig" }
func (k keyspace) autoprimaries() string             { return string(k) + "autoprimaries" }
func (k keyspace) nodes() string                     { return string(k) + "nodes" }
func (k keyspace) node(name string) string           { return string(k) + "node:" + name }
func (k keyspace) zone(id dns.ZoneID) string         { return string(k) + "zone:" + idText(id) }
func (k keyspace) meta(id dns.ZoneID) string         { return string(k) + "meta:" + idText(id) }
func (k keyspace) key(id dns.ZoneID) string          { return string(k) + "key:" + idText(id) }
func (k keyspace) rr(id dns.ZoneID, g string) string { return string(k) + "rr:" + idText(id) + ":" + g }

func (k keyspace) hosts() string               { return string(k) + "hosts" }
func (k keyspace) host(id auth.HostID) string  { return string(k) + "host:" + id.String() }
func (k keyspace) token(id auth.HostID) string { return string(k) + "token:" + id.String() }
func (k keyspace) creds() string               { return string(k) + "creds" }
func (k keyspace) cred(id string) string       { return string(k) + "cred:" + id }
func (k keyspace) tokens() string              { return string(k) + "tokens" }
func (k keyspace) grants(name dns.Name) string { return string(k) + "grants:" + string(name) }
func (k keyspace) done(change string) string   { return string(k) + "done:" + change }

func idText(id dns.ZoneID) string { return strconv.Itoa(int(id)) }

func parseID(text string) (dns.ZoneID, error) {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n <= 0 {
		return 0, fmt.Errorf("zone id %.40q is no number from 1 to 2147483647", text)
	}
	return dns.ZoneID(n), nil
}

func parseKeyID(text string) (dns.KeyID, error) {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n <= 0 {
		return 0, fmt.Errorf("key number %.40q is no number from 1 to 2147483647", text)
	}
	return dns.KeyID(n), nil
}

// field is the name of an RRset in rr:<id>:<gen>.
func field(name dns.Name, typ dns.Type) string { return string(name) + " " + typ.String() }

// parseField reads what field has written.
func parseField(text string) (dns.Name, dns.Type, error) {
	space := strings.LastIndexByte(text, ' ')
	if space < 0 {
		return "", 0, fmt.Errorf("RRset %.300q is not named by owner and type", text)
	}
	name, err := dns.ParseName(text[:space])
	if err != nil {
		return "", 0, fmt.Errorf("RRset %.300q: %w", text, err)
	}
	typ, err := dns.ParseType(text[space+1:])
	if err != nil {
		return "", 0, fmt.Errorf("RRset %.300q: %w", text, err)
	}
	return name, typ, nil
}

func nameText(name dns.Name) string { return string(name) }

// autoprimaryField is the name of an autoprimary in autoprimaries.
func autoprimaryField(a dns.Autoprimary) string {
	return a.IP.Unmap().String() + " " + string(a.Nameserver)
}

// parseAutoprimary reads what autoprimaryField has written.
func parseAutoprimary(text string) (a dns.Autoprimary, err error) {
	ip, name, _ := strings.Cut(text, " ")
	if a.IP, err = netip.ParseAddr(ip); err == nil {
		a.Nameserver, err = dns.ParseName(name)
	}
	if err != nil {
		return a, fmt.Errorf("autoprimary %.300q: %w", text, err)
	}
	return a, nil
}
