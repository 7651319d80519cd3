package worker

import (
	"context"
	"time"

	"changerelay/internal/events"
	"changerelay/internal/ledger"
	"changerelay/internal/stream"
	"changerelay/internal/tracing"
)

// Each event has a trace of its own, which it brings along in its message and then
// has in the document. A unit of work for one event goes on in it; one for several
// has links to theirs. See package tracing.

// traced adds the trace to a line of the log, if there is one.
func traced(attrs []any, trace string) []any {
	if trace == "" {
		return attrs
	}
	return append(attrs, "trace", tracing.IDOf(trace))
}

// traceFold begins the span of a device's batch. An event whose publisher has not
// said whether to trace it begins its trace here, when the broker took it.
func (w *Worker) traceFold(ctx context.Context, as []*arrival, began time.Time) (context.Context, tracing.Span) {
	if w.c.Tracer == nil {
		return ctx, tracing.Span{}
	}
	var from []string
	for _, a := range as {
		if _, known := a.Delivery.Trace(); !known {
			_, a.begun = w.c.Tracer.Root(ctx, "accepted", tracing.Consumer, a.Time)
			a.trace = a.begun.Parent()
		}
		a.entry.Trace = a.trace
		from = append(from, a.trace)
	}
	return w.c.Tracer.Join(ctx, "fold", tracing.Consumer, began, from...)
}

// endFold ends the span, and of the traces that begin with it the first ones: of
// an event that found no room, no trace is sent, for it comes again.
func endFold(s tracing.Span, addr events.Address, as []*arrival, done []*stream.Delivery, began time.Time, err error) {
	for _, a := range as {
		if a.became == folded {
			a.begun.Text("ticket", a.event.Ticket)
			a.begun.EndAt(began)
		}
	}
	if s.On() {
		s.Text("tenant", addr.Tenant)
		s.Text("device", addr.Device)
		s.Count("events", len(as))
		s.Count("folded", len(done))
		var list []string
		for _, a := range as {
			list = append(list, a.event.Ticket)
		}
		s.Texts("tickets", few(list))
		if err != nil {
			s.Fail(string(events.Unavailable))
		}
	}
	s.End()
}

// traceResolve begins the span of a target's look-up.
func (w *Worker) traceResolve(ctx context.Context, a *arrival, began time.Time) context.Context {
	a.trace, _ = a.Delivery.Trace()
	ctx, s := w.c.Tracer.Join(ctx, "resolve", tracing.Consumer, began, a.trace)
	s.Count("deliveries", int(a.Deliveries)) // #nosec G115 -- a message is delivered less often than an int counts
	return ctx
}

// trace begins the visit's span, when it is known whose events it is about.
func (v *visit) trace(ctx context.Context, d ledger.Device) context.Context {
	if v.c.Tracer == nil {
		return ctx
	}
	ctx, v.span = v.c.Tracer.Join(ctx, "reconcile", tracing.Consumer, v.began, d.Traces()...)
	v.span.Text("tenant", v.addr.Tenant)
	v.span.Text("device", v.addr.Device)
	v.span.Count("events", len(d.Pending))
	return ctx
}

func (v *visit) traceEnd(e *end) {
	v.span.Count("calls", v.calls)
	v.span.Count("reads", v.reads)
	if e != nil {
		v.span.Text("outcome", string(e.outcome))
	}
	v.span.End()
}

// traceCall points the span of a POST at the events that it carries, and names
// their tickets.
func (v *visit) traceCall(s tracing.Span, d ledger.Device) []string {
	list := few(tickets(d))
	if !s.On() {
		return list
	}
	carried := map[string]bool{}
	for _, k := range d.Attempt.Keys {
		carried[k] = true
	}
	for _, e := range d.Pending {
		if carried[e.Key] {
			s.Link(e.Trace)
		}
	}
	s.Texts("tickets", list)
	s.Count("events", len(d.Attempt.Keys))
	s.Count("items", len(d.Attempt.Set))
	return list
}

// endCall says how a request to Graph ended; whoever began the span ends it.
func endCall(s tracing.Span, op, kind string, err error) {
	if !s.On() {
		return
	}
	s.Text("op", op)
	s.Text("kind", kind)
	if err != nil {
		e := asError(err)
		s.Count("http.response.status_code", e.Status)
		s.Text("request", e.RequestID)
		s.Fail(kind)
	}
}

// traceOutcome ends an event's trace, with a span from its acceptance to its end.
func (v *visit) traceOutcome(ctx context.Context, r ledger.Report) {
	_, s := v.c.Tracer.Join(ctx, "outcome", tracing.Internal, r.Accepted, r.Trace)
	s.Link(v.span.Parent())
	s.Text("outcome", string(r.Outcome))
	s.Text("ticket", r.Ticket)
	s.Text("event", events.Ref{Address: v.addr, Key: r.Key}.String())
	s.Text("request", r.Request)
	s.Count("attempts", r.Attempts)
	if r.Outcome.Dead() {
		s.Fail(string(r.Outcome))
	}
	s.EndAt(r.Ended)
}

// traceBurial is traceOutcome for an event that no document will have.
func (w *Worker) traceBurial(ctx context.Context, a *arrival, o events.Outcome) {
	_, s := w.c.Tracer.Join(ctx, "outcome", tracing.Internal, a.Time, a.trace)
	s.Text("outcome", string(o))
	s.Text("ticket", a.event.Ticket)
	s.Fail(string(o))
	s.End()
}

// few are the first of many tickets.
func few(list []string) []string { return list[:min(len(list), tracing.MaxTickets)] }
