package main

import (
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// registerMetrics registers what is not counted where it happens: the figures of the copy and of the
// follower that keeps it.
func registerMetrics(n *node) {
	revision, _ := revision()
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "redyn_build_info", Help: "1, with the version in the labels.",
		ConstLabels: prometheus.Labels{"version": programVersion(), "revision": revision, "goversion": runtime.Version()},
	})
	build.Set(1)
	n.registry.MustRegister(
		build, nodeMetrics{n},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
}

// nodeMetrics collects the figures of a node.
type nodeMetrics struct{ n *node }

func gauge(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("redyn_"+name, help, labels, nil)
}

var (
	uptimeDesc    = gauge("uptime_seconds", "Time since the start.")
	readyDesc     = gauge("ready", "1 once all zones are loaded.")
	unknownDesc   = gauge("zones_unknown", "Zones that could not be read: answered as they were before, or else with errors.")
	unreadDesc    = gauge("secrets_unread", "DNSSEC and TSIG keys that could not be read.")
	zonesDesc     = gauge("zones", "Zones in memory.")
	namesDesc     = gauge("names", "Names with records in memory.")
	recordsDesc   = gauge("records", "Records in memory.")
	positionDesc  = gauge("log_position", "1, with the entry of the change log that the copy shows, and its data set, in the labels.", "epoch", "position")
	lagDesc       = gauge("log_lag_seconds", "Longest time that a change may have been made and not be in the copy.")
	lostDesc      = gauge("store_lost", "1 while Redis is there and has lost its data set.")
	errorsDesc    = gauge("store_errors_total", "Errors of Redis met while following.")
	lossesDesc    = gauge("store_losses_total", "Times that Redis was found to have lost its data set.")
	entriesDesc   = gauge("log_entries_total", "Entries of the change log applied.")
	lateDesc      = gauge("late_writes_total", "Writes of PowerDNS that were done and not shown here within a second.")
	loadsDesc     = gauge("loads_total", "Times that all zones were loaded.")
	zoneLoadsDesc = gauge("zone_loads_total", "Times that a single zone was loaded.")
)

// Describe implements prometheus.Collector.
func (m nodeMetrics) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(m, ch) }

// Collect implements prometheus.Collector.
func (m nodeMetrics) Collect(ch chan<- prometheus.Metric) {
	status, stats, now := m.n.follower.Status(), m.n.db.Stats(), time.Now()
	value := func(desc *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, v, labels...)
	}
	count := func(desc *prometheus.Desc, v uint64) {
		ch <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(v))
	}
	ready, _ := m.n.ready()
	value(uptimeDesc, now.Sub(m.n.started).Seconds())
	value(readyDesc, oneIf(ready))
	value(unknownDesc, float64(status.Unknown))
	value(unreadDesc, float64(status.Unreadable))
	value(zonesDesc, float64(stats.Zones))
	value(namesDesc, float64(stats.Names))
	value(recordsDesc, float64(stats.Records))
	value(positionDesc, 1, status.Epoch, status.Position)
	value(lagDesc, status.Lag(now).Seconds())
	value(lostDesc, oneIf(status.Lost))
	count(errorsDesc, status.Errors)
	count(lossesDesc, status.Losses)
	count(entriesDesc, status.Entries)
	count(lateDesc, m.n.writes.late.Load())
	count(loadsDesc, status.Reloads)
	count(zoneLoadsDesc, status.ZoneReloads)
}

func oneIf(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
