package updater

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"redyn/auth"
)

// metrics count requests by protocol and outcome. Neither has anything in it that a caller chose.
type metrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	conns    atomic.Int64
	refused  atomic.Int64
}

func newMetrics() *metrics {
	return &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "redyn_updater_requests_total", Help: "Requests of hosts by protocol and result.",
		}, []string{"protocol", "result"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "redyn_updater_request_duration_seconds", Help: "Time from a request read to its answer made.",
			Buckets: prometheus.ExponentialBuckets(0.00025, 2, 16),
		}, []string{"protocol"}),
	}
}

// register makes the figures known, and those of the verifier.
func (m *metrics) register(r prometheus.Registerer, v *auth.Verifier) {
	count := func(name, help string, value func(auth.Stats) uint64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, func() float64 { return float64(value(v.Stats())) })
	}
	r.MustRegister(
		m.requests, m.duration,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "redyn_updater_connections", Help: "Open connections of hosts.",
		}, func() float64 { return float64(m.conns.Load()) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "redyn_updater_connections_refused_total", Help: "Connections that were too many of one address.",
		}, func() float64 { return float64(m.refused.Load()) }),
		count("redyn_updater_password_hashings_total", "Passwords hashed, those of nobody too.",
			func(s auth.Stats) uint64 { return s.Hashings }),
		count("redyn_updater_passwords_remembered_total", "Hashings saved, as the same password was verified before.",
			func(s auth.Stats) uint64 { return s.Remembered }),
	)
}

func (m *metrics) observe(protocol string, o outcome, took time.Duration) {
	m.requests.WithLabelValues(protocol, o.String()).Inc()
	m.duration.WithLabelValues(protocol).Observe(took.Seconds())
}
