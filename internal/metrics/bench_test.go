package metrics

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// What a request pays for its counters, on all processors at once.
func BenchmarkWithLabelValues(b *testing.B) {
	m := New(prometheus.NewRegistry(), "", labels)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			m.Requests.WithLabelValues("snow", "202").Inc()
		}
	})
}

// The same for a value outside its set.
func BenchmarkUnknownLabelValues(b *testing.B) {
	m := New(prometheus.NewRegistry(), "", labels)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			m.Requests.WithLabelValues("stranger", "202").Inc()
		}
	})
}
