package main

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"
)

// How long the daemon waits after the first failure, and after many; and how long before it sends what
// the server has already, to be seen.
const (
	updatePause = 10 * time.Second
	mostPause   = 30 * time.Minute
	seenEvery   = 24 * time.Hour
)

// updateDaemon keeps the addresses at a server right.
type updateDaemon struct {
	client *updateClient
	every  time.Duration
	log    *slog.Logger
	report func([]updateResult) error

	sent     []netip.Addr // what the server has
	at       time.Time    // since when
	failures int          // in a row
}

// run goes on until ctx ends, or until the server refuses what it is sent.
func (d *updateDaemon) run(ctx context.Context) error {
	for {
		wait, err := d.turn(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil
		}
	}
}

// turn sends the addresses if need be, and returns how long to wait. Its error is one that waiting
// does not help against.
func (d *updateDaemon) turn(ctx context.Context) (time.Duration, error) {
	results, err := d.update(ctx)
	if err == nil {
		d.failures = 0
		return d.every, d.report(results)
	}
	var fault *updateFault
	if errors.As(err, &fault) && fault.final || ctx.Err() != nil {
		return 0, err
	}
	wait := d.pause()
	if fault != nil {
		wait = max(wait, fault.retryAfter)
	}
	d.log.WarnContext(ctx, "no update; trying again", "wait", wait.Round(time.Second), "err", oneLine(err.Error()))
	return wait, nil
}

// pause grows from failure to failure. Clients that failed together do not come back together.
func (d *updateDaemon) pause() time.Duration {
	wait := updatePause
	for range d.failures {
		wait = min(2*wait, mostPause)
	}
	d.failures++
	return wait + rand.N(wait/4)
}

// update sends the addresses that the server has not.
func (d *updateDaemon) update(ctx context.Context) ([]updateResult, error) {
	addrs, missed, err := d.client.find(ctx)
	if err != nil || d.isSent(addrs) {
		return nil, err
	}
	for _, m := range missed {
		d.log.WarnContext(ctx, "a family is left out", "err", oneLine(m.Error()))
	}
	results, err := d.client.send(ctx, addrs)
	if err == nil {
		d.sent, d.at = addrs, time.Now()
	}
	return results, err
}

// isSent reports whether the server has these addresses, and was told so lately.
func (d *updateDaemon) isSent(addrs []netip.Addr) bool {
	return time.Since(d.at) < seenEvery && !slices.ContainsFunc(addrs, func(a netip.Addr) bool { return !slices.Contains(d.sent, a) })
}
