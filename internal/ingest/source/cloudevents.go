package source

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"strings"

	"changerelay/internal/events"
)

// MaxBatch is how many events or records a body may hold. They are stored one
// after the other before the one answer, and a broker can take milliseconds for
// each.
const MaxBatch = 100

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
// All of them end in the one strict parser. Events of other types are refused:
// a source of kind mapped translates those.
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
	case media != structuredType && media != "application/json":
		return Decoded{}, invalid("Content-Type", "want "+structuredType+", or the ce- headers of binary mode")
	}
	e, err := events.Parse(d.Body, d.Now)
	return one(e, err)
}

// isJSON takes the media types that say JSON (RFC 8259, RFC 6839), but for the
// formats of CloudEvents.
func isJSON(mediaType string) bool {
	if strings.HasPrefix(mediaType, "application/cloudevents") {
		return false
	}
	return mediaType == "application/json" || strings.HasSuffix(mediaType, "+json")
}

func one(e events.Event, err error) (Decoded, error) {
	if err != nil {
		return Decoded{}, err
	}
	return Decoded{Events: []events.Event{e}}, nil
}

// decodeBatch reads a list of events. Its errors say which one is wrong.
func decodeBatch(d Delivery) (Decoded, error) {
	list, err := splitBatch(d.Body)
	if err != nil {
		return Decoded{}, err
	}
	if len(list) == 0 {
		return Decoded{}, &Ignored{"the batch is empty"}
	}
	var out Decoded
	seen := map[events.Ref]int{}
	for i, text := range list {
		e, err := events.Parse(text, d.Now)
		if err != nil {
			return Decoded{}, inside(fmt.Sprintf("[%d]", i), err)
		}
		first, twice := seen[e.Ref()]
		if twice && out.Events[first].Digest() != e.Digest() {
			return Decoded{}, invalid(fmt.Sprintf("[%d].id", i), fmt.Sprintf("is that of [%d] too, with other content; give each event its own id", first))
		}
		seen[e.Ref()], out.Events = i, append(out.Events, e)
	}
	return out, nil
}

// splitBatch returns the events' own texts. The strict reader has looked at the
// whole before encoding/json, which overlooks much, cuts it.
func splitBatch(body []byte) ([]json.RawMessage, error) {
	v, err := events.JSON(body, "batch", events.MaxDepth+1)
	if err != nil {
		return nil, err
	}
	list, ok := v.([]any)
	switch {
	case !ok:
		return nil, invalid("", "the batch is not a list; want a JSON array of events, or one event as "+structuredType)
	case len(list) > MaxBatch:
		return nil, invalid("", fmt.Sprintf("the batch has %d events; at most %d are taken at once", len(list), MaxBatch))
	}
	var texts []json.RawMessage
	if err := json.Unmarshal(body, &texts); err != nil {
		return nil, invalid("", "the batch is not a list of JSON values")
	}
	return texts, nil
}

// inside puts the place of an event before the field that is refused in it.
func inside(place string, err error) error {
	var e *events.InvalidError
	if !errors.As(err, &e) {
		return err
	}
	return invalid(strings.TrimSuffix(place+"."+e.Field, "."), e.Reason)
}
