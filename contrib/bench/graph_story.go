package main

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// plot is a kind of change: names of which each may have one thing or the other, and what is asked meanwhile.
// All names are below one that each story has for itself.
type plot struct {
	name   string
	owners []plotOwner
	asked  []string // for A
}

type plotOwner struct {
	name   string
	values []plotValue // it has the first at the beginning
}

// plotValue is one record, or none for type 0. An A gets another address each time.
type plotValue struct {
	typ    uint16
	target string
}

var (
	address = plotValue{typ: dns.TypeA}
	nothing = plotValue{}
)

func alias(target string) plotValue  { return plotValue{dns.TypeCNAME, target} }
func server(target string) plotValue { return plotValue{dns.TypeNS, target} }

// plots are what part graph changes.
var plots = []plot{
	{"CNAME targets", []plotOwner{
		{"one", []plotValue{address, nothing}},
		{"two", []plotValue{address, nothing}},
		{"alias", []plotValue{alias("one"), alias("two"), address, nothing}},
		{"chain", []plotValue{alias("alias")}},
	}, []string{"one", "two", "alias", "chain"}},
	{"wildcards", []plotOwner{
		{"*.w", []plotValue{address, alias("aside"), nothing}},
		{"own.w", []plotValue{nothing, address}},
		{"below.deep.w", []plotValue{nothing, address}},
		{"aside", []plotValue{address, nothing}},
		{"alias", []plotValue{alias("any.w"), alias("own.w")}},
	}, []string{"w", "own.w", "any.w", "deep.w", "below.deep.w", "else.deep.w", "some.where.w", "alias"}},
	{"delegations", []plotOwner{
		{"host.d", []plotValue{address}},
		{"ns1.d", []plotValue{address, nothing}},
		{"ns2.d", []plotValue{address}},
		{"d", []plotValue{server("ns1.d"), server("ns2.d"), address, nothing}},
	}, []string{"d", "host.d", "ns1.d", "ns2.d", "none.d"}},
}

// story is a plot that is played below a name of its own.
type story struct {
	plot
	under string

	mu       sync.Mutex
	versions []version
	acked    int // the last version that is acknowledged
}

// version is what the names of a story had, and what answers that makes, in the order of plot.asked.
type version struct {
	model   model
	answers []string
	acked   time.Time
}

func newStory(p plot, under string) *story {
	s := &story{plot: p, under: under}
	m := make(model)
	for _, o := range p.owners {
		m[s.full(o.name)] = s.records(o.values[0])
	}
	s.versions = []version{s.version(m)}
	return s
}

func (s *story) full(name string) string { return name + "." + s.under }

// records are what a value means; an address is one that nothing had before.
func (s *story) records(v plotValue) records {
	switch v.typ {
	case 0:
		return nil
	case dns.TypeA:
		return records{v.typ: versionAddr(uint32(len(s.versions)) & 0xffffff)}
	}
	return records{v.typ: s.full(v.target)}
}

func (s *story) version(m model) version {
	v := version{model: m}
	for _, name := range s.asked {
		v.answers = append(v.answers, m.answer(s.full(name), dns.TypeA))
	}
	return v
}

// turn is a change of what a name has.
type turn struct {
	name      string
	old, next records
}

// next begins another version, of which answers may come from now on.
func (s *story) next() turn {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.versions[len(s.versions)-1].model
	for {
		o := s.owners[rand.IntN(len(s.owners))]
		t := turn{name: s.full(o.name), next: s.records(o.values[rand.IntN(len(o.values))])}
		if t.old = m[t.name]; !maps.Equal(t.old, t.next) {
			s.versions = append(s.versions, s.version(m.with(t.name, t.next)))
			return t
		}
	}
}

// acknowledged notes that the last version has been.
func (s *story) acknowledged() (at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at = time.Now()
	s.acked = len(s.versions) - 1
	s.versions[s.acked].acked = at
	return at
}

// current is the last version that is acknowledged.
func (s *story) current() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.acked
}

// expected is the answer that a version makes.
func (s *story) expected(version, question int) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.versions[version].answers[question]
}

// verdict is what an answer is, as the story goes.
type verdict int

const (
	right verdict = iota // or not judged
	old                  // as it was before the last change
	mixed                // neither that, nor as it is after it
)

// judge tells what an answer is that was asked for while the version given was the last one acknowledged, and
// when that was. What came after the next change had begun is not judged: PowerDNS looks up more than one name
// for an answer, and may have seen both versions.
func (s *story) judge(question, from int, got string) (v verdict, since time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch since = s.versions[from].acked; {
	case len(s.versions)-1 > from || s.versions[from].answers[question] == got:
		return right, since
	case from > 0 && s.versions[from-1].answers[question] == got:
		return old, since
	}
	return mixed, since
}

// newStories are some of each plot.
func newStories(each int) (stories []*story) {
	for i, p := range plots {
		for n := range each {
			stories = append(stories, newStory(p, fmt.Sprintf("story%d-%d.%s", i, n, origin)))
		}
	}
	return stories
}
