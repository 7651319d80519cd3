package worker

import (
	"context"
	"log/slog"
	"time"

	"changerelay/internal/events"
	"changerelay/internal/ledger"
	"changerelay/internal/metrics"
	"changerelay/internal/stream"
	"changerelay/internal/tracing"
)

// A visit is one wake-up being handled.
type visit struct {
	*Worker
	addr events.Address
	doc  *ledger.Held
	wake *stream.Delivery
	t    *tenant

	began time.Time
	span  tracing.Span
	calls int
	reads int
}

// An end is how a visit leaves its wake-up: put back for a while, with the
// word for why.
type end struct {
	outcome events.Outcome
	after   time.Duration
	err     error
}

// reconcile handles a wake-up: it obeys the device's document until it is
// settled or must wait.
func (w *Worker) reconcile(ctx context.Context, wake *stream.Delivery) {
	v := &visit{Worker: w, wake: wake, began: time.Now()}
	var err error
	if v.addr, err = events.ParseAddress(wake.Subject); err != nil {
		w.c.Log.Error("a wake-up names no device; it is dropped", "subject", wake.Subject, "err", err)
		_ = wake.Ack(ctx)
		return
	}
	if _, taken := w.inHand.LoadOrStore(v.addr, true); taken {
		again := backoff(wake.Deliveries, handMin, handMax)
		_ = wake.Nak(again) // not acked: this wake-up has replaced the other's
		w.end(ctx, "reconcile", events.Busy, v.began, "tenant", v.addr.Tenant, "device", v.addr.Device, "again", again)
		return
	}
	defer w.inHand.Delete(v.addr)
	v.doc = w.hold(v.addr, wake)
	if v.t = w.serving.of(v.addr.Tenant); v.t == nil {
		_ = wake.Nak(retryMax) // the tenant has just been taken out of the configuration
		return
	}
	w.c.At(Woken)
	v.close(ctx, v.run(ctx))
}

// close ends the visit's wake-up, with one line. It is apart so that what waits
// inside run has little on its stack: a hundred devices are in hand at once.
func (v *visit) close(ctx context.Context, e *end) {
	metrics.Observe(v.c.Metrics.ReconcileSeconds, time.Since(v.began).Seconds(), v.span.ID())
	v.traceEnd(e)
	attrs := traced([]any{"tenant", v.addr.Tenant, "device", v.addr.Device, "calls", v.calls, "reads", v.reads}, v.span.Parent())
	if e == nil {
		v.c.At(Settled)
		err := v.wake.Done() // if it is lost, the wake-up comes again and finds the device settled
		v.c.At(Acknowledged)
		v.c.Log.Debug("reconcile", append(attrs, "stage", "reconcile", "settled", true, "err", err)...)
		return
	}
	_ = v.wake.Nak(e.after) // if it is lost, AckWait puts it back
	if e.err != nil {
		attrs = append(attrs, "err", e.err)
	}
	v.end(ctx, "reconcile", e.outcome, v.began, append(attrs, "again", e.after.Round(time.Millisecond))...)
}

// hold begins with the copy that came with the wake-up if it may be new: this is
// the wake-up's first delivery, soon after the fold.
func (w *Worker) hold(a events.Address, wake *stream.Delivery) *ledger.Held {
	if wake.Deliveries > 1 || time.Since(wake.Time) > copyFor {
		return w.c.Ledger.Hold(a)
	}
	return w.c.Ledger.Resume(a, wake.Data)
}

// run obeys until the device is settled (nil) or has to be put back.
func (v *visit) run(ctx context.Context) *end {
	for first := true; ; first = false {
		d, err := v.doc.Get(ctx)
		if err != nil {
			return v.unavailable(err)
		}
		if first {
			ctx = v.trace(ctx, d)
		}
		if d, err = v.expire(ctx, d); err != nil {
			return v.unavailable(err)
		}
		step := d.Next(v.c.Now(), v.c.Timing)
		if v.doc.Copied() && (len(d.Reports) > 0 || step != ledger.Observe && step != ledger.Post) {
			v.doc.Forget() // a copy only saves the read before a swap
			continue
		}
		if len(d.Reports) > 0 {
			if err := v.report(ctx, d.Reports); err != nil {
				return v.unavailable(err)
			}
			continue
		}
		var e *end
		switch step {
		case ledger.Done:
			return nil
		case ledger.Wait:
			return &end{events.Busy, max(d.WaitUntil().Sub(v.c.Now()), time.Millisecond), nil}
		case ledger.Observe:
			e = v.observe(ctx, d)
		case ledger.Post:
			if e = v.early(d); e == nil {
				e = v.post(ctx)
			}
		}
		if e != nil {
			return e
		}
		if ctx.Err() != nil { // the worker stops: the next one goes on from here
			return v.unavailable(ctx.Err())
		}
	}
}

// early puts the wake-up back while the device's last call was just now. The
// first call after a quiet time is never put back. A time ahead of ours is
// another worker's clock, not a reason to wait.
func (v *visit) early(d ledger.Device) *end {
	if left := d.Called.Add(v.c.Pace).Sub(v.c.Now()); left > 0 && left <= v.c.Pace {
		return &end{events.Busy, left, nil}
	}
	return nil
}

// expire ends events that are too old, also when the tenant is paused.
func (v *visit) expire(ctx context.Context, d ledger.Device) (ledger.Device, error) {
	f := func(d ledger.Device) (ledger.Device, error) {
		e := d.Expire(v.c.Now(), v.c.MaxAge)
		if why := v.t.pause.last(); why != "" {
			for i := len(d.Reports); i < len(e.Reports); i++ {
				e.Reports[i].Reason += "; last: " + why
			}
		}
		return e, nil
	}
	if e, _ := f(d); len(e.Reports) == len(d.Reports) {
		return d, nil
	}
	return v.doc.Update(ctx, f)
}

// unavailable puts the wake-up back after something that was certainly not done.
func (v *visit) unavailable(err error) *end {
	return &end{events.Unavailable, backoff(v.wake.Deliveries, retryMin, retryMax), err}
}

// who is in each line about the device.
func (v *visit) who() []any { return []any{"tenant", v.addr.Tenant, "device", v.addr.Device} }

// called measures and logs one request, and says so in its span, which ctx has.
func (w *Worker) called(ctx context.Context, t *tenant, op string, began time.Time, err error, who []any, attrs ...any) {
	kind, level, took := "ok", slog.LevelInfo, time.Since(began)
	span := tracing.Current(ctx)
	if err != nil {
		e := asError(err)
		kind, level = string(e.Kind), slog.LevelWarn
		attrs = []any{"status", e.Status, "request", e.RequestID, "err", e}
	}
	w.counted(t, op, kind, err)
	metrics.Observe(w.c.Metrics.GraphSeconds.WithLabelValues(op, kind), took.Seconds(), span.ID())
	line := append([]any{"stage", "graph", "op", op, "kind", kind, "took", took.Round(time.Microsecond)}, who...)
	w.c.Log.Log(ctx, level, "graph", traced(append(line, attrs...), span.Parent())...)
	endCall(span, op, kind, err)
}
