package worker

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"changerelay/internal/await"
	"changerelay/internal/natstest"
	"changerelay/internal/stream"
)

// TestABrokersOutage stops the only broker in the middle of the work, for longer
// than anything waits for one answer. Workers and publishers go on by themselves.
func TestABrokersOutage(t *testing.T) {
	const devices, n = 50, 500
	broker := natstest.Server(t)
	b := newBulk(t, broker.URL(), 1, 2*time.Second, devices, n)
	brief := func(c *Config) { c.Timing.Budget = 2 * time.Second } // an answer that could not be written down is looked for after it
	_, one := b.join(brief)
	_, two := b.join(brief)
	var published atomic.Int64
	stopped, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		b.publishAll(func() {
			if published.Add(1) >= n/2 {
				<-stopped // the other half meets a broker that is away
			}
		})
	}()
	b.until("some events to end", func() bool { return b.outcomes() >= n/20 })
	broker.Stop()
	close(stopped)
	away := time.Now()
	for _, log := range []*await.Log{one, two} {
		b.until("the worker to miss the broker", func() bool { return strings.Contains(log.String(), "pulling is interrupted") })
	}
	<-time.After(time.Until(away.Add(stream.ReadTry + 500*time.Millisecond)))
	before := published.Load()
	broker.Start()
	<-done
	words := b.ended()
	t.Logf("%d of %d events were published before the outage; all ended %v after it: %v", before, n, time.Since(away).Round(time.Millisecond), words)
}
