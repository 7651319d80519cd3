package events

import (
	"fmt"
	"mime"
	"slices"
	"strings"
	"time"
)

// FromMessage reads an event from a message in CHANGES or TARGETS, whose subject
// must be the event's own: broker permissions are granted by subject. The subject
// of a replayed dead letter has the event's key with -r<n> after it. now is the
// broker's timestamp of the message, for a later clock would judge an old event
// anew. header is the message's, and may be nil: see ParseMessage.
//
// The Ref is the subject's. It is returned with an error too if the subject
// alone is good, so that the dead letter can be filed under it.
func FromMessage(subject string, header map[string][]string, data []byte, now time.Time) (Event, Ref, error) {
	ref, ticket, err := ParseSubject(subject)
	if err != nil {
		return Event{}, Ref{}, err
	}
	e, err := ParseMessage(header, data, now)
	if err != nil {
		return Event{}, ref, err
	}
	own := e.Ref()
	key, _, _ := strings.Cut(ref.Key, "-r")
	for _, token := range []struct{ what, got, want string }{
		{"tenant", ref.Tenant, own.Tenant},
		{"device", ref.Device, own.Device},
		{"key", key, own.Key},
		{"ticket token", ticket, TicketToken(e.Ticket)},
	} {
		if token.got != token.want {
			return Event{}, ref, &InvalidError{"subject", fmt.Sprintf("the %s is %s, but the event in the message has %s; publish it, with a new id, to the subject made of it: now it would be %s",
				token.what, token.got, token.want, e.Subject())}
		}
	}
	return e, ref, nil
}

// ParseMessage reads an event from a message of a broker. It is in binary mode if
// the message has any ce- header, else in structured mode, whether or not a
// Content-Type says so: publishers leave that out, though the NATS binding of
// CloudEvents has a message without one be binary. What could be read in both
// modes is refused.
//
// In binary mode the type of the data is in ce-datacontenttype, where the binding
// has it, or in Content-Type, where the Go SDK of CloudEvents puts it.
func ParseMessage(header map[string][]string, data []byte, now time.Time) (Event, error) {
	if !isBinary(header) {
		return Parse(data, now)
	}
	if err := refuseHeaders(Headers(header)); err != nil {
		return Event{}, err
	}
	if err := refuseContentType(header); err != nil {
		return Event{}, err
	}
	attributes, err := Attributes(header, nil)
	if err != nil {
		return Event{}, err
	}
	return ParseBinary(attributes, data, now)
}

// Headers are those of a message's headers that are part of its event: in binary
// mode the ce- headers and Content-Type, else none.
func Headers(header map[string][]string) map[string][]string {
	if !isBinary(header) {
		return nil
	}
	kept := map[string][]string{}
	for key, values := range header {
		if isAttribute(key) || isContentType(key) {
			kept[key] = values
		}
	}
	return kept
}

// refuseHeaders judges number and size of an event's headers: a dead letter has
// to keep them, in what the broker takes of headers.
func refuseHeaders(header map[string][]string) error {
	n, size := 0, 0
	for key, values := range header {
		for _, v := range values {
			n, size = n+1, size+len(key)+len(v)
		}
	}
	switch {
	case n > MaxHeaders:
		return &InvalidError{"", fmt.Sprintf("the event has %d ce- headers; at most %d are taken", n, MaxHeaders)}
	case size > MaxHeader:
		return &InvalidError{"", fmt.Sprintf("the event's ce- headers have %d bytes; at most %d are taken", size, MaxHeader)}
	}
	return nil
}

func isBinary(header map[string][]string) bool {
	for key := range header {
		if isAttribute(key) {
			return true
		}
	}
	return false
}

func isAttribute(key string) bool   { return strings.HasPrefix(lower(key), HeaderPrefix) }
func isContentType(key string) bool { return strings.EqualFold(key, contentType) }

const contentType = "Content-Type"

// refuseContentType judges the Content-Type of a message in binary mode, if it
// has one.
func refuseContentType(header map[string][]string) error {
	var given []string
	for key, values := range header {
		if isContentType(key) {
			given = append(given, values...)
		}
	}
	if len(given) == 0 {
		return nil
	}
	slices.Sort(given)
	media, _, err := mime.ParseMediaType(given[0])
	switch {
	case len(given) > 1:
		return &InvalidError{contentType, "is given twice; send it once"}
	case strings.HasPrefix(lower(given[0]), "application/cloudevents"):
		return &InvalidError{contentType, "is that of structured mode, and there are ce- headers, which are of binary mode; send one of the two"}
	case err != nil || media != "application/json":
		return &InvalidError{contentType, fmt.Sprintf("%q is not taken; want application/json", clip(given[0]))}
	}
	return nil
}
