package source

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"changerelay/internal/events"
)

// The meanings that configuration gives a path for. A kind has a default for
// most; custom fields differ from site to site.
const (
	Ticket   = "ticket"    // what people call the ticket
	ID       = "id"        // what its system calls it
	Version  = "version"   // of the record or the delivery; with ID it is the event's id
	Time     = "time"      // when it was decided
	Approval = "approval"  // must hold one of the words that approve
	Device   = "device"    // Intune managedDevice id
	Items    = "items"     // ids of items: one, a list, or several with commas between them
	ItemType = "item_type" // Graph's deviceAssignmentItemType; none is application
	Intent   = "intent"    // remove or restore; none is remove
	Tenant   = "tenant"    // for whom; none is the source's own
)

// Meanings lists them all.
var Meanings = []string{Ticket, ID, Version, Time, Approval, Device, Items, ItemType, Intent, Tenant}

// A form is how one ticket system writes its records. What is not there is as
// most of them do it.
type form struct {
	prefix   string            // of the CloudEvents source of its events, such as /jira/
	media    []string          // nil: application/json
	fields   map[string]string // the usual path of each meaning
	required []string          // meanings that have no usual path and must be configured
	approved []string          // words of Approval that approve, unless configured; nil: approved

	// records finds the records in a body; nil: the body is one.
	records func(doc any) ([]any, error)
	// skip says why a record asks for nothing, or "", before its fields are read.
	skip func(doc any) string
	// approval decides in place of the words of Approval. It says why not, or "".
	approval func(r record) (why string, err error)
	// check refuses an approved record whose fields cannot be what they should.
	check func(r record) error
	// time reads the time's text; nil: RFC 3339, and what is close to it.
	time func(string) (time.Time, bool)
	// wantTime is the form of time, for people.
	wantTime string
}

// A formDecoder is a form with a source's own paths.
type formDecoder struct {
	form
	source, tenant string
	paths          map[string]path
}

func (d formDecoder) Accepts(mediaType string) bool {
	if d.media == nil {
		return mediaType == "application/json"
	}
	return slices.Contains(d.media, mediaType)
}

// Decode makes an event of each approved record. All records must be good: half
// a delivery is nothing that anybody approved.
func (d formDecoder) Decode(v Delivery) (Decoded, error) {
	doc, err := events.JSON(v.Body, "body", MaxDepth)
	if err != nil {
		return Decoded{}, err
	}
	return d.decode(doc, v)
}

// decode is Decode after the body is read as JSON.
func (d formDecoder) decode(doc any, v Delivery) (out Decoded, err error) {
	docs := []any{doc}
	if d.records != nil {
		if docs, err = d.records(doc); err != nil {
			return Decoded{}, err
		}
	}
	if len(docs) > MaxBatch {
		return Decoded{}, invalid("", fmt.Sprintf("the body has %d records; at most %d are taken at once", len(docs), MaxBatch))
	}
	return decodeAll(len(docs), func(i int) (events.Event, bool, error) {
		r := record{formDecoder: d, doc: docs[i], delivery: v}
		if len(docs) > 1 {
			r.place = strconv.Itoa(i)
		}
		return r.event()
	})
}

// decodeAll decodes n records. Those that ask for nothing are left out; when all
// do, the delivery is ignored.
func decodeAll(n int, decode func(i int) (e events.Event, arrival bool, err error)) (Decoded, error) {
	var out Decoded
	var ignored *Ignored
	for i := range n {
		e, arrival, err := decode(i)
		var bad *events.InvalidError
		switch {
		case err == nil:
			out.Events, out.Arrival = append(out.Events, e), out.Arrival || arrival
		case errors.As(err, &ignored):
		case n > 1 && errors.As(err, &bad):
			return Decoded{}, invalid(strings.TrimSuffix(fmt.Sprintf("[%d].%s", i, bad.Field), "."), bad.Reason)
		default:
			return Decoded{}, err
		}
	}
	if len(out.Events) > 0 {
		return out, nil
	}
	if ignored == nil {
		ignored = &Ignored{"there is no record in the body"}
	}
	return Decoded{}, ignored
}
