package stream

import (
	"errors"

	"changerelay/internal/events"
	"changerelay/internal/tracing"
)

// said ends the span of a publish.
func said(s tracing.Span, e events.Event, ref events.Ref, duplicate bool, err error) {
	if s.On() {
		s.Text("messaging.system", "nats")
		s.Text("event", ref.String())
		s.Text("ticket", e.Ticket)
		s.Text("tenant", ref.Tenant)
		switch {
		case errors.Is(err, events.ErrConflict):
			s.Fail("conflict")
		case err != nil:
			s.Fail(string(events.Unavailable))
		case duplicate:
			s.Text("outcome", string(events.Duplicate))
		}
	}
	s.End()
}

// Trace is where the trace of the delivery's event goes on, "" if it is not to be
// traced. known says that its publisher has decided that, either way.
func (d *Delivery) Trace() (trace string, known bool) { return tracing.Extract(d.Header) }
