package worker

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"changerelay/internal/await"
	"changerelay/internal/events"
	"changerelay/internal/graphsim"
)

// A device's second batch does not wait in a slot for the first: with both slots
// at one device, another's event would have none.
func TestOneBatchAtATimeFoldsIntoADevice(t *testing.T) {
	r := newRig(t)
	const other = "0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d12"
	r.sim.AddTenant(graphsim.Tenant{ID: entraTenant, ClientID: clientID, ClientSecret: secret},
		graphsim.Device{ID: device, Platform: "iOS"}, graphsim.Device{ID: other, Platform: "iOS"})
	var began atomic.Bool
	inside, free := make(chan struct{}), make(chan struct{})
	release := sync.OnceFunc(func() { close(free) })
	first := r.publish(remove(app(1))...)
	r.work(func(c *Config) {
		c.FoldBatch, c.FoldSlots, c.MaxAge = 1, 2, time.Hour
		c.At = func(p Point) {
			if p == FoldWritten && began.CompareAndSwap(false, true) {
				close(inside)
				<-free
			}
		}
	})
	t.Cleanup(release) // before the worker is waited for
	<-inside
	second := r.publish(remove(app(2))...)
	await.State(t, "the second batch to be put back", func() bool {
		return strings.Contains(r.log.String(), `"stage":"fold","outcome":"busy"`)
	})
	r.outcome(r.publishTo(other, remove(app(1))...), events.Accepted)
	release()
	r.outcome(first, events.Accepted)
	r.outcome(second, events.Accepted)
	r.settled(device)
	r.held(device, app(1), app(2))
}
