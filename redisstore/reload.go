package redisstore

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"redyn/backend/dns"
)

// load brings all zones into the copy anew, aside, and shows them once they are at the log's tail.
// It returns dns.ErrLost if there is no data set.
func (f *Follower) load(ctx context.Context) error {
	begun := time.Now()
	f.setLoading(true)
	defer f.setLoading(false)
	f.endJobs()
	server := f.r.server(ctx)
	start, err := f.r.tail(ctx)
	if err != nil {
		return err
	}
	if start.epoch == "" {
		return dns.ErrLost
	}
	before, err := f.r.lastIDs(ctx)
	if err != nil {
		return err
	}
	f.begin()
	l := &loading{f: f, at: start, cursor: start.log, shown: make(map[dns.ZoneID]dns.Name), again: make(map[dns.ZoneID]struct{}), server: true}
	defer f.forget()
	if err := l.all(ctx); err != nil {
		return err
	}
	if err := l.catchUp(ctx); err != nil {
		return err
	}
	if f.r.server(ctx) != server {
		return fmt.Errorf("load all zones: another server answers now: %w", errMoved)
	}
	l.show(before)
	f.log.InfoContext(ctx, "zones loaded", "zones", len(l.shown), "rrsets", l.sets.Load(), "dur", time.Since(begun))
	return nil
}

// lastIDs returns the ids of some of the newest entries, oldest first.
func (r reader) lastIDs(ctx context.Context) ([]string, error) {
	messages, err := r.rdb.XRevRangeN(ctx, r.keys.log(), "+", "-", 100).Result()
	if err != nil {
		return nil, fmt.Errorf("read log: %w", explain(err))
	}
	ids := make([]string, len(messages))
	for i, m := range messages {
		ids[len(ids)-1-i] = m.ID
	}
	return ids, nil
}

// loading is a load of all zones on its way.
type loading struct {
	f       *Follower
	at      tail
	cursor  string
	passed  []string
	shown   map[dns.ZoneID]dns.Name
	again   map[dns.ZoneID]struct{} // to be staged once more: replaced since they were staged
	server  bool                    // what belongs to no zone is to be staged
	sets    atomic.Int64
	staging atomic.Int64
}

// Zones are loaded in parallel: Redis has one thread, decoding takes as long.
const loaders = 3

// all stages all zones.
func (l *loading) all(ctx context.Context) error {
	if err := l.stageServer(ctx); err != nil {
		return err
	}
	zones, err := l.f.r.list(ctx)
	if err != nil {
		return fmt.Errorf("list zones: %w", err)
	}
	ids := l.note(ctx, zones)
	var reports sync.WaitGroup
	defer reports.Wait()
	reporting, cancel := context.WithCancel(ctx)
	defer cancel()
	reports.Go(func() { l.report(reporting, len(ids)) })
	return l.stage(ctx, ids)
}

// report logs how far the load is, from time to time.
func (l *loading) report(ctx context.Context, zones int) {
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			l.f.log.InfoContext(ctx, "loading zones", "done", l.staging.Load(), "zones", zones, "rrsets", l.sets.Load())
		}
	}
}

// stageServer stages what belongs to no zone, if that is to be done.
func (l *loading) stageServer(ctx context.Context) error {
	if !l.server {
		return nil
	}
	l.server = false
	f := l.f
	f.mu.Lock()
	f.unread.again(ofServer)
	f.mu.Unlock()
	tsig, texts, err := f.r.serverTexts(ctx)
	var data dns.ServerData
	switch {
	case isUnreadable(err):
		f.log.ErrorContext(ctx, "TSIG keys or autoprimaries cannot be read; which TSIG keys there are is not known", "err", err)
		data.TSIGUnknown = true
	case err != nil:
		return fmt.Errorf("read TSIG keys and autoprimaries: %w", err)
	}
	if data.Autoprimaries, err = decodeAutoprimaries(texts); err != nil {
		f.log.ErrorContext(ctx, "an autoprimary cannot be read, and is none", "err", err)
	}
	var reads []secretRead
	data.TSIG, reads = f.s.secrets.decodeTSIGKeys(tsig)
	data.TSIGUnknown = data.TSIGUnknown || failed(reads) != nil
	if f.o.Hosts {
		if data.Hosts, err = f.r.hostNames(ctx); err != nil {
			return fmt.Errorf("read hosts: %w", err)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.note(ctx, reads)
	f.copy.StageServer(data)
	return nil
}

// hostNames returns the names of all hosts. A change meanwhile is in the log.
func (r reader) hostNames(ctx context.Context) (map[dns.Name]struct{}, error) {
	names := make(map[dns.Name]struct{})
	for page, err := range r.scan(ctx, r.keys.hosts(), 0) {
		if err != nil {
			return nil, err
		}
		for i := 0; i+1 < len(page); i += 2 {
			names[dns.Name(page[i])] = struct{}{}
		}
	}
	return names, nil
}

// note takes the list of all zones and returns the ids of those that are to be read.
func (l *loading) note(ctx context.Context, zones []listed) []dns.ZoneID {
	ids := make([]dns.ZoneID, 0, len(zones))
	none := dns.AnyZone
	for _, z := range zones {
		name, err := dns.ParseName(z.name)
		if err != nil {
			l.f.log.ErrorContext(ctx, "what is listed as a zone has no name that could be asked for", "zone", z.name, "err", err)
			continue
		}
		if z.err != nil {
			id := l.f.idFor(name, &none)
			l.f.stageUnknown(ctx, id, name, z.err)
			l.shown[id] = name
			continue
		}
		l.shown[z.id] = name
		ids = append(ids, z.id)
	}
	return ids
}

// idFor returns the id that a zone is shown with, or else the next one below last that none is shown
// with: PowerDNS needs an id, and asks for none like this.
func (f *Follower) idFor(name dns.Name, last *dns.ZoneID) dns.ZoneID {
	f.mu.Lock()
	defer f.mu.Unlock()
	for id, shown := range f.shown {
		if shown == name {
			return id
		}
	}
	for *last--; f.shown[*last] != ""; *last-- {
	}
	return *last
}

// catchUp follows the log, changing staged zones, until it is where the tail was after they were
// staged.
func (l *loading) catchUp(ctx context.Context) error {
	for {
		end, err := l.f.r.tail(ctx)
		if err != nil {
			return err
		}
		if end.epoch != l.at.epoch {
			return fmt.Errorf("load all zones: %w", errMoved)
		}
		if err := l.followTo(ctx, end.log); err != nil {
			return err
		}
		if len(l.again) == 0 && !l.server {
			return nil
		}
		if err := l.stageServer(ctx); err != nil {
			return err
		}
		ids := make([]dns.ZoneID, 0, len(l.again))
		for id := range l.again {
			ids = append(ids, id)
		}
		clear(l.again)
		if err := l.stage(ctx, ids); err != nil {
			return err
		}
	}
}

func (l *loading) followTo(ctx context.Context, end string) error {
	for reached := l.at.log == end; !reached; {
		messages, err := l.f.r.entries(ctx, l.cursor, -1)
		if err != nil {
			return err
		}
		if len(messages) == 0 {
			return fmt.Errorf("load all zones: %w", errBroken)
		}
		for _, m := range messages {
			if foreign(m) {
				l.cursor = m.ID
				continue
			}
			e, err := l.f.s.secrets.decodeEntry(m)
			if err != nil {
				return err
			}
			if e.epoch != l.at.epoch || e.prev != l.at.log {
				return fmt.Errorf("load all zones: at %s: %w", e.ID, errBroken)
			}
			l.take(ctx, e)
			reached = reached || e.ID == end
		}
	}
	return nil
}

// take applies an entry to the staged zones.
func (l *loading) take(ctx context.Context, e entry) {
	l.f.mu.Lock()
	defer l.f.mu.Unlock()
	l.server = l.f.judge(ctx, &e) || l.server
	zones := make([]dns.ZoneEntry, 0, len(e.Zones))
	for _, z := range e.Zones {
		_, again := l.again[z.ID]
		switch {
		case z.Reload:
			l.shown[z.ID] = z.Name
			l.again[z.ID] = struct{}{}
		case z.Deleted:
			delete(l.again, z.ID)
			delete(l.shown, z.ID)
			l.f.unread.drop(z.ID)
			delete(l.f.unknown, z.ID)
			zones = append(zones, z)
		case l.f.unknown[z.ID] != "":
			l.again[z.ID] = struct{}{} // the change may be what mends it
			zones = append(zones, z)
		case !again:
			zones = append(zones, z)
		}
	}
	l.at.log, l.cursor = e.ID, e.ID
	l.passed = append(l.passed, e.ID)
	e.Zones = zones
	l.f.copy.Apply(e.Entry)
}

// show makes the loaded zones the copy; before are ids of entries that they had from the start.
func (l *loading) show(before []string) {
	f := l.f
	f.mu.Lock()
	defer f.mu.Unlock()
	f.copy.ShowAll()
	f.settle("", 0)
	f.at, f.cursor, f.shown = l.at, l.at.log, l.shown
	maps.DeleteFunc(f.unknown, func(id dns.ZoneID, _ string) bool { _, shown := l.shown[id]; return !shown })
	f.recent = recent{}
	for _, id := range before {
		f.recent.add(id)
	}
	for _, id := range l.passed {
		f.recent.add(id)
	}
	f.status.Reloads++
	f.status.Empty, f.status.Lost = false, false
	f.status.Contact = time.Now()
	f.loadedAt = f.status.Contact
	once(f.loaded)
	once(f.looked)
	f.changed()
}

// begin forgets what was staged and which secrets could not be read.
func (f *Follower) begin() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.copy.Forget()
	for _, secret := range f.unread {
		secret.now = false
	}
}

func (f *Follower) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.copy.Forget()
}
