package redisstore

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

var (
	//go:embed forget.lua
	forgetLua string

	forgetScript = redis.NewScript(forgetLua)
)

// Node is a serving node as its lease, node:<name>, tells.
type Node struct {
	Name     string    // of the key
	Version  string    // version
	Epoch    string    // epoch: the data set that it shows; empty: none was ever loaded
	Position string    // position: the log entry that it shows, and nothing in front of it hides
	Zones    int       // zones: how many it shows
	Empty    bool      // empty: it sees a store in which nobody has begun a data set
	Lost     bool      // lost: it sees a store that has lost its data set
	Loading  bool      // loading: all zones are being loaded
	Time     time.Time // time: when it wrote this, by its clock

	reloading []string // ids of zones that it loads aside, which lack what came to them since
}

// Times of a lease.
const (
	leaseTTL   = 6 * time.Second
	leaseBeat  = 2 * time.Second
	leasePause = 50 * time.Millisecond
)

// keepLease writes the node's lease whenever something changes and from time to time, until ctx
// ends; then it takes it away.
func (f *Follower) keepLease(ctx context.Context) {
	key, nodes := f.s.keys.node(f.o.Name), f.s.keys.nodes()
	down, wrote, told := false, false, false
	for {
		fields, moved := f.lease()
		holder, err := f.writeLease(ctx, key, nodes, fields)
		if wrote && !told && holder != "" && holder != f.instance {
			told = true
			f.log.ErrorContext(ctx, "another node has this node's name; give each a name of its own", "node", f.o.Name)
		}
		wrote = wrote || err == nil
		if err != nil && !down && ctx.Err() == nil {
			f.log.WarnContext(ctx, "cannot write this node's lease", "err", err)
		}
		if down = err != nil; down {
			f.leaseFailed()
		}
		select {
		case <-ctx.Done():
		case <-time.After(leasePause):
			f.leaseDue(ctx, key, moved)
		}
		if ctx.Err() != nil {
			break
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), f.s.o.Timeout)
	defer cancel()
	f.s.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.Del(ctx, key)
		p.SRem(ctx, nodes, f.o.Name)
		return nil
	})
}

// leaseDue returns when the lease is to be written again: something has changed, leaseBeat is over, or
// the primary has it no more. It may have lost everything, while a replica that is read has it still.
func (f *Follower) leaseDue(ctx context.Context, key string, moved <-chan struct{}) {
	for end := time.Now().Add(leaseBeat); time.Now().Before(end); {
		select {
		case <-ctx.Done():
			return
		case <-moved:
			return
		case <-time.After(blockTime):
		}
		if there, err := f.s.rdb.Exists(ctx, key).Result(); err == nil && there == 0 {
			return
		}
	}
}

func (f *Follower) leaseFailed() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.status.Errors++
}

// lease returns the fields of the lease, and what is closed when they change.
func (f *Follower) lease() ([]any, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var reloading []string
	for id := range f.zones {
		reloading = append(reloading, idText(id))
	}
	for _, u := range f.unsettled {
		if u.zone != 0 {
			reloading = append(reloading, idText(u.zone))
		}
	}
	at := f.settledAt()
	return []any{
		"instance", f.instance,
		"version", f.o.Version,
		"epoch", at.epoch,
		"position", at.log,
		"zones", len(f.shown),
		"empty", f.status.Empty,
		"lost", f.status.Lost,
		"loading", f.status.Loading,
		"reloading", strings.Join(reloading, " "),
		"time", time.Now().UTC().Format(time.RFC3339Nano),
	}, f.moved
}

// writeLease also notes whether the primary is ahead of the copy. It returns which instance wrote the
// lease before.
func (f *Follower) writeLease(ctx context.Context, key, nodes string, fields []any) (holder string, err error) {
	var newest, before *redis.StringCmd
	var written *redis.IntCmd
	_, _ = f.s.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		before = p.HGet(ctx, key, "instance")
		written = p.HSet(ctx, key, fields...)
		p.PExpire(ctx, key, leaseTTL)
		p.SAdd(ctx, nodes, f.o.Name)
		newest = p.HGet(ctx, f.s.keys.epoch(), "log")
		return nil
	})
	if err := written.Err(); err != nil {
		return "", explain(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case newest.Val() == "" || f.recent.has(newest.Val()):
		f.status.Behind = time.Time{}
	case f.status.Behind.IsZero():
		f.status.Behind = time.Now()
	}
	return before.Val(), nil
}

// Nodes returns the nodes that have a lease, by name. It takes those off the list that have none any more.
func (s *Store) Nodes(ctx context.Context) ([]Node, error) {
	names, err := s.rdb.SMembers(ctx, s.keys.nodes()).Result()
	if err != nil {
		return nil, fmt.Errorf("list nodes: %w", explain(err))
	}
	slices.Sort(names)
	leases := make([]*redis.MapStringStringCmd, len(names))
	_, err = s.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, name := range names {
			leases[i] = p.HGetAll(ctx, s.keys.node(name))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list nodes: %w", explain(err))
	}
	nodes := make([]Node, 0, len(names))
	for i, name := range names {
		if len(leases[i].Val()) == 0 {
			// If it fails, whoever looks next does so.
			_ = forgetScript.Run(ctx, s.rdb, []string{s.keys.nodes(), s.keys.node(name)}, name).Err()
			continue
		}
		nodes = append(nodes, parseNode(name, leases[i].Val()))
	}
	return nodes, nil
}

func parseNode(name string, fields map[string]string) Node {
	n := Node{
		Name: name, Version: fields["version"], Epoch: fields["epoch"], Position: fields["position"],
		Empty: fields["empty"] == "1", Lost: fields["lost"] == "1", Loading: fields["loading"] == "1", reloading: strings.Fields(fields["reloading"]),
	}
	n.Zones, _ = strconv.Atoi(fields["zones"])
	n.Time, _ = time.Parse(time.RFC3339Nano, fields["time"])
	return n
}

// waitPause is how often WaitNodes looks at the leases.
const waitPause = 2 * time.Millisecond

// WaitNodes returns once every live node shows what all of these are the results of. When ctx ends
// before, it returns the nodes that are late; an error only if the store fails.
func (s *Store) WaitNodes(ctx context.Context, all ...Result) (late []Node, err error) {
	w, err := s.waitFor(ctx, all)
	if err != nil {
		return lateOrError(ctx, nil, err)
	}
	if w.newest == "" {
		return nil, nil
	}
	for {
		nodes, err := s.Nodes(ctx)
		if err != nil {
			return lateOrError(ctx, late, err)
		}
		entries, err := s.primary().entries(ctx, w.newest, -1)
		if err != nil {
			return lateOrError(ctx, late, err)
		}
		for _, m := range entries {
			w.since[m.ID], w.newest = true, m.ID
		}
		late = slices.DeleteFunc(nodes, w.shownBy)
		if len(late) == 0 {
			return nil, nil
		}
		select {
		case <-ctx.Done():
			return late, nil
		case <-time.After(waitPause):
		}
	}
}

// awaited is what nodes are to show.
type awaited struct {
	since  map[string]bool // entries of the log, one of which a node is to have reached
	newest string          // of them; empty: there is nothing to wait for
	zones  map[string]bool // by id: those that the node must not be loading
}

// waitFor returns what is to be waited for. Of several results nobody knows which is the last: the
// end of the log comes after all of them.
func (s *Store) waitFor(ctx context.Context, all []Result) (awaited, error) {
	w := awaited{zones: make(map[string]bool)}
	for _, r := range all {
		w.newest = cmp.Or(r.at, w.newest)
		for _, id := range r.zones {
			w.zones[idText(id)] = true
		}
	}
	if len(all) > 1 && w.newest != "" {
		t, err := s.primary().tail(ctx)
		if err != nil {
			return w, err
		}
		w.newest = t.log
	}
	w.since = map[string]bool{w.newest: true}
	return w, nil
}

// lateOrError returns the nodes known to be late, if a look at them failed because ctx has ended.
func lateOrError(ctx context.Context, late []Node, err error) ([]Node, error) {
	end, ok := ctx.Deadline()
	over := ctx.Err() != nil || ok && !time.Now().Before(end) // a connection's deadline may come first
	if over && len(late) > 0 {
		return late, nil
	}
	return nil, fmt.Errorf("wait for nodes: %w", err)
}

func (w awaited) shownBy(n Node) bool {
	return w.since[n.Position] && !slices.ContainsFunc(n.reloading, func(id string) bool { return w.zones[id] })
}
