package worker

import (
	"context"
	"slices"
	"strings"
	"time"

	"changerelay/internal/events"
	"changerelay/internal/graph"
	"changerelay/internal/ledger"
	"changerelay/internal/quota"
	"changerelay/internal/tracing"
)

// post tells Graph the device's set when it is the tenant's turn.
func (v *visit) post(ctx context.Context) *end {
	permit, e := v.permit(ctx, v.t, v.t.write, v.wake.Deliveries, quotaWait)
	if e != nil {
		return e
	}
	return v.announce(ctx, permit, func(d ledger.Device) (ledger.Device, error) { return d, nil })
}

// announce writes what is known now and an attempt, calls Graph and records the
// answer. It uses up the permit or gives it back.
func (v *visit) announce(ctx context.Context, permit quota.Permit, known update) *end {
	id := newID()
	d, err := v.doc.Update(ctx, func(d ledger.Device) (ledger.Device, error) {
		if d.Attempt != nil && d.Attempt.ID == id { // our own write, whose reply was lost
			return d, nil
		}
		d, err := known(d)
		if err == nil && d.Next(v.c.Now(), v.c.Timing) == ledger.Post {
			d = d.Begin(id, v.c.Now(), v.c.Timing)
		}
		return d, err
	})
	v.c.At(Seen)
	if err != nil || d.Attempt == nil || d.Attempt.ID != id {
		v.t.write.Back(permit)
		if err != nil {
			return v.unavailable(err)
		}
		return nil // the device moved on, or nothing was left to tell: look again
	}
	v.c.At(Announced)
	v.c.Metrics.OpenAttempts.Inc()
	defer v.c.Metrics.OpenAttempts.Dec()
	if !permit.Valid(v.c.Now()) { // the broker was slow: a turn that is over is nobody's
		if _, e := v.permit(ctx, v.t, v.t.write, v.wake.Deliveries, turnWait); e != nil {
			return v.record(ctx, e, func(d ledger.Device) (ledger.Device, error) { return d.Released(id) }, nil)
		}
	}
	if e := d.Newest(); e.Target != "" && e.Target.Device() == "" { // last, for the answer may be old in a moment
		if leads, end := v.confirm(ctx, d.Attempt.ID, e); !leads {
			return end
		}
	}
	reply, err := v.call(ctx, d)
	v.c.At(Called)
	return v.answer(ctx, d, reply, err)
}

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
	ctx, span := tracing.Start(ctx, "graph post", tracing.Client)
	defer span.End()
	tickets := v.traceCall(span, d)
	began := time.Now()
	v.calls++
	reply, err := v.t.Graph.ChangeAssignments(ctx, route(d.Newest().Target, v.addr.Device), set, deadline, consent(d))
	who := append(v.who(), "tickets", tickets)
	if t := d.Newest().Target; t != "" {
		who = append(who, "target", t)
	}
	v.called(ctx, v.t, "post", began, err, who, "attempt", a.ID, "items", len(set), "events", len(a.Keys), "request", reply.RequestID)
	span.Text("request", reply.RequestID)
	return reply, err
}

// consent tells an approver, where the tenant wants one, whose tickets the set is
// for.
func consent(d ledger.Device) graph.Consent {
	return graph.Consent{Why: strings.Join(append([]string{"changerelay:"}, tickets(d)...), " "), Code: d.Approval()}
}

// tickets are those whose events the open attempt carries.
func tickets(d ledger.Device) (list []string) {
	for _, e := range d.Pending {
		if slices.Contains(d.Attempt.Keys, e.Key) && !slices.Contains(list, e.Ticket) {
			list = append(list, e.Ticket)
		}
	}
	return list
}

// confirm asks Graph whether a route that does not say so still leads to this
// device: the set is this device's. If it leads elsewhere, the event that chose it
// is to blame.
func (v *visit) confirm(ctx context.Context, attempt string, by ledger.Entry) (leads bool, e *end) {
	if _, e := v.permit(ctx, v.t, v.t.read, v.wake.Deliveries, turnWait); e != nil {
		return false, v.record(ctx, e, func(d ledger.Device) (ledger.Device, error) { return d.Released(attempt) }, nil)
	}
	call, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	call, span := tracing.Start(call, "graph find", tracing.Client)
	defer span.End()
	began := time.Now()
	v.reads++
	found, err := v.t.Graph.DeviceID(call, route(by.Target, ""))
	v.called(call, v.t, "find", began, err, v.who(), "target", by.Target, "leads_to", found)
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
