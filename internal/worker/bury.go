package worker

import (
	"context"
	"strings"
	"time"

	"changerelay/internal/events"
	"changerelay/internal/stream"
)

// A burial is an arrival that no document will have, and why.
type burial struct {
	*arrival
	outcome events.Outcome
	cause   error
}

// buryAll ends arrivals beside the batch that they came with: while DEAD or
// OUTCOMES cannot be written, other devices' events go on. Those that find no room
// within buryWait come again.
func (w *Worker) buryAll(ctx context.Context, stage string, dead []burial) {
	wait, cancel := context.WithTimeout(ctx, buryWait)
	defer cancel()
	for _, b := range dead {
		select {
		case w.graves <- struct{}{}:
		case <-wait.Done():
			_ = b.Nak(backoff(b.Deliveries, retryMin, retryMax)) // if it is lost, AckWait puts it back
			w.end(ctx, stage, events.Busy, b.Pulled, "subject", b.Subject, "sequence", b.Sequence)
			continue
		}
		b.Keep()
		w.loops.Go(func() {
			defer func() { <-w.graves }()
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), buryFor) // the worker's stop waits for it
			defer cancel()
			w.guard(func() { w.bury(ctx, stage, b.arrival, b.outcome, b.cause) }, b.Delivery)
		})
	}
}

// bury ends an event that no document will have: DEAD, OUTCOMES, ack.
func (w *Worker) bury(ctx context.Context, stage string, a *arrival, o events.Outcome, cause error) {
	began := time.Now()
	err := w.c.Streams.Bury(ctx, a.letter(o, cause, w.c.Now()))
	w.c.At(InvalidDead)
	if err == nil && a.ref != (events.Ref{}) {
		err = w.reportBuried(ctx, a, a.receipt(o, cause, w.c.Now()), cause)
	}
	w.c.At(InvalidEnded)
	if err == nil {
		err = a.Ack(ctx)
	} else {
		_ = a.Nak(backoff(a.Deliveries, retryMin, retryMax))
	}
	if err != nil {
		w.end(ctx, stage, events.Unavailable, began, "subject", a.Subject, "sequence", a.Sequence, "err", err)
		return
	}
	w.traceBurial(ctx, a, o)
	w.end(ctx, stage, o, began, traced([]any{"subject", a.Subject, "ticket", a.event.Ticket, "sequence", a.Sequence, "reason", cause.Error()}, a.trace)...)
}

func (w *Worker) reportBuried(ctx context.Context, a *arrival, r events.Receipt, cause error) error {
	if cause == error(errTaken) {
		return w.c.Streams.ReportTaken(ctx, r)
	}
	_, ticket, _ := events.ParseSubject(a.Subject)
	return w.c.Streams.ReportAt(ctx, r, ticket)
}

func (a *arrival) letter(o events.Outcome, cause error, now time.Time) stream.DeadLetter {
	l := stream.DeadLetter{Ref: a.ref, Outcome: o, Reason: cause.Error(), Header: a.Header, Data: a.Data, Origin: a.Subject, At: now}
	if !strings.HasPrefix(a.Subject, events.TargetsPrefix) {
		l.Sequence = a.first
	}
	return l
}

func (a *arrival) receipt(o events.Outcome, cause error, now time.Time) events.Receipt {
	r := events.Receipt{ID: a.ref.String(), Ticket: a.event.Ticket, Tenant: a.ref.Tenant, Device: a.ref.Device, Target: a.event.Target,
		Outcome: o, Reason: cause.Error(), Accepted: a.Accepted(a.event), Ended: now}
	if a.ref.Unresolved() {
		r.Device = ""
	}
	if r.Device == "" && a.event.ID != "" { // it could be read
		r.Digest = a.event.Fingerprint()
	}
	return r
}
