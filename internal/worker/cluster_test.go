package worker

import (
	"math/rand/v2"
	"testing"
	"time"

	"changerelay/internal/ledger"
	"changerelay/internal/natstest"
	"changerelay/internal/stream"
)

// TestManyDevicesOnACluster folds and reconciles thousands of events on three
// brokers, one of which is away for a third of them. At no sampled moment may a
// device be due without a wake-up, and in the end nothing may be missing.
func TestManyDevicesOnACluster(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	devices, n := 2000, 20_000
	if raced {
		devices, n = 400, 4000
	}
	c := natstest.Cluster(t, 3)
	b := newBulk(t, c.URL(), 3, 10*time.Second, devices, n)
	b.join()
	b.join()
	began := time.Now()
	published := make(chan time.Duration, 1)
	go func() { b.publishAll(nil); published <- time.Since(began) }()

	b.until("a third to be folded", func() bool { return b.folds() >= n/3 })
	leads := []string{stream.Changes, stream.Devices, stream.Outcomes, "KV_" + ledger.Bucket}[rand.N(4)]
	gone := max(c.Leader(leads), 0)
	c.StopServer(gone)
	stopped := time.Since(began)
	b.until("another third to be folded without one broker", func() bool { return b.folds() >= n*2/3 })
	c.StartServer(gone)
	started := time.Since(began)
	p := <-published
	b.until("everything to be folded", b.folded)
	folded := time.Since(began)

	samples := 0
	for due, ok := devices, true; due > 0 || !ok; due, ok = b.awake() {
		if t.Failed() || time.Since(began) > 3*time.Minute {
			t.Fatalf("%d devices are still due", due)
		}
		samples++
	}
	words := b.ended()
	t.Logf("%d events for %d devices on R3: published in %v (%.0f/s), folded in %v (%.0f/s), without one broker from %v to %v, settled in %v; %d samples; the broker led %s; %v",
		n, devices, p.Round(time.Millisecond), float64(n)/p.Seconds(), folded.Round(time.Millisecond), float64(n)/folded.Seconds(),
		stopped.Round(time.Millisecond), started.Round(time.Millisecond), time.Since(began).Round(time.Millisecond), samples, leads, words)
}
