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

// All that an accepted request counts, as ingest does.
func BenchmarkRequest(b *testing.B) {
	m := New(prometheus.NewRegistry(), "", labels)
	m.SetSources([]SourceLabels{snow})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			m.InFlight.Inc()
			m.KeyUses.WithLabelValues("snow", "signature", "new").Inc()
			m.KeyLastUsed.WithLabelValues("snow", "signature", "new").Set(1e9)
			m.Published.WithLabelValues("snow", "stored").Inc()
			m.Requests.WithLabelValues("snow", "202").Inc()
			m.RequestSeconds.WithLabelValues("snow").Observe(.001 * float64(1+i%20))
			m.InFlight.Dec()
		}
	})
}
