// Package source turns the verified body of a request into events: one small
// file for each kind of ticket system.
//
//	body ──Decode──► Decoded              accepted: publish its events
//	             └─► *Ignored             well-formed, but not for us: 2xx, or the sender tries again
//	             └─► *events.InvalidError names the field as the sender knows it: 422, and the body is parked
//
// A kind that sends its records as JSON is a form: where each meaning usually
// is, which words approve, and how it writes times. Configuration gives other
// paths, because custom fields differ from site to site; a record must have what
// they lead to, if only empty, for a path that leads nowhere is misspelt. A kind that fits no
// form has a Decoder of its own, and a sender of no kind is mapped by
// expressions, whose Language programs that decode plug in: a worker reads the same
// configuration, decodes nothing, and is to be small. Adding a ticket system is a form in a file, a line in the table
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
	Events []events.Event // 1 to MaxBatch, of different refs
	Ticket string         // beside an error: that of the record it is about, if that could be read
}

// A Decoder reads the bodies of one source. It is safe for concurrent use.
type Decoder interface {
	// Accepts reports whether bodies of the media type, without parameters,
	// can be read.
	Accepts(mediaType string) bool
	// Decode returns events, or *Ignored, or *events.InvalidError. Beside an
	// error there may be the Ticket.
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
	// media says how its bodies come to have a media type that is taken.
	media string
}

// kinds are the ticket systems.
var kinds = map[string]kind{
	"cloudevents":  {"standard-webhooks", newCloudEvents, "want application/json, or for a CloudEvent " + structuredType + " or " + batchType},
	"freshdesk":    {"", freshdesk.decoder, "want application/json; choose JSON as the webhook's encoding"},
	"freshservice": {"", freshservice.decoder, "want application/json; choose JSON as the webhook's encoding"},
	"halo":         {"", halo.decoder, "want application/json"},
	"jira":         {"jira", newJira, "want application/json, as Jira's webhooks have"},
	"jsm":          {"", newJSM, "want application/json; give the web request the header Content-Type"},
	"mapped":       {"", newMapped, "want JSON, as application/json, another type that ends in +json, or text/plain; forms and XML cannot be read"},
	"opsgenie":     {"", opsgenie.decoder, "want application/json"},
	"pagerduty":    {"pagerduty", pagerDuty.decoder, "want application/json, as v3 webhooks have"},
	"servicenow":   {"servicenow", serviceNow.decoder, `want application/json; have the script call setRequestHeader("Content-Type", "application/json")`},
	"zammad":       {"zammad", zammad.decoder, "want application/json"},
	"zendesk":      {"zendesk", newZendesk, "want application/json; choose JSON as the webhook's request format"},
}

// Kinds lists the known kinds.
func Kinds() []string { return slices.Sorted(maps.Keys(kinds)) }

// Scheme is the name of the verify preset that senders of a kind usually sign
// with, or "" for those that sign nothing.
func Scheme(kind string) string { return kinds[kind].scheme }

// WantMedia says to a sender of a kind, whose Decoder does not accept the media
// type, which one it wants and how to have it sent. It follows "Content-Type: ".
func WantMedia(kind string) string { return kinds[kind].media }

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
