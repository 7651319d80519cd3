package source

import (
	"errors"
	"fmt"
	"strings"

	"changerelay/internal/events"
)

// A batch gathers the events of one delivery.
type batch struct {
	events  []events.Event
	first   map[events.Ref]firstOf
	ignored *Ignored // why a record is none
}

// firstOf is where the first event of a name is.
type firstOf struct{ place, index int } // in the body, in events

// failed is what is left of an event that is none: people look for its ticket.
func failed(e events.Event) Decoded {
	if !events.IsTicket(e.Ticket) {
		return Decoded{}
	}
	return Decoded{Ticket: e.Ticket}
}

// decodeAll decodes n records. Those that ask for nothing are left out; when all
// do, the delivery is ignored.
func decodeAll(n int, decode func(i int) (events.Event, error)) (Decoded, error) {
	if n == 1 { // as nearly always: nothing to compare
		e, err := decode(0)
		if err != nil {
			return failed(e), err
		}
		return Decoded{Events: []events.Event{e}}, nil
	}
	b := batch{first: map[events.Ref]firstOf{}}
	for i := range n {
		e, err := decode(i)
		if errors.As(err, &b.ignored) {
			continue
		}
		if err == nil {
			err = b.add(i, e)
		}
		if err != nil {
			return failed(e), inside(fmt.Sprintf("[%d]", i), err)
		}
	}
	return b.decoded()
}

// add takes the event of the record at a place. One that is there twice is one
// event; two that have one name could not both be stored, and the first would
// have been when the second is refused.
func (b *batch) add(i int, e events.Event) error {
	first, twice := b.first[e.Ref()]
	switch {
	case !twice:
		b.first[e.Ref()] = firstOf{i, len(b.events)}
		b.events = append(b.events, e)
	case b.events[first.index].Digest() != e.Digest():
		return invalid("", fmt.Sprintf("has the id of [%d], and other content; give each its own id, version or time", first.place))
	}
	return nil
}

func (b *batch) decoded() (Decoded, error) {
	switch n := len(b.events); {
	case n > MaxBatch:
		return Decoded{}, invalid("", fmt.Sprintf("the body asks for %d events; at most %d are taken at once", n, MaxBatch))
	case n > 0:
		return Decoded{Events: b.events}, nil
	case b.ignored != nil:
		return Decoded{}, b.ignored
	}
	return Decoded{}, &Ignored{"there is no record in the body"}
}

// inside puts the place of a record before the field that is refused in it.
func inside(place string, err error) error {
	var e *events.InvalidError
	if !errors.As(err, &e) {
		return err
	}
	return invalid(strings.TrimSuffix(place+"."+e.Field, "."), e.Reason)
}
