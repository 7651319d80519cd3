package stream

import (
	"net/url"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"changerelay/internal/events"
)

// headerReceived stands, in a dead letter, before the name of a header that the
// message had and that is part of its event: in binary mode the letter's body is
// the half of it. The name is query-escaped, for a publisher's own may have
// characters that do not pass a second time.
const headerReceived = "Changerelay-Received-"

// kept are the headers of a letter that keep those of a message.
func kept(h nats.Header) nats.Header {
	as := nats.Header{}
	for name, values := range events.Headers(h) {
		as[headerReceived+url.QueryEscape(name)] = values
	}
	return as
}

// received are the headers that kept has kept, nil without any.
func received(h nats.Header) nats.Header {
	var were nats.Header
	for key, values := range h {
		escaped, ok := strings.CutPrefix(key, headerReceived)
		name, err := url.QueryUnescape(escaped)
		if !ok || err != nil {
			continue
		}
		if were == nil {
			were = nats.Header{}
		}
		were[name] = values
	}
	return were
}

// Event is the event that the letter is of, judged anew at now: what was ahead of
// the clock when it came may be good by now. It must agree with the subject that
// the message came under, as it had to then: its sender might write there and
// nowhere else. Replay publishes it. Its errors are *events.InvalidError.
func (l DeadLetter) Event(now time.Time) (events.Event, error) {
	switch {
	case l.Source != "":
		return events.Event{}, &events.InvalidError{Reason: "the letter is the body of a webhook that could not be read, not an event; have " + l.Source + " send it again"}
	case l.Origin == "":
		return events.Event{}, &events.InvalidError{Reason: "the letter has no event: " + Changes + " had forgotten it when it ended"}
	}
	e, _, err := events.FromMessage(l.Origin, l.Header, l.Data, now)
	return e, err
}
