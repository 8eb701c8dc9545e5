package backend

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// purgeMetrics count purges, by PowerDNS.
type purgeMetrics struct {
	purges   *prometheus.CounterVec
	names    *prometheus.CounterVec
	duration *prometheus.HistogramVec
	up       *prometheus.GaugeVec
}

func newPurgeMetrics(r prometheus.Registerer) *purgeMetrics {
	server := []string{"pdns"}
	m := &purgeMetrics{
		purges: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "redyn_purges_total", Help: "Times that PowerDNS was told to purge names from its caches, by result; away: it was not running.",
		}, []string{"pdns", "result"}),
		names: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "redyn_purged_names_total", Help: "Names that PowerDNS was told to purge; most are told three times.",
		}, server),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "redyn_purge_duration_seconds", Help: "Time until PowerDNS said that it has purged.",
			Buckets: prometheus.ExponentialBuckets(50e-6, 2, 16),
		}, server),
		up: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "redyn_purge_up", Help: "1 while PowerDNS purges what it is told.",
		}, server),
	}
	if r != nil {
		r.MustRegister(m.purges, m.names, m.duration, m.up)
	}
	return m
}

func (m *purgeMetrics) observe(server string, names int, took time.Duration, err error) {
	switch {
	case err == nil:
		m.purges.WithLabelValues(server, "done").Inc()
	case away(err):
		m.purges.WithLabelValues(server, "away").Inc()
		return
	default:
		m.purges.WithLabelValues(server, "failed").Inc()
		return
	}
	m.names.WithLabelValues(server).Add(float64(names))
	m.duration.WithLabelValues(server).Observe(took.Seconds())
}
