package source

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"changerelay/internal/events"
)

// The meanings that configuration gives a path for. A kind has a default for
// most; custom fields differ from site to site.
const (
	Ticket   = "ticket"    // what people call the ticket
	ID       = "id"        // what its system calls it; none is Ticket
	Version  = "version"   // of the record; with ID it is the event's id
	Time     = "time"      // when it was decided
	Approval = "approval"  // must hold one of the words that approve
	Device   = "device"    // Intune managedDevice id
	Items    = "items"     // ids of items: one, a list, or several with , ; or line breaks between them
	ItemType = "item_type" // Graph's deviceAssignmentItemType; none is application
	Intent   = "intent"    // remove or restore; none is remove
	Tenant   = "tenant"    // for whom; none is the source's own
)

// Meanings lists them all.
var Meanings = []string{Ticket, ID, Version, Time, Approval, Device, Items, ItemType, Intent, Tenant}

// A form is how one ticket system writes its records. What is not there is as
// most of them do it.
type form struct {
	media    []string          // nil: JSON
	fields   map[string]string // the usual path of each meaning; the record may lack what it leads to
	required []string          // meanings that have no usual path and must be configured
	approved []string          // words of Approval that approve, unless configured; nil: approved

	// eventID says that the usual Version is the id of an event: it needs no
	// record beside it.
	eventID bool
	// mark stands between the parts of an event's id; "" is @.
	mark string

	// records finds the records in a body; nil: the body is one.
	records func(doc any) ([]any, error)
	// approval decides in place of the words of Approval. It says why not, or "".
	approval func(r record) (why string, err error)
	// check refuses an approved record whose fields cannot be what they should.
	check func(r record) error
	// time reads the time's text; nil: zonedTime.
	time func(string) (time.Time, bool)
	// wantTime is the form of time, for people, and how to have it sent.
	wantTime string
}

// A formDecoder is a form with a source's own paths.
type formDecoder struct {
	form
	source, tenant string
	paths          map[string]path
	own            map[string]bool // meanings whose path is configuration: records must have what it leads to
}

func (d formDecoder) Accepts(mediaType string) bool {
	if d.media == nil {
		return mediaType == "application/json" || mediaType == "text/json"
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
	if len(docs) > MaxRecords {
		return Decoded{}, invalid("", fmt.Sprintf("the body has %d records; at most %d are looked at", len(docs), MaxRecords))
	}
	return decodeAll(len(docs), func(i int) (events.Event, error) {
		r := record{formDecoder: d, doc: docs[i], delivery: v}
		if len(docs) > 1 {
			r.place = strconv.Itoa(i)
		}
		return r.event()
	})
}
