package ingest

import (
	"errors"
	"net/http"
	"time"

	"changerelay/internal/events"
	"changerelay/internal/ingest/source"
	"changerelay/internal/ingest/verify"
)

// A Report is what Examine found. One of Refusal, Handshake, Ignored, Events,
// Invalid and Problem is set.
type Report struct {
	// What let the request in; all empty with a Refusal or an unverified handshake.
	Checks    []string     // that passed
	Keys      []verify.Use // that it was let in with
	Delivery  string       // its delivery id, if it has one
	Timestamp time.Time    // when it was signed; zero if no check signs that

	Refusal   verify.Reason        // why it is not let in; the sender is not told
	Handshake string               // its kind, if it is one
	Ignored   string               // why it asks for nothing
	Events    []events.Event       // what it asks for; their Ref is what receipts are found by
	Invalid   *events.InvalidError // why it is no event; its body would be parked
	Problem   string               // why it is refused besides: too large, of another type, or not allowed to the source; or of a tenant that is not configured

	// What the sender would be told, if the broker takes everything and has
	// none of it: the code, and the word in the body or the log.
	Code int
	Word string
}

func report(f finding, err error) Report {
	r := Report{Events: f.decoded.Events, Code: http.StatusAccepted, Word: queued}
	if f.sender != nil {
		r.Checks, r.Keys = f.sender.checks, f.delivery.Uses
		r.Delivery, r.Timestamp = f.delivery.ID, f.delivery.Timestamp
	}
	if f.handshake != nil {
		r.Handshake, r.Code, r.Word = f.handshake.kind, f.handshake.code, f.handshake.word
	}
	for _, why := range f.unknown {
		r.Events, r.Problem = nil, tenantField+": "+why
	}
	if err != nil {
		a := refuse(err)
		r.Events, r.Code, r.Word = nil, a.code, a.word
		r.explain(err)
	}
	return r
}

func (r *Report) explain(err error) {
	var refusal *verify.Refusal
	var ignored *source.Ignored
	var f *forbidden
	switch {
	case errors.As(err, &refusal):
		r.Refusal = refusal.Reason
	case errors.As(err, &ignored):
		r.Ignored = ignored.Reason
	case errors.As(err, &r.Invalid):
	case errors.As(err, &f):
		r.Problem = f.field + ": " + f.told()
	default:
		r.Problem = err.Error()
	}
}
