package backend

import (
	"math/bits"
	"runtime"
	"sync"
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

// metrics count requests. They are plain atomics, found by index, and there is a share of them for
// each processor, as one that all add to would cost each of them more than a lookup does. Prometheus
// is told the sums, where they are not 0, when it asks.
type metrics struct {
	shares    [][]series // each by connector and method
	next      atomic.Uint32
	httpConns atomic.Int64
	unixConns atomic.Int64

	transactions atomic.Int64 // open now
	mu           sync.Mutex
	ends         map[string]uint64 // of transactions, by how
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

// mostShares bounds the memory for it, which is some 30 KB each.
const mostShares = 32

func newMetrics() *metrics {
	m := &metrics{shares: make([][]series, min(runtime.GOMAXPROCS(0), mostShares)), ends: make(map[string]uint64)}
	for i := range m.shares {
		m.shares[i] = make([]series, int(connectors)*len(methods))
	}
	return m
}

// share returns the next share, for a call to keep: calls stay with a processor, mostly.
func (m *metrics) share() []series { return m.shares[m.next.Add(1)%uint32(len(m.shares))] }

func indexOf(via connector, mt *method) int { return int(via)*len(methods) + mt.number }

// count counts a request that was not served.
func (m *metrics) count(via connector, mt *method, o outcome) {
	m.shares[0][indexOf(via, mt)].count[o].Add(1)
}

// observe counts the time that a request took that was served, as that of so many.
func (s *series) observe(took time.Duration, requests uint64) {
	s.nanos.Add(uint64(took) * requests)
	s.buckets[bucketOf(took)].Add(requests)
}

// ended counts the end of a transaction.
func (m *metrics) ended(how string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ends[how]++
}

// figures are the sums of a series over all shares.
type figures struct {
	count   [outcomes]uint64
	nanos   uint64
	buckets [buckets]uint64
}

func (m *metrics) sum(via connector, mt *method) (f figures) {
	for _, share := range m.shares {
		s := &share[indexOf(via, mt)]
		for o := range f.count {
			f.count[o] += s.count[o].Load()
		}
		f.nanos += s.nanos.Load()
		for i := range f.buckets {
			f.buckets[i] += s.buckets[i].Load()
		}
	}
	return f
}

func bucketOf(took time.Duration) int {
	return min(max(bits.Len64(uint64(max(took-1, 0)))-firstBucket, 0), buckets-1)
}

var (
	requestsDesc = prometheus.NewDesc("redyn_backend_requests_total",
		"PowerDNS's requests by connector, method and result.", []string{"connector", "method", "result"}, nil)
	durationDesc = prometheus.NewDesc("redyn_backend_request_duration_seconds",
		"Time from a request read to its answer made; of lookups one in 16 is timed, for all.", []string{"connector", "method"}, nil)
	connsDesc = prometheus.NewDesc("redyn_backend_connections",
		"Open connections of PowerDNS.", []string{"listener"}, nil)
	transactionsDesc = prometheus.NewDesc("redyn_backend_transactions",
		"Transactions that PowerDNS has open.", nil, nil)
	endsDesc = prometheus.NewDesc("redyn_backend_transactions_total",
		"Transactions of PowerDNS that ended, by how.", []string{"end"}, nil)
)

// Describe implements prometheus.Collector.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	ch <- requestsDesc
	ch <- durationDesc
	ch <- connsDesc
	ch <- transactionsDesc
	ch <- endsDesc
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	ch <- prometheus.MustNewConstMetric(connsDesc, prometheus.GaugeValue, float64(m.httpConns.Load()), "http")
	ch <- prometheus.MustNewConstMetric(connsDesc, prometheus.GaugeValue, float64(m.unixConns.Load()), "unix")
	m.collectTransactions(ch)
	for via := range connectors {
		for i := range methods {
			f := m.sum(via, &methods[i])
			f.collect(ch, via.String(), methods[i].name)
		}
	}
}

func (m *metrics) collectTransactions(ch chan<- prometheus.Metric) {
	ch <- prometheus.MustNewConstMetric(transactionsDesc, prometheus.GaugeValue, float64(m.transactions.Load()))
	m.mu.Lock()
	defer m.mu.Unlock()
	for how, n := range m.ends {
		ch <- prometheus.MustNewConstMetric(endsDesc, prometheus.CounterValue, float64(n), how)
	}
}

func (f *figures) collect(ch chan<- prometheus.Metric, via, method string) {
	for o := range outcomes {
		if n := f.count[o]; n > 0 {
			ch <- prometheus.MustNewConstMetric(requestsDesc, prometheus.CounterValue, float64(n), via, method, o.String())
		}
	}
	upTo := make(map[float64]uint64, buckets)
	var total uint64
	for i := range buckets {
		total += f.buckets[i]
		if i < buckets-1 {
			upTo[float64(uint64(1)<<(firstBucket+i))/1e9] = total
		}
	}
	if total > 0 {
		sum := float64(f.nanos) / 1e9
		ch <- prometheus.MustNewConstHistogram(durationDesc, total, sum, upTo, via, method)
	}
}
