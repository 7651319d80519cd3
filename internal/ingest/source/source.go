// Package source turns the verified body of a request into events: one small
// file for each kind of ticket system.
//
//	body ──Decode──► Decoded              accepted: publish its events
//	             └─► *Ignored             well-formed, but not for us: 2xx, or the sender tries again
//	             └─► *events.InvalidError names the field as the sender knows it: 422, and the body is parked
//
// A kind that sends its records as JSON is a form: where each meaning usually
// is, which words approve, and how it writes times. Configuration gives other
// paths, because custom fields differ from site to site. A kind that fits no
// form has a Decoder of its own, and a sender of no kind is mapped by
// expressions. Adding a ticket system is a form in a file, a line in the table
// of kinds, and its cases in testdata/cases.
//
// A decoder is pure: the same delivery and the same now give the same events, so
// a sender may repeat itself. It guesses and repairs nothing, because what it
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

// MaxDepth is how deep a body may be nested. Jira's are 8 deep.
const MaxDepth = 64

// A Delivery is one verified request.
type Delivery struct {
	ID     string      // the sender's delivery id, "" if it has none
	Header http.Header // trust in it what Covers says, and nothing else
	Body   []byte
	Now    time.Time

	// CoversID says that what let the request in vouches for ID too: it is
	// signed, or nothing is and the channel vouches for all.
	CoversID bool

	// Covers reports whether what let the request in vouches for the header
	// too: it is signed, or nothing is and the channel vouches for all. nil is
	// never.
	Covers func(header string) bool
}

// Decoded is what a delivery asks for.
type Decoded struct {
	Events []events.Event // at least one

	// Arrival says that the sender states no time: the events' is that of
	// their arrival. A second delivery of one has its id and another time; it
	// is the same event.
	Arrival bool
}

// A Decoder reads the bodies of one source. It is safe for concurrent use.
type Decoder interface {
	// Accepts reports whether bodies of the media type, without parameters,
	// can be read.
	Accepts(mediaType string) bool
	// Decode returns events, or *Ignored, or *events.InvalidError.
	Decode(Delivery) (Decoded, error)
}

// Ignored is the error of a body that asks for nothing.
type Ignored struct{ Reason string }

func (i *Ignored) Error() string { return "ignoring a request: " + i.Reason }

// A Config is what a decoder has to know of its source.
type Config struct {
	Name     string            // of the source; part of the CloudEvents source of its events
	Tenant   string            // whom its records are for; "" if they say so themselves
	Fields   map[string]string // meaning → path; what is left out is the kind's usual
	Approved []string          // words that approve; nil: the kind's usual
	Map      map[string]string // of kind mapped: meaning → CEL expression
}

// A kind is one ticket system.
type kind struct {
	// scheme is the verify preset that it usually signs with; "" if it signs
	// nothing, and another check must be configured.
	scheme  string
	decoder func(Config) (Decoder, error)
}

// kinds are the ticket systems.
var kinds = map[string]kind{
	"cloudevents":  {"standard-webhooks", newCloudEvents},
	"freshdesk":    {"", freshdesk.decoder},
	"freshservice": {"", freshservice.decoder},
	"halo":         {"", halo.decoder},
	"jira":         {"jira", newJira},
	"jsm":          {"", newJSM},
	"mapped":       {"", newMapped},
	"opsgenie":     {"", opsgenie.decoder},
	"pagerduty":    {"pagerduty", pagerDuty.decoder},
	"servicenow":   {"servicenow", serviceNow.decoder},
	"zammad":       {"zammad", zammad.decoder},
	"zendesk":      {"zendesk", newZendesk},
}

// Kinds lists the known kinds.
func Kinds() []string { return slices.Sorted(maps.Keys(kinds)) }

// Scheme is the name of the verify preset that senders of a kind usually sign
// with, or "" for those that sign nothing.
func Scheme(kind string) string { return kinds[kind].scheme }

// New makes the decoder of a source. Its errors name the field.
func New(kind string, c Config) (Decoder, error) {
	k, ok := kinds[kind]
	if !ok {
		return nil, fmt.Errorf("kind: %q is unknown; want one of %s", kind, strings.Join(Kinds(), ", "))
	}
	if kind != "mapped" && c.Map != nil {
		return nil, fmt.Errorf("map: is for kind mapped only; give paths under fields")
	}
	return k.decoder(c)
}
