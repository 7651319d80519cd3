package ingest

import (
	"net/http"

	"changerelay/internal/tracing"
)

// traced begins the trace of a request that brings something. Who asks what became
// of an event is not traced: readers poll.
func (s *Server) traced(x *exchange) {
	if x.Request().Method == http.MethodPost {
		_, x.span = s.tracer.Root(x.Request().Context(), "POST", tracing.Server, x.start)
	}
}

// linked points at the trace that the sender says the request is a part of. It is
// verified by now: a stranger's word would lead people anywhere.
func (x *exchange) linked() {
	if x.span.On() {
		theirs, _ := tracing.Extract(x.Request().Header)
		x.span.Link(theirs)
	}
}

// ended says of the request what its line in the log says.
func (x *exchange) ended(err error) {
	if x.span.On() {
		x.span.Name("POST " + x.route)
		x.span.Text("http.request.method", http.MethodPost)
		x.span.Text("http.route", x.route)
		x.span.Count("http.response.status_code", x.answer.code)
		x.span.Text("request_id", x.id)
		x.span.Text("source", x.source)
		x.span.Text("outcome", x.answer.word)
		x.span.Text("ticket", x.ticket)
		x.span.Count("events", len(x.ids))
		if err != nil {
			x.span.Text("reason", refusal(err))
		}
		if x.answer.code >= 500 {
			x.span.Fail(x.answer.word)
		}
	}
	x.span.End()
}
