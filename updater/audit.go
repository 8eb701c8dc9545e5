package updater

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"slices"
)

// tell logs a change: who made it, from where, and what.
func (u *Updater) tell(ctx context.Context, a *attempt, results []result) {
	level, names, content := slog.LevelDebug, make([]string, 0, len(results)), make([]string, 0, len(results))
	for _, r := range results {
		names = append(names, string(r.name))
		for _, text := range r.content {
			if !slices.Contains(content, text) {
				content = append(content, text)
			}
		}
		if r.changed {
			level = slog.LevelInfo
		}
	}
	u.log.Log(ctx, level, "host updated", "host", names, "addrs", content, "key", a.verified.Credential.ID,
		"remote", a.r.from, "protocol", a.wish.protocol, "agent", a.r.headers.agent, "changed", level == slog.LevelInfo)
}

func (u *Updater) tellDenied(ctx context.Context, a *attempt, err error) {
	if a.wish.proof.kind == noProof {
		return
	}
	attrs := []any{"remote", a.r.from, "protocol", a.wish.protocol, "agent", a.r.headers.agent, "err", err}
	if id := a.verified.Credential.ID; id != "" {
		attrs = append(attrs, "key", id)
	}
	u.log.InfoContext(ctx, "update denied", attrs...)
}

// tellProxy logs, once, that a trusted proxy does not speak as it is trusted to.
func (u *Updater) tellProxy(ctx context.Context, proxy net.Addr, err error) {
	var ended net.Error
	if errors.Is(err, io.EOF) || errors.As(err, &ended) {
		return
	}
	u.proxyTold.Do(func() {
		u.log.WarnContext(ctx, "a trusted proxy does not speak the PROXY protocol, as --trusted-proxy-header says", "proxy", proxy, "err", err)
	})
}

// tellFault logs why something is not done, if an operator would ask, and returns what the caller may
// know of it. What is wrong with an update stands in the log, as dyndns2 has but a word for it; the API tells
// its callers, and of strangers only the debug log tells.
func (u *Updater) tellFault(ctx context.Context, a *attempt, err error) *fault {
	f := faultOf(err)
	switch {
	case f.outcome == deniedOutcome:
		u.tellDenied(ctx, a, err)
	case f.outcome == unavailableOutcome && !errors.Is(err, errUnavailable):
		u.log.WarnContext(ctx, "an update cannot be made now", "protocol", a.wish.protocol, "remote", a.r.from, "err", err)
	case !a.wish.reads && f.outcome != unavailableOutcome && f.outcome != failedOutcome:
		level, attrs := slog.LevelDebug, []any{"host", a.wish.names(), "remote", a.r.from, "protocol", a.wish.protocol, "agent", a.r.headers.agent, "err", f.text}
		if id := a.verified.Credential.ID; id != "" {
			attrs = append(attrs, "key", id)
			if a.wish.protocol != "api" && f.outcome != limitedOutcome {
				level = slog.LevelInfo
			}
		}
		u.log.Log(ctx, level, "update refused", attrs...)
	}
	return f
}
