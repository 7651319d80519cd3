// Package source turns the verified body of a request into events: one small
// decoder for each kind of ticket system.
//
//	body ──Decode──► []events.Event      accepted: publish them
//	             └─► *Ignored            well-formed, but not for us: 2xx, or the sender tries again
//	             └─► *events.InvalidError  names the field as the sender knows it: 422
//
// A decoder is pure: the same body and the same now give the same events, so a
// sender may repeat itself. It guesses and repairs nothing, because what it
// returns moves settings on somebody's phone. Events end in events.New, the one
// home of what an event may say; a decoder only translates, and translates the
// names of refused fields back.
//
// Bodies come from verified senders, but were written by templates and by
// people typing into forms: expect anything.
package source

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"changerelay/internal/events"
)

// A Delivery is one verified request.
type Delivery struct {
	ID     string      // the sender's delivery id, "" if it has none
	Header http.Header // not covered by most signatures: trust nothing in it
	Body   []byte
	Now    time.Time
}

// A Decoder reads the bodies of one source. It is safe for concurrent use.
type Decoder interface {
	// Accepts reports whether bodies of the media type, without parameters,
	// can be read.
	Accepts(mediaType string) bool
	// Decode returns at least one event, or *Ignored, or *events.InvalidError.
	Decode(Delivery) ([]events.Event, error)
}

// Ignored is the error of a body that asks for nothing.
type Ignored struct{ Reason string }

func (i *Ignored) Error() string { return "ignoring a request: " + i.Reason }

// A Config is what a decoder has to know of its source.
type Config struct {
	Name   string // of the source; part of the CloudEvents source of its events
	Tenant string // whom its tickets are for, if the kind does not say so itself
	Fields Fields // column names, for the kind servicenow
}

// kinds are the ticket systems, each with its decoder.
var kinds = map[string]func(Config) (Decoder, error){
	"cloudevents": newCloudEvents,
	"servicenow":  newServiceNow,
}

// Kinds lists the known kinds.
func Kinds() []string { return slices.Sorted(maps.Keys(kinds)) }

// New makes the decoder of a source. Its errors name the field.
func New(kind string, c Config) (Decoder, error) {
	compile := kinds[kind]
	if compile == nil {
		return nil, fmt.Errorf("kind: %q is unknown; want one of %s", kind, strings.Join(Kinds(), ", "))
	}
	return compile(c)
}
