package backend

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"syscall"
	"time"

	"redyn/backend/socket"
)

// controlSocket is the path of PowerDNS's control socket. It takes one command on each connection, one
// connection after the other, so a client that is silent keeps all others waiting. The command is a
// line: what PowerDNS cannot read of it gets no reply, and what follows that is not done.
type controlSocket string

// mostLine bounds a command. PowerDNS takes 1,024,000 octets, but for others who wait for it less is
// better.
const mostLine = 256 << 10

// errNoReply is what is left of a command that PowerDNS could not read.
var errNoReply = errors.New("PowerDNS closed the connection without a reply")

// purge sends names. REDISCOVER, which would make zones known, is never sent: beside a refresh of the zone
// cache it aborts PowerDNS.
func (c controlSocket) purge(ctx context.Context, n names) error {
	send := func(line []byte) error { return c.purgeLine(ctx, line) }
	err := c.each(n, send)
	if errors.Is(err, errNoReply) { // a name that it cannot read stands for no cached answer, others do
		err = c.each(names{all: true}, send)
	}
	return err
}

// each gives all lines to send until that fails. They name all names, and then all of them again:
// while PowerDNS purges a name it may make a reply of what it still holds of one that comes later, such
// as the target of a CNAME. Before 4.9.12 and 5.0.1 it does so of the same name, whose replies it purges
// before its records.
func (c controlSocket) each(n names, send func(line []byte) error) error {
	const command = "PURGE"
	if n.all { // which a line without names is for
		if err := send([]byte(command + "\n")); err != nil {
			return err
		}
		return send([]byte(command + "\n"))
	}
	line := []byte(command)
	flush := func() error {
		if len(line) == len(command) {
			return nil
		}
		err := send(append(line, '\n'))
		line = line[:len(command)]
		return err
	}
	for range 2 {
		for name, below := range n.list() {
			line = append(append(line, ' '), name...)
			if below {
				line = append(line, '$')
			}
			if len(line) > mostLine {
				if err := flush(); err != nil {
					return err
				}
			}
		}
	}
	return flush()
}

func (c controlSocket) purgeLine(ctx context.Context, line []byte) error {
	reply, err := c.command(ctx, line)
	if err != nil {
		return err
	}
	if _, err := strconv.Atoi(string(reply)); err != nil {
		return fmt.Errorf("PowerDNS replies %.80q to PURGE; expected a number", reply)
	}
	return nil
}

// command sends one line and returns the reply.
func (c controlSocket) command(ctx context.Context, line []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, purgeLimit)
	defer cancel()
	reply, err := c.ask(ctx, line)
	if err != nil {
		return nil, err
	}
	if reply = bytes.TrimSpace(reply); len(reply) == 0 {
		return nil, errNoReply
	}
	return reply, nil
}

// mostReply bounds a reply.
const mostReply = 4 << 10

// ask asks. The kernel refuses for the moment if many others wait already.
func (c controlSocket) ask(ctx context.Context, line []byte) ([]byte, error) {
	const pause = 2 * time.Millisecond
	for {
		reply, err := socket.Ask(ctx, string(c), line, mostReply)
		if err == nil || !errors.Is(err, syscall.EAGAIN) {
			return reply, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(pause):
		}
	}
}

// CheckControl reports what is wrong with a control socket of PowerDNS, if anything is.
func CheckControl(ctx context.Context, path string) error {
	reply, err := controlSocket(path).command(ctx, []byte("RPING\n"))
	if err == nil && string(reply) != "PONG" {
		err = fmt.Errorf("it replies %.80q to RPING; a PowerDNS Authoritative Server replies PONG", reply)
	}
	return err
}
