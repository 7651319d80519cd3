package stream

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// A feed is a durable consumer and how its messages are handed out.
type feed struct {
	stream string
	config jetstream.ConsumerConfig
	batch  int                  // most deliveries of one handler
	slots  int                  // most handlers at once
	gate   func() time.Duration // how long not to pull; nil is never
	handle func(context.Context, []*Delivery)
}

// Folds hands out CHANGES until ctx ends: up to batch deliveries to a handler,
// at most slots handlers at once. It returns when the last handler has; their
// context outlives ctx by DrainFor, so that what was begun is finished. The
// error is ctx's.
func (s *Streams) Folds(ctx context.Context, batch, slots int, handle func(context.Context, []*Delivery)) error {
	return s.feed(ctx, feed{stream: Changes, batch: batch, slots: slots, handle: handle, config: s.folder()})
}

// Resolves hands out TARGETS until ctx ends, as Folds does, one to a handler.
func (s *Streams) Resolves(ctx context.Context, slots int, handle func(context.Context, *Delivery)) error {
	return s.feed(ctx, feed{stream: Targets, batch: 1, slots: slots, config: s.resolver(),
		handle: func(ctx context.Context, ds []*Delivery) { handle(ctx, ds[0]) }})
}

// Wakes hands out a tenant's wake-ups until ctx ends, as Folds does, one to a
// handler. gate is asked before each pull how long the tenant is not to be
// pulled from; nil is never. What is not pulled is not parked either: it waits
// in the stream, and lag metrics stay true.
func (s *Streams) Wakes(ctx context.Context, tenant string, slots int, gate func() time.Duration, handle func(context.Context, *Delivery)) error {
	return s.feed(ctx, feed{stream: Devices, batch: 1, slots: slots, gate: gate, config: s.reconciler(tenant),
		handle: func(ctx context.Context, ds []*Delivery) { handle(ctx, ds[0]) }})
}

// feed is the loop of Folds and Wakes: ensure the consumer, wait for a free
// slot, pull, hand out. Whatever fails starts it over.
func (s *Streams) feed(ctx context.Context, f feed) error {
	work, stop := outlive(ctx, DrainFor)
	defer stop()
	var handlers sync.WaitGroup
	defer handlers.Wait()
	slots := make(chan struct{}, f.slots)
	begin := func(ds []*Delivery) {
		handlers.Add(1)
		s.crew.do(func() {
			defer func() { <-slots; handlers.Done() }()
			s.run(work, &f, ds)
		})
	}
	for p := (pauses{}); ctx.Err() == nil; {
		began := time.Now()
		err := s.ensure(ctx, f)
		if err == nil {
			err = s.pulls(ctx, f, slots, begin)
		}
		if time.Since(began) > PullFor {
			p = pauses{} // it went well for a while
		}
		if ctx.Err() == nil {
			if p.first() {
				s.log.Warn("pulling is interrupted; trying again", "consumer", f.config.Durable, "err", err)
			}
			_ = p.wait(ctx)
		}
	}
	return ctx.Err()
}

// pulls pulls until something fails or ctx ends. It takes a slot for each call
// of begin.
func (s *Streams) pulls(ctx context.Context, f feed, slots chan struct{}, begin func([]*Delivery)) error {
	for queue := false; ; {
		if err := f.pass(ctx); err != nil {
			return err
		}
		n := take(ctx, slots, f.batch == 1)
		if queue && f.batch == 1 {
			n = more(slots, n)
		}
		if n == 0 {
			return ctx.Err()
		}
		asked := time.Now()
		ds, err := s.pull(ctx, f.stream, f.config.Durable, n*f.batch)
		queue = len(ds) == n*f.batch
		if ctx.Err() != nil {
			putBack(ds)
			ds = nil
		}
		for batch := range slices.Chunk(ds, f.batch) {
			begin(batch)
			n--
		}
		for range n {
			<-slots
		}
		if err != nil {
			return err
		}
		// The broker refuses to wait while other workers' pulls are before it,
		// or the consumer's window is full: an empty answer at once. Do not spin.
		if len(ds) == 0 && time.Since(asked) < UnusedPause {
			_ = sleep(ctx, jitter(UnusedPause))
		}
	}
}

// take waits for one free slot, and with greedy takes the other free ones too.
// It returns how many it took, 0 if ctx ended.
func take(ctx context.Context, slots chan struct{}, greedy bool) (n int) {
	select {
	case slots <- struct{}{}:
		n++
	case <-ctx.Done():
		return 0
	}
	for greedy && n < cap(slots) {
		select {
		case slots <- struct{}{}:
			n++
		default:
			return n
		}
	}
	return n
}

// more waits a moment for more slots than n, when there is a queue: a pull costs
// the broker as much as a write does.
func more(slots chan struct{}, n int) int {
	end := time.NewTimer(MoreSlots)
	defer end.Stop()
	for n < cap(slots)/4 {
		select {
		case slots <- struct{}{}:
			n++
		case <-end.C:
			return n
		}
	}
	return n
}

// putBack returns what arrived for a worker that stops to the others.
func putBack(ds []*Delivery) {
	for _, d := range ds {
		_ = d.Nak(UnusedPause) // if it is lost, AckWait returns it
	}
}

// pass waits until the gate is open.
func (f feed) pass(ctx context.Context) error {
	for f.gate != nil {
		d := f.gate()
		if d <= 0 {
			break
		}
		if err := sleep(ctx, min(d, GateRecheck)); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// run calls the handler and shows progress for it meanwhile. What a handler
// that panics has in hand comes again later: perhaps to a newer worker.
func (s *Streams) run(ctx context.Context, f *feed, ds []*Delivery) {
	done := make(chan struct{})
	go keep(ds, s.progressEvery(), done)
	defer close(done)
	pause := UndecidedPause
	if !Guard(s.log, func() { f.handle(ctx, ds) }, "consumer", f.config.Durable, "first", ds[0].Sequence, "messages", len(ds)) {
		pause = PanicPause
		s.o.Panicked()
	}
	for _, d := range ds {
		if !d.decided.Load() {
			_ = d.Nak(pause) // if it is lost, AckWait returns it
		}
	}
}

func (s *Streams) progressEvery() time.Duration { return min(ProgressEvery, s.o.AckWait/3) }

// outlive returns a context that ends d after ctx does.
func outlive(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	out, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		_ = sleep(out, d)
		cancel()
	})
	return out, func() { stop(); cancel() }
}
