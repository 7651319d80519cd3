package worker

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"changerelay/internal/events"
	"changerelay/internal/ledger"
	"changerelay/internal/metrics"
	"changerelay/internal/stream"
	"changerelay/internal/tracing"
)

// errLate ends a fold whose messages may by now be another worker's.
var errLate = errors.New("held for too long: another worker may have it")

// errPanicked ends a fold that met a bug.
var errPanicked = errors.New("looking up an outcome panicked")

// fold puts a batch of deliveries into the documents of their devices, one
// compare-and-swap a device.
func (w *Worker) fold(ctx context.Context, ds []*stream.Delivery) {
	w.c.At(FoldPulled)
	groups := map[events.Address][]*arrival{}
	var dead []burial
	for _, d := range ds {
		var a *arrival
		var err error
		if !w.guard(func() { a, err = w.read(ctx, d) }, d) {
			continue
		}
		if invalid := (*events.InvalidError)(nil); errors.As(err, &invalid) {
			dead = append(dead, burial{a, events.Invalid, invalid})
			continue
		}
		if errors.Is(err, errUnknown) {
			w.leave(ctx, a, time.Now(), err)
			continue
		}
		if err != nil {
			continue // left undecided, it comes again
		}
		groups[a.event.Address()] = append(groups[a.event.Address()], a)
	}
	w.foldGroups(ctx, groups)
	for _, as := range groups {
		for _, a := range as {
			if a.became == twin {
				dead = append(dead, burial{a, events.Invalid, errTwin})
			}
		}
	}
	w.buryAll(ctx, "fold", dead) // after the folds: no device waits for it
}

// foldGroups folds each device's arrivals, some devices at once. Those with the
// fewest are first: a device that has many does not hold the others up.
func (w *Worker) foldGroups(ctx context.Context, groups map[events.Address][]*arrival) {
	queue := make(chan []*arrival, len(groups))
	for _, as := range slices.SortedFunc(maps.Values(groups), func(a, b []*arrival) int { return len(a) - len(b) }) {
		queue <- as
	}
	close(queue)
	var wg sync.WaitGroup
	for range min(foldsAtOnce, len(groups)) {
		wg.Go(func() {
			for as := range queue {
				w.guard(func() { w.foldDevice(ctx, as[0].event.Address(), as) }, deliveries(as)...)
			}
		})
	}
	wg.Wait()
}

// An arrival is a delivery of CHANGES on its way into a document.
type arrival struct {
	*stream.Delivery
	event  events.Event
	ref    events.Ref
	code   string // of an approval: of the replay of what waited for one
	first  uint64 // sequence in CHANGES of its event's first message: of a replay not its own
	fresh  bool   // it is folded here and now
	known  bool   // a replay that was folded before, and that could not be now
	entry  ledger.Entry
	trace  string       // where its trace goes on; "" if it is not traced
	begun  tracing.Span // that its trace begins with, if its publisher has begun none
	became fate
	full   bool          // there was no room for it in the document, so its outcome was not looked up
	again  time.Duration // of one whose document is taken
}

// A fate is what became of an arrival.
type fate int

const (
	noRoom fate = iota // it is offered again
	taken              // this worker folds others into its document just now: it is offered again soon
	folded             // it is in the document, or has ended before
	twin               // another message with its key is in the document
)

// read makes an event of a delivery. It is the same parser that ingest used,
// because other services publish straight to the broker.
func (w *Worker) read(ctx context.Context, d *stream.Delivery) (*arrival, error) {
	a := &arrival{Delivery: d, first: d.Sequence}
	a.trace, _ = d.Trace()
	var err error
	if a.event, a.ref, err = events.FromMessage(d.Subject, d.Header, d.Data, d.Time); err != nil {
		return a, err
	}
	if err := w.replayed(ctx, a); err != nil {
		return a, err
	}
	if err := w.served(a.event, d.Accepted(a.event)); err != nil {
		return a, err
	}
	a.entry = ledger.NewEntry(a.event, a.ref, d.Sequence, d.Accepted(a.event)).At(w.c.Now())
	a.entry.Seq, a.entry.Approval = a.first, a.code
	return a, nil
}

// foldDevice folds arrivals for one device, wakes it, and acks. What finds no
// room in the document comes again when the device has been told; it does not
// wake the device, which is awake. One batch at a time folds into a document.
func (w *Worker) foldDevice(ctx context.Context, addr events.Address, as []*arrival) {
	began := time.Now()
	if _, busy := w.inFold.LoadOrStore(addr, true); busy { // else the slots would lose each other's swaps, and other devices wait for one
		again := backoff(as[0].Deliveries, handMin, handMax) // one for all: they come back as a batch, and not when the others do
		for _, a := range as {
			a.became, a.again = taken, again
			w.leave(ctx, a, began, nil)
		}
		return
	}
	defer w.inFold.Delete(addr)
	ctx, span := w.traceFold(ctx, as, began)
	doc := w.c.Ledger.Hold(addr)
	d, err := doc.Update(ctx, func(d ledger.Device) (ledger.Device, error) { return w.foldAll(ctx, d, as) })
	w.c.At(FoldWritten)
	var done []*stream.Delivery
	for _, a := range as {
		if a.became == folded {
			done = append(done, a.Delivery)
		}
	}
	if err == nil && d.Due() && len(done) > 0 {
		err = w.c.Streams.WakeWith(ctx, addr, doc.Copy())
		w.c.Metrics.Wakeups.Inc()
		w.started(addr.Tenant)
	}
	w.c.At(FoldWoken)
	if err == nil {
		for _, d := range done {
			_ = d.Done() // if it is lost, it is folded again, without effect
		}
		w.c.At(FoldAcked)
	}
	metrics.Observe(w.c.Metrics.FoldSeconds, time.Since(began).Seconds(), span.ID())
	if err == nil {
		w.c.Metrics.FoldBatch.Observe(float64(len(done)))
		w.delayed(as)
	}
	endFold(span, addr, as, done, began, err)
	for _, a := range as {
		w.leave(ctx, a, began, err)
	}
}

// leave ends an arrival's visit, with one line.
func (w *Worker) leave(ctx context.Context, a *arrival, began time.Time, err error) {
	if err == nil && (a.became == noRoom || a.became == taken) {
		w.putBack(ctx, a, began)
		return
	}
	attrs := []any{"event", a.ref.String(), "ticket", a.event.Ticket, "sequence", a.Sequence, "deliveries", a.Deliveries}
	attrs = traced(attrs, a.trace)
	switch {
	case err != nil:
		a.became = noRoom
		_ = a.Nak(backoff(a.Deliveries, retryMin, retryMax)) // if it is lost, AckWait puts it back
		w.end(ctx, "fold", events.Unavailable, began, append(attrs, "err", err)...)
	case a.became == twin: // fold buries it
	default:
		w.c.Log.Info("fold", append([]any{"stage", "fold", "took", time.Since(began).Round(time.Microsecond)}, attrs...)...)
	}
}

// putBack offers an arrival to its document again.
func (w *Worker) putBack(ctx context.Context, a *arrival, began time.Time) {
	again := a.again
	if a.became == noRoom {
		again = doubled(a.Deliveries, fullMin, fullMax) // without jitter: they come back together, and are told together
	}
	_ = a.Nak(again)
	if a.Deliveries == 1 {
		w.end(ctx, "fold", events.Busy, began, "event", a.ref.String(), "ticket", a.event.Ticket, "sequence", a.Sequence, "deliveries", a.Deliveries, "again", again)
	}
}

// errTwin is for publishers that do not expect the subject to be empty, as
// docs/events.md asks them to: the broker cannot refuse their second message
// when it is under another ticket.
var errTwin = &events.InvalidError{Field: "id", Reason: "an event with this source and id is stored already, under another ticket; give the changed request a new id"}

// foldAll folds what has room. It runs again whenever another worker was first.
func (w *Worker) foldAll(ctx context.Context, d ledger.Device, as []*arrival) (ledger.Device, error) {
	d = d.Forget(w.c.Now().Add(-w.memory()))
	ended, err := w.ended(ctx, d, as)
	if err != nil {
		return d, err
	}
	full := false // where one had no room, the rest waits with it: to measure the document for each is dear
	for _, a := range as {
		if time.Since(a.Pulled) > FoldWithin {
			return d, errLate
		}
		a.became, a.fresh = noRoom, false
		switch message, known := d.Message(a.ref.Key); {
		case known && message != 0 && message != a.Sequence:
			a.became = twin
		case known || a.known || ended[a]:
			a.became = folded
		case !full && !a.full && d.Room(a.entry):
			d, a.became, a.fresh = d.Fold(a.entry), folded, true
		default:
			full = true
		}
	}
	return d, nil
}

// ended finds the arrivals that have had their outcome and that the document no
// longer knows: those that come again, and old ones, because a consumer that is
// made anew delivers everything once more. It is asked after the document was
// read: an outcome reported later changes the document, and the swap fails.
func (w *Worker) ended(ctx context.Context, d ledger.Device, as []*arrival) (map[*arrival]bool, error) {
	ended := map[*arrival]bool{}
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(looksAtOnce)
	full := false
	for _, a := range as {
		a.full = false
		if a.Deliveries <= 1 && w.c.Now().Sub(a.Time) < foldSoon || d.Knows(a.ref.Key) {
			continue
		}
		if full = full || !d.Room(a.entry); full {
			a.full = true
			continue
		}
		group.Go(func() error {
			err := errPanicked
			if !stream.Guard(w.c.Log, func() { _, err = w.c.Streams.FinalAt(ctx, a.ref, events.TicketToken(a.event.Ticket)) }, "sequence", a.Sequence) {
				w.c.Metrics.Panics.Inc()
			}
			if errors.Is(err, events.ErrNotFound) {
				return nil
			}
			mu.Lock()
			defer mu.Unlock()
			ended[a] = err == nil
			return err
		})
	}
	return ended, group.Wait()
}
