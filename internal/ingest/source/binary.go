package source

import (
	"net/http"
	"strings"

	"changerelay/internal/events"
)

// Binary mode of CloudEvents carries the attributes in ce- headers
// (cloudevents/spec, http-protocol-binding.md 3.1). A signature over the body
// leaves those open: who has seen one good request could send its body again
// under another id, time or ticket. So it is taken only where the source's
// checks vouch for each ce- header that is there, which RFC 9421 does for the
// headers it lists.

// isBinary reports whether a request is in binary mode: whether it has the
// header that all of those must have.
func isBinary(h http.Header) bool {
	for name := range h {
		if strings.EqualFold(name, events.HeaderPrefix+"specversion") {
			return true
		}
	}
	return false
}

// decodeBinary reads the one event of a request in binary mode.
func decodeBinary(d Delivery) (Decoded, error) {
	attributes, err := events.Attributes(d.Header, d.refuseHeader)
	if err != nil {
		return Decoded{}, err
	}
	none := failed(events.Event{Ticket: attributes["subject"]})
	if foreign := ofOthers(attributes["specversion"], attributes["type"]); foreign != nil {
		return none, foreign
	}
	e, err := events.ParseBinary(attributes, d.Body, d.Now)
	if err == nil {
		err = notOurs(e, events.HeaderPrefix+"source")
	}
	if err != nil {
		return none, err
	}
	return Decoded{Events: []events.Event{e}}, nil
}

// refuseHeader refuses a ce- header that nothing vouches for, and the one that is
// another header's in HTTP.
func (d Delivery) refuseHeader(name string) error {
	switch {
	case d.Covers == nil || !d.Covers(name):
		return invalid(name, "is not vouched for: the signature does not cover it; sign the ce- headers with RFC 9421, or send structured mode, "+structuredType)
	case name == events.HeaderPrefix+"datacontenttype":
		return invalid(name, "is not a header of binary mode over HTTP: Content-Type says it")
	}
	return nil
}
