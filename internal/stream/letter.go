package stream

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"changerelay/internal/events"
)

// headerReceived keeps, in a dead letter, those headers of the message that are
// part of its event: in binary mode the letter's body is the half of it. It is one
// header, in the form of a URL's query: the names are a publisher's, who may choose
// ones that do not pass a second time, and each would cost more than its bytes.
const headerReceived = "Changerelay-Received"

const contentType = "Content-Type"

// pack is the value of headerReceived for a message with header h, and a note for
// a person if something is left out. It is "" if there are none to keep.
func pack(h nats.Header) (packed, note string) {
	given := url.Values(events.Headers(h))
	all := given.Encode()
	head, whole := first(given, ReceivedHeaders)
	if whole {
		return all, ""
	}
	return head.Encode(), fmt.Sprintf(" (the letter has the first %d bytes of the message's headers; all of them, as %s has them, are %d bytes of SHA-256 %x)",
		ReceivedHeaders, headerReceived, len(all), sha256.Sum256([]byte(all)))
}

// first are the headers up to room bytes of names and values, and whether that is
// all of them. The one that is cut is kept up to the last byte of room, and those
// that make it binary mode come before Content-Type: the parser that refused all
// of them must refuse what is left of them.
func first(h url.Values, room int) (head url.Values, whole bool) {
	head = url.Values{}
	for _, name := range slices.SortedFunc(maps.Keys(h), attributesFirst) {
		for _, v := range h[name] {
			if room < len(name)+len(v) {
				name = name[:min(len(name), room)]
				head.Add(name, v[:min(len(v), room-len(name))])
				return head, false
			}
			room -= len(name) + len(v)
			head.Add(name, v)
		}
	}
	return head, true
}

func attributesFirst(a, b string) int {
	switch typeA, typeB := strings.EqualFold(a, contentType), strings.EqualFold(b, contentType); {
	case typeA && !typeB:
		return 1
	case typeB && !typeA:
		return -1
	}
	return strings.Compare(a, b)
}

// unpack are the headers that pack has packed, nil without any.
func unpack(packed string) nats.Header {
	were, err := url.ParseQuery(packed)
	if err != nil || len(were) == 0 {
		return nil
	}
	return nats.Header(were)
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
