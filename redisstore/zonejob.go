package redisstore

import (
	"context"
	"fmt"
	"time"

	"redyn/backend/dns"
)

// zoneJob is the reload of one zone, aside, while the log is followed for the others.
type zoneJob struct {
	name    dns.Name
	cancel  context.CancelFunc
	again   bool            // the zone was replaced once more since
	deleted bool            // the zone was deleted since
	kept    []dns.ZoneEntry // parts of entries that came since, for the staged zone
	staged  bool            // it waits, staged, for the log to reach tail
	tail    string
}

// reloadZone begins the reload of a zone; f.mu is held.
func (f *Follower) reloadZone(ctx context.Context, id dns.ZoneID, name dns.Name) {
	if job := f.zones[id]; job != nil && !job.staged {
		job.again, job.kept = true, nil
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	job := &zoneJob{name: name, cancel: cancel}
	f.zones[id] = job
	f.status.ZoneReloads++
	f.jobs.Go(func() {
		defer cancel()
		f.runJob(ctx, id, job)
	})
}

// endJobs ends all reloads of single zones: all zones are going to be loaded.
func (f *Follower) endJobs() {
	f.mu.Lock()
	for _, job := range f.zones {
		job.cancel()
	}
	f.mu.Unlock()
	f.jobs.Wait()
	f.mu.Lock()
	clear(f.zones)
	f.mu.Unlock()
}

// runJob stages the zone, as often as it takes, and notes the tail that it is to be shown at.
func (f *Follower) runJob(ctx context.Context, id dns.ZoneID, job *zoneJob) {
	wait, said := firstWait, ""
	for ctx.Err() == nil {
		f.mu.Lock()
		job.again, job.kept = false, nil
		f.unread.again(id)
		f.mu.Unlock()
		t, err := f.stageOne(ctx, id, job.name)
		if err == nil {
			if f.finishJob(id, job, t.log) {
				return
			}
			continue
		}
		if said != err.Error() && ctx.Err() == nil {
			said = err.Error()
			f.failed(ctx, err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
		wait = min(2*wait, longWait)
	}
}

// stageOne stages a zone and returns the tail of the log after that.
func (f *Follower) stageOne(ctx context.Context, id dns.ZoneID, name dns.Name) (tail, error) {
	server := f.r.server(ctx)
	if err := f.stageKnown(ctx, []dns.ZoneID{id}, nil, func(dns.ZoneID) dns.Name { return name }); err != nil {
		return tail{}, err
	}
	t, err := f.r.tail(ctx)
	switch {
	case err != nil:
	case t.epoch == "":
		err = dns.ErrLost
	case f.r.server(ctx) != server:
		err = fmt.Errorf("another server answers now: %w", errMoved)
	}
	return t, err
}

// finishJob gives the staged zone what has come since, and shows it if the log is at the tail. It
// reports false if the zone has to be staged once more.
func (f *Follower) finishJob(id dns.ZoneID, job *zoneJob, tail string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	defer f.changed()
	switch {
	case job.deleted:
		f.copy.Apply(dns.Entry{Zones: []dns.ZoneEntry{{ID: id, Deleted: true}}})
		f.copy.Show(id)
		f.settle("", id)
		delete(f.zones, id)
		return true
	case job.again:
		return false
	}
	for _, part := range job.kept {
		f.copy.Apply(dns.Entry{Zones: []dns.ZoneEntry{part}})
	}
	job.kept, job.staged, job.tail = nil, true, tail
	f.showReached()
	return true
}

// showReached shows the zones that wait for an entry which has come; f.mu is held.
func (f *Follower) showReached() {
	for id, job := range f.zones {
		if !job.staged || !job.deleted && !f.recent.has(job.tail) {
			continue
		}
		f.copy.Show(id)
		f.settle("", id)
		if !job.deleted {
			f.shown[id] = job.name
		}
		delete(f.zones, id)
	}
}
