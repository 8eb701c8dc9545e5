package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"
)

const soakComparers = 8

// soakShown is how many differences are told.
const soakShown = 10

// compareFresh starts another redyn and a PowerDNS that keeps nothing, and compares its answers to all
// questions with those of the one that was purged. It returns how many differ, and tells of some.
func (b *bench) compareFresh(redis string, kept int, questions []soakQuestion) (differ int, told []string, err error) {
	server, err := b.startRedyn("soak-fresh", redis)
	if err != nil {
		return 0, nil, err
	}
	defer server.process.stop()
	fresh := contestant{name: "soak fresh", settings: b.common() + remote("unix:path="+server.unix) + soakSettings + "zone-cache-refresh-interval=0\n"}
	if err := b.startPDNS(&fresh); err != nil {
		return 0, nil, err
	}
	defer fresh.process.stop()
	var comparers sync.WaitGroup
	var next atomic.Int64
	var mu sync.Mutex
	for range soakComparers {
		comparers.Go(func() {
			compareErr := compareAnswers(kept, fresh.port, func() *soakQuestion {
				if i := int(next.Add(1)) - 1; i < len(questions) && b.ctx.Err() == nil {
					return &questions[i]
				}
				return nil
			}, func(text string) {
				mu.Lock()
				defer mu.Unlock()
				if differ++; len(told) < soakShown {
					told = append(told, text)
				}
			})
			mu.Lock()
			defer mu.Unlock()
			err = errors.Join(err, compareErr)
		})
	}
	comparers.Wait()
	return differ, told, errors.Join(err, b.ctx.Err())
}

// compareAnswers asks two servers what next returns, and tells of each answer that differs.
func compareAnswers(kept, fresh int, next func() *soakQuestion, tell func(string)) error {
	var conns [2]net.Conn
	for i, port := range []int{kept, fresh} {
		c, err := net.Dial("udp", loopback(port))
		if err != nil {
			return err
		}
		defer c.Close()
		conns[i] = c
	}
	bufs := [2][]byte{make([]byte, soakSize), make([]byte, soakSize)}
	for q := next(); q != nil; q = next() {
		var replies [2][]byte
		for i := range conns {
			var err error
			if replies[i], err = askOnce(conns[i], q.packet, bufs[i]); err != nil {
				return fmt.Errorf("%s: %w", q, err)
			}
		}
		if bytes.Equal(replies[0], replies[1]) {
			continue
		}
		got, want, err := plainAnswers(replies)
		if err != nil {
			return fmt.Errorf("%s: %w", q, err)
		}
		if got != want {
			tell(fmt.Sprintf("%s is\n%s\nand should be\n%s", q, got, want))
		}
	}
	return nil
}

// askOnce sends a question as it is, again if no answer comes.
func askOnce(c net.Conn, packet, buf []byte) ([]byte, error) {
	for range 3 {
		if err := c.SetDeadline(time.Now().Add(2 * time.Second)); err != nil {
			return nil, err
		}
		if _, err := c.Write(packet); err != nil {
			return nil, err
		}
		for {
			n, err := c.Read(buf)
			if timeout, is := err.(net.Error); is && timeout.Timeout() {
				break
			}
			if err != nil {
				return nil, err
			}
			// All questions have ids of their own.
			if n > 2 && bytes.Equal(buf[:2], packet[:2]) {
				return buf[:n], nil
			}
		}
	}
	return nil, errors.New("there is no answer")
}

func plainAnswers(replies [2][]byte) (got, want string, err error) {
	var texts [2]string
	for i, packet := range replies {
		var m dns.Msg
		if err := m.Unpack(packet); err != nil {
			return "", "", err
		}
		texts[i] = plainAnswer(&m)
	}
	return texts[0], texts[1], nil
}

// plainAnswer returns an answer as text, in an order of its own. What redyn lets be old is left out: the
// serial beside a denial or where an alias leads to, and which records of the chain deny, as long as these do.
func plainAnswer(m *dns.Msg) string {
	out := []string{fmt.Sprintf("%s aa=%t tc=%t", dns.RcodeToString[m.Rcode], m.Authoritative, m.Truncated)}
	section := func(title string, list []dns.RR, plain func(dns.RR) string) {
		var texts []string
		for _, rr := range list {
			if text := plain(rr); text != "" {
				texts = append(texts, title+" "+text)
			}
		}
		slices.Sort(texts)
		out = append(out, slices.Compact(texts)...)
	}
	exact := func(rr dns.RR) string {
		if rr.Header().Rrtype == dns.TypeOPT {
			return ""
		}
		return rr.String()
	}
	section("answer", m.Answer, func(rr dns.RR) string {
		if rr.Header().Name == m.Question[0].Name {
			return rr.String()
		}
		return plainSOA(rr)
	})
	section("authority", m.Ns, func(rr dns.RR) string { return plainAuthority(m, rr) })
	section("additional", m.Extra, exact)
	return strings.Join(out, "\n")
}

func plainAuthority(m *dns.Msg, rr dns.RR) string {
	switch rr := rr.(type) {
	case *dns.NSEC, *dns.NSEC3:
		if len(m.Answer) > 0 {
			return "denial of an exact name"
		}
		if !denies(m) {
			return "denial of something else: " + rr.String()
		}
		return "denial"
	case *dns.RRSIG:
		if rr.TypeCovered == dns.TypeNSEC || rr.TypeCovered == dns.TypeNSEC3 {
			return "RRSIG of a denial"
		}
	}
	return plainSOA(rr)
}

// plainSOA returns a record as text: a SOA without its serial, a signature of one without all that it says.
func plainSOA(rr dns.RR) string {
	switch rr := rr.(type) {
	case *dns.SOA:
		soa := *rr
		soa.Serial = 0
		return soa.String()
	case *dns.RRSIG:
		if rr.TypeCovered == dns.TypeSOA {
			return rr.Hdr.Name + " RRSIG SOA"
		}
	}
	return rr.String()
}

// denies reports whether the authority section tells that there is no such name or no such type, or at a
// delegation no DS.
func denies(m *dns.Msg) bool {
	name := m.Question[0].Name
	for _, rr := range m.Ns {
		if rr.Header().Rrtype == dns.TypeNS {
			name = rr.Header().Name
		}
	}
	return slices.ContainsFunc(m.Ns, func(rr dns.RR) bool {
		switch rr := rr.(type) {
		case *dns.NSEC:
			return rr.Hdr.Name == name || between(rr.Hdr.Name, name, rr.NextDomain)
		case *dns.NSEC3:
			return rr.Match(name) || coversAny(rr, name)
		}
		return false
	})
}

// coversAny reports whether a NSEC3 record denies a name or one above it.
func coversAny(rr *dns.NSEC3, name string) bool {
	for _, at := range dns.Split(name) {
		if rr.Cover(name[at:]) {
			return true
		}
	}
	return false
}
