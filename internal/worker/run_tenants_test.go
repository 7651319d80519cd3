package worker

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"changerelay/internal/events"
	"changerelay/internal/figures"
	"changerelay/internal/ledger"
	"changerelay/internal/natstest"
	"changerelay/internal/stream"
)

// BenchmarkRunTenants is a worker with as many tenants as are supported: its start,
// an event each, its restart, and an event each again.
func BenchmarkRunTenants(b *testing.B) {
	f := figures.New("tenants")
	t := f.Table(whatMeasured...)
	for _, k := range []struct {
		broker  brokerKind
		tenants int
	}{{lazyR1, 1000}, {lazyR3, 300}} {
		b.Run(k.broker.Name, func(b *testing.B) { runTenants(b, t, k.broker, smaller(k.tenants)) })
	}
	hand(b, f)
}

func runTenants(b *testing.B, t *figures.Table, kind brokerKind, tenants int) {
	k, broker := newRun(b, kind, tenants, tenants)
	name := fmt.Sprintf("%s tenants on %s: ", figures.Number(float64(tenants)), kind.Name)
	began := time.Now()
	lap := func(what string) {
		t.Row(name+what, time.Since(began).Round(10*time.Millisecond).String())
		began = time.Now()
	}
	size := func(when string, w *process) {
		t.Row(name+when, fmt.Sprintf("worker %.0f MiB and %d goroutines, broker %.0f MiB", w.rss(), w.goroutines(), broker.rss()))
	}
	def := func(o *crewOrder) { o.Timing, o.Pace = ledger.DefaultTiming, DefaultPace }
	w := k.fork(def)
	w.ask("run")
	k.until("folding to begin", func() bool { return k.consumer().NumWaiting > 0 })
	lap("the first start, until events are folded")
	size("before any event", w)
	k.add(tenants, events.Remove)
	k.publishAll(nil)
	k.until("all to settle", k.settled)
	lap("an event each, until all are settled")
	k.until("all to be pulled from", func() bool { return k.pulled() == tenants })
	size("with a loop each", w)
	w.stop()
	began = time.Now()
	w = k.fork(def)
	w.ask("run")
	k.until("all to be pulled from", func() bool { return k.pulled() == tenants })
	lap("restart, until every loop pulls")
	k.add(tenants, events.Remove)
	k.publishAll(nil)
	k.until("all to settle", k.settled)
	lap("an event each again, until all are settled")
	c := clocked(broker, w)
	<-time.After(15 * time.Second)
	_, cost := c.end(15)
	t.Row(name+"idle, µs of CPU a second, worker + broker + rest", cost)
	k.ended()
}

// settled reports whether each event has ended and no device is due.
func (b *bulk) settled() bool {
	if b.outcomes() < len(b.events) {
		return false
	}
	return !b.woken()
}

// pulled is how many tenants' wake-ups some worker waits for.
func (b *bulk) pulled() (n int) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	st, err := b.js.Stream(ctx, stream.Devices)
	if err != nil {
		return 0
	}
	all := st.ListConsumers(ctx)
	for c := range all.Info() {
		if strings.HasPrefix(c.Name, "reconcile-") && c.NumWaiting > 0 {
			n++
		}
	}
	return n
}

// TestManyTenants has an event each for tenants that nobody has woken before, then
// another worker and another event each.
func TestManyTenants(t *testing.T) {
	tenants := 100
	if raced {
		tenants = 30
	}
	b := newCrowd(t, natstest.Server(t).URL(), 1, 10*time.Second, tenants, tenants)
	for range 2 {
		b.add(tenants, events.Remove)
		stop, _ := b.join()
		b.publishAll(nil)
		b.until("all to settle", b.settled)
		b.until("all to be pulled from", func() bool { return b.pulled() == tenants })
		stop()
	}
	b.ended()
}
