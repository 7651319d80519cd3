package worker

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"time"

	"changerelay/internal/events"
	"changerelay/internal/graph"
	"changerelay/internal/ledger"
	"changerelay/internal/metrics"
	"changerelay/internal/quota"
	"changerelay/internal/stream"
	"changerelay/internal/tracing"
)

// An update is a step of the protocol to be written.
type update = func(ledger.Device) (ledger.Device, error)

// answer records what came of a call. The one table from a kind of error to
// what it means for the device, its events and its tenant:
//
//	ok                 told; events end accepted or superseded
//	refused            blame is laid; the one refused alone ends refused
//	gone               every event of the device ends refused; by another route than its id, as refused
//	approval_required  the call's events end approval_required
//	denied             nobody is blamed; the tenant pauses
//	unavailable        not sent; tried again
//	throttled          perhaps applied: in doubt; the tenant pauses
//	in_doubt           perhaps applied: left open, read later
func (v *visit) answer(ctx context.Context, d ledger.Device, reply graph.Reply, err error) *end {
	id, now := d.Attempt.ID, v.c.Now()
	if err == nil {
		return v.record(ctx, nil, func(d ledger.Device) (ledger.Device, error) {
			return d.Asked(id, reply.RequestID).Accepted(id, reply.RequestID, now)
		}, func() {
			v.mended(ctx, v.t, quota.Write)
			v.accepted(d, now)
		})
	}
	e := asError(err)
	inDoubt := func(d ledger.Device) (ledger.Device, error) {
		return d.Asked(id, e.RequestID).InDoubt(id, now, v.c.Timing)
	}
	released := func(d ledger.Device) (ledger.Device, error) { return d.Asked(id, e.RequestID).Released(id) }
	refused := func(d ledger.Device) (ledger.Device, error) {
		return d.Asked(id, e.RequestID).Refused(id, reason(e), e.RequestID, now)
	}
	switch e.Kind {
	case graph.Refused:
		return v.record(ctx, nil, refused, nil)
	case graph.Gone:
		if d.Newest().Target != "" { // it may be the route that is gone: without it, Graph is asked again
			return v.record(ctx, nil, refused, nil)
		}
		return v.record(ctx, nil, func(d ledger.Device) (ledger.Device, error) {
			return d.Asked(id, e.RequestID).Gone(gone(e), e.RequestID, now), nil
		}, nil)
	case graph.ApprovalRequired:
		e.ApprovalCode = cmp.Or(e.ApprovalCode, d.Approval()) // still open: it is approved under the code that it came with
		return v.record(ctx, nil, func(d ledger.Device) (ledger.Device, error) {
			return d.Asked(id, e.RequestID).Ended(id, events.ApprovalRequired, approval(e), e.RequestID, e.ApprovalCode, now)
		}, nil)
	case graph.Denied:
		return v.record(ctx, &end{events.Unavailable, v.denied(ctx, v.t, quota.Write, e), e}, released, nil)
	case graph.Throttled:
		return v.record(ctx, &end{events.Throttled, v.throttled(ctx, v.t, v.t.write, e.RetryAfter), e}, inDoubt, nil)
	case graph.Unavailable:
		after := v.unavailable(e)
		v.troubled(ctx, v.t, quota.Write, e, after.after)
		return v.record(ctx, after, released, nil)
	}
	// After its Lag the device is looked at again; the document says when.
	return v.record(ctx, &end{events.InDoubt, v.c.Timing.Lag + v.c.Timing.Skew, e}, inDoubt, nil)
}

// readFailed is answer's table for a read, which changes nothing.
func (v *visit) readFailed(ctx context.Context, err error) *end {
	e, now := asError(err), v.c.Now()
	switch e.Kind {
	case graph.Gone, graph.Refused:
		return v.record(ctx, nil, func(d ledger.Device) (ledger.Device, error) {
			if d.Attempt != nil && now.Before(d.Attempt.Until) {
				return d, nil // another worker's call is open: its answer counts
			}
			return d.Gone(gone(e), e.RequestID, now), nil
		}, nil)
	}
	return v.putOff(ctx, v.t, e, v.wake.Deliveries)
}

// record writes an answer. It must not be lost because the worker is told to
// stop, so it has its own time. then runs if it was written.
func (v *visit) record(ctx context.Context, e *end, f update, then func()) *end {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeFor)
	defer cancel()
	_, err := v.doc.Update(ctx, f)
	v.c.At(Answered)
	switch {
	case errors.Is(err, ledger.ErrLost):
		return e // another worker has looked in the meantime: what it saw counts
	case err != nil:
		return v.unavailable(err) // the attempt stays open; a read will tell
	case then != nil:
		then()
	}
	return e
}

// accepted measures how long events took from the broker to Graph.
func (v *visit) accepted(d ledger.Device, now time.Time) {
	carried := map[string]bool{}
	for _, k := range d.Attempt.Keys {
		carried[k] = true
	}
	for _, e := range d.Pending {
		if carried[e.Key] {
			metrics.Observe(v.c.Metrics.WebhookToGraphSeconds.WithLabelValues(v.t.pause.wellSince(e.Accepted)), now.Sub(e.Accepted).Seconds(), tracing.IDOf(e.Trace))
		}
	}
}

// report publishes final outcomes: DEAD, OUTCOMES, clear.
func (v *visit) report(ctx context.Context, rs []ledger.Report) error {
	keys := make([]string, len(rs))
	receipts := make([]events.Receipt, len(rs))
	for i, r := range rs {
		keys[i], receipts[i] = r.Key, r.Receipt(v.addr)
		if !r.Outcome.Dead() {
			continue
		}
		if err := v.bury(ctx, r); err != nil {
			return err
		}
	}
	v.c.At(Buried)
	if err := v.c.Streams.ReportAll(ctx, receipts); err != nil {
		return err
	}
	v.c.At(Published)
	mine := map[string]bool{} // another visit may have been faster
	_, err := v.doc.Update(ctx, func(d ledger.Device) (ledger.Device, error) {
		clear(mine)
		for _, r := range d.Reports {
			mine[r.Key] = true
		}
		return d.Reported(keys...), nil
	})
	v.c.At(Cleared)
	if err != nil {
		return err
	}
	for i, r := range rs {
		if !mine[r.Key] {
			continue
		}
		attrs := []any{"event", events.Ref{Address: v.addr, Key: r.Key}.String(), "ticket", r.Ticket, "tenant", v.addr.Tenant, "device", v.addr.Device,
			"attempts", r.Attempts, "age", r.Ended.Sub(r.Accepted).Round(time.Millisecond)}
		if r.Request != "" {
			attrs = append(attrs, "request", r.Request)
		}
		if why := receipts[i].Reason; why != "" {
			attrs = append(attrs, "reason", why)
		}
		v.traceOutcome(ctx, r)
		v.end(ctx, "reconcile", r.Outcome, v.began, traced(attrs, r.Trace)...)
	}
	return nil
}

// bury stores a dead letter with the event's bytes as they were received.
func (v *visit) bury(ctx context.Context, r ledger.Report) error {
	m, err := v.c.Streams.Change(ctx, r.Message)
	if err != nil && !errors.Is(err, events.ErrNotFound) { // past retention there is only the reason left
		return err
	}
	return v.c.Streams.Bury(ctx, stream.DeadLetter{
		Ref: events.Ref{Address: v.addr, Key: r.Key}, Outcome: r.Outcome, Reason: r.Reason,
		Header: m.Header, Data: m.Data, Origin: m.Subject, Sequence: r.Seq, At: r.Ended, Approval: r.Approval,
	})
}

// asError is the error of package graph, which has no other.
func asError(err error) *graph.Error {
	if e := (*graph.Error)(nil); errors.As(err, &e) {
		return e
	}
	return &graph.Error{Kind: graph.InDoubt, Err: err}
}

func reason(e *graph.Error) string { return "Graph refused the set: " + e.Error() }

func gone(e *graph.Error) string {
	return "Graph does not know the device: it was retired, or enrolled again under a new id: " + e.Error()
}

func approval(e *graph.Error) string {
	if e.ApprovalCode == "" {
		return "the tenant asks for a second admin's approval: " + e.Error()
	}
	return "the tenant asks for a second admin's approval, code " + e.ApprovalCode + ": " + e.Error()
}

// newID names an attempt.
func newID() string { return rand.Text() }
