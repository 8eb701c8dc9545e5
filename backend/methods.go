package backend

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
)

// row describes one of PowerDNS's requests.
type row struct {
	name   string
	access access
	// verb and path are how the RESTful connector asks: GET /dns/lookup/QNAME/QTYPE.
	verb string
	path []field
	run  func(*Backend, context.Context, *params, *reply) error
}

// access is what a method may do, for --backend-methods.
type access uint8

const (
	reads     access = iota // reads what DNS tells everybody, or nearly
	readsKeys               // reads DNSSEC and TSIG secrets
	writes                  // changes something
)

// table is all that PowerDNS 4.7 to 5.1 send.
var table = []row{
	{"initialize", reads, "GET", nil, (*Backend).initialize},

	{"lookup", reads, "GET", []field{qname, qtype}, (*Backend).lookup},
	{"APILookup", reads, "GET", []field{qname, qtype}, (*Backend).lookup},
	{"list", reads, "GET", []field{domainID, zonename}, (*Backend).list},
	{"searchRecords", reads, "GET", nil, (*Backend).searchRecords},
	{"getBeforeAndAfterNamesAbsolute", reads, "GET", []field{id, qname}, (*Backend).getBeforeAndAfterNamesAbsolute},

	{"getAllDomains", reads, "GET", nil, (*Backend).getAllDomains},
	{"getDomainInfo", reads, "GET", []field{name}, (*Backend).getDomainInfo},
	{"getUpdatedMasters", reads, "GET", nil, (*Backend).getUpdatedMasters},
	{"getUnfreshSlaveInfos", reads, "GET", nil, (*Backend).getUnfreshSlaveInfos},
	{"setNotified", writes, "PATCH", []field{id}, (*Backend).setNotified},
	{"setFresh", writes, "PATCH", []field{id}, (*Backend).setFresh},
	{"setStale", writes, "PATCH", []field{id}, (*Backend).setStale},
	{"superMasterBackend", reads, "POST", []field{ip, domain}, (*Backend).superMasterBackend},
	{"createSlaveDomain", writes, "PUT", []field{ip, domain}, (*Backend).createSlaveDomain},

	{"getAllDomainMetadata", reads, "GET", []field{name}, (*Backend).getAllDomainMetadata},
	{"getDomainMetadata", reads, "GET", []field{name, kind}, (*Backend).getDomainMetadata},
	{"setDomainMetadata", writes, "PATCH", []field{name, kind}, (*Backend).setDomainMetadata},

	{"getDomainKeys", readsKeys, "GET", []field{name}, (*Backend).getDomainKeys},
	{"addDomainKey", writes, "PUT", []field{name}, (*Backend).addDomainKey},
	{"removeDomainKey", writes, "DELETE", []field{id, name}, (*Backend).removeDomainKey},
	{"activateDomainKey", writes, "POST", []field{id, name}, (*Backend).activateDomainKey},
	{"deactivateDomainKey", writes, "POST", []field{id, name}, (*Backend).deactivateDomainKey},
	{"publishDomainKey", writes, "POST", []field{id, name}, (*Backend).publishDomainKey},
	{"unpublishDomainKey", writes, "POST", []field{id, name}, (*Backend).unpublishDomainKey},

	{"getTSIGKey", readsKeys, "GET", []field{name}, (*Backend).getTSIGKey},
	{"getTSIGKeys", readsKeys, "GET", nil, (*Backend).getTSIGKeys},
	{"setTSIGKey", writes, "PATCH", []field{name}, (*Backend).setTSIGKey},
	{"deleteTSIGKey", writes, "DELETE", []field{name}, (*Backend).deleteTSIGKey},

	{"startTransaction", writes, "POST", []field{domainID, domain, trxid}, (*Backend).startTransaction},
	{"feedRecord", writes, "PATCH", []field{trxid}, (*Backend).feedRecord},
	{"feedEnts", writes, "PATCH", []field{domainID, trxid}, (*Backend).feedEnts},
	{"feedEnts3", writes, "PATCH", []field{domainID, domain, trxid}, (*Backend).feedEnts},
	{"replaceRRSet", writes, "PATCH", []field{domainID, qname, qtype}, (*Backend).replaceRRSet},
	{"commitTransaction", writes, "POST", []field{trxid}, (*Backend).commitTransaction},
	{"abortTransaction", writes, "POST", []field{trxid}, (*Backend).abortTransaction},

	{"directBackendCmd", reads, "POST", nil, (*Backend).directBackendCmd},

	// What no PowerDNS known to us sends, told apart by the beginning of its name: what reads is
	// answered none (false), and what writes an error.
	{"unknown (reads)", reads, "", nil, (*Backend).none},
	{"unknown (writes)", writes, "", nil, (*Backend).unserved},
}

// method is a row of the table with its number, by which it is counted.
type method struct {
	row
	number int
}

var methods = func() []method {
	list := make([]method, len(table))
	for i, r := range table {
		list[i] = method{r, i}
	}
	return list
}()

// fatal are what PowerDNS's communicator asks as a primary and as a secondary: at an error PowerDNS ends, and
// false it takes for "not now", and asks again.
var fatal = []string{"getUpdatedMasters", "getUnfreshSlaveInfos", "setNotified", "setFresh", "setStale"}

func (m *method) isFatal() bool { return slices.Contains(fatal, m.name) }

var (
	initializeMethod = &methods[0]
	lookupMethod     = &methods[1]
	allDomainsMethod = known["getalldomains"]
	unknownReads     = &methods[len(methods)-2]
	unknownWrites    = &methods[len(methods)-1]
)

// known is the method by its name in lower case.
var known = func() map[string]*method {
	m := make(map[string]*method, len(methods))
	for i := range methods[:len(methods)-2] {
		m[lower(methods[i].name)] = &methods[i]
	}
	return m
}()

// longestMethod bounds what is looked for in known.
const longestMethod = 40

// find returns the method of that name, whatever its case.
func find(name []byte) *method {
	if string(name) == "lookup" {
		return lookupMethod
	}
	var buf [longestMethod]byte
	if len(name) <= len(buf) {
		low := appendLower(buf[:0], name)
		if m, ok := known[string(low)]; ok {
			return m
		}
		for _, begins := range []string{"get", "is", "list", "search", "lookup"} {
			if len(low) >= len(begins) && string(low[:len(begins)]) == begins {
				return unknownReads
			}
		}
	}
	return unknownWrites
}

func appendLower(dst, text []byte) []byte {
	for _, c := range text {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		dst = append(dst, c)
	}
	return dst
}

func lower(text string) string { return string(appendLower(nil, []byte(text))) }

// run answers with m what c.params ask, if that is served now. A panic of m is its error.
func (b *Backend) run(ctx context.Context, m *method, c *call) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &panicked{p, debug.Stack()}
		}
	}()
	if !b.Methods.allow(m.access) {
		return &fault{statusForbidden, fmt.Sprintf("%s is not served: the setting of methods is %q", m.name, b.Methods)}
	}
	if m != initializeMethod && !closed(b.loaded) && (m != allDomainsMethod || !closed(b.New)) {
		return errLoading
	}
	if m.access == writes {
		if b.Store == nil {
			return errUnserved
		}
		ctx = context.WithoutCancel(ctx) // what is begun is done, also when this node stops
	} else {
		trailOf(c.params.from).begin()
	}
	return m.run(b, ctx, &c.params, &c.reply)
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// initialize is the first that PowerDNS says on a unix connection; its options are its own.
func (b *Backend) initialize(_ context.Context, _ *params, r *reply) error {
	r.bool(true)
	return nil
}

// none answers that there is nothing of the kind: redyn keeps none.
func (b *Backend) none(_ context.Context, _ *params, r *reply) error {
	r.none()
	r.outcome = unservedOutcome
	return nil
}

// unserved refuses to say that something was done.
func (b *Backend) unserved(_ context.Context, _ *params, _ *reply) error { return errUnserved }
