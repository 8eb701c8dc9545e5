package backend

import (
	"math/bits"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// connector is how a request came.
type connector uint8

const (
	viaREST connector = iota
	viaForm
	viaJSON
	viaUnix
	connectors
)

func (c connector) String() string { return [...]string{"restful", "post", "post_json", "unix"}[c] }

// metrics count requests. They are plain atomics, found by index, so that counting costs a lookup
// next to nothing; Prometheus is told of those that are not 0 when it asks.
type metrics struct {
	series    []series // by connector and method
	httpConns atomic.Int64
	unixConns atomic.Int64
}

type series struct {
	count   [outcomes]atomic.Uint64
	nanos   atomic.Uint64
	buckets [buckets]atomic.Uint64
}

// buckets are powers of two: the first holds up to 512 ns, each next one twice that, the last all.
const (
	buckets     = 20
	firstBucket = 9
)

func newMetrics() *metrics {
	return &metrics{series: make([]series, int(connectors)*len(methods))}
}

func (m *metrics) of(via connector, mt *method) *series {
	return &m.series[int(via)*len(methods)+mt.number]
}

// count counts a request that was not served.
func (m *metrics) count(via connector, mt *method, o outcome) { m.of(via, mt).count[o].Add(1) }

// observe counts a request that was served, and the time that it took.
func (m *metrics) observe(via connector, mt *method, o outcome, took time.Duration) {
	s := m.of(via, mt)
	s.count[o].Add(1)
	s.nanos.Add(uint64(took))
	s.buckets[bucketOf(took)].Add(1)
}

func bucketOf(took time.Duration) int {
	return min(max(bits.Len64(uint64(max(took-1, 0)))-firstBucket, 0), buckets-1)
}

var (
	requestsDesc = prometheus.NewDesc("redyn_backend_requests_total",
		"PowerDNS's requests by connector, method and result.", []string{"connector", "method", "result"}, nil)
	durationDesc = prometheus.NewDesc("redyn_backend_request_duration_seconds",
		"Time from a request read to its answer made.", []string{"connector", "method"}, nil)
	connsDesc = prometheus.NewDesc("redyn_backend_connections",
		"Open connections of PowerDNS.", []string{"listener"}, nil)
)

// Describe implements prometheus.Collector.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	ch <- requestsDesc
	ch <- durationDesc
	ch <- connsDesc
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	ch <- prometheus.MustNewConstMetric(connsDesc, prometheus.GaugeValue, float64(m.httpConns.Load()), "http")
	ch <- prometheus.MustNewConstMetric(connsDesc, prometheus.GaugeValue, float64(m.unixConns.Load()), "unix")
	for via := range connectors {
		for i := range methods {
			m.of(via, &methods[i]).collect(ch, via.String(), methods[i].name)
		}
	}
}

func (s *series) collect(ch chan<- prometheus.Metric, via, method string) {
	for o := range outcomes {
		if n := s.count[o].Load(); n > 0 {
			ch <- prometheus.MustNewConstMetric(requestsDesc, prometheus.CounterValue, float64(n), via, method, o.String())
		}
	}
	upTo := make(map[float64]uint64, buckets)
	var total uint64
	for i := range buckets {
		total += s.buckets[i].Load()
		if i < buckets-1 {
			upTo[float64(uint64(1)<<(firstBucket+i))/1e9] = total
		}
	}
	if total > 0 {
		sum := float64(s.nanos.Load()) / 1e9
		ch <- prometheus.MustNewConstHistogram(durationDesc, total, sum, upTo, via, method)
	}
}
