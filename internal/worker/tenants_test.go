package worker

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"changerelay/internal/await"
	"changerelay/internal/events"
	"changerelay/internal/graphsim"
	"changerelay/internal/metrics"
	"changerelay/internal/quota"
)

// A permission to change that is lost pauses longer each time, though reads go on
// succeeding in between.
func TestADenialOfWritesAlonePausesLonger(t *testing.T) {
	now := time.Now()
	p := newPause(func() time.Time { return now })
	for n := uint64(1); n <= 6; n++ {
		after, begun := p.denied(quota.Write)
		most := doubled(n, deniedMin, pauseMax)
		if !begun || after < most/2 || after > most {
			t.Errorf("pause %d is %v, want %v to %v", n, after, most/2, most)
		}
		if p.over(quota.Read) {
			t.Error("a read has mended the permission to write")
		}
		now = now.Add(after)
	}
	if !p.over(quota.Write) || p.over(quota.Write) {
		t.Error("a success does not mend it, or does so twice")
	}
}

// Tenants may come and go until the worker has ended, and after.
func TestTenantsChangeWhileTheWorkerEnds(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var w *Worker
	var base Config
	run := r.work(func(c *Config) { base = *c })
	run.stop()
	s, l, _ := r.connect(1)
	base.Streams, base.Ledger, base.Quota = s, l, r.quota()
	base.Metrics = metrics.New(prometheus.NewRegistry(), "test", metrics.Labels{})
	w = New(base)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = w.Run(ctx) }()
	r.outcome(r.publish(remove(app(1))...), events.Accepted)
	var changes sync.WaitGroup
	began := make(chan struct{})
	changes.Go(func() {
		for i := range 2000 {
			tenants := map[string]Tenant{"acme": base.Tenants["acme"]}
			if i%2 == 0 {
				tenants = nil
			}
			w.SetTenants(tenants)
			if i == 1000 {
				close(began)
			}
		}
	})
	<-began
	cancel()
	<-done
	changes.Wait()
}

// A tenant whose credential is turned down holds nobody else up, and is looked at
// again when that has been mended by a reload.
func TestATenantIsMendedByReload(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	heal := r.sim.Fail(graphsim.Fault{Op: "get", Status: 403, Times: -1})
	var w *Worker
	var base Config
	r.work(func(c *Config) { base = *c }).stop()
	s, l, _ := r.connect(1)
	base.Streams, base.Ledger, base.Quota = s, l, r.quota()
	reg := prometheus.NewRegistry()
	base.Metrics = metrics.New(reg, "test", metrics.Labels{})
	w = New(base)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = w.Run(ctx) }()
	defer func() { cancel(); <-done }()
	e := r.publish(remove(app(1))...)
	await.State(t, "the tenant to pause", func() bool { return strings.Contains(r.log.String(), `"kind":"denied"`) })
	heal()
	changed := base.Tenants["acme"]
	changed.OwnSet = true // any change will do
	w.SetTenants(map[string]Tenant{"acme": changed})
	r.outcome(e, events.Accepted) // though its device was put back for half a minute at least
	if well, unwell := arrived(t, reg, metrics.Well), arrived(t, reg, metrics.Unwell); well != 0 || unwell != 1 {
		t.Errorf("%d events were late by our fault, %d by Graph's", well, unwell)
	}
}
