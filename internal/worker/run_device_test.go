package worker

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"changerelay/internal/events"
	"changerelay/internal/figures"
	"changerelay/internal/graphsim"
	"changerelay/internal/ledger"
	"changerelay/internal/natstest"
)

// A watch sees each document of a device as it is written.
type watch struct {
	writes, largest atomic.Int64 // and bytes
}

func (b *bulk) watch(dev string) *watch {
	b.t.Helper()
	w := &watch{}
	addr := events.Address{Tenant: tenantName(b.tenantOf(dev)), Device: dev}
	sub, err := natstest.Connect(b.t, b.url).Subscribe("$KV."+ledger.Bucket+"."+addr.String(), func(m *nats.Msg) {
		w.writes.Add(1)
		w.largest.Store(max(w.largest.Load(), int64(len(m.Data))))
	})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = sub.Unsubscribe() })
	return w
}

// TestLaw05OneDeviceAndItsNeighbours has thousands of events for one device while
// its call does not return. Those of others end meanwhile; its document stays
// small, and is not written once an event.
func TestLaw05OneDeviceAndItsNeighbours(t *testing.T) {
	const neighbours = 40
	n := 3000
	if raced {
		n = 1000
	}
	b := newCrowd(t, natstest.Server(t).URL(), 1, 10*time.Second, 4, neighbours+1)
	hot := b.devices[0]
	free := make(chan struct{})
	b.sim.Fail(graphsim.Fault{Op: "post", Device: hot, Hook: func() { <-free }})
	w := b.watch(hot)
	for i := range n {
		b.events = append(b.events, b.event(hot, i-n, events.Remove, events.Restore))
	}
	for _, dev := range b.devices[1:] {
		b.events = append(b.events, b.event(dev, 0, events.Remove)) // each behind all of the hot device's
	}
	b.publishAll(nil)
	b.join(func(c *Config) { c.Pace = 100 * time.Millisecond })
	b.until("the neighbours' events to end", func() bool { return b.outcomes() == neighbours })
	close(free)
	b.ended()
	if size := w.largest.Load(); size >= 64<<10 {
		t.Errorf("a document had %d bytes", size)
	}
	if writes := w.writes.Load(); writes > int64(n/10) {
		t.Errorf("%d events were %d writes", n, writes)
	}
	t.Logf("%d events for one device: %d writes of at most %d bytes, %d calls", n, w.writes.Load(), w.largest.Load(), len(b.posts(hot)))
}

// BenchmarkRunOneDevice is 20 000 events for one device, published at once, with
// nine tenants beside it that have an event each tenth of a second.
func BenchmarkRunOneDevice(b *testing.B) {
	const tenants, each = 10, 1200 // devices
	n := smaller(20_000)
	k, broker := newRun(b, lazyR1, tenants, tenants*each)
	w := k.fork(func(o *crewOrder) { o.Timing, o.Pace = ledger.DefaultTiming, DefaultPace })
	w.ask("run")
	others := &neighbours{bulk: k, devices: k.devices[tenants:]}
	w.ask("profile", filepath.Join(profilesTo(b, "one device"), "worker"))
	defer w.ask("profiled")
	quiet := others.beside(func() { <-time.After(10 * time.Second) })
	hot := k.watch(k.devices[0])
	for i := range n {
		k.events = append(k.events, k.event(k.devices[0], i-n, events.Remove, events.Restore))
	}
	c, idle := clocked(broker, w), w.cpu()
	var quarters, used []time.Duration // of the worker's CPU
	var published time.Duration
	busy := others.beside(func() {
		k.publishAll(nil)
		published = time.Since(c.began)
		for q := 1; q <= 4; q++ {
			k.until("a quarter to end", func() bool { return k.outcomes()-int(others.told.Load()) >= n*q/4-tenants })
			quarters, used = append(quarters, time.Since(c.began).Round(100*time.Millisecond)), append(used, w.cpu())
		}
	})
	early, late := (used[0]-idle)*4/time.Duration(n), (used[3]-used[2])*4/time.Duration(n)
	f := figures.New("hot")
	f.Meet("hot-cost", late.Seconds()/early.Seconds(), "%v, then %v", early, late)
	f.Meet("hot-document", float64(hot.largest.Load())/1024, "%d writes, %d calls", hot.writes.Load(), len(k.posts(k.devices[0])))
	t := f.Table(whatMeasured...)
	t.Row("published in", published.Round(time.Millisecond).String())
	t.Row("a quarter, a half, three quarters, all ended after", fmt.Sprint(quarters))
	t.Row("nine other tenants, publish to POST: alone", spread(quiet))
	t.Row("… while it runs", spread(busy))
	hand(b, f)
	b.ReportMetric(quantile(busy, 99).Seconds()*1000, "ms-p99-beside")
}

// neighbours are the tenants but the first, and those of their devices that have
// had no event: each has one, so that it is one call.
type neighbours struct {
	*bulk
	devices []string
	told    atomic.Int64 // events

	mu   sync.Mutex
	took []time.Duration // from the publish to the POST
}

// beside has the neighbours change something while work runs, each a device every
// tenth of a second, and returns how long that took to come to Graph.
func (s *neighbours) beside(work func()) []time.Duration {
	s.took = nil
	ctx, over := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for i := 1; i < s.tenants; i++ {
		all.Go(func() { s.change(ctx, i) })
	}
	work()
	over()
	all.Wait()
	return s.took
}

func (s *neighbours) change(ctx context.Context, tenant int) {
	arrived := make(chan time.Time, 1)
	defer s.sim.Fail(graphsim.Fault{Op: "post", Tenant: tenantID(tenant), Times: -1, Hook: func() { arrived <- time.Now() }})()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for ctx.Err() == nil {
		e, ok := s.next(tenant)
		if !ok {
			return
		}
		began := time.Now()
		if _, err := s.s.Publish(context.Background(), e); err != nil {
			s.t.Error(err)
			return
		}
		d := (<-arrived).Sub(began)
		s.told.Add(1)
		s.mu.Lock()
		s.took = append(s.took, d)
		s.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

// next is the event of a tenant's next device.
func (s *neighbours) next(tenant int) (e events.Event, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, dev := range s.devices {
		if dev != "" && s.tenantOf(dev) == tenant {
			s.devices[i] = ""
			return s.event(dev, 0, events.Remove), true
		}
	}
	return e, false
}

func spread(took []time.Duration) string {
	return fmt.Sprintf("p50 %v, p99 %v of %d", quantile(took, 50), quantile(took, 99), len(took))
}

func quantile(took []time.Duration, percent int) time.Duration {
	s := slices.Sorted(slices.Values(took))
	if len(s) == 0 {
		return 0
	}
	return s[(len(s)-1)*percent/100].Round(10 * time.Microsecond)
}
