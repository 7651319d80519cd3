package worker

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"changerelay/internal/events"
	"changerelay/internal/graph"
	"changerelay/internal/ledger"
	"changerelay/internal/stream"
)

// A visit is one wake-up being handled.
type visit struct {
	*Worker
	addr events.Address
	wake *stream.Delivery
	t    *tenant

	began time.Time
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
	if v.t = w.serving.of(v.addr.Tenant); v.t == nil {
		_ = wake.Nak(retryMax) // the tenant has just been taken out of the configuration
		return
	}
	w.c.At(Woken)
	e := v.run(ctx)
	w.c.Metrics.ReconcileSeconds.Observe(time.Since(v.began).Seconds())
	attrs := []any{"tenant", v.addr.Tenant, "device", v.addr.Device, "calls", v.calls, "reads", v.reads}
	if e == nil {
		w.c.At(Settled)
		err := wake.Ack(ctx) // an unacked wake-up comes again and finds the device settled
		w.c.At(Acknowledged)
		w.c.Log.Debug("reconcile", append(attrs, "stage", "reconcile", "settled", true, "err", err)...)
		return
	}
	_ = wake.Nak(e.after) // if it is lost, AckWait puts it back
	if e.err != nil {
		attrs = append(attrs, "err", e.err)
	}
	w.end(ctx, "reconcile", e.outcome, v.began, append(attrs, "again", e.after.Round(time.Millisecond))...)
}

// run obeys until the device is settled (nil) or has to be put back.
func (v *visit) run(ctx context.Context) *end {
	for {
		d, err := v.c.Ledger.Get(ctx, v.addr)
		if err != nil {
			return v.unavailable(err)
		}
		if d, err = v.expire(ctx, d); err != nil {
			return v.unavailable(err)
		}
		if len(d.Reports) > 0 {
			if err := v.report(ctx, d.Reports); err != nil {
				return v.unavailable(err)
			}
			continue
		}
		var e *end
		switch d.Next(v.c.Now(), v.c.Timing) {
		case ledger.Done:
			return nil
		case ledger.Wait:
			return &end{events.Busy, max(d.WaitUntil().Sub(v.c.Now()), time.Millisecond), nil}
		case ledger.Observe:
			e = v.observe(ctx)
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
	f := func(d ledger.Device) (ledger.Device, error) { return d.Expire(v.c.Now(), v.c.MaxAge), nil }
	if e, _ := f(d); len(e.Reports) == len(d.Reports) {
		return d, nil
	}
	return v.c.Ledger.Update(ctx, v.addr, f)
}

// observe reads what Graph holds.
func (v *visit) observe(ctx context.Context) *end {
	if _, e := v.permit(ctx, v.t, v.t.read, v.wake.Deliveries); e != nil {
		return e
	}
	at := v.c.Now()
	r, err := v.read(ctx)
	v.c.At(Observed)
	if err != nil {
		return v.readFailed(ctx, err)
	}
	v.t.pause.over()
	s := ledger.Sight{At: at, Removed: items(r.Removed), Restored: items(r.Restored)}
	_, err = v.c.Ledger.Update(ctx, v.addr, func(d ledger.Device) (ledger.Device, error) { return d.See(s, v.c.Timing), nil })
	v.c.At(Seen)
	if err != nil {
		return v.unavailable(err)
	}
	return nil
}

// read asks Graph, within its own deadline.
func (v *visit) read(ctx context.Context) (graph.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	began := time.Now()
	v.reads++
	r, err := v.t.Graph.ActionResult(ctx, graph.ManagedDevice(v.addr.Device))
	v.called("get", began, err, v.who(), "removed", len(r.Removed), "restored", len(r.Restored), "request", r.RequestID)
	return r, err
}

// post announces an attempt, calls Graph and records the answer.
func (v *visit) post(ctx context.Context) *end {
	permit, e := v.permit(ctx, v.t, v.t.write, v.wake.Deliveries)
	if e != nil {
		return e
	}
	id := newID()
	d, err := v.c.Ledger.Update(ctx, v.addr, func(d ledger.Device) (ledger.Device, error) {
		if d.Attempt != nil && d.Attempt.ID == id { // our own write, whose reply was lost
			return d, nil
		}
		if d.Next(v.c.Now(), v.c.Timing) != ledger.Post {
			return d, errMoved
		}
		return d.Begin(id, v.c.Now(), v.c.Timing), nil
	})
	if err != nil || d.Attempt == nil {
		v.t.write.Back(permit)
	}
	switch {
	case errors.Is(err, errMoved):
		return nil // look again
	case err != nil:
		return v.unavailable(err)
	case d.Attempt == nil:
		return nil // nothing was left to tell
	}
	v.c.At(Announced)
	v.c.Metrics.OpenAttempts.Inc()
	defer v.c.Metrics.OpenAttempts.Dec()
	if e := d.Newest(); e.Target != "" && e.Target.Device() == "" {
		if leads, end := v.confirm(ctx, d.Attempt.ID, e); !leads {
			return end
		}
	}
	reply, err := v.call(ctx, d)
	v.c.At(Called)
	return v.answer(ctx, d, reply, err)
}

// errMoved ends a Begin whose device no longer wants it.
var errMoved = errors.New("the device moved on")

// call tells Graph the open attempt's whole set. It writes nothing after the
// attempt's budget.
func (v *visit) call(ctx context.Context, d ledger.Device) (graph.Reply, error) {
	a := d.Attempt
	deadline := a.Begun.Add(v.c.Timing.Budget)
	ctx, cancel := context.WithTimeout(ctx, min(CallTimeout, v.c.Timing.Budget))
	defer cancel()
	set := make([]graph.Item, len(a.Set))
	for i, it := range a.Set {
		set[i] = graph.Item{ID: it.ID, Type: string(it.Type)}
	}
	began := time.Now()
	v.calls++
	reply, err := v.t.Graph.ChangeAssignments(ctx, route(d.Newest().Target, v.addr.Device), set, deadline, consent(d))
	who := v.who()
	if t := d.Newest().Target; t != "" {
		who = append(who, "target", t)
	}
	v.called("post", began, err, who, "attempt", a.ID, "items", len(set), "events", len(a.Keys), "request", reply.RequestID)
	return reply, err
}

// consent tells an approver, where the tenant wants one, whose tickets the set is
// for.
func consent(d ledger.Device) graph.Consent {
	var tickets []string
	for _, e := range d.Pending {
		if slices.Contains(d.Attempt.Keys, e.Key) && !slices.Contains(tickets, e.Ticket) {
			tickets = append(tickets, e.Ticket)
		}
	}
	return graph.Consent{Why: strings.Join(append([]string{"changerelay:"}, tickets...), " ")}
}

// confirm asks Graph whether a route that does not say so still leads to this
// device: the set is this device's. If it leads elsewhere, the event that chose it
// is to blame.
func (v *visit) confirm(ctx context.Context, attempt string, by ledger.Entry) (leads bool, e *end) {
	if _, e := v.permit(ctx, v.t, v.t.read, v.wake.Deliveries); e != nil {
		return false, v.record(ctx, e, func(d ledger.Device) (ledger.Device, error) { return d.Released(attempt) }, nil)
	}
	call, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	began := time.Now()
	v.reads++
	found, err := v.t.Graph.DeviceID(call, route(by.Target, ""))
	v.called("find", began, err, v.who(), "target", by.Target, "leads_to", found)
	var why string
	switch {
	case err == nil && found == v.addr.Device:
		return true, nil
	case err == nil:
		why = "data.target leads to another device now, " + found
	case asError(err).Kind == graph.Gone, asError(err).Kind == graph.Refused:
		why = "data.target leads to no device any more: " + asError(err).Error()
	default:
		e = v.putOff(ctx, v.t, asError(err), v.wake.Deliveries)
	}
	now := v.c.Now()
	return false, v.record(ctx, e, func(d ledger.Device) (ledger.Device, error) {
		d, err := d.Released(attempt)
		if err == nil && why != "" {
			d = d.Retract(by.Key, events.Refused, why, now)
		}
		return d, err
	}, nil)
}

// who is in each line about the device.
func (v *visit) who() []any { return []any{"tenant", v.addr.Tenant, "device", v.addr.Device} }

// called measures and logs one request.
func (w *Worker) called(op string, began time.Time, err error, who []any, attrs ...any) {
	kind, level, took := "ok", slog.LevelInfo, time.Since(began)
	if err != nil {
		e := asError(err)
		kind, level = string(e.Kind), slog.LevelWarn
		attrs = []any{"status", e.Status, "request", e.RequestID, "err", e}
	}
	w.c.Metrics.GraphCalls.WithLabelValues(op, kind).Inc()
	w.c.Metrics.GraphSeconds.WithLabelValues(op, kind).Observe(took.Seconds())
	line := append([]any{"stage", "graph", "op", op, "kind", kind, "took", took.Round(time.Microsecond)}, who...)
	w.c.Log.Log(context.Background(), level, "graph", append(line, attrs...)...)
}

// unavailable puts the wake-up back after something that was certainly not done.
func (v *visit) unavailable(err error) *end {
	return &end{events.Unavailable, backoff(v.wake.Deliveries, retryMin, retryMax), err}
}

func items(from []graph.Item) []events.Item {
	s := make([]events.Item, len(from))
	for i, it := range from {
		s[i] = events.Item{ID: it.ID, Type: events.ItemType(it.Type)}
	}
	return s
}
