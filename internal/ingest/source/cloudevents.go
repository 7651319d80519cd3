package source

import (
	"encoding/json"
	"fmt"
	"mime"
	"strings"
	"time"

	"changerelay/internal/events"
)

const (
	structuredType = "application/cloudevents+json"
	batchType      = "application/cloudevents-batch+json"
)

// cloudEvents reads changerelay's own wire format, in the three content modes
// of the CloudEvents HTTP binding (cloudevents/spec, http-protocol-binding.md 3):
//
//   - structured, one event as JSON. Senders that cannot choose their media
//     type may call it application/json.
//   - batched, a list of such events. Section 3.3 lets a sender batch only when
//     it was asked to; configuring a source of this kind is that. A batch is
//     taken as a whole or not at all.
//   - binary, the event's attributes in ce- headers and its data as the body.
//     See binary.go for the one condition.
//
// All of them end in the one strict parser. A broker may send events of other
// types along: they are ignored, and in a batch left out. A source of kind mapped
// can read those.
type cloudEvents struct{}

func newCloudEvents(Config) (Decoder, error) { return cloudEvents{}, nil }

func (cloudEvents) Accepts(mediaType string) bool {
	return mediaType == structuredType || mediaType == batchType || isJSON(mediaType)
}

func (cloudEvents) Decode(d Delivery) (Decoded, error) {
	media, _, err := mime.ParseMediaType(d.Header.Get("Content-Type"))
	if err != nil {
		media = structuredType // the server has refused a bad one already
	}
	switch {
	case media == batchType:
		return decodeBatch(d)
	case media != structuredType && isBinary(d.Header):
		return decodeBinary(d)
	case media != structuredType && media != "application/json" && media != "text/json":
		return Decoded{}, invalid("Content-Type", "want "+structuredType+", or the ce- headers of binary mode")
	}
	return decodeAll(1, func(int) (events.Event, error) { return parse(d.Body, d.Now) })
}

// isJSON takes the media types that say JSON (RFC 8259, RFC 6839), but for the
// formats of CloudEvents.
func isJSON(mediaType string) bool {
	if strings.HasPrefix(mediaType, "application/cloudevents") {
		return false
	}
	return mediaType == "application/json" || mediaType == "text/json" || strings.HasSuffix(mediaType, "+json")
}

// parse reads an event of ours. Only what is none is looked at again, for what
// else it may be, and for its ticket.
func parse(text []byte, now time.Time) (events.Event, error) {
	e, err := events.Parse(text, now)
	if err == nil {
		return e, notOurs(e, "source")
	}
	doc, unreadable := events.JSON(text, "event", MaxDepth)
	if unreadable != nil {
		return events.Event{}, err
	}
	subject, _ := memberOf(doc, "subject").(string)
	e = events.Event{Ticket: subject}
	if _, list := doc.([]any); list {
		return e, invalid("", "the event is a list; send a batch of CloudEvents as "+batchType+", and in Azure Event Grid choose the CloudEvents schema")
	}
	if foreign := ofOthers(memberOf(doc, "specversion"), memberOf(doc, "type")); foreign != nil {
		return e, foreign
	}
	return e, err
}

// hooks begins the CloudEvents source of events that are made here of a ticket
// system's records. No sender of CloudEvents may say it: it could take the ids of
// another source's events, and those would be conflicts.
const hooks = "/v1/hooks/"

func notOurs(e events.Event, field string) error {
	if strings.HasPrefix(e.Source, hooks) {
		return invalid(field, "begins with "+hooks+", which stands for the relay's own sources; name the sending system, such as /servicenow/acme")
	}
	return nil
}

// ofOthers is why a CloudEvent is ignored, or nil: its type is none of ours. One
// of ours that is not known here is not ignored; it asked for something.
func ofOthers(version, kindOf any) error {
	kind, _ := kindOf.(string)
	own, _, _ := strings.Cut(events.Type, ".")
	if version != "1.0" || kind == "" || strings.HasPrefix(kind, own+".") {
		return nil
	}
	return &Ignored{fmt.Sprintf("its type is %s; only %s asks for changes; configure kind mapped to read it", shown(kind), events.Type)}
}

// decodeBatch reads a list of events. Its errors say which one is wrong.
func decodeBatch(d Delivery) (Decoded, error) {
	list, err := splitBatch(d.Body)
	if err != nil {
		return Decoded{}, err
	}
	return decodeAll(len(list), func(i int) (events.Event, error) { return parse(list[i], d.Now) })
}

// splitBatch returns the events' own texts. The strict reader has looked at the
// whole before encoding/json, which overlooks much, cuts it.
func splitBatch(body []byte) ([]json.RawMessage, error) {
	v, err := events.JSON(body, "batch", MaxDepth)
	if err != nil {
		return nil, err
	}
	list, ok := v.([]any)
	switch {
	case !ok:
		return nil, invalid("", "the batch is not a list; want a JSON array of events, or one event as "+structuredType)
	case len(list) > MaxRecords:
		return nil, invalid("", fmt.Sprintf("the batch has %d events; at most %d are looked at", len(list), MaxRecords))
	}
	var texts []json.RawMessage
	if err := json.Unmarshal(body, &texts); err != nil {
		return nil, invalid("", "the batch is not a list of JSON values")
	}
	return texts, nil
}
