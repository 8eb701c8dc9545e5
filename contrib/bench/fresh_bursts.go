package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"

	"redyn/backend/socket"
)

const (
	burstHosts  = 8  // that everybody asks for
	burstAskers = 32 // who ask for them all the time
	burstPause  = 25 * time.Millisecond
)

// hotHost is what a host was given last, as who changes it knows.
type hotHost struct {
	acked atomic.Uint64 // version in the upper 24 bits, and when it was acknowledged, in us since the bursts began
}

func (h *hotHost) set(version uint32, since time.Duration) {
	h.acked.Store(uint64(version)<<40 | uint64(since.Microseconds()))
}

func (h *hotHost) get() (version uint32, since time.Duration) {
	v := h.acked.Load()
	return uint32(v >> 40), time.Duration(v&(1<<40-1)) * time.Microsecond
}

// measureBursts changes names twice in a row while many ask for nothing else, and sees how long after the
// second acknowledgement an old answer still comes.
func (b *bench) measureBursts(ways []freshWay) error {
	for _, w := range ways {
		if w.updater == "" {
			continue
		}
		r, err := w.bursts(b.seconds() * time.Duration(b.opts.rounds))
		if err != nil {
			return fmt.Errorf("bursts of %s: %w", w.name, err)
		}
		fmt.Printf("%s, names changed twice in a row while %d clients ask for nothing else:\n"+
			"  %d bursts, %d questions; acknowledged %s; old answers %d, the last asked for %v after good; lost %d (goal of row 4: none later than 30 ms)\n",
			w.name, burstAskers, r.bursts, r.questions, spread(r.acked), len(r.late), longest(r.late), r.lost)
	}
	return nil
}

type burstResult struct {
	freshResult
	bursts, questions int
}

func (w freshWay) bursts(d time.Duration) (total burstResult, err error) {
	var hosts [burstHosts]hotHost
	begin := time.Now()
	end := begin.Add(d)
	var all sync.WaitGroup
	results, errs := make([]burstResult, burstAskers+1), make([]error, burstAskers+1)
	for i := range burstAskers {
		all.Go(func() { errs[i] = w.askHot(&hosts, begin, end, &results[i]) })
	}
	all.Go(func() { errs[burstAskers] = w.burst(&hosts, begin, end, &results[burstAskers]) })
	all.Wait()
	for i, r := range results {
		total.add(r.freshResult)
		total.bursts += r.bursts
		total.questions += r.questions
		err = errors.Join(err, errs[i])
	}
	return total, err
}

// burst changes one hot host after the other, each twice.
func (w freshWay) burst(hosts *[burstHosts]hotHost, begin, end time.Time, r *burstResult) error {
	u, err := w.dial()
	if err != nil {
		return err
	}
	defer u.Close()
	for version := uint32(1); time.Now().Before(end); version++ {
		host := int(version) % burstHosts
		for range 2 {
			version++
			sent := time.Now()
			if err := u.update(host, versionAddr(version)); err != nil {
				return err
			}
			r.acked = append(r.acked, time.Since(sent))
			hosts[host].set(version, time.Since(begin))
		}
		r.bursts++
		time.Sleep(burstPause / burstHosts)
	}
	return nil
}

// askHot asks for hot hosts, and notes answers that were old when they were asked for.
func (w freshWay) askHot(hosts *[burstHosts]hotHost, begin, end time.Time, r *burstResult) error {
	ask, err := w.dialDNS()
	if err != nil {
		return err
	}
	defer ask.Close()
	for time.Now().Before(end) {
		host := rand.IntN(burstHosts)
		version, acked := hosts[host].get()
		asked := time.Since(begin)
		got, err := ask.address(host)
		r.questions++
		switch {
		case err != nil:
			r.lost++
		case version > 0 && got < version:
			r.late = append(r.late, asked-acked)
		}
	}
	return nil
}

// dnsClient asks one question at a time.
type dnsClient struct {
	net.Conn
	id     uint16
	signed bool // answers are to be
	buf    [udpSize]byte
}

const udpSize = 1232

func (w freshWay) dialDNS() (*dnsClient, error) {
	c, err := net.Dial("udp", loopback(w.port))
	if err != nil {
		return nil, err
	}
	return &dnsClient{Conn: socket.New(c), id: dns.Id(), signed: w.signed}, nil
}

// address asks for the address of a host, and returns which version of it came back.
func (c *dnsClient) address(host int) (version uint32, err error) {
	reply, err := c.ask(hostName(host))
	if err != nil {
		return 0, err
	}
	return c.versionIn(reply)
}

// ask asks for the addresses of a name.
func (c *dnsClient) ask(name string) (*dns.Msg, error) {
	c.id++
	question := dns.Msg{MsgHdr: dns.MsgHdr{Id: c.id}, Question: []dns.Question{{Name: name, Qtype: dns.TypeA, Qclass: dns.ClassINET}}}
	if c.signed {
		question.SetEdns0(udpSize, true)
	}
	packet, err := question.PackBuffer(c.buf[:])
	if err != nil {
		return nil, err
	}
	if err := c.SetDeadline(time.Now().Add(2 * time.Second)); err != nil {
		return nil, err
	}
	if _, err := c.Write(packet); err != nil {
		return nil, err
	}
	for {
		n, err := c.Read(c.buf[:])
		if err != nil {
			return nil, err
		}
		var reply dns.Msg
		if err := reply.Unpack(c.buf[:n]); err != nil {
			return nil, err
		}
		if reply.Id == c.id {
			return &reply, nil
		}
	}
}

// versionIn returns which version of an address a reply has.
func (c *dnsClient) versionIn(reply *dns.Msg) (uint32, error) {
	records := 1
	if c.signed {
		records = 2
	}
	if len(reply.Answer) != records || reply.Rcode != dns.RcodeSuccess {
		return 0, fmt.Errorf("the answer is %s with %d records", dns.RcodeToString[reply.Rcode], len(reply.Answer))
	}
	for _, record := range reply.Answer {
		if a, ok := record.(*dns.A); ok {
			v := a.A.To4()
			return uint32(v[1])<<16 | uint32(v[2])<<8 | uint32(v[3]), nil
		}
	}
	return 0, fmt.Errorf("there is no address in the answer: %v", reply.Answer)
}

// printFresh shows questions/s, and what came of the updates meanwhile.
func (b *bench) printFresh(rates []series, runs []freshRun) {
	goals := []goal{{"4", purgedStock + whileUpdated, purgedStock, 0.75, atLeast}, {"4", purgedStock + whileUpdated, sqliteOff, 3, atLeast}}
	for _, name := range []string{purgedPacket, purgedTypes} {
		goals = append(goals, goal{"", name, purgedStock, 0, atLeast}, goal{"", name + whileUpdated, purgedStock + whileUpdated, 0, atLeast})
	}
	goals = append(goals, goal{"", purgedSigned + whileUpdated, purgedSigned, 0, atLeast})
	goals = append(goals, goal{"", otherNode + whileUpdated, otherNode, 0, atLeast}, goal{"", purgedStock, bindStock, 0, atLeast})
	printTable(fmt.Sprintf("Questions/s through pdns_server %s with its own caches on; updated: while %d of %d hosts change, %d changes/s\n"+
		"(dnsperf -c %d -q %d; %d rounds of %v, each after a second to fill the caches)",
		pdnsVersion(), freshHosts, b.opts.hosts, updateRate, b.opts.clients, b.opts.outstanding, b.opts.rounds, b.seconds()), rates, goals)
	for i := range runs {
		if r := runs[i].result; runs[i].updated {
			fmt.Printf("%s (median/99 %%/worst):\n  %s\n", strings.TrimSuffix(rates[i].name, whileUpdated), r)
		}
	}
	fmt.Println("  (goals of row 4: acknowledged 0.3/4 ms from the change, fresh 2/8 ms, no old answer, none lost)")
}
