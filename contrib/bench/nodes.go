package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// nodeRates are how many changes a second part nodes makes.
var nodeRates = []int{100, updateRate}

// measureNodes changes hosts at one node, and asks the redyn of another, which reads a replica, until it has
// the change.
func measureNodes(b *bench) error {
	zone, err := b.file(origin+"zone", func(w io.Writer) error { return writeZone(w, b.opts.hosts) })
	if err != nil {
		return err
	}
	way, node, err := b.startOtherNode(zone)
	if err != nil {
		return err
	}
	fmt.Println("\nAn update at one node until another, whose redyn reads a replica of Redis, answers it without PowerDNS (median/99 %/worst):")
	for _, rate := range nodeRates {
		lags, err := way.lags(node, rate, b.seconds()*time.Duration(b.opts.rounds))
		if err != nil {
			return err
		}
		fmt.Printf("  %4d changes/s, %d in all: %s after it was acknowledged, %s after it was sent (goal of row 7: 10 ms in 99 %%)\n",
			rate, len(lags.acked), spread(lags.acked), spread(lags.sent))
	}
	return nil
}

// startOtherNode starts two nodes: what is returned asks the PowerDNS of the second, which redyn serves from
// a replica, and updates at the first.
func (b *bench) startOtherNode(zone string) (w freshWay, second redynServer, err error) {
	primary, err := b.startHosts(zone)
	if err != nil {
		return w, second, err
	}
	replica, err := b.startReplica(primary)
	if err != nil {
		return w, second, err
	}
	first, _, err := b.startNode("redyn first node", purgedStock, primary)
	if err != nil {
		return w, second, err
	}
	w, second, err = b.startNode(otherNode, purgedStock, primary, "--redis-read-url", "unix://"+b.redisSocket(replica))
	if err != nil {
		return w, second, err
	}
	w.updater = first.updater
	w.token, err = b.addToken(primary)
	return w, second, err
}

// startReplica starts a Redis that follows another, and waits until it does.
func (b *bench) startReplica(primary string) (string, error) {
	addr, err := b.startRedis()
	if err != nil {
		return "", err
	}
	r, err := dialRedis(addr)
	if err != nil {
		return "", err
	}
	defer r.c.Close()
	host, port, err := net.SplitHostPort(primary)
	if err != nil {
		return "", err
	}
	if _, err := r.do("REPLICAOF", host, port); err != nil {
		return "", err
	}
	for end := time.Now().Add(ready); ; {
		info, err := r.do("INFO", "replication")
		switch {
		case err != nil:
			return "", err
		case bytes.Contains(info, []byte("master_link_status:up")):
			return addr, nil
		case time.Now().After(end):
			return "", fmt.Errorf("the replica of %s does not follow it:\n%s", primary, info)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// nodeLags are the times until another node has a change.
type nodeLags struct{ sent, acked []time.Duration }

// lags changes hosts at a rate, by clients that keep to their times and ask the other node for each change.
func (w freshWay) lags(node redynServer, rate int, d time.Duration) (total nodeLags, err error) {
	var clients sync.WaitGroup
	lags, errs := make([]nodeLags, freshClients), make([]error, freshClients)
	begin := time.Now()
	for c := range freshClients {
		clients.Go(func() { lags[c], errs[c] = w.lagsOf(c, node, rate, begin, d) })
	}
	clients.Wait()
	for _, l := range lags {
		total.sent, total.acked = append(total.sent, l.sent...), append(total.acked, l.acked...)
	}
	return total, errors.Join(errs...)
}

func (w freshWay) lagsOf(client int, node redynServer, rate int, begin time.Time, d time.Duration) (l nodeLags, err error) {
	u, err := w.dial()
	if err != nil {
		return l, err
	}
	defer u.Close()
	ask, err := net.Dial("unix", node.unix)
	if err != nil {
		return l, err
	}
	defer ask.Close()
	every := time.Second * freshClients / time.Duration(rate)
	for n := 0; ; n++ {
		due := begin.Add(every*time.Duration(n) + every*time.Duration(client)/freshClients)
		if due.Sub(begin) >= d {
			return l, nil
		}
		time.Sleep(time.Until(due))
		host := (n*freshClients + client) % freshHosts
		addr := versionAddr(uint32(due.UnixMicro() & 0xffffff))
		sent := time.Now()
		if err := u.update(host, addr); err != nil {
			return l, err
		}
		good := time.Now()
		if err := awaitAddr(ask, host, addr); err != nil {
			return l, err
		}
		seen := time.Now()
		l.sent, l.acked = append(l.sent, seen.Sub(sent)), append(l.acked, seen.Sub(good))
	}
}

// awaitAddr asks a backend for a host over its unix socket until that has the address.
func awaitAddr(c net.Conn, host int, addr string) error {
	const longest = 10 * time.Second
	if err := c.SetDeadline(time.Now().Add(longest)); err != nil {
		return err
	}
	question := fmt.Sprintf(`{"method": "lookup", "parameters": {"qname": %q, "qtype": "A", "zone-id": -1}}`+"\n", hostName(host))
	reply := make([]byte, 4<<10)
	for {
		if _, err := io.WriteString(c, question); err != nil {
			return err
		}
		n, err := c.Read(reply)
		if err != nil {
			return fmt.Errorf("%s at the other node: %w", hostName(host), err)
		}
		if strings.Contains(string(reply[:n]), `"`+addr+`"`) {
			return nil
		}
	}
}
