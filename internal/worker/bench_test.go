package worker

import (
	"testing"
	"time"

	"changerelay/internal/events"
	"changerelay/internal/natstest"
)

// BenchmarkFold is an event's way from CHANGES into its device's document, each
// for a device of its own, which is the dear case.
func BenchmarkFold(b *testing.B) {
	k := newBulk(b, natstest.Server(b).URL(), 1, 30*time.Second, b.N, b.N)
	k.publishAll(nil)
	free := make(chan struct{})
	b.ResetTimer()
	k.join(holding(free))
	k.until("everything to be folded", k.folded)
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "folds/s")
	close(free)
	k.ended()
}

// BenchmarkReconcile is a due device's way to being settled: a read and a POST of
// the simulator, the document's steps, and the outcome.
func BenchmarkReconcile(b *testing.B) {
	k := newBulk(b, natstest.Server(b).URL(), 1, 30*time.Second, b.N, b.N)
	for _, e := range k.events {
		e.Changes[0].Intent = events.Remove // or a third would be so already, and need no POST
	}
	k.publishAll(nil)
	free := make(chan struct{})
	k.join(holding(free))
	k.until("everything to be folded", k.folded)
	b.ResetTimer()
	close(free)
	k.until("all outcomes", func() bool { return k.outcomes() == b.N })
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "devices/s")
	k.ended()
}

// holding keeps the second stage waiting until free is closed.
func holding(free <-chan struct{}) func(*Config) {
	return func(c *Config) {
		c.At = func(p Point) {
			if p == Woken {
				<-free
			}
		}
	}
}
