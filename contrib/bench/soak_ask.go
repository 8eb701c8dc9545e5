package main

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"
)

const (
	soakAskers = 8    // who ask all the time
	soakWindow = 16   // questions of each under way
	soakSize   = 4096 // of an answer
)

// soakMissing is a label that no name has.
const soakMissing = "n"

var soakTypes = []uint16{
	dns.TypeA, dns.TypeAAAA, dns.TypeMX, dns.TypeTXT, dns.TypeCNAME, dns.TypeNS, dns.TypeSOA, dns.TypeDS, dns.TypeSRV, dns.TypeANY,
}

// soakFewTypes are asked for at names that are below all others.
var soakFewTypes = []uint16{dns.TypeA, dns.TypeMX}

// soakQuestion is a question and how it is sent.
type soakQuestion struct {
	dns.Question
	packet []byte
}

func (q *soakQuestion) String() string {
	do := ""
	if len(q.packet) > 12+len(q.Name)+5 {
		do = " +dnssec"
	}
	return fmt.Sprintf("%s %s%s", q.Name, dns.TypeToString[q.Qtype], do)
}

// soakQuestions are the questions for every name that is or may be there and for some that never are.
func soakQuestions() (list []soakQuestion, err error) {
	add := func(name string, types ...uint16) {
		for _, typ := range types {
			for _, signed := range []bool{false, true} {
				m := new(dns.Msg)
				m.SetQuestion(name, typ)
				if signed {
					m.SetEdns0(soakSize, true)
				}
				packet, packErr := m.Pack()
				err = cmp.Or(err, packErr)
				list = append(list, soakQuestion{m.Question[0], packet})
			}
		}
	}
	for _, zone := range soakZones {
		for _, name := range soakNames(string(zone)) {
			types := soakTypes
			if dns.CountLabel(name) > dns.CountLabel(string(zone))+soakDepth {
				types = soakFewTypes
			}
			add(name, types...)
		}
	}
	for _, name := range []string{origin, "ns1." + origin, soakMissing + "." + origin} {
		add(name, soakTypes...)
	}
	for i := range soakHosts {
		add(hostName(i), dns.TypeA, dns.TypeAAAA)
	}
	return list, err
}

func countNames(questions []soakQuestion) int {
	names := make(map[string]bool)
	for _, q := range questions {
		names[q.Name] = true
	}
	return len(names)
}

// soakNames are the names of a zone to ask for: all that a soakChanger may use, and some beside and below.
func soakNames(zone string) []string {
	labels := append([]string{soakMissing}, soakLabels...)
	all := []string{zone, "ns1." + zone}
	level := []string{zone}
	for range soakDepth {
		var next []string
		for _, above := range level {
			for _, label := range labels {
				next = append(next, label+"."+above)
			}
		}
		all = append(all, next...)
		level = next
	}
	for _, name := range level {
		all = append(all, soakMissing+"."+name)
	}
	return all
}

// soakLoad is who asks, and what came of it.
type soakLoad struct {
	port      int
	questions []soakQuestion

	answered, lost, failed atomic.Int64
	firstFailed            atomic.Pointer[soakQuestion]
}

// ask asks at full load until stop is called; that waits until all are done.
func (l *soakLoad) ask(seed uint64) (stop func() error) {
	var askers sync.WaitGroup
	var over atomic.Bool
	errs := make([]error, soakAskers)
	for i := range soakAskers {
		r := rand.New(rand.NewPCG(seed, uint64(1000+i)))
		askers.Go(func() { errs[i] = l.askAs(r, &over) })
	}
	return func() error {
		over.Store(true)
		askers.Wait()
		return cmp.Or(errs...)
	}
}

func (l *soakLoad) askAs(r *rand.Rand, over *atomic.Bool) error {
	c, err := net.Dial("udp", loopback(l.port))
	if err != nil {
		return err
	}
	defer c.Close()
	var asked [soakWindow]*soakQuestion
	buf := make([]byte, soakSize)
	for id := uint16(r.Uint32()) &^ (soakWindow - 1); !over.Load(); id += soakWindow {
		for i := range asked {
			asked[i] = &l.questions[r.IntN(len(l.questions))]
			packet := append(buf[:0], asked[i].packet...)
			binary.BigEndian.PutUint16(packet, id+uint16(i))
			if _, err := c.Write(packet); err != nil {
				return err
			}
		}
		if err := l.read(c, id, &asked, buf); err != nil {
			return err
		}
	}
	return nil
}

// read reads the answers to the questions whose ids begin with id.
func (l *soakLoad) read(c net.Conn, id uint16, asked *[soakWindow]*soakQuestion, buf []byte) error {
	if err := c.SetReadDeadline(time.Now().Add(2 * time.Second)); err != nil {
		return err
	}
	for missing := soakWindow; missing > 0; {
		n, err := c.Read(buf)
		if timeout, is := err.(net.Error); is && timeout.Timeout() {
			l.lost.Add(int64(missing))
			return nil
		}
		if err != nil {
			return err
		}
		i := binary.BigEndian.Uint16(buf) - id
		if n < 12 || i >= soakWindow {
			continue
		}
		missing--
		l.answered.Add(1)
		if buf[3]&15 == dns.RcodeServerFailure {
			l.failed.Add(1)
			l.firstFailed.CompareAndSwap(nil, asked[i])
		}
	}
	return nil
}
