package stream

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"changerelay/internal/await"
	"changerelay/internal/events"
	"changerelay/internal/natstest"
)

// ackAll acknowledges a batch. Its error is the first of them.
func ackAll(ctx context.Context, ds []*Delivery) error {
	return each(ds, len(ds), func(d *Delivery) error { return d.Ack(ctx) })
}

// folding runs Folds until the test ends or stop is called, which waits for it.
func folding(t *testing.T, s *Streams, batch, slots int, handle func(context.Context, []*Delivery)) (stop func()) {
	return running(t, func(ctx context.Context) error { return s.Folds(ctx, batch, slots, handle) })
}

func waking(t *testing.T, s *Streams, slots int, gate func() time.Duration, handle func(context.Context, *Delivery)) (stop func()) {
	return running(t, func(ctx context.Context) error { return s.Wakes(ctx, "acme", slots, gate, handle) })
}

func running(t *testing.T, f func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() {
		defer close(over)
		if err := f(ctx); err != context.Canceled {
			t.Errorf("it returned %v, want context.Canceled", err)
		}
	}()
	stop = func() { cancel(); <-over }
	t.Cleanup(stop)
	return stop
}

// latch returns a channel that free closes.
func latch() (release chan struct{}, free func()) {
	release = make(chan struct{})
	return release, sync.OnceFunc(func() { close(release) })
}

func wake(t *testing.T, s *Streams, a events.Address) {
	t.Helper()
	if err := s.Wake(t.Context(), a); err != nil {
		t.Fatal(err)
	}
}

func ack(t *testing.T, ctx context.Context, ds ...*Delivery) {
	if err := ackAll(ctx, ds); err != nil {
		t.Error(err)
	}
}

// pending is how many messages the consumer holds or has yet to deliver.
func pending(t *testing.T, s *Streams, stream, consumer string) uint64 {
	t.Helper()
	c, err := s.js.Consumer(t.Context(), stream, consumer)
	if err != nil {
		return ^uint64(0)
	}
	return c.CachedInfo().NumPending + uint64(c.CachedInfo().NumAckPending)
}

func TestFoldsHandOutEverythingOnceInBatches(t *testing.T) {
	t.Parallel()
	s := solo(t)
	const n, batch, slots = 300, 32, 3
	for i := range n {
		publish(t, s, event(t, i), false)
	}
	var mu sync.Mutex
	var now, most, calls int
	seen := map[string]int{}
	folding(t, s, batch, slots, func(ctx context.Context, ds []*Delivery) {
		mu.Lock()
		now++
		calls++
		most = max(most, now)
		for _, d := range ds {
			seen[d.Subject]++
			if d.Deliveries != 1 || d.Time.IsZero() || d.Sequence == 0 {
				t.Errorf("delivery %+v", d)
			}
		}
		mu.Unlock()
		if len(ds) > batch {
			t.Errorf("a handler got %d deliveries, want at most %d", len(ds), batch)
		}
		ack(t, ctx, ds...)
		mu.Lock()
		now--
		mu.Unlock()
	})
	await.State(t, "all acknowledged", func() bool { return pending(t, s, Changes, foldConsumer) == 0 })
	if len(seen) != n || calls > n/2 || most > slots {
		t.Errorf("%d events in %d calls, %d at once; want %d, few, at most %d", len(seen), calls, most, n, slots)
	}
	for subject, times := range seen {
		if times != 1 {
			t.Errorf("%s came %d times", subject, times)
		}
	}
}

func TestNoMoreThanTheSlotsIsPulled(t *testing.T) {
	t.Parallel()
	s := solo(t)
	const n, slots = 20, 3
	for i := range n {
		wake(t, s, event(t, i).Address())
	}
	begun := make(chan *Delivery, n)
	release, free := latch()
	defer free() // also when the test fails
	waking(t, s, slots, nil, func(ctx context.Context, d *Delivery) {
		begun <- d
		<-release
		ack(t, ctx, d)
	})
	for range slots {
		receive(t, begun, "handler")
	}
	c, err := s.js.Consumer(t.Context(), Devices, reconcilePrefix+"acme")
	if err != nil {
		t.Fatal(err)
	}
	if i := c.CachedInfo(); i.NumAckPending != slots || i.NumPending != n-slots {
		t.Errorf("%d are held and %d wait, want %d and %d", i.NumAckPending, i.NumPending, slots, n-slots)
	}
	free()
	await.State(t, "all acknowledged", func() bool { return stored(t, s, Devices) == 0 })
}

func TestAWakeUpOvertakesOnePutBackForAnHour(t *testing.T) {
	t.Parallel()
	s := solo(t)
	a := event(t, 1).Address()
	wake(t, s, a)
	got := make(chan uint64, 10)
	waking(t, s, 1, nil, func(ctx context.Context, d *Delivery) {
		got <- d.Sequence
		if d.Sequence == 1 {
			if err := d.Nak(time.Hour); err != nil {
				t.Error(err)
			}
			return
		}
		ack(t, ctx, d)
	})
	receive(t, got, "first wake-up")
	wake(t, s, a)
	if seq := receive(t, got, "second wake-up"); seq != 2 {
		t.Errorf("woken by %d, want 2", seq)
	}
	await.State(t, "nothing left", func() bool { return stored(t, s, Devices) == 0 })
}

func TestAWakeUpReplacesOneInAHand(t *testing.T) {
	t.Parallel()
	s := solo(t)
	a := event(t, 1).Address()
	if err := s.WakeAll(t.Context(), []events.Address{a, a, a, a}); err != nil {
		t.Fatal(err)
	}
	if got := stored(t, s, Devices); got != 1 {
		t.Errorf("%d wake-ups wait, want 1", got)
	}
	got := make(chan uint64, 10)
	release, free := latch()
	defer free() // also when the test fails
	waking(t, s, 2, nil, func(ctx context.Context, d *Delivery) {
		got <- d.Sequence
		<-release
		ack(t, ctx, d) // of the replaced one, too: it must harm nothing
	})
	first := receive(t, got, "wake-up")
	wake(t, s, a)
	if next := receive(t, got, "newer wake-up"); next <= first {
		t.Errorf("woken by %d after %d", next, first)
	}
	free()
	await.State(t, "nothing left", func() bool { return stored(t, s, Devices) == 0 })
}

func TestASlowHandlerKeepsItsMessage(t *testing.T) {
	t.Parallel()
	s := open(t, natstest.Server(t).URL(), Options{AckWait: time.Second})
	publish(t, s, event(t, 1), false)
	progress := overhear(t, s.nc.ConnectedUrl(), "$JS.ACK.CHANGES.fold.>", "+WPI")
	begun := make(chan *Delivery, 10)
	release, free := latch()
	defer free() // also when the test fails
	folding(t, s, 1, 2, func(ctx context.Context, ds []*Delivery) {
		begun <- ds[0]
		<-release
		ack(t, ctx, ds...)
	})
	receive(t, begun, "handler")
	await.State(t, "three ack waits have passed", func() bool { return progress.Load() >= 9 })
	free()
	await.State(t, "acknowledged", func() bool { return pending(t, s, Changes, foldConsumer) == 0 })
	if len(begun) != 0 {
		t.Errorf("it came again: %+v", <-begun)
	}
}

func TestWhatIsLeftUndecidedComesAgain(t *testing.T) {
	t.Parallel()
	s := solo(t)
	naks := overhear(t, s.nc.ConnectedUrl(), "$JS.ACK.CHANGES.fold.>", `-NAK {"delay":5000000000}`)
	publish(t, s, event(t, 1), false)
	folding(t, s, 1, 1, func(context.Context, []*Delivery) {})
	await.State(t, "it is put back", func() bool { return naks.Load() > 0 })
}

func TestDrainFinishesWhatIsBegun(t *testing.T) {
	t.Parallel()
	s := solo(t)
	publish(t, s, event(t, 1), false)
	begun := make(chan struct{})
	release, free := latch()
	defer free() // also when the test fails
	var acked atomic.Bool
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan error, 1)
	go func() {
		over <- s.Folds(ctx, 10, 2, func(ctx context.Context, ds []*Delivery) {
			close(begun)
			<-release
			acked.Store(ackAll(ctx, ds) == nil)
		})
	}()
	receive(t, begun, "handler")
	cancel()
	publish(t, s, event(t, 2), false) // nobody pulls any more
	select {
	case <-over:
		t.Fatal("Folds returned before its handler")
	default:
	}
	free()
	receive(t, over, "end of Folds")
	if !acked.Load() {
		t.Error("the handler could not acknowledge after the cancellation")
	}
	await.State(t, "one to be left, which came too late", func() bool { return pending(t, s, Changes, foldConsumer) == 1 })
}

func TestDrainingIsBounded(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	work, stop := outlive(ctx, 10*time.Millisecond)
	defer stop()
	cancel()
	receive(t, work.Done(), "end of the drain")
}

// A worker that stops must not sit on what was on its way to it.
func TestStoppingWorkersKeepNothing(t *testing.T) {
	t.Parallel()
	s := solo(t)
	var got atomic.Int64
	handle := func(ctx context.Context, d *Delivery) { ack(t, ctx, d); got.Add(1) }
	const n = 200
	for i := range n {
		stop := waking(t, s, 4, nil, handle)
		woken := make(chan struct{})
		go func() {
			defer close(woken)
			wake(t, s, event(t, i).Address())
		}()
		sleep(t.Context(), time.Duration(i)*5*time.Microsecond) // so that some stop before, some after, some between
		stop()
		<-woken
	}
	waking(t, s, 4, nil, handle)
	await.State(t, "all handled, before any ack wait ends", func() bool { return got.Load() == n && stored(t, s, Devices) == 0 })
}

func TestADeletedConsumerIsMadeAgain(t *testing.T) {
	t.Parallel()
	s := solo(t)
	got := make(chan *Delivery, 10)
	waking(t, s, 2, nil, func(ctx context.Context, d *Delivery) { ack(t, ctx, d); got <- d })
	wake(t, s, event(t, 1).Address())
	receive(t, got, "wake-up")
	if err := s.js.DeleteConsumer(t.Context(), Devices, reconcilePrefix+"acme"); err != nil {
		t.Fatal(err)
	}
	wake(t, s, event(t, 2).Address())
	receive(t, got, "wake-up by the new consumer")
}

func TestARestartedBrokerIsPulledFromAgain(t *testing.T) {
	t.Parallel()
	b := natstest.Server(t)
	s := open(t, b.URL(), Options{})
	got := make(chan *Delivery, 10)
	waking(t, s, 2, nil, func(ctx context.Context, d *Delivery) { ack(t, ctx, d); got <- d })
	for i := range 3 {
		wake(t, s, event(t, i).Address())
		receive(t, got, "wake-up")
		b.Stop()
		b.Start()
	}
}

func TestAClosedGateKeepsMessagesInTheStream(t *testing.T) {
	t.Parallel()
	s := solo(t)
	wake(t, s, event(t, 1).Address())
	var asked atomic.Int64
	var closed atomic.Bool
	closed.Store(true)
	gate := func() time.Duration {
		asked.Add(1)
		if closed.Load() {
			return 10 * time.Millisecond
		}
		return 0
	}
	got := make(chan *Delivery, 10)
	waking(t, s, 2, gate, func(ctx context.Context, d *Delivery) { ack(t, ctx, d); got <- d })
	await.State(t, "the gate is asked", func() bool { return asked.Load() > 3 })
	if c, err := s.js.Consumer(t.Context(), Devices, reconcilePrefix+"acme"); err != nil || c.CachedInfo().NumAckPending != 0 || len(got) != 0 {
		t.Errorf("with the gate closed something was pulled, or %v", err)
	}
	closed.Store(false)
	receive(t, got, "wake-up")
}

func TestTenantsHaveConsumersOfTheirOwn(t *testing.T) {
	t.Parallel()
	s := solo(t)
	got := make(chan string, 10)
	for _, tenant := range []string{"globex", "acme"} {
		running(t, func(ctx context.Context) error {
			return s.Wakes(ctx, tenant, 1, nil, func(ctx context.Context, d *Delivery) { ack(t, ctx, d); got <- tenant })
		})
	}
	await.State(t, "both consumers", func() bool {
		tenants, err := s.Tenants(t.Context())
		return err == nil && slices.Equal(tenants, []string{"acme", "globex"})
	})
	wake(t, s, events.Address{Tenant: "globex", Device: event(t, 1).Device})
	if tenant := receive(t, got, "wake-up"); tenant != "globex" {
		t.Errorf("%s was woken, want globex", tenant)
	}
}

// A message may look like the broker's own words; it is one for all that.
func TestAMessageWithAStatusHeaderIsAMessage(t *testing.T) {
	t.Parallel()
	s := solo(t)
	m := forged(event(t, 1).Subject())
	if _, err := s.js.PublishMsg(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	got := make(chan *Delivery, 10)
	folding(t, s, 10, 1, func(ctx context.Context, ds []*Delivery) { ack(t, ctx, ds...); got <- ds[0] })
	if d := receive(t, got, "message"); d.Subject != m.Subject {
		t.Errorf("got %s", d.Subject)
	}
}
