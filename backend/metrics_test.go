package backend

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

func TestMetrics(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	s := start(t, Options{Metrics: registry, Methods: ReadMethods})
	unix, rest := dial(t, "unix", s.unix), dial(t, "tcp", s.http)
	for range 3 {
		unix.line(wwwLine)
	}
	unix.line(`{"method":"lookup","parameters":{"qname":"nope.","qtype":"A"}}`)
	unix.line(`{"method":"setNotified","parameters":{}}`)
	unix.line(`{"method":"getWhatever","parameters":{}}`)
	rest.exchange("GET /dns/lookup/www%2eexample%2eorg/A", "", "")
	rest.exchange("GET /dns/lookup/a/NOPE", "", "")
	const want = `redyn_backend_connections http 1
redyn_backend_connections unix 1
redyn_backend_requests_total restful lookup bad 1
redyn_backend_requests_total restful lookup ok 1
redyn_backend_requests_total unix lookup none 1
redyn_backend_requests_total unix lookup ok 3
redyn_backend_requests_total unix setNotified denied 1
redyn_backend_requests_total unix unknown (reads) unserved 1
redyn_backend_transactions 0
`
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	var timed uint64
	for _, family := range families {
		for _, m := range family.GetMetric() {
			timed += m.GetHistogram().GetSampleCount()
			if m.GetHistogram() != nil {
				continue
			}
			got.WriteString(family.GetName())
			for _, label := range m.GetLabel() {
				got.WriteString(" " + label.GetValue())
			}
			fmt.Fprintln(&got, "", m.GetCounter().GetValue()+m.GetGauge().GetValue())
		}
	}
	if got.String() != want {
		t.Errorf("metrics are\n%swant\n%s", got.String(), want)
	}
	if timed != 7 {
		t.Errorf("%d requests are timed; want 7, all but the second lookup over HTTP", timed)
	}
}

func TestBucketOf(t *testing.T) {
	f := func(took time.Duration, want int) {
		t.Helper()
		if got := bucketOf(took); got != want {
			t.Errorf("bucketOf(%v) = %d; want %d", took, got, want)
		}
	}
	f(-1, 0)
	f(0, 0)
	f(512, 0)
	f(513, 1)
	f(1024, 1)
	f(1025, 2)
	f(time.Hour, buckets-1)
}
